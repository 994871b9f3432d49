//! Where in clean text nothing can begin, so that the scanner need not look: most of any text, at a few instructions a
//! byte.
//!
//! A keyword begins only where its first four bytes may stand, and those of all keywords are marked in one table by
//! hash; in another by what may follow them. A rule without keywords must read a *pivot*, such as a digit, within its
//! first five characters. Bytes that a view drops or replaces are pivots too: all beyond ASCII but those of scripts that
//! fold to themselves, where no rule asks for them. Whoever starts the automaton anew at what [`Skip::next`] says comes
//! to the same states as one who never skipped.

use crate::fold::fold_ascii;
use crate::pattern::Program;

/// Bytes of a keyword's beginning that are looked up at once.
const GRAM: usize = 4;
/// How far before a pivot a match may begin, in bytes.
const BACK: usize = 4;
/// Characters within which a rule without keywords reads a pivot; their verification costs nothing of the budget.
pub(crate) const FREE: u8 = 5;
/// Bits of the table of beginnings.
const BITS: usize = 1 << 16;
/// Bytes behind a beginning that are looked up where it stands, and places of their table.
const MORE: usize = 2;
const PLACES: usize = 1 << 12;
/// First bytes of characters that all fold to themselves: Han and most of Hangul.
const PLAIN: [u8; 8] = [0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEB, 0xEC];
/// Merges the cases of ASCII letters, in each byte.
const CASE: u32 = 0x2020_2020;
const CASES: u64 = 0x2020_2020_2020_2020;
/// Where a run of white space is longer, the scanner just reads on.
const NEAR: usize = 8;

/// From the bytes that prose is made of to those that it has little of: where there is a choice, the latter are pivots.
const BY_FREQUENCY: &[u8] = b" etaoinsrhldcumfpgwybvkxjqzETAOINSRHLDCUMFPGWYBVKXJQZ,.\n'\"-()_/;?!\t\r*:=<>[]{}#|&%$@+\\`~^0123456789";

/// What to look for under some rules.
#[derive(Debug)]
pub(crate) struct Skip {
    grams: Box<[u64]>,
    /// By beginning, what the next bytes may be, in their low five bits.
    after: Box<[[u32; MORE]]>,
    pivots: Box<[bool]>,
}

/// Where to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Next {
    /// The first place at which something may begin.
    pub at: usize,
    /// Up to here everything must be read before the next skip.
    pub until: usize,
}

