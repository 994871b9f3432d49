//! Where in clean text nothing can begin, so that the scanner need not look: most of any text, sixteen bytes at a time.
//!
//! The [`Sieve`] finds where the first bytes of a keyword, or of a match of a rule without keywords, may stand; the
//! scanner judges what it finds. Bytes that a view may drop or replace are odd, all beyond ASCII but Han and Hangul; where
//! it does, what begins near one is read. Whoever starts the automaton anew at what
//! [`Skip::search`] says comes to the same states as one who never skipped.

use crate::fold::{Folded, fold, fold_ascii};
use crate::grams::Grams;
use crate::pattern::Program;
use crate::shapes::Shapes;
use crate::sieve::{Beginning, Bytes, Found, REACH, SHIFT, Sieve, distinct, is_dropped, is_word};
use crate::stand::Around;

/// Pairs of bytes.
const PAIRS: usize = 1 << 16;
/// How far before an odd byte a match may begin unseen, in bytes.
pub(crate) const BACK: usize = REACH - 1;
/// Characters within which a rule without keywords must go on; their verification costs nothing of the budget.
pub(crate) const FREE: u8 = 8;
/// Bytes that the sieve looks at for an odd one.
const NEAR: usize = 64;
/// Ways in which a match of a rule without keywords may begin that are told apart.
const MAX_WAYS: usize = 64;
/// First bytes of characters that all fold to themselves: Han and most of Hangul.
const PLAIN: [u8; 8] = [0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEB, 0xEC];

/// What to look for under some rules.
#[derive(Debug)]
pub(crate) struct Skip {
    sieve: Sieve,
    /// The first bytes of what can be written in few ways.
    grams: Grams,
    /// Everything else.
    shapes: Shapes,
    /// A bit for each pair of bytes that anything begins with, and its first bytes.
    all_pairs: Box<[u64]>,
    firsts: Bytes,
}

/// Where to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Next {
    /// The first place at which something may begin.
    pub at: usize,
    /// Up to here everything must be read before the next skip.
    pub until: usize,
}

/// What the first bytes at a place fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fits {
    Keyword,
    /// A keyword or a rule that has none.
    Anything,
}

impl Skip {
    /// For folded keywords with what may stand around them, and for rules that have none, with whether they begin words.
    pub fn new<'a>(
        keywords: impl Iterator<Item = (&'a [u8], Around<'a>)>,
        programs: impl Iterator<Item = (&'a Program, bool)>,
    ) -> Skip {
        let keywords = keywords.filter(|(keyword, _)| !keyword.is_empty());
        let mut beginnings =
            distinct(keywords.map(|(keyword, around)| beginning(keyword, &around)));
        let mut grams = Grams::default();
        let others = beginnings.iter().filter(|beginning| !grams.insert(beginning));
        let mut others: Vec<Beginning> = others.copied().collect();
        let bare: Vec<Beginning> =
            programs.flat_map(|(program, word)| openings(program, word)).collect();
        others.extend(&bare);
        beginnings.extend(bare);
        let shapes = Shapes::new(&others);
        let mut all_pairs = vec![0; PAIRS / 64].into_boxed_slice();
        let mut firsts = Bytes::default();
        for beginning in &beginnings {
            mark_pairs(beginning, &mut all_pairs);
            let [_, first, ..] = beginning;
            firsts.join(first);
        }
        let plain = |byte: u8| PLAIN.contains(&byte) || is_inside(byte);
        let odd = Bytes::of(|byte| is_dropped(byte) || !byte.is_ascii() && !plain(byte));
        Skip { sieve: Sieve::new(&beginnings, odd), grams, shapes, all_pairs, firsts }
    }

    /// Bytes of memory.
    pub fn memory(&self) -> usize {
        let pairs = size_of_val(&*self.all_pairs);
        self.sieve.memory() + self.grams.memory() + self.shapes.memory() + pairs
    }

    /// Whether a view drops or replaces what a byte belongs to.
    pub fn is_odd(&self, byte: u8) -> bool {
        self.sieve.is_odd(byte)
    }

    /// Whether something may begin at a place, as far as its first bytes tell.
    pub fn may_begin(&self, text: &[u8], at: usize) -> bool {
        let Some(window) = text.get(at..at + BACK + 1) else { return true };
        self.fits(text, at).is_some() || window.iter().any(|byte| self.is_odd(*byte))
    }

