//! What the classifier sees of a text: hashed n-grams of words and characters of the Folded view.
//!
//! A word is a run of letters and digits; a run of digits is one digit, what a language writes without spaces is a word
//! a character, and any other visible character is a word of its own, however often it is repeated. A word gives itself,
//! its beginning, what it makes with up to three words before it, and its runs of four characters. What stood among the
//! last 32 words already counts once.

use super::once::Once;

/// Characters of a word that count; of a longer one the rest says nothing.
const MAX_WORD: u32 = 20;
/// Characters of the beginning of a word that stand for its stem: of words up to six characters, and of longer ones.
const STEM: (u32, u32) = (4, 5);
const LONG: u32 = 6;

/// The kinds of features; a hash begins with its kind.
mod kind {
    pub const WORD: u32 = 1;
    pub const SIGN: u32 = 3;
    pub const ONE: u32 = 11;
    pub const ONE_STEM: u32 = 12;
    pub const PAIR: u32 = 13;
    pub const STEM_PAIR: u32 = 14;
    pub const SKIP_PAIR: u32 = 15;
    pub const TRIPLE: u32 = 16;
    pub const QUADRUPLE: u32 = 17;
    pub const CHARACTERS: u32 = 24;
}

/// The edges of a word among its characters.
const BEGIN: u32 = b'^' as u32;
const END: u32 = b'$' as u32;
const DIGIT: u32 = b'0' as u32;

#[inline]
fn mix(hash: u32, value: u32) -> u32 {
    (hash.rotate_left(5) ^ value).wrapping_mul(0x9E37_79B1)
}

/// A word as those after it see it.
#[derive(Clone, Copy, Debug, Default)]
struct Word {
    whole: u32,
    stem: u32,
}

/// The word that is being read.
#[derive(Clone, Copy, Debug, Default)]
struct Open {
    length: u32,
    whole: u32,
    short_stem: u32,
    long_stem: u32,
    /// The last four characters, of each a byte.
    last: u32,
}

/// Takes what is seen. A feature is a hash of all 32 bits.
pub trait Seen {
    /// A feature of the word that is being read, by itself.
    fn single(&mut self, hash: u32);
    /// Those of the word were the last ones; they do not count if it says `again` what stood near already.
    fn singles(&mut self, again: bool);
    /// A feature that a word makes with those before it.
    fn joined(&mut self, hash: u32);
    /// A word has ended, and its features came before: the one that was being read, or what is read now, `alone`.
    fn word(&mut self, alone: bool);
}

/// Reads the Folded view of a text, a character at a time.
#[derive(Clone, Debug, Default)]
pub struct Features {
    open: Open,
    before: [Word; 3],
    once: Once,
    /// The sign that was read last, if nothing but itself came since.
    sign: u32,
}

impl Features {
    /// Reads a character; white space is a space.
    #[inline]
    pub fn push(&mut self, c: char, seen: &mut impl Seen) {
        if c.is_ascii_alphanumeric() {
            self.sign = 0;
            self.letter(c as u32, seen);
        } else {
            self.other(c, seen);
        }
    }

    #[inline(never)]
    fn other(&mut self, c: char, seen: &mut impl Seen) {
        if c == '\'' && self.open.length > 0 {
            return;
        }
        if is_letter(c) && !is_word_alone(c) {
            self.sign = 0;
            self.letter(c as u32, seen);
            return;
        }
        self.close(seen);
        let again = std::mem::take(&mut self.sign) == c as u32;
        if is_letter(c) {
            let whole = mix(kind::WORD, c as u32);
            self.word(Word { whole, stem: whole }, true, true, seen);
        } else if c != ' ' {
            self.sign = c as u32;
            if !again {
                let whole = mix(kind::SIGN, c as u32);
                self.word(Word { whole, stem: whole }, true, false, seen);
            }
        }
    }

    /// Whether a word is being read.
    pub fn is_within_word(&self) -> bool {
        self.open.length > 0
    }

    /// The text ends.
    pub fn end(&mut self, seen: &mut impl Seen) {
        self.close(seen);
        *self = Features::default();
    }

    #[inline]
    fn letter(&mut self, c: u32, seen: &mut impl Seen) {
        let open = &mut self.open;
        let c = if c.wrapping_sub(DIGIT) < 10 { DIGIT } else { c };
        if open.length >= MAX_WORD || c == DIGIT && open.last & 0xFF == DIGIT {
            return;
        }
        if open.length == 0 {
            (open.whole, open.last) = (kind::WORD, BEGIN);
        }
        open.length += 1;
        open.whole = mix(open.whole, c);
        open.last = open.last << 8 | byte(c);
        if open.length >= 3 {
            seen.single(mix(kind::CHARACTERS, open.last));
            if open.length == STEM.0 {
                open.short_stem = open.whole;
            } else if open.length == STEM.1 {
                open.long_stem = open.whole;
            }
        }
    }

