//! One possible match: begun at an anchor, fed character by character, resumed at the next chunk.

use crate::compile::CompiledRule;
use crate::fold::{Folded, fold};
use crate::pattern::{Places, Threads};
use crate::policy::View;
use crate::skip::FREE;
use crate::stand::Open;

/// More ignorable characters than this in a row break a match (design decision 7).
pub(crate) const MAX_IGNORABLE_RUN: u32 = 64;

pub(crate) struct Attempt {
    pub rule: u16,
    /// Where the match begins if its rule has no `before`; the earliest place it may begin otherwise.
    pub first: u64,
    pub anchor_start: u64,
    pub anchor_end: u64,
    threads: Threads,
    /// Offset of the next character to read.
    at: u64,
    /// The character of the view before `at`.
    previous: Option<char>,
    chars: u16,
    /// Characters that cost nothing yet.
    free: u8,
    /// What it has cost if it gets on behind its keyword; nothing if it fails at once.
    due: Option<u64>,
    /// End of the last character that `maxLength` allows, once reached.
    limit: Option<u64>,
    ignorable: u32,
    outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Open,
    Failed,
    /// `cut`: `maxLength` ended it while more of its class may follow.
    Matched {
        start: u64,
        end: u64,
        cut: bool,
    },
}

impl Attempt {
    /// `threads` are of any other attempt: they lend their memory.
    pub fn new(
        rule: u16,
        first: u64,
        anchor: std::ops::Range<u64>,
        previous: Option<char>,
        mut threads: Threads,
    ) -> Attempt {
        threads.reach_at_least(anchor.end);
        Attempt {
            rule,
            first,
            anchor_start: anchor.start,
            anchor_end: anchor.end,
            threads,
            at: first,
            previous,
            chars: 0,
            free: 0,
            due: None,
            limit: None,
            ignorable: 0,
            outcome: Outcome::Open,
        }
    }

    /// The same without an anchor in the text. Its first characters cost nothing: where they decide, the text may be
    /// skipped as well.
    pub fn unanchored(rule: u16, at: u64, previous: Option<char>, threads: Threads) -> Attempt {
        Attempt { free: FREE, ..Attempt::new(rule, at, at..at, previous, threads) }
    }

    /// One that begins with its keyword and has read it. It costs nothing if the next character ends it.
    pub fn behind(
        rule: u16,
        anchor: std::ops::Range<u64>,
        open: &Open,
        threads: Threads,
    ) -> Attempt {
        let (start, end) = (anchor.start, anchor.end);
        let mut attempt = Attempt::new(rule, start, anchor, open.previous, threads);
        attempt.threads.resume(&open.places, start, end);
        (attempt.at, attempt.chars, attempt.due) = (end, open.chars, Some(open.work));
        attempt
    }

    /// Its threads, for another one.
    pub fn into_threads(self) -> Threads {
        self.threads
    }

    /// Where one from offset 0 stands behind its keyword, with the number of characters read and the last one; none
    /// if it would depend on more than the keyword.
    pub fn places(&self) -> Option<(Places, u16, Option<char>)> {
        let places = self.threads.places(self.at)?;
        (self.limit.is_none() && self.ignorable == 0).then_some((places, self.chars, self.previous))
    }

    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Where the match begins as far as it is known: the least start still possible.
    pub fn earliest(&self) -> u64 {
        self.threads.earliest().unwrap_or(self.first).min(self.at)
    }

    /// Reads on to the end of `text`, whose first byte has offset `base`; returns the steps it took.
    pub fn advance(&mut self, rule: &CompiledRule, text: &str, base: u64) -> u64 {
        if self.outcome != Outcome::Open {
            return 0;
        }
        let from = usize::try_from(self.at.saturating_sub(base)).unwrap_or(usize::MAX);
        let folded = rule.view != View::Raw;
        let mut work = 0u64;
        for c in text.get(from..).unwrap_or_default().chars() {
            let start = self.at;
            let end = start + c.len_utf8() as u64;
            if start <= self.anchor_start && start >= self.first {
                self.threads.start(&rule.program, start);
            }
            if folded {
                self.step_folded(rule, c, start, end);
            } else {
                self.step(rule, c, start, end);
            }
            self.at = end;
            let waiting = self.at <= self.anchor_start;
            if self.outcome == Outcome::Open && self.threads.is_dead() && !waiting {
                self.resolve(rule);
            }
            let cost = 1 + u64::from(self.threads.cost());
            match (self.due.take(), self.free.checked_sub(1)) {
                (Some(_), _) if self.outcome == Outcome::Failed => {}
                (Some(due), _) => work += due + cost,
                (None, Some(left)) => self.free = left,
                (None, None) => work += cost,
            }
            if self.outcome != Outcome::Open {
                break;
            }
        }
        work
    }

    fn step_folded(&mut self, rule: &CompiledRule, c: char, start: u64, end: u64) {
        match fold(c) {
            Folded::Drop => {
                self.ignorable += 1;
                if self.ignorable > MAX_IGNORABLE_RUN {
                    self.threads.finish(&rule.program, self.previous, start);
                    self.resolve(rule);
                }
            }
            Folded::Space => {
                self.ignorable = 0;
                if self.previous != Some(' ') || self.chars == 0 {
                    self.step(rule, ' ', start, end);
                }
            }
            Folded::Chars(chars) => {
                self.ignorable = 0;
                for folded in chars.as_str().chars() {
                    if self.outcome == Outcome::Open {
                        self.step(rule, folded, start, end);
                    }
                }
            }
        }
    }

    fn step(&mut self, rule: &CompiledRule, c: char, start: u64, end: u64) {
        self.threads.step(&rule.program, self.previous, c, start, end);
        self.previous = Some(c);
        if self.limit.is_some() {
            self.resolve(rule);
            return;
        }
        self.chars = self.chars.saturating_add(1);
        if rule.open.is_some() && self.best().is_some() {
            self.resolve(rule);
        } else if self.chars >= rule.max_length.saturating_add(rule.before) {
            self.limit = Some(end);
        }
    }

    /// The text ends here.
    pub fn finish(&mut self, rule: &CompiledRule) {
        if self.outcome == Outcome::Open {
            self.threads.finish(&rule.program, self.previous, self.at);
            self.resolve(rule);
        }
    }

    fn best(&self) -> Option<(u64, u64)> {
        self.threads
            .best()
            .filter(|(start, end)| *start <= self.anchor_start && *end >= self.anchor_end)
    }

    fn resolve(&mut self, rule: &CompiledRule) {
        self.outcome = match self.best() {
            None => Outcome::Failed,
            Some((start, end)) => {
                let beyond = self.limit.is_some_and(|limit| end > limit);
                let looping = self.threads.looping_class(&rule.program).is_some();
                let end = self.limit.map_or(end, |limit| end.min(limit));
                Outcome::Matched { start, end, cut: beyond && looping && !self.threads.is_dead() }
            }
        };
    }

    /// The class that goes on after a match cut by `maxLength`.
    pub fn looping_class<'r>(&self, rule: &'r CompiledRule) -> Option<&'r crate::pattern::Class> {
        self.threads.looping_class(&rule.program)
    }
}
