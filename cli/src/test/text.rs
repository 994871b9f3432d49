//! Text cases: one text in one channel, whole, at cuts and character by character.

use std::collections::BTreeSet;

use weir_filter::tally::word;
use weir_rules::{Channel, ChannelSet, Finding, Ruleset};

use super::marks::Marked;
use super::outcome::Judged;
use super::sample;
use super::suite::{Finding as Wanted, TextExpect};
use crate::caret;
use crate::policy::Terms;
use crate::verdict::{Verdict, findings};

/// Runs a text under a policy and judges what it comes to. `pointer` is the case's.
pub fn run(
    terms: &Terms,
    channel: Channel,
    content: &Marked,
    expect: &TextExpect,
    absent: &[String],
    pointer: &str,
) -> Judged {
    let mut judged = Judged::default();
    let rules = &terms.engine.rules;
    let text = content.text.as_str();
    let whole = Verdict::of(terms, channel, text);
    judged.runs = 1;
    let at = |field: &str| format!("{pointer}/expect/{field}");
    if let Some(fault) = &whole.fault {
        judged.wrong("fault", pointer.to_owned(), format!("not inspected: {fault}"));
    }
    if let Some(wanted) = &expect.verdict {
        judged.compare("verdict", at("verdict"), wanted, whole.word);
    }
    if let Some(wanted) = &expect.findings {
        compare_findings(rules, text, wanted, &whole, &at("findings"), &mut judged);
    }
    for (index, rule) in absent.iter().enumerate() {
        let count = whole.findings.iter().filter(|(f, _)| rules.id(f.rule) == rule).count();
        if count > 0 {
            let reason = format!("{rule} must find nothing, got {count}");
            judged.wrong("absent", at(&format!("absent/{index}")), reason);
        }
    }
    if !content.spans.is_empty() {
        let found = whole.findings.iter().map(|(f, _)| ((f.start, f.end), rules.id(f.rule)));
        compare_marks(content, found, &format!("{pointer}/text"), &mut judged);
    }
    if let Some(wanted) = &expect.output
        && whole.text.as_ref() != Some(wanted)
    {
        let got = if whole.text.is_some() { "another text is" } else { "nothing is" };
        judged.wrong("output", at("output"), format!("{got} passed on"));
    }
    for pieces in all_pieces(text) {
        judged.runs += 1;
        let run = Verdict::of_pieces(terms, channel, &pieces);
        if run != whole {
            let what = if run.word == whole.word { "findings or output" } else { "the verdict" };
            judged.differs(name(&pieces), what);
        }
    }
    let named: Vec<(Finding, String)> = whole
        .findings
        .iter()
        .map(|(f, action)| (f.clone(), format!("{}: {}", rules.id(f.rule), word(*action))))
        .collect();
    judged.shown = caret::show(text, &named);
    judged
}

/// Runs one example of a rule: what is marked, and nothing else, is what the rule finds.
pub fn example(rules: &Ruleset, rule: &str, content: &Marked, pointer: &str, judged: &mut Judged) {
    let scan = |pieces: &[&str]| findings(rules, ChannelSet::ALL, pieces);
    let whole = scan(&[&content.text]);
    judged.runs += 1;
    match &whole {
        Ok(found) => {
            let own = found.iter().filter(|f| rules.id(f.rule) == rule);
            let own = own.map(|f| ((f.start, f.end), rule));
            compare_marks(content, own, pointer, judged);
        }
        Err(error) => judged.wrong("fault", pointer.to_owned(), format!("not inspected: {error}")),
    }
    for pieces in all_pieces(&content.text) {
        judged.runs += 1;
        if scan(&pieces) != whole {
            judged.differs(name(&pieces), "findings");
        }
    }
}

fn compare_findings(
    rules: &Ruleset,
    text: &str,
    wanted: &[Wanted],
    whole: &Verdict,
    at: &str,
    judged: &mut Judged,
) {
    let mut left: Vec<(&str, &Finding)> =
        whole.findings.iter().map(|(f, _)| (rules.id(f.rule), f)).collect();
    let part = |f: &Finding| text.get(f.start as usize..f.end as usize);
    // Those that name a text choose first, so that the others take what is left.
    let mut order: Vec<(usize, &Wanted)> = wanted.iter().enumerate().collect();
    order.sort_by_key(|(_, one)| one.text.is_none());
    for (index, one) in order {
        let mut got = 0;
        left.retain(|(rule, f)| {
            let fits = *rule == one.rule && one.text.as_deref().is_none_or(|t| part(f) == Some(t));
            let taken = fits && got < one.count;
            got += usize::from(taken);
            !taken
        });
        if got < one.count {
            let of = if one.text.is_some() { " of this text" } else { "" };
            let (rule, count) = (&one.rule, one.count);
            let reason = format!("expected {count} of {rule}{of}, got {got}");
            judged.wrong("findings", format!("{at}/{index}"), reason);
        }
    }
    for (rule, f) in left {
        let reason = format!("{rule} also found bytes {} to {}", f.start, f.end);
        judged.wrong("findings", at.to_owned(), reason);
    }
}

fn compare_marks<'e>(
    content: &Marked,
    found: impl Iterator<Item = ((u64, u64), &'e str)>,
    pointer: &str,
    judged: &mut Judged,
) {
    let mut missing: BTreeSet<(u64, u64)> = content.spans.iter().copied().collect();
    for (span, rule) in found {
        missing.remove(&span);
        if !content.spans.contains(&span) {
            let reason =
                format!("{rule} found bytes {} to {}, which are not marked", span.0, span.1);
            judged.wrong("marks", pointer.to_owned(), reason);
        }
    }
    for (start, end) in missing {
        let reason = format!("bytes {start} to {end} are marked, but not found");
        judged.wrong("marks", pointer.to_owned(), reason);
    }
}

/// The text in two pieces at every sampled cut, and character by character.
fn all_pieces(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let mut last = 0;
    let halves = sample::cuts(text.len()).filter_map(move |at| {
        let at = text.floor_char_boundary(at);
        if at == last {
            return None;
        }
        last = at;
        let (head, tail) = text.split_at_checked(at)?;
        Some(vec![head, tail])
    });
    halves.chain(std::iter::once(text.split("").filter(|piece| !piece.is_empty()).collect()))
}

fn name(pieces: &[&str]) -> String {
    match pieces {
        [head, _] => format!("cut at byte {}", head.len()),
        _ => "it comes character by character".to_owned(),
    }
}