    #[inline]
    fn fits(&self, text: &[u8], at: usize) -> Option<Fits> {
        if self.shapes.fits(text, at) {
            return Some(Fits::Anything);
        }
        self.grams.has(text, at).then_some(Fits::Keyword)
    }

    /// The first place shortly before an odd byte at which something may begin that goes on with it: it, if none does.
    fn before_odd(&self, text: &[u8], odd: usize) -> usize {
        let begins = |at: &usize| match at + 1 == odd {
            true => text.get(*at).is_some_and(|byte| self.firsts.contains(*byte)),
            false => has_pair(&self.all_pairs, text, *at),
        };
        (odd.saturating_sub(BACK)..odd).find(begins).unwrap_or(odd)
    }

    /// Searches from `from`, where a character begins, for what may begin and is not `nothing`. The last bytes of a text
    /// are always read, because more of it may follow.
    pub fn search(
        &self,
        text: &[u8],
        from: usize,
        mut nothing: impl FnMut(usize, Fits) -> bool,
    ) -> Next {
        let last = text.len().saturating_sub(BACK).max(from);
        let odd_in = |range: std::ops::Range<usize>| {
            let at = text.get(range.clone())?.iter().position(|byte| self.is_odd(*byte))?;
            Some(range.start + at)
        };
        // Up to `clear` no byte is odd, and the one there is or is not looked at.
        let (mut clear, mut odd) = (from, None);
        let mut judge = |start: usize, fits: Fits| {
            let near = start + 1 + BACK;
            while clear < near && (odd.is_none() || clear <= start) {
                let from = clear.max(start + 1);
                odd = self.sieve.next_odd(text, from);
                clear = odd.unwrap_or(from + NEAR);
            }
            match odd.filter(|odd| *odd < near) {
                // It may belong to something that begins before.
                Some(odd) => Some((start.min(self.before_odd(text, odd)), start + 1)),
                None => (!nothing(start, fits)).then_some((start, start + 1)),
            }
        };
        // Before this nothing begins.
        let mut judged = from;
        // What stands before the first byte is not seen.
        let first = if from < last { self.fits(text, from) } else { None };
        let found = first.and_then(|fits| judge(from, fits)).or_else(|| {
            self.sieve.find(text, from, last, |at, found| {
                let (stop, behind) = match found {
                    Found::Odd if folds_to_itself(text, at) => return None,
                    Found::Odd => return Some((self.before_odd(text, at), at + 1)),
                    // What begins before it matters only if it is something.
                    Found::Word => (Some(judge(at, self.fits(text, at)?)?), at),
                    Found::Sample => {
                        let starts = (at.saturating_sub(1).max(from + 1)..=at).find_map(|start| {
                            Some((start, judge(start, self.fits(text, start)?)?))
                        });
                        let (start, found) = starts?;
                        (Some(found), start)
                    }
                    Found::Candidate => (None, (at + 2).min(last)),
                };
                let starts = judged.max(behind.saturating_sub(SHIFT + 1))..behind;
                judged = judged.max(behind);
                for start in starts {
                    if let Some(fits) = self.fits(text, start)
                        && let Some(found) = judge(start, fits)
                    {
                        return Some(found);
                    }
                }
                stop
            })
        });
        let (first, until) = found.unwrap_or_else(|| {
            // The window of what begins shortly before the end may lie behind it.
            let near = judged.max(last.saturating_sub(SHIFT))..last;
            let start = near.into_iter().find(|start| self.fits(text, *start).is_some());
            let odd = odd_in(last..text.len()).map(|odd| self.before_odd(text, odd));
            (last.min(start.unwrap_or(last)).min(odd.unwrap_or(last)), text.len())
        });
        Next { at: character(text, first.clamp(from, last), from), until }
    }
}

/// Whether the pair of bytes at a place is among `pairs`; at the end of a text it may be.
fn has_pair(pairs: &[u64], text: &[u8], at: usize) -> bool {
    let Some(pair) = text.get(at..).and_then(<[u8]>::first_chunk) else { return true };
    let pair = usize::from(u16::from_le_bytes(*pair));
    pairs.get(pair / 64).is_some_and(|word| word >> (pair % 64) & 1 == 1)
}