impl Skip {
    /// For folded keywords, and for rules that have none.
    pub fn new<'a>(
        keywords: impl Iterator<Item = &'a [u8]>,
        programs: impl Iterator<Item = &'a Program>,
    ) -> Skip {
        let mut pivots = vec![false; 256];
        for byte in 0..=u8::MAX {
            let plain = PLAIN.contains(&byte) || is_inside(byte);
            mark(&mut pivots, byte, !plain && (!byte.is_ascii() || fold_ascii(byte) == 0));
        }
        let mut skip = Skip {
            grams: vec![0; BITS / 64].into_boxed_slice(),
            after: vec![[0; MORE]; PLACES].into_boxed_slice(),
            pivots: Box::default(),
        };
        for keyword in keywords {
            keyword.iter().for_each(|b| mark(&mut pivots, *b, !b.is_ascii() && !is_inside(*b)));
            match keyword {
                [] => {}
                [only] => (0..128).for_each(|b| mark(&mut pivots, b, fold_ascii(b) == *only)),
                _ => skip.mark_grams(keyword, &mut Vec::with_capacity(GRAM)),
            }
        }
        let mut chosen = 0u128;
        for program in programs {
            chosen = with_pivots_of(program, chosen);
            let wide = program.openings(usize::from(FREE)).iter().any(|(_, wide)| *wide);
            (0x80..=u8::MAX).for_each(|byte| mark(&mut pivots, byte, wide));
        }
        (0..128).for_each(|byte| mark(&mut pivots, byte, chosen >> byte & 1 == 1));
        skip.pivots = pivots.into_boxed_slice();
        skip
    }

    /// Bytes of memory.
    pub fn memory(&self) -> usize {
        let tables = size_of_val(&*self.grams).saturating_add(size_of_val(&*self.after));
        tables.saturating_add(size_of_val(&*self.pivots))
    }

    /// Marks every way in which the beginning of a text that has this keyword may be written; `written` has the bytes
    /// so far. What follows a short keyword may be anything.
    fn mark_grams(&mut self, keyword: &[u8], written: &mut Vec<u8>) {
        if let Some(gram) = written.first_chunk::<GRAM>() {
            let gram = u32::from_le_bytes(*gram) | CASE;
            let hash = hash(gram);
            if let Some(word) = self.grams.get_mut(hash / 64) {
                *word |= 1 << (hash % 64);
            }
            if let Some(after) = self.after.get_mut(place(gram)) {
                mark_after(keyword, after);
            }
            return;
        }
        let wanted = keyword.first().copied();
        let rest = keyword.get(1..).unwrap_or_default();
        for byte in 0..=u8::MAX {
            let fits = match wanted {
                Some(wanted) => byte.is_ascii() && fold_ascii(byte) == wanted,
                None if is_inside(byte) => written.last().is_some_and(|b| !b.is_ascii()),
                // What is dropped is a pivot.
                None => PLAIN.contains(&byte) || byte.is_ascii() && fold_ascii(byte) != 0,
            };
            // Cases are merged, so one of them will do.
            if !fits || byte.is_ascii_uppercase() {
                continue;
            }
            written.push(byte);
            self.mark_grams(rest, written);
            if wanted == Some(b' ') {
                self.mark_grams(keyword, written);
            }
            written.pop();
        }
    }

    /// Whether the text begins as a keyword may, as far as it goes.
    fn begins(&self, text: &[u8]) -> bool {
        let Some(gram) = text.first_chunk::<GRAM>() else { return false };
        let gram = u32::from_le_bytes(*gram) | CASE;
        if !self.has_gram(gram) {
            return false;
        }
        let after = self.after.get(place(gram)).copied().unwrap_or([u32::MAX; MORE]);
        for (may_be, byte) in after.iter().zip(text.get(GRAM..).unwrap_or_default()) {
            // Behind what a view drops or replaces the places are no longer known.
            if !byte.is_ascii() || self.is_pivot(*byte) {
                return true;
            }
            if may_be >> (byte & 31) & 1 == 0 {
                return false;
            }
        }
        true
    }

    fn has_gram(&self, gram: u32) -> bool {
        let hash = hash(gram);
        self.grams.get(hash / 64).is_some_and(|word| word >> (hash % 64) & 1 == 1)
    }

    fn is_pivot(&self, byte: u8) -> bool {
        self.pivots.get(usize::from(byte)).copied().unwrap_or(true)
    }

    /// Whether something may begin at a place, as far as the text goes.
    fn may_begin(&self, text: &[u8], at: usize) -> bool {
        let Some(window) = text.get(at..at + GRAM + 1) else { return true };
        self.begins(text.get(at..).unwrap_or_default()) || window.iter().any(|b| self.is_pivot(*b))
    }

    /// Whether whatever began in `from..to` can be forgotten at `to`.
    pub fn is_settled(&self, text: &[u8], from: usize, to: usize) -> bool {
        to.saturating_sub(from) <= NEAR && (from..to).all(|at| !self.may_begin(text, at))
    }

    /// Searches from `from`, where a character begins. The last bytes of a text are always read, because more of it
    /// may follow.
    pub fn next(&self, text: &[u8], from: usize) -> Next {
        let last = text.len().saturating_sub(BACK).max(from);
        let mut at = from;
        while let Some(bytes) = text.get(at..).and_then(<[u8]>::first_chunk::<8>) {
            if self.is_dull(*bytes) {
                at += GRAM;
                continue;
            }
            for place in at..at + GRAM {
                if let Some(next) = self.candidate(text, from, place, last) {
                    return next;
                }
            }
            at += GRAM;
        }
        for place in at..text.len() {
            if let Some(next) = self.candidate(text, from, place, last) {
                return next;
            }
        }
        Next { at: character(text, last, from), until: text.len() }
    }

    /// Whether neither a beginning nor a pivot is at the first four of these bytes.
    fn is_dull(&self, bytes: [u8; 8]) -> bool {
        let merged = u64::from_le_bytes(bytes) | CASES;
        let [a, b, c, d, ..] = bytes;
        let grams = self.has_gram(merged as u32)
            | self.has_gram((merged >> 8) as u32)
            | self.has_gram((merged >> 16) as u32)
            | self.has_gram((merged >> 24) as u32);
        !(grams | self.is_pivot(a) | self.is_pivot(b) | self.is_pivot(c) | self.is_pivot(d))
    }

    /// Where to go on if something may begin at a place.
    fn candidate(&self, text: &[u8], from: usize, at: usize, last: usize) -> Option<Next> {
        let byte = text.get(at)?;
        let first = if self.is_pivot(*byte) {
            at.saturating_sub(BACK)
        } else if at < last && self.begins(text.get(at..).unwrap_or_default()) {
            // A pivot that follows at once may belong to something that begins before.
            let ahead = text.get(at + 1..).unwrap_or_default().iter().take(BACK);
            let pivot = ahead.zip(at + 1..).find(|(b, _)| self.is_pivot(**b));
            pivot.map_or(at, |(_, pivot)| at.min(pivot.saturating_sub(BACK)))
        } else {
            return None;
        };
        Some(Next { at: character(text, first.clamp(from, last), from), until: at + 1 })
    }
}

