//! Rows with places: which were found, and what else was.

use std::collections::BTreeMap;

use super::judge::Judgement;
use super::measure::capped;
use super::rate::Rate;
use super::row::Span;

/// What was found of the places that rows name.
#[derive(Default)]
pub struct Spans {
    pub texts: u64,
    pub bytes: u64,
    /// Texts that name no place.
    pub empty: u64,
    /// Of those, the ones in which something was found.
    pub empty_flagged: u64,
    pub found: Rate,
    /// By type.
    pub by_type: BTreeMap<String, Rate>,
    /// Findings that touch no place.
    pub false_findings: u64,
    pub findings: u64,
}

/// What a text's findings come to.
pub struct Overlap {
    /// For each span, whether a finding touches it.
    pub found: Vec<bool>,
    /// For each finding, whether it touches a span.
    pub right: Vec<bool>,
}

impl Overlap {
    /// Compares places with findings.
    pub fn of(spans: &[Span], judgement: &Judgement) -> Overlap {
        let touches = |s: &Span, start: u64, end: u64| s.start < end && start < s.end;
        let findings = &judgement.findings;
        let found = spans
            .iter()
            .map(|span| findings.iter().any(|(_, start, end)| touches(span, *start, *end)));
        let right = findings
            .iter()
            .map(|(_, start, end)| spans.iter().any(|span| touches(span, *start, *end)));
        Overlap { found: found.collect(), right: right.collect() }
    }
}

impl Spans {
    /// Counts a text.
    pub fn add(&mut self, text: &str, spans: &[Span], overlap: &Overlap) {
        self.texts += 1;
        self.bytes += text.len() as u64;
        for (span, found) in spans.iter().zip(&overlap.found) {
            let kind = self.by_type.entry(capped(&self.by_type, &span.kind)).or_default();
            for rate in [kind, &mut self.found] {
                rate.of += 1;
                rate.hits += u64::from(*found);
            }
        }
        let wrong = overlap.right.iter().filter(|right| !**right).count() as u64;
        self.false_findings += wrong;
        self.findings += overlap.right.len() as u64;
        if spans.is_empty() {
            self.empty += 1;
            self.empty_flagged += u64::from(wrong > 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_touch_is_enough_and_neighbours_do_not_touch() {
        let span = |start, end| Span { start, end, kind: "t".to_owned() };
        let spans = [span(2, 5), span(8, 9)];
        for (finding, found, right) in [
            ((4, 6), [true, false], true),
            ((5, 8), [false, false], false),
            ((0, 20), [true, true], true),
            ((0, 2), [false, false], false),
        ] {
            let findings = vec![("r".to_owned(), finding.0, finding.1)];
            let judgement =
                Judgement { findings, rejected: false, uninspected: false, score: None };
            let overlap = Overlap::of(&spans, &judgement);
            assert_eq!((overlap.found.as_slice(), overlap.right), (&found[..], vec![right]));
        }
    }
}
