//! Where in clean text nothing can begin, so that the scanner need not look: most of any text, at a few instructions a
//! byte.
//!
//! A keyword begins only where its first four bytes may stand, and those of all keywords are marked in one table by
//! hash. A rule without keywords must read a *pivot*, such as a digit, within its first five characters. Bytes that a
//! view drops or replaces (all beyond ASCII) are pivots too. Whoever starts the automaton anew at what [`Skip::next`]
//! says comes to the same states as one who never skipped.

use crate::fold::fold_ascii;
use crate::pattern::Program;

/// Bytes of a keyword's beginning that are looked up at once.
const GRAM: usize = 4;
/// How far before a pivot a match may begin, in bytes.
const BACK: usize = 4;
/// Characters within which a rule without keywords reads a pivot; their verification costs nothing of the budget.
pub(crate) const FREE: u8 = 5;
/// Bits of the table.
const BITS: usize = 1 << 16;
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
            mark(&mut pivots, byte, !byte.is_ascii() || fold_ascii(byte) == 0);
        }
        let mut skip =
            Skip { grams: vec![0; BITS / 64].into_boxed_slice(), pivots: Box::default() };
        for keyword in keywords {
            match keyword {
                [] => {}
                [only] => (0..128).for_each(|b| mark(&mut pivots, b, fold_ascii(b) == *only)),
                _ => skip.mark_grams(keyword, &mut Vec::with_capacity(GRAM)),
            }
        }
        let mut chosen = 0u128;
        for program in programs {
            chosen = with_pivots_of(program, chosen);
        }
        (0..128).for_each(|byte| mark(&mut pivots, byte, chosen >> byte & 1 == 1));
        skip.pivots = pivots.into_boxed_slice();
        skip
    }

    /// Bytes of memory.
    pub fn memory(&self) -> usize {
        size_of_val(&*self.grams).saturating_add(size_of_val(&*self.pivots))
    }

    /// Marks every way in which the beginning of a text that has this keyword may be written; `written` has the bytes
    /// so far. What follows a short keyword may be anything.
    fn mark_grams(&mut self, keyword: &[u8], written: &mut Vec<u8>) {
        if let Some(gram) = written.first_chunk::<GRAM>() {
            let hash = hash(u32::from_le_bytes(*gram) | CASE);
            if let Some(word) = self.grams.get_mut(hash / 64) {
                *word |= 1 << (hash % 64);
            }
            return;
        }
        let wanted = keyword.first().copied();
        let rest = keyword.get(1..).unwrap_or_default();
        for byte in 0..128u8 {
            let folded = fold_ascii(byte);
            // Cases are merged, so one of them will do. What is dropped is a pivot.
            if folded == 0 || byte.is_ascii_uppercase() || wanted.is_some_and(|w| w != folded) {
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

    /// Whether the text begins as a keyword may.
    fn begins(&self, text: &[u8]) -> bool {
        let gram = text.first_chunk::<GRAM>();
        gram.is_some_and(|gram| self.has_gram(u32::from_le_bytes(*gram) | CASE))
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
        self.begins(window) || window.iter().any(|b| self.is_pivot(*b))
    }

    /// Whether whatever began in `from..to` can be forgotten at `to`.
    pub fn is_settled(&self, text: &[u8], from: usize, to: usize) -> bool {
        to.saturating_sub(from) <= NEAR && (from..to).all(|at| !self.may_begin(text, at))
    }

    /// Searches from `from`. The last bytes of a text are always read, because more of it may follow.
    pub fn next(&self, text: &[u8], from: usize) -> Next {
        let last = text.len().saturating_sub(BACK).max(from);
        let mut at = from;
        while let Some(bytes) = text.get(at..).and_then(<[u8]>::first_chunk::<8>) {
            let word = u64::from_le_bytes(*bytes);
            let merged = word | CASES;
            let [a, b, c, d, ..] = *bytes;
            let grams = self.has_gram(merged as u32)
                | self.has_gram((merged >> 8) as u32)
                | self.has_gram((merged >> 16) as u32)
                | self.has_gram((merged >> 24) as u32);
            if grams | self.is_pivot(a) | self.is_pivot(b) | self.is_pivot(c) | self.is_pivot(d) {
                break;
            }
            at += GRAM;
        }
        while let Some(byte) = text.get(at).copied() {
            if self.is_pivot(byte) {
                return Next { at: at.saturating_sub(BACK).clamp(from, last), until: at + 1 };
            }
            if at < last && self.begins(text.get(at..).unwrap_or_default()) {
                // A pivot that follows at once may belong to something that begins before.
                let ahead = text.get(at + 1..).unwrap_or_default().iter().take(BACK);
                let pivot = ahead.zip(at + 1..).find(|(b, _)| self.is_pivot(**b));
                let first = pivot.map_or(at, |(_, pivot)| at.min(pivot.saturating_sub(BACK)));
                return Next { at: first.max(from), until: at + 1 };
            }
            at += 1;
        }
        Next { at: last, until: text.len() }
    }
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