fn mark_pairs([_, first, second, ..]: &Beginning, pairs: &mut [u64]) {
    for a in (0..=u8::MAX).filter(|byte| first.contains(*byte)) {
        for b in (0..=u8::MAX).filter(|byte| second.contains(*byte)) {
            let pair = usize::from(u16::from_le_bytes([a, b]));
            if let Some(word) = pairs.get_mut(pair / 64) {
                *word |= 1 << (pair % 64);
            }
        }
    }
}

/// What stands before a keyword, its first bytes, and what may follow. White space may be any, and more of it.
fn beginning(keyword: &[u8], around: &Around<'_>) -> Beginning {
    let keyword = around.exactly.unwrap_or(keyword);
    // Where in the keyword, and whether it is written otherwise than it stands.
    let mut places = vec![(0usize, false)];
    std::array::from_fn(|index| {
        if index == 0 {
            return around.before;
        }
        let mut set = Bytes::default();
        let mut next = Vec::new();
        for (place, varied) in std::mem::take(&mut places) {
            let Some(wanted) = keyword.get(place).copied() else {
                let at_end = place == keyword.len() && !varied;
                set.join(if at_end { &around.ahead } else { &Bytes::ALL });
                next.push((keyword.len() + 1, varied));
                continue;
            };
            let same = |byte: u8| byte == wanted;
            let folded = |byte: u8| byte.is_ascii() && fold_ascii(byte) == wanted;
            let exact = around.exactly.is_some();
            set.join(&Bytes::of(|byte| same(byte) || !exact && folded(byte)));
            next.push((place + 1, varied || !exact && !around.any_case));
            if wanted == b' ' && !exact {
                next.push((place, true));
            }
        }
        places = distinct(next.into_iter());
        set
    })
}

/// The first bytes of the matches of a rule without keywords.
fn openings(program: &Program, begins_word: bool) -> Vec<Beginning> {
    let ways = program.ways(REACH, MAX_WAYS);
    let beginnings = ways.into_iter().map(|way| {
        // Behind a character of several bytes the places are no longer known.
        let mut shifted = false;
        let mut places = way.into_iter();
        std::array::from_fn(|index| {
            if index == 0 {
                return Bytes::of(|byte| !(begins_word && is_word(byte)));
            }
            let (ascii, wide) = places.next().unwrap_or((u128::MAX, true));
            let set = Bytes::of(|byte| match byte.is_ascii() {
                true => shifted || ascii >> byte & 1 == 1,
                false => shifted || wide,
            });
            shifted |= wide;
            set
        })
    });
    beginnings.collect()
}

/// The beginning of the character that the byte at `at` is in, `from` at the least.
fn character(text: &[u8], at: usize, from: usize) -> usize {
    let begins = |at: &usize| text.get(*at).is_none_or(|byte| !is_inside(*byte));
    (from..=at).rev().find(begins).unwrap_or(from)
}

/// Whether the character that begins at a place is what the Folded view has of it: most of other scripts.
fn folds_to_itself(text: &[u8], at: usize) -> bool {
    let length = match text.get(at) {
        Some(0xC2..=0xDF) => 2,
        Some(0xE0..=0xEF) => 3,
        Some(0xF0..=0xF4) => 4,
        _ => return false,
    };
    let character = text.get(at..at + length).map(std::str::from_utf8);
    let Some(Ok(character)) = character else { return false };
    let folded = character.chars().next().map(fold);
    matches!(folded, Some(Folded::Chars(folded)) if folded.as_str() == character)
}

/// Whether a byte of UTF-8 is in a character but not its first.
fn is_inside(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

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

    #[test]
    fn a_beginning_has_all_ways_to_write_it() {
        let sets = beginning(b"a b", &Around::default());
        let fits =
            |text: &[u8; 4]| sets.iter().skip(1).zip(text).all(|(set, byte)| set.contains(*byte));
        assert!(fits(b"A b!") && fits(b"a  b") && fits(b"a\t\n ") && fits(b"a b\xF0"));
        assert!(!fits(b"ab  ") && !fits(b"a c ") && !fits(b" a b"));
    }
}
