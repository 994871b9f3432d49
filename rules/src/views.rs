//! What a request's text comes to beside the rules' own matches in it: its score, and what its encoded runs say.
//!
//! Both are known when the text has ended, so they exist on request channels only (design decision 8). What is found in
//! an encoded run is found in the whole run: an edit replaces all of it. Rules of the Raw view read text as it came.

use std::ops::Range;

use crate::channel::ChannelSet;
use crate::compile::Ruleset;
use crate::decode::{Decoded, Decoder, Kind};
use crate::finding::{Finding, Found, ScanError};
use crate::policy::View;
use crate::scan::{Scanner, closed};
use crate::score::{Hint, Scorer, threshold};

/// Encodings within encodings that are read.
const MAX_DEPTH: u8 = 2;
/// What an encoded run adds to the score of what it says, where that scores by itself: who hides an order means it.
const HIDDEN: u16 = 200;

/// The fewest words of an encoded run that are scored.
const LEAST_WORDS: usize = 4;
/// The most findings of the text itself that are kept, to leave out what an encoded run repeats of them.
const MAX_SEEN: usize = 256;

/// The views of one text.
#[derive(Default)]
pub(crate) struct Views {
    scorer: Scorer,
    decoder: Decoder,
    decoded: Vec<Decoded>,
    found: Vec<Finding>,
    seen: Vec<(u16, Range<u64>)>,
    score: u16,
}

impl Views {
    /// Reads more of the text, which begins at offset `at`, within so many encodings.
    pub fn push(
        &mut self,
        rules: &Ruleset,
        scope: ChannelSet,
        depth: u8,
        text: &str,
        at: u64,
    ) -> Result<(), ScanError> {
        self.scorer.push(rules.model(), text, at);
        if depth < MAX_DEPTH {
            self.decoder.push(text, at, &mut self.decoded);
            self.read(rules, scope, depth)?;
        }
        Ok(())
    }

    /// What a rule has found in the text itself.
    pub fn seen(&mut self, rule: u16, span: Range<u64>) {
        if self.seen.len() < MAX_SEEN {
            self.seen.push((rule, span));
        }
    }

    /// What a rule that only hints has found.
    pub fn hint(&mut self, hint: Hint) {
        self.scorer.hint(hint);
    }

    /// The text ends; its score, 0 to 1000.
    pub fn end(
        mut self,
        rules: &Ruleset,
        scope: ChannelSet,
        depth: u8,
        out: &mut Vec<Found>,
    ) -> Result<u16, ScanError> {
        self.decoder.end(&mut self.decoded);
        self.read(rules, scope, depth)?;
        let within = |f: &Finding, at: &Range<u64>| f.start <= at.start && at.end <= f.end;
        let known = |f: &Finding| self.seen.iter().any(|(id, at)| *id == f.rule && within(f, at));
        out.extend(self.found.into_iter().filter(|f| !known(f)).map(Found::Match));
        let score = rules.judge(scope, self.scorer, out);
        Ok(score.max(self.score))
    }

    /// Scans what has been decoded.
    fn read(&mut self, rules: &Ruleset, scope: ChannelSet, depth: u8) -> Result<(), ScanError> {
        for decoded in std::mem::take(&mut self.decoded) {
            let mut scanner = Scanner::within(depth + 1);
            let mut found = Vec::new();
            scanner.push(rules, scope, &decoded.text, &mut found)?;
            scanner.end(rules, &mut found)?;
            let score = scanner.score().unwrap_or(0);
            // A name of a few words, such as an identifier, orders nothing.
            let score =
                if decoded.text.split(' ').nth(LEAST_WORDS - 1).is_some() { score } else { 0 };
            if score >= threshold::HIGH && hides(decoded.kind) {
                let (span, family) = (decoded.span.clone(), u16::MAX - decoded.kind as u16);
                let weight = score.saturating_add(HIDDEN);
                self.scorer.hint(Hint { span, family, weight });
            }
            self.score = self.score.max(score);
            let folded = |f: &Finding| {
                let rule = rules.rule(f.rule);
                rule.is_some_and(|r| r.view != View::Raw && (r.score.is_none() || score > 0))
            };
            for finding in closed(found).into_iter().filter(folded) {
                let again = |f: &Finding| f.rule == finding.rule && f.end == decoded.span.end;
                if self.found.iter().any(again) {
                    continue;
                }
                let (start, end) = (decoded.span.start, decoded.span.end);
                let mask = None;
                self.found.push(Finding { start, end, shown: start, mask, ..finding });
            }
        }
        Ok(())
    }
}

/// Whether ordinary text is never written so, but to keep it from being read.
fn hides(kind: Kind) -> bool {
    use Kind::{Base64, Hex, Morse, Reversed, Rot13, Tags};
    matches!(kind, Base64 | Hex | Morse | Reversed | Rot13 | Tags)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, clippy::panic)]
mod tests;
