//! What a policy made of a corpus, in numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::curve::Curve;
use super::judge::Judgement;
use super::rate::Rate;
use super::row::{Row, Truth};
use super::spans::{Overlap, Spans};
use crate::args::As;

/// Attacks that a text alone hardly shows: an instruction that is only wrong in its context, a suffix that was
/// optimised. They are counted by kind, and nowhere else.
pub const APART: [&str; 3] = ["adv_suffix", "contextual", "indirect_plain"];
/// The most names that are told apart; what comes later is counted together.
const NAMES: usize = 1000;
/// The name of what is counted together.
const MORE: &str = "(more)";

/// By what texts are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    Corpus,
    Kind,
    Language,
    Source,
    Encoding,
    Length,
}

impl Dimension {
    /// All of them, in the order of reports.
    pub const ALL: [Dimension; 6] = [
        Dimension::Kind,
        Dimension::Language,
        Dimension::Encoding,
        Dimension::Length,
        Dimension::Source,
        Dimension::Corpus,
    ];

    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Dimension::Corpus => "corpus",
            Dimension::Kind => "kind",
            Dimension::Language => "language",
            Dimension::Source => "source",
            Dimension::Encoding => "encoding",
            Dimension::Length => "length",
        }
    }

    fn of<'r>(self, row: &'r Row, corpus: &'r str) -> Option<&'r str> {
        match self {
            Dimension::Corpus => Some(corpus),
            Dimension::Kind => row.kind.as_deref(),
            Dimension::Language => row.language.as_deref(),
            Dimension::Source => row.source.as_deref(),
            Dimension::Encoding => row.encoding.as_deref(),
            Dimension::Length => Some(match row.text.len() {
                ..1000 => "under 1 KB",
                1000..3000 => "1 to 3 KB",
                3000.. => "3 KB and more",
            }),
        }
    }
}

/// Texts and what was found in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub texts: u64,
    pub bytes: u64,
    /// Texts with a finding, or that could not be inspected.
    pub flagged: u64,
    /// Texts that would be refused.
    pub blocked: u64,
    pub findings: u64,
}

impl Count {
    /// The share of texts that count as found.
    pub fn rate(&self, how: As) -> Rate {
        let hits = match how {
            As::Flag => self.flagged,
            As::Block => self.blocked,
        };
        Rate { hits, of: self.texts }
    }

    /// What a share of the texts comes to for each MB (1,000,000 bytes) of them.
    pub fn per_mb(&self, share: f64) -> f64 {
        share * self.texts as f64 / (self.bytes as f64 / 1e6).max(f64::MIN_POSITIVE)
    }

    fn add(&mut self, row: &Row, judgement: &Judgement) {
        self.texts += 1;
        self.bytes += row.text.len() as u64;
        self.flagged += u64::from(flagged(judgement, As::Flag));
        self.blocked += u64::from(flagged(judgement, As::Block));
        self.findings += judgement.findings.len() as u64;
    }
}

/// Whether a text counts as found.
pub fn flagged(judgement: &Judgement, how: As) -> bool {
    let found = match how {
        As::Flag => !judgement.findings.is_empty(),
        As::Block => judgement.rejected,
    };
    found || judgement.uninspected
}

/// Attacks and benign texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Group {
    pub attacks: Count,
    pub benign: Count,
}

impl Group {
    /// The share of attacks in what was found.
    pub fn precision(&self, how: As) -> Rate {
        let (right, wrong) = (self.attacks.rate(how).hits, self.benign.rate(how).hits);
        Rate { hits: right, of: right + wrong }
    }
}

/// Where a rule found something, in texts but for the last two.
#[derive(Clone, Copy, Default)]
pub struct RuleCount {
    pub attacks: u64,
    /// Attacks in which no other rule found anything.
    pub attacks_alone: u64,
    pub benign: u64,
    pub benign_alone: u64,
    /// Findings that touch a place, and those that touch none.
    pub right: u64,
    pub wrong: u64,
}

/// What a policy made of all rows.
#[derive(Default)]
pub struct Measures {
    pub overall: Group,
    pub apart: Group,
    by: [BTreeMap<String, Group>; Dimension::ALL.len()],
    pub rules: BTreeMap<String, RuleCount>,
    pub spans: Spans,
    pub curve: Curve,
    pub uninspected: u64,
    pub bytes: u64,
    pub took: Duration,
}

impl Measures {
    /// Counts a row; says what was made of its places, if it names any.
    pub fn add(&mut self, row: &Row, corpus: &str, judgement: &Judgement) -> Option<Overlap> {
        self.bytes += row.text.len() as u64;
        self.uninspected += u64::from(judgement.uninspected);
        if let Truth::Spans(spans) = &row.truth {
            let overlap = Overlap::of(spans, judgement);
            self.spans.add(&row.text, spans, &overlap);
            for ((rule, _, _), right) in judgement.findings.iter().zip(&overlap.right) {
                let count = self.rules.entry(rule.clone()).or_default();
                *(if *right { &mut count.right } else { &mut count.wrong }) += 1;
            }
            return Some(overlap);
        }
        let attack = matches!(row.truth, Truth::Attack);
        let apart = is_apart(row);
        let side = |group: &mut Group| {
            let count = if attack { &mut group.attacks } else { &mut group.benign };
            count.add(row, judgement);
        };
        side(if apart { &mut self.apart } else { &mut self.overall });
        for (dimension, groups) in Dimension::ALL.iter().zip(&mut self.by) {
            let counts = !apart || *dimension == Dimension::Kind;
            if let Some(name) = dimension.of(row, corpus).filter(|_| counts) {
                side(groups.entry(capped(groups, name)).or_default());
            }
        }
        let fired: BTreeSet<&str> = judgement.findings.iter().map(|(r, _, _)| r.as_str()).collect();
        for rule in &fired {
            let count = self.rules.entry((*rule).to_owned()).or_default();
            let (texts, alone) = if attack {
                (&mut count.attacks, &mut count.attacks_alone)
            } else {
                (&mut count.benign, &mut count.benign_alone)
            };
            *texts += 1;
            *alone += u64::from(fired.len() == 1);
        }
        if let Some(score) = judgement.score.filter(|_| !apart) {
            self.curve.add(attack, score);
        }
        None
    }

    /// The groups of a dimension.
    pub fn by(&self, dimension: Dimension) -> &BTreeMap<String, Group> {
        let at = Dimension::ALL.iter().position(|d| *d == dimension).unwrap_or_default();
        let [first, ..] = &self.by;
        self.by.get(at).unwrap_or(first)
    }

    /// Megabytes a second.
    pub fn speed(&self) -> f64 {
        self.bytes as f64 / 1e6 / self.took.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

/// Whether a row is an attack that is reported apart.
pub fn is_apart(row: &Row) -> bool {
    matches!(row.truth, Truth::Attack)
        && row.kind.as_deref().is_some_and(|kind| APART.contains(&kind))
}

/// The name under which something is counted, so that no corpus has more names than are kept.
pub fn capped<V>(groups: &BTreeMap<String, V>, name: &str) -> String {
    let fits = groups.len() < NAMES || groups.contains_key(name);
    if fits { name.to_owned() } else { MORE.to_owned() }
}
