//! Scanning of complete strings: what requests, whole answers and single event fields have in common.

use std::ops::Range;

use weir_rules::{
    Action, Channel, ChannelSet, Finding, Found, Ruleset, ScanError, closed, edits, scan_whole,
};

use crate::json::{Layers, Offsets};
use crate::nested;
use crate::splice::{self, Coding, Cut};
use crate::tally::Tally;

/// A complete string whose channel may not be known yet: its findings, and where it stands.
pub struct Scanned {
    /// Raw content of the string, absolute.
    pub raw: Range<u64>,
    coding: Coding,
    findings: Vec<Finding>,
    nested: Vec<(nested::Inner, Vec<Finding>)>,
}

/// What the findings of a string came to in one channel.
#[derive(Default)]
pub struct Outcome {
    pub cuts: Vec<Cut>,
    pub rejected: bool,
    pub edited: bool,
}

impl Scanned {
    /// Scans `text`, the decoded content of the raw run `raw`.
    pub fn string(
        rules: &Ruleset,
        scope: ChannelSet,
        text: &str,
        raw: Range<u64>,
    ) -> Result<Scanned, ScanError> {
        Ok(Scanned::of(scan_whole(rules, scope, text)?, raw))
    }

    /// What a scanner found in the string whose raw content is `raw`.
    pub fn found(found: Vec<Found>, raw: Range<u64>) -> Scanned {
        Scanned::of(closed(found), raw)
    }

    fn of(findings: Vec<Finding>, raw: Range<u64>) -> Scanned {
        Scanned { raw, coding: Coding::String(Layers::Plain), findings, nested: Vec::new() }
    }

    /// Scans a number, or a member name when `key`.
    pub fn bare(
        rules: &Ruleset,
        scope: ChannelSet,
        text: &str,
        raw: Range<u64>,
        key: bool,
    ) -> Result<Scanned, ScanError> {
        let mut scanned = Scanned::string(rules, scope, text, raw)?;
        if !key {
            scanned.coding = Coding::Bare;
        }
        Ok(scanned)
    }

    /// Scans tool-call arguments: JSON inside a JSON string, decoded once.
    pub fn arguments(
        rules: &Ruleset,
        scope: ChannelSet,
        decoded: &str,
        raw: Range<u64>,
    ) -> Result<Scanned, ScanError> {
        let mut nested = Vec::new();
        let mut failed = None;
        nested::texts(decoded, &mut |inner| match scan_whole(rules, scope, &inner.text) {
            Ok(findings) if findings.is_empty() => {}
            Ok(findings) => nested.push((inner.clone(), findings)),
            Err(error) => failed = Some(error),
        });
        match failed {
            Some(error) => Err(error),
            None => Ok(Scanned {
                raw,
                coding: Coding::String(Layers::Plain),
                findings: Vec::new(),
                nested,
            }),
        }
    }

    /// Nothing was found whatever the channel.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty() && self.nested.is_empty()
    }

    /// Decides the findings in `channel`. `raw` is the string's content; what would edit sealed text refuses instead.
    pub fn decide(
        &self,
        rules: &Ruleset,
        channel: Channel,
        raw: &[u8],
        sealed: bool,
        tally: &mut Tally,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let mut kept = |findings: &[Finding], tally: &mut Tally| -> Vec<(Finding, Action)> {
            let mut kept = Vec::new();
            for finding in findings {
                match tally.finding(rules, finding, channel) {
                    Some(Action::Reject) => outcome.rejected = true,
                    Some(Action::Mask | Action::Neutralize) if sealed => {
                        outcome.rejected = true;
                        tally.refuse(rules.id(finding.rule));
                    }
                    Some(action) => kept.push((finding.clone(), action)),
                    None => {}
                }
            }
            kept
        };
        let plain = edits(&kept(&self.findings, tally));
        let mut cuts = Vec::new();
        splice::cuts(rules, &plain, raw, self.raw.start, self.coding, &mut cuts);
        if self.nested.iter().all(|(_, f)| f.is_empty()) {
            outcome.edited = !cuts.is_empty();
            outcome.cuts = cuts;
            return outcome;
        }
        let decoded = decode(raw);
        let mut offsets = self.coding.offsets(raw);
        for (inner, findings) in &self.nested {
            let mut outer = nested::Outer::new(&decoded, inner);
            for edit in edits(&kept(findings, tally)) {
                let written = edit.label.as_ref().map(|l| splice::label(rules, l));
                let span = edit.start as usize..edit.end as usize;
                let Some(span) = outer.span(span) else { continue };
                cuts.extend(nested_cut(&mut offsets, self.raw.start, inner.bare, span, written));
            }
        }
        outcome.edited = !cuts.is_empty();
        outcome.cuts = cuts;
        outcome
    }
}

/// Stands for a name in which a rule found something.
pub const WITHHELD: &str = "[withheld]";

/// A name that an ending or a record may repeat: nothing of it where a rule finds something in it.
pub fn harmless(rules: &Ruleset, channel: Channel, text: &str) -> String {
    let found = scan_whole(rules, ChannelSet::from(channel), text);
    if found.is_ok_and(|found| found.is_empty()) { text } else { WITHHELD }.to_owned()
}

/// The cut of a once-decoded span; `written` is escaped for both layers.
fn nested_cut(
    raw: &mut Offsets<'_>,
    base: u64,
    bare: bool,
    span: Range<usize>,
    written: Option<&str>,
) -> Option<Cut> {
    let mut cut = splice::cut(raw, base, Coding::String(Layers::Plain), span, None)?;
    if let Some(written) = written {
        if bare {
            cut.bytes.push(b'0');
        } else {
            crate::json::escape_into(written, Layers::Nested, &mut cut.bytes);
        }
    }
    Some(cut)
}

/// Decodes the raw content of one JSON string. The lexer accepted it before, so nothing is lost.
fn decode(raw: &[u8]) -> String {
    crate::json::Units::new(raw, Layers::Plain).map(|unit| unit.ch).collect()
}
