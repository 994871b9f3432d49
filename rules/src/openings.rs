//! Which rules without keywords may begin at a place, by the bytes there: a few look-ups for all rules together.

use crate::pattern::Program;
use crate::skip::FREE;

/// Rules that are told apart; further ones share the last bit.
const BITS: usize = 32;
const BYTES: usize = 256;

/// For each of the first bytes of a match, which rules can have it there.
#[derive(Debug, Default)]
pub(crate) struct Openings {
    /// A bit for each rule, by place and byte.
    masks: Vec<[u32; BYTES]>,
    /// Of these a match may begin within a word.
    within: u32,
    rules: Vec<u16>,
}

impl Openings {
    /// For rules by their id, in order, with whether they begin words.
    pub fn new<'a>(rules: impl Iterator<Item = (u16, &'a Program, bool)>) -> Openings {
        let masks = vec![[0; BYTES]; usize::from(FREE)];
        let mut openings = Openings { masks, within: 0, rules: Vec::new() };
        for (id, program, begins_word) in rules {
            let bit = 1 << openings.rules.len().min(BITS - 1);
            openings.within |= if begins_word { 0 } else { bit };
            openings.rules.push(id);
            // Behind a character of several bytes the places are no longer known.
            let mut shifted = false;
            let places = program.openings(usize::from(FREE));
            for (mask, (ascii, wide)) in openings.masks.iter_mut().zip(places) {
                for (byte, rules) in (0..=u8::MAX).zip(mask) {
                    let takes = if byte.is_ascii() { ascii >> byte & 1 == 1 } else { wide };
                    if takes || shifted {
                        *rules |= bit;
                    }
                }
                shifted |= wide;
            }
        }
        openings
    }

    /// The rules of which a match may begin with the bytes at `at`, as far as they are there; within a word fewer.
    #[inline]
    pub fn at(&self, text: &[u8], at: usize, in_word: bool) -> u32 {
        let ahead = text.get(at..).unwrap_or_default();
        let mut open = if in_word { self.within } else { u32::MAX };
        for (mask, byte) in self.masks.iter().zip(ahead) {
            open &= mask.get(usize::from(*byte)).copied().unwrap_or(u32::MAX);
            if open == 0 {
                break;
            }
        }
        open
    }

    /// The ids of rules that [`Self::at`] told of, in order.
    pub fn rules(&self, open: u32) -> impl Iterator<Item = u16> + '_ {
        let is_open = move |place: &usize| open >> (*place).min(BITS - 1) & 1 == 1;
        self.rules.iter().enumerate().filter(move |(i, _)| is_open(i)).map(|(_, id)| *id)
    }

    /// Bytes of memory.
    pub fn memory(&self) -> usize {
        self.masks.len() * BYTES * size_of::<u32>()
    }
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::*;
    use crate::pattern::Options;

    fn openings(patterns: &[&str]) -> Openings {
        let parse = |p: &&str| Program::parse(p, &Options::default()).expect("a pattern");
        let programs: Vec<Program> = patterns.iter().map(parse).collect();
        Openings::new((0u16..).zip(&programs).map(|(id, program)| (id, program, true)))
    }

    #[test]
    fn a_rule_opens_where_its_first_characters_fit() {
        let found = openings(&[r"\b[0-9]{3}-[0-9]{2}", "a[é-ü]?b[0-9]", "x"]);
        for (text, expected) in [
            ("123-45", vec![0]),
            ("12", vec![0]),
            ("123 45", vec![]),
            ("ab1", vec![1]),
            ("aéb1", vec![1]),
            ("aé", vec![1]),
            ("abc", vec![1]),
            ("ac1", vec![]),
            ("x\u{1}é??", vec![2]),
        ] {
            let open = found.at(text.as_bytes(), 0, false);
            assert_eq!(found.rules(open).collect::<Vec<u16>>(), expected, "{text}");
        }
    }

    #[test]
    fn many_rules_share_the_last_bit_and_stay_in_order() {
        let patterns: Vec<String> =
            (0..40).map(|i| format!("{}", char::from(b'a' + i % 20))).collect();
        let found = openings(&patterns.iter().map(String::as_str).collect::<Vec<_>>());
        let open: Vec<u16> = found.rules(found.at(b"c", 0, false)).collect();
        assert!(open.contains(&2) && open.contains(&22), "{open:?}");
        assert!(open.is_sorted(), "{open:?}");
    }
}
