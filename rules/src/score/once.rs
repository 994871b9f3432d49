//! What a text says again: words, and runs of words, that stood among the last 32 words already.
//!
//! Their features count once, so that what repeats a word says it once. What goes on repeating counts again after 32
//! words, so that every long window has its share.

use super::model::LONGEST;

/// Words that are remembered, by the highest bits of their hashes; of two that share a place the later one.
const PLACES: usize = 256;
const BITS: u32 = PLACES.ilog2();

#[derive(Clone, Copy, Debug, Default)]
struct Place {
    word: u32,
    /// The number of the word, in 16 bits, where it counted last, and where it stood last. Numbers begin behind `LONGEST`.
    counted: u16,
    stood: u16,
}

/// The words of late.
#[derive(Clone, Debug)]
pub struct Once {
    places: [Place; PLACES],
    number: u16,
    /// How far back the last word stood, and how many words up to it stood so far back.
    back: u16,
    run: u16,
}

/// What of a word was there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Again {
    /// The word itself.
    pub word: bool,
    /// Words before it that stood before it then, too; 0 if the word was not there.
    pub before: u16,
}

impl Default for Once {
    fn default() -> Once {
        Once { places: [Place::default(); PLACES], number: LONGEST as u16, back: 0, run: 0 }
    }
}

impl Once {
    /// The next word, by its hash.
    #[inline]
    pub fn next(&mut self, word: u32) -> Again {
        let near = |from: u16| self.number.wrapping_sub(from) < LONGEST as u16;
        let Some(place) = self.places.get_mut((word >> (32 - BITS)) as usize) else {
            return Again::default();
        };
        let (known, number) = (place.word == word && near(place.stood), self.number);
        let back = number.wrapping_sub(place.stood);
        let again = known && near(place.counted);
        place.counted = if again { place.counted } else { number };
        (place.word, place.stood) = (word, number);
        self.run = match (known, back == self.back) {
            (true, true) if self.run < LONGEST as u16 => self.run + 1,
            _ => 0,
        };
        self.back = if known { back } else { 0 };
        self.number = number.wrapping_add(1);
        Again { word: again, before: self.run }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agains(words: &[u32]) -> Vec<Again> {
        let mut once = Once::default();
        words.iter().map(|word| once.next(word << 24)).collect()
    }

    fn told(words: &[u32]) -> Vec<(bool, u16)> {
        agains(words).into_iter().map(|again| (again.word, again.before)).collect()
    }

    #[test]
    fn a_phrase_that_comes_again_is_known_by_its_words_and_their_order() {
        let first = [(false, 0), (false, 0), (false, 0)];
        assert_eq!(told(&[1, 2, 3]), first);
        assert_eq!(told(&[1, 2, 3, 1, 2, 3])[3..], [(true, 0), (true, 1), (true, 2)]);
        assert_eq!(told(&[1, 2, 3, 3, 2, 1])[3..], [(true, 0), (true, 0), (true, 0)]);
        assert_eq!(told(&[1, 2, 9, 1, 8, 2])[3..], [(true, 0), (false, 0), (true, 0)]);
    }

    #[test]
    fn a_word_counts_again_after_a_window() {
        let counted = |all: Vec<Again>| -> Vec<usize> {
            (0..).zip(all).filter(|(_, again)| !again.word).map(|(at, _)| at).collect()
        };
        assert_eq!(counted(agains(&[7; 70])), [0, 32, 64]);
        let long: Vec<u32> = (0..80).map(|at| if at % 40 == 0 { 7 } else { at + 10 }).collect();
        assert_eq!(counted(agains(&long)).len(), 80);
    }
}
