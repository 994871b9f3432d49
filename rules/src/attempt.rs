//! One possible match: begun at an anchor, fed character by character, resumed at the next chunk.

use crate::compile::CompiledRule;
use crate::fold::{Folded, fold};
use crate::pattern::{Class, Paths, Places};
use crate::policy::View;
use crate::run::{Path, Run};
use crate::skip::FREE;
use crate::stand::Open;

/// More ignorable characters than this in a row break a match (design decision 7).
pub(crate) const MAX_IGNORABLE_RUN: u32 = 64;
/// Characters behind a keyword that are looked at before an attempt is made.
pub(crate) const LOOK: u8 = 24;

pub(crate) struct Attempt {
    pub rule: u16,
    /// Where the match begins if its rule has no `before`; the earliest place it may begin otherwise.
    pub first: u64,
    pub anchor_start: u64,
    pub anchor_end: u64,
    run: Run,
    /// Offset of the next character to read.
    at: u64,
    /// The character of the view before `at`.
    previous: Option<char>,
    chars: u16,
    /// Characters left in which it costs nothing to fail, and what is due otherwise.
    free: u8,
    due: u64,
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
    /// One that may begin at several places. `spare` is of any other attempt: it lends its memory.
    pub fn new(
        rule: u16,
        first: u64,
        anchor: std::ops::Range<u64>,
        previous: Option<char>,
        spare: Option<Run>,
    ) -> Attempt {
        let run = Run::new(anchor.end, spare);
        Attempt::of(rule, first, anchor, previous, run)
    }

    fn of(
        rule: u16,
        first: u64,
        anchor: std::ops::Range<u64>,
        previous: Option<char>,
        run: Run,
    ) -> Attempt {
        Attempt {
            rule,
            first,
            anchor_start: anchor.start,
            anchor_end: anchor.end,
            run,
            at: first,
            previous,
            chars: 0,
            free: 0,
            due: 0,
            limit: None,
            ignorable: 0,
            outcome: Outcome::Open,
        }
    }

    /// One that begins with its anchor and has read nothing.
    pub fn at(
        id: u16,
        rule: &CompiledRule,
        anchor: std::ops::Range<u64>,
        previous: Option<char>,
        paths: &mut Paths,
    ) -> Attempt {
        let (start, end) = (anchor.start, anchor.end);
        let run = match paths.root(id, &rule.program, previous) {
            None => Run::new(end, None),
            Some((node, cost)) => {
                Run::Path(Path { cost, ..Path::new(id, node, start, start, end) })
            }
        };
        Attempt::of(id, start, anchor, previous, run)
    }

    /// The same without a keyword. It costs nothing to fail at its first characters, since where they decide the text may
    /// be skipped as well.
    pub fn unanchored(
        id: u16,
        rule: &CompiledRule,
        at: u64,
        previous: Option<char>,
        paths: &mut Paths,
    ) -> Attempt {
        Attempt { free: FREE, ..Attempt::at(id, rule, at..at, previous, paths) }
    }

    /// One that begins with its keyword and has read it. It costs nothing to fail within [`LOOK`] characters.
    pub fn behind(
        id: u16,
        rule: &CompiledRule,
        anchor: std::ops::Range<u64>,
        open: &Open,
        paths: &mut Paths,
    ) -> Attempt {
        let (start, end) = (anchor.start, anchor.end);
        let best = open.places.matched.then_some(end);
        let run = match open.node(id, rule, paths) {
            None => Run::resumed(&open.places.pcs, start, end, best, end),
            Some(node) => Run::Path(Path { best, ..Path::new(id, node, start, end, end) }),
        };
        let (at, chars, previous) = (end, open.chars, open.previous);
        let (free, due) = (LOOK, open.work);
        Attempt { at, chars, free, due, ..Attempt::of(id, start, anchor, previous, run) }
    }

    /// Fails, whatever it has come to.
    pub fn give_up(&mut self) {
        self.outcome = Outcome::Failed;
    }

    /// The run of one that is over, for another one, if it has memory.
    pub fn take_run(&mut self) -> Option<Run> {
        self.run.take()
    }

    /// Where one from offset 0 stands behind its keyword, with the number of characters read and the last one; none
    /// if it would depend on more than the keyword.
    pub fn places(&self) -> Option<(Places, u16, Option<char>)> {
        let places = self.run.places(self.at)?;
        (self.limit.is_none() && self.ignorable == 0).then_some((places, self.chars, self.previous))
    }

    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Where a match ends that is complete already, and may go on.
    pub fn ended(&self) -> Option<u64> {
        self.best().map(|(_, end)| end)
    }

