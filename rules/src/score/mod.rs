//! How much a text looks like an attack: the classifier's windows and the rules that only hint, 0 to 1000.
//!
//! A text's score is the most that any of its windows comes to, so that an instruction in a long document counts as it
//! would alone, and nothing adds up over time (design decision 8). Everything is integers, read a character at a time:
//! where the text was cut makes no difference.

pub mod features;
pub mod model;
mod once;
mod regions;

pub use model::Model;
use regions::Regions;
pub use regions::{Hint, Region};

use std::cmp::Reverse;
use std::ops::Range;

use crate::channel::ChannelSet;
use crate::compile::Ruleset;
use crate::finding::{Finding, Found};
use crate::fold::{Folded, fold, fold_ascii};
use features::{Features, Seen};
use model::{LONGEST, WINDOWS};

/// Words of a text that is scored at all: less is a name, a title or an answer, in which one word would decide.
const FEWEST: usize = 4;
/// Places of the last words that are kept: more than the longest window has.
const RING: usize = (LONGEST + 1).next_power_of_two();

/// The score from which a pack acts, by its `sensitivity`.
pub mod threshold {
    pub const LOW: u16 = 800;
    pub const MEDIUM: u16 = 500;
    pub const HIGH: u16 = 300;
}

/// Scores one text.
#[derive(Debug)]
pub struct Scorer {
    features: Features,
    windows: Windows,
    regions: Regions,
}

/// The sums of the last words.
#[derive(Debug)]
struct Windows {
    /// What all weights so far come to, wrapped, where each of the last words ended.
    sums: [i32; RING],
    /// Where each of the last words began and ended.
    places: [(u64, u64); RING],
    words: usize,
    sum: i32,
    /// What the features of the word that is being read come to, by itself.
    single: i32,
    /// Where the word that is being read began.
    open: u64,
    /// Where the text ended that was read.
    end: u64,
}

impl Default for Scorer {
    fn default() -> Scorer {
        let windows = Windows {
            sums: [0; RING],
            places: [(0, 0); RING],
            words: 0,
            sum: 0,
            single: 0,
            open: 0,
            end: 0,
        };
        Scorer { features: Features::default(), windows, regions: Regions::default() }
    }
}

impl Scorer {
    /// Reads more of the text, which begins at offset `at`; without a model only hints count.
    pub fn push(&mut self, model: Option<&Model>, text: &str, at: u64) {
        let Some(model) = model else { return };
        let Scorer { features, windows, regions } = self;
        let mut begin = at;
        for c in text.chars() {
            let end = begin + c.len_utf8() as u64;
            if !features.is_within_word() {
                windows.open = begin;
            }
            let seen = &mut Weigh { model, windows, regions, next: begin..end };
            if c.is_ascii() {
                match fold_ascii(c as u8) {
                    0 => {}
                    byte => features.push(char::from(byte), seen),
                }
            } else {
                match fold(c) {
                    Folded::Drop => {}
                    Folded::Space => features.push(' ', seen),
                    Folded::Chars(chars) => {
                        chars.as_str().chars().for_each(|c| features.push(c, seen));
                    }
                }
            }
            begin = end;
        }
        windows.end = begin;
    }

    /// What a rule that only hints has found.
    pub fn hint(&mut self, hint: Hint) {
        self.regions.hint(hint);
    }

    /// The text ends: its regions that score, by their beginning.
    pub fn end(mut self, model: Option<&Model>) -> Vec<Region> {
        let Scorer { features, windows, regions } = &mut self;
        if let Some(model) = model {
            let next = windows.end..windows.end;
            let seen = &mut Weigh { model, windows, regions, next };
            features.end(seen);
            seen.rest();
        }
        self.regions.closed()
    }
}

impl Ruleset {
    /// What a scored text of these channels comes to, with what acts by it.
    pub(crate) fn judge(&self, scope: ChannelSet, scorer: Scorer, out: &mut Vec<Found>) -> u16 {
        let mut most = 0;
        for region in scorer.end(self.model()) {
            most = most.max(region.points(true));
            for (rule, threshold) in self.scoring(scope) {
                if region.points(threshold.classifier) >= threshold.points {
                    let Range { start, end } = region.span;
                    let (mask, print, accepted) = (None, None, Vec::new());
                    let shown = start;
                    let open = false;
                    out.push(Found::Match(Finding {
                        rule,
                        start,
                        end,
                        shown,
                        mask,
                        print,
                        accepted,
                        open,
                    }));
                }
            }
        }
        most
    }
}

/// Adds weights up, and looks at the windows that end with a word.
struct Weigh<'a> {
    model: &'a Model,
    windows: &'a mut Windows,
    regions: &'a mut Regions,
    /// The character that is being read.
    next: Range<u64>,
}

impl Seen for Weigh<'_> {
    #[inline]
    fn single(&mut self, hash: u32) {
        self.windows.single += self.model.weight(hash);
    }

    #[inline]
    fn singles(&mut self, again: bool) {
        let single = std::mem::take(&mut self.windows.single);
        if !again {
            self.windows.sum = self.windows.sum.wrapping_add(single);
        }
    }

    #[inline]
    fn joined(&mut self, hash: u32) {
        self.windows.sum = self.windows.sum.wrapping_add(self.model.weight(hash));
    }

    fn word(&mut self, alone: bool) {
        let Weigh { windows, next, .. } = self;
        let (begin, end) = if alone { (next.start, next.end) } else { (windows.open, next.start) };
        windows.words += 1;
        if let Some(sum) = windows.sums.get_mut(windows.words % RING) {
            *sum = windows.sum;
        }
        if let Some(place) = windows.places.get_mut(windows.words % RING) {
            *place = (begin, end);
        }
        for words in WINDOWS {
            if words <= self.windows.words {
                self.window(words);
            }
        }
    }
}

impl Windows {
    /// What the weights behind word `from`, and up to word `to`, come to.
    fn since(&self, from: usize, to: usize) -> i32 {
        let sum = |word: usize| self.sums.get(word % RING).copied().unwrap_or(0);
        sum(to).wrapping_sub(sum(from))
    }

    /// The part of the window behind word `first` that makes its value: without words at either end that add nothing.
    fn core(&self, first: usize) -> Range<u64> {
        let to = (first + 1..=self.words).rev().max_by_key(|to| self.since(first, *to));
        let to = to.unwrap_or(self.words);
        let from = (first..to).min_by_key(|from| (self.since(first, *from), Reverse(*from)));
        let place = |word: usize| self.places.get(word % RING).copied().unwrap_or_default();
        place(from.unwrap_or(first) + 1).0..place(to).1
    }
}

impl Weigh<'_> {
    /// Looks at the window of the last so many words.
    fn window(&mut self, words: usize) {
        let Weigh { model, windows, regions, .. } = self;
        let first = windows.words.saturating_sub(words);
        let value = model.window(windows.since(first, windows.words), words);
        if value >= model.floor() {
            regions.window(windows.core(first), model.points(value));
        }
    }

    /// A text that is shorter than a window is one, if it has words enough to say anything.
    fn rest(&mut self) {
        let words = self.windows.words;
        if words >= FEWEST && WINDOWS.into_iter().any(|longer| words < longer) {
            self.window(words);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice)]
mod tests;
