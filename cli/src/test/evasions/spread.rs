//! Letters and words that are moved apart.

use super::dice::Dice;

/// Characters without width.
const INVISIBLE: [char; 5] = ['\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}'];

/// A blank between all characters, so three between words.
pub fn spaced(text: &str, _: &mut Dice) -> String {
    between(text, |_, _| Some(' '))
}

/// A full stop between the letters of a word.
pub fn dotted(text: &str, _: &mut Dice) -> String {
    between(text, |a, b| (a.is_alphabetic() && b.is_alphabetic()).then_some('.'))
}

/// A character without width between the letters of a word.
pub fn zero_width(text: &str, dice: &mut Dice) -> String {
    between(text, |a, b| (a.is_alphabetic() && b.is_alphabetic()).then(|| dice.one(&INVISIBLE)))
}

/// A hyphen in every word of four letters or more.
pub fn hyphens(text: &str, dice: &mut Dice) -> String {
    let word = |word: &str| {
        let mut letters: Vec<char> = word.chars().collect();
        if letters.len() >= 4 && letters.iter().all(|c| c.is_alphabetic()) {
            letters.insert(1 + dice.below(letters.len() - 1), '-');
        }
        letters.into_iter().collect::<String>()
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// One word a line.
pub fn lines(text: &str, _: &mut Dice) -> String {
    text.split(' ').collect::<Vec<_>>().join("\n")
}

/// The text with a character between two neighbours where there is to be one.
fn between(text: &str, mut what: impl FnMut(char, char) -> Option<char>) -> String {
    let mut out = String::new();
    let mut last = None;
    for c in text.chars() {
        out.extend(last.and_then(|last| what(last, c)));
        out.push(c);
        last = Some(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dice() -> Dice {
        Dice::new(7, "")
    }

    #[test]
    fn blanks_stand_between_all() {
        assert_eq!(spaced("is é", &mut dice()), "i s   é");
    }

    #[test]
    fn dots_stand_within_words() {
        assert_eq!(dotted("is it 10, no", &mut dice()), "i.s i.t 10, n.o");
    }

    #[test]
    fn what_has_no_width_stands_within_words() {
        let out = zero_width("abcdef 12", &mut dice());
        assert_eq!(out.replace(INVISIBLE, ""), "abcdef 12");
        assert!(out.chars().count() == 14 && out.ends_with("f 12"), "{out:?}");
    }

    #[test]
    fn a_hyphen_stands_within_longer_words() {
        let out = hyphens("the quick fox", &mut dice());
        assert!(out.starts_with("the q") && out.ends_with("k fox"), "{out}");
        assert!(out.len() == 14 && out.replace('-', "") == "the quick fox", "{out}");
    }

    #[test]
    fn words_stand_on_lines() {
        assert_eq!(lines("a bc d", &mut dice()), "a\nbc\nd");
    }
}