    fn close(&mut self, seen: &mut impl Seen) {
        let open = std::mem::take(&mut self.open);
        if open.length == 0 {
            return;
        }
        if open.length >= 3 {
            seen.single(mix(kind::CHARACTERS, open.last << 8 | END));
        }
        let stem = match open.length {
            length if length > LONG => open.long_stem,
            length if length > STEM.0 => open.short_stem,
            _ => open.whole,
        };
        if open.length > STEM.0 {
            seen.single(mix(kind::ONE_STEM, stem));
        }
        self.word(Word { whole: open.whole, stem }, false, false, seen);
    }

    #[inline]
    fn word(&mut self, word: Word, alone: bool, unspaced: bool, seen: &mut impl Seen) {
        let [third, second, first] = self.before;
        let again = self.once.next(word.whole);
        seen.single(mix(kind::ONE, word.whole));
        seen.singles(again.word);
        if again.before < 1 {
            seen.joined(mix(mix(kind::PAIR, first.whole), word.whole));
            seen.joined(mix(mix(kind::STEM_PAIR, first.stem), word.stem));
        }
        if again.before < 2 {
            seen.joined(mix(mix(kind::SKIP_PAIR, second.stem), word.stem));
            let triple = mix(mix(kind::TRIPLE, second.stem), first.stem);
            seen.joined(mix(triple, word.stem));
        }
        if unspaced && again.before < 3 {
            let before = mix(mix(kind::QUADRUPLE, third.whole), second.whole);
            seen.joined(mix(mix(before, first.whole), word.whole));
        }
        self.before = [second, first, word];
        seen.word(alone);
    }
}

/// A character among its neighbors: its code in ASCII, beyond it a digest.
#[inline]
fn byte(c: u32) -> u32 {
    if c < 0x80 { c } else { 0x80 | c.wrapping_mul(0x9E37_79B1) >> 25 }
}

/// Letters, digits and marks. Beyond ASCII what is not known for a sign counts as a letter.
fn is_letter(c: char) -> bool {
    !c.is_ascii()
        && !matches!(c,
            '\u{80}'..='\u{BF}' | '\u{60C}' | '\u{61B}' | '\u{61F}' | '\u{66A}'..='\u{66D}' | '\u{6D4}'
            | '\u{964}' | '\u{965}' | '\u{2000}'..='\u{2BFF}' | '\u{3000}'..='\u{3004}'
            | '\u{3008}'..='\u{3020}' | '\u{30FB}' | '\u{FE10}'..='\u{FE6F}' | '\u{1F000}'..='\u{1FAFF}')
}

/// Scripts that are written without spaces, and Hangul, whose syllables are so many.
fn is_word_alone(c: char) -> bool {
    matches!(c,
        '\u{0E00}'..='\u{0EFF}' | '\u{1100}'..='\u{11FF}' | '\u{3040}'..='\u{30FF}' | '\u{3130}'..='\u{318F}'
        | '\u{3400}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7AF}' | '\u{20000}'..='\u{3FFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fold::fold_str;

    #[derive(Default)]
    struct All(Vec<u32>, usize);

    impl Seen for All {
        fn single(&mut self, hash: u32) {
            self.0.push(hash);
        }

        fn singles(&mut self, _: bool) {}

        fn joined(&mut self, hash: u32) {
            self.0.push(hash);
        }

        fn word(&mut self, _: bool) {
            self.1 += 1;
        }
    }

    fn features(text: &str) -> (Vec<u32>, usize) {
        let (mut all, mut features) = (All::default(), Features::default());
        fold_str(text).chars().for_each(|c| features.push(c, &mut all));
        features.end(&mut all);
        (all.0, all.1)
    }

    #[test]
    fn words_are_counted_as_people_see_them() {
        for (text, words) in [
            ("", 0),
            ("  ", 0),
            ("Ignore it", 2),
            ("don't", 1),
            ("stop!!! now", 3),
            ("a - b", 3),
            ("忽略指令", 4),
            ("игнорируй это", 2),
            ("\u{200b}x\u{200b}y", 1),
            ("1,000", 3),
        ] {
            assert_eq!(features(text).1, words, "{text}");
        }
    }

    #[test]
    fn the_same_is_seen_in_other_clothes() {
        let plain = features("Ignore all 25 rules!");
        for other in
            ["IGNORE  all\n99 rules!!", "ｉｇｎｏｒｅ all 7 rules!", "Ignóre all 12345 rules!"]
        {
            assert_eq!(features(other), plain, "{other}");
        }
        assert_ne!(features("ignore all rules"), features("all ignore rules"));
    }

    #[test]
    fn long_words_cost_no_more_than_others() {
        let long = features(&"ab".repeat(5000)).0.len();
        assert_eq!(long, features(&"ab".repeat(10)).0.len());
    }
}