/// The beginning of the character that the byte at `at` is in, `from` at the least.
fn character(text: &[u8], at: usize, from: usize) -> usize {
    let begins = |at: &usize| text.get(*at).is_none_or(|byte| !is_inside(*byte));
    (from..=at).rev().find(begins).unwrap_or(from)
}

/// Whether a byte of UTF-8 is in a character but not its first.
fn is_inside(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

/// Marks what may follow a beginning: `keyword` is what is left of it.
fn mark_after(keyword: &[u8], after: &mut [u32]) {
    let Some((here, more)) = after.split_first_mut() else { return };
    let Some(wanted) = keyword.first() else {
        *here = u32::MAX;
        more.fill(u32::MAX);
        return;
    };
    for byte in (0..128u8).filter(|byte| fold_ascii(*byte) == *wanted) {
        *here |= 1 << (byte & 31);
    }
    mark_after(keyword.get(1..).unwrap_or_default(), more);
    if *wanted == b' ' {
        mark_after(keyword, more);
    }
}

fn place(gram: u32) -> usize {
    (gram.wrapping_mul(0x85eb_ca6b) >> 20) as usize
}

fn hash(gram: u32) -> usize {
    (gram.wrapping_mul(0x9e37_79b1) >> 16) as usize
}

fn mark(pivots: &mut [bool], byte: u8, is: bool) {
    if let Some(slot) = pivots.get_mut(usize::from(byte)) {
        *slot |= is;
    }
}

/// The pivots `known`, or where a match may get by without them, others that none gets by without.
fn with_pivots_of(program: &Program, known: u128) -> u128 {
    if program.reads_one_of(known, FREE) {
        return known;
    }
    let mut pivots = u128::MAX;
    for byte in BY_FREQUENCY {
        let less = pivots & !(1u128 << byte) | known;
        if program.reads_one_of(less, FREE) {
            pivots = less;
        }
    }
    // A pattern may leave case aside.
    let letters = |first: u8| (0x03ff_ffff_u128) << first & pivots;
    pivots | letters(b'A') << 32 | letters(b'a') >> 32
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;
    use crate::fold::{Folded, fold};

    #[test]
    fn characters_that_count_as_plain_fold_to_themselves() {
        let mut seen = 0;
        for c in '\u{80}'..=char::MAX {
            let mut bytes = [0; 4];
            let text = c.encode_utf8(&mut bytes);
            if text.bytes().next().is_some_and(|lead| PLAIN.contains(&lead)) {
                seen += 1;
                let Folded::Chars(folded) = fold(c) else { panic!("{c:?} is dropped or space") };
                assert_eq!(folded.as_str(), text);
            }
        }
        assert_eq!(seen, PLAIN.len() * 4096);
    }
}