    /// Where the match begins as far as it is known: the least start still possible.
    pub fn earliest(&self) -> u64 {
        self.run.earliest().unwrap_or(self.first).min(self.at)
    }

    /// Reads on to the end of `text`, whose first byte has offset `base`; returns the steps it took.
    pub fn advance(
        &mut self,
        rule: &CompiledRule,
        text: &str,
        base: u64,
        paths: &mut Paths,
    ) -> u64 {
        let from = usize::try_from(self.at.saturating_sub(base)).unwrap_or(usize::MAX);
        let mut work = 0u64;
        for c in text.get(from..).unwrap_or_default().chars() {
            if self.outcome != Outcome::Open {
                break;
            }
            work += self.read(rule, c, &fold(c), paths);
        }
        work
    }

    /// Reads the next character, also as folding has it; returns the steps it took.
    pub fn read(
        &mut self,
        rule: &CompiledRule,
        c: char,
        folded: &Folded,
        paths: &mut Paths,
    ) -> u64 {
        if self.outcome != Outcome::Open {
            return 0;
        }
        let start = self.at;
        let end = start + c.len_utf8() as u64;
        if start <= self.anchor_start && start >= self.first {
            self.run.start(&rule.program, start);
        }
        if rule.view == View::Raw {
            self.step(rule, c, start, end, paths);
        } else {
            self.step_folded(rule, folded, start, end, paths);
        }
        self.at = end;
        let waiting = self.at <= self.anchor_start;
        if self.outcome == Outcome::Open && self.run.is_dead() && !waiting {
            self.resolve(rule, paths);
        }
        self.due += 1 + u64::from(self.run.cost());
        match (self.free.checked_sub(1), self.outcome) {
            (Some(_), Outcome::Failed) => 0,
            (Some(left @ 1..), Outcome::Open) => {
                self.free = left;
                0
            }
            _ => {
                self.free = 0;
                std::mem::take(&mut self.due)
            }
        }
    }

    fn step_folded(
        &mut self,
        rule: &CompiledRule,
        folded: &Folded,
        start: u64,
        end: u64,
        paths: &mut Paths,
    ) {
        match folded {
            Folded::Drop => {
                self.ignorable += 1;
                if self.ignorable > MAX_IGNORABLE_RUN {
                    self.run.finish(paths, &rule.program, self.previous, start);
                    self.resolve(rule, paths);
                }
            }
            Folded::Space => {
                self.ignorable = 0;
                if self.previous != Some(' ') || self.chars == 0 {
                    self.step(rule, ' ', start, end, paths);
                }
            }
            Folded::Chars(chars) => {
                self.ignorable = 0;
                for folded in chars.as_str().chars() {
                    if self.outcome == Outcome::Open {
                        self.step(rule, folded, start, end, paths);
                    }
                }
            }
        }
    }

    fn step(&mut self, rule: &CompiledRule, c: char, start: u64, end: u64, paths: &mut Paths) {
        self.run.step(paths, &rule.program, self.previous, c, start..end);
        self.previous = Some(c);
        if self.limit.is_some() {
            self.resolve(rule, paths);
            return;
        }
        self.chars = self.chars.saturating_add(1);
        if rule.open.is_some() && self.best().is_some() {
            self.resolve(rule, paths);
        } else if self.chars >= rule.max_length.saturating_add(rule.before) {
            self.limit = Some(end);
        }
    }

    /// The text ends here.
    pub fn finish(&mut self, rule: &CompiledRule, paths: &Paths) {
        if self.outcome == Outcome::Open {
            self.run.finish(paths, &rule.program, self.previous, self.at);
            self.resolve(rule, paths);
        }
    }

    fn best(&self) -> Option<(u64, u64)> {
        self.run
            .best()
            .filter(|(start, end)| *start <= self.anchor_start && *end >= self.anchor_end)
    }

    fn resolve(&mut self, rule: &CompiledRule, paths: &Paths) {
        self.outcome = match self.best() {
            None => Outcome::Failed,
            Some((start, end)) => {
                let beyond = self.limit.is_some_and(|limit| end > limit);
                let looping = self.looping_class(rule, paths).is_some();
                let end = self.limit.map_or(end, |limit| end.min(limit));
                Outcome::Matched { start, end, cut: beyond && looping && !self.run.is_dead() }
            }
        };
    }

    /// The class that goes on after a match cut by `maxLength`.
    pub fn looping_class<'r>(&self, rule: &'r CompiledRule, paths: &Paths) -> Option<&'r Class> {
        self.run.looping_class(paths, &rule.program)
    }
}
