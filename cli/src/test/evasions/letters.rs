//! Letters that are replaced by others, or decorated: a reader still reads them.

use super::dice::Dice;

/// Digits that stand for letters.
const LEET: [(char, char); 7] =
    [('a', '4'), ('e', '3'), ('i', '1'), ('o', '0'), ('s', '5'), ('t', '7'), ('b', '8')];
/// Latin letters and Cyrillic or Greek ones that look like them.
const LOOK_ALIKES: [(char, &[char]); 19] = [
    ('a', &['а']),
    ('c', &['с']),
    ('e', &['е']),
    ('i', &['і']),
    ('j', &['ј']),
    ('o', &['о', 'ο']),
    ('p', &['р']),
    ('s', &['ѕ']),
    ('x', &['х']),
    ('y', &['у']),
    ('A', &['А', 'Α']),
    ('B', &['В', 'Β']),
    ('E', &['Е', 'Ε']),
    ('H', &['Н', 'Η']),
    ('I', &['І', 'Ι']),
    ('M', &['М', 'Μ']),
    ('O', &['О', 'Ο']),
    ('P', &['Р', 'Ρ']),
    ('T', &['Т', 'Τ']),
];
/// Combining diacritical marks, from the first to the last.
const MARKS: (u32, usize) = (0x300, 0x70);

/// Digits in the place of letters.
pub fn leet(text: &str, _: &mut Dice) -> String {
    let digit = |c: char| {
        let known = LEET.iter().find(|(letter, _)| *letter == c.to_ascii_lowercase());
        known.map_or(c, |(_, digit)| *digit)
    };
    text.chars().map(digit).collect()
}

/// Full-width forms of ASCII.
pub fn full_width(text: &str, _: &mut Dice) -> String {
    let wide = |c: char| match c {
        ' ' => '\u{3000}',
        '!'..='~' => char::from_u32(u32::from(c) + 0xfee0).unwrap_or(c),
        c => c,
    };
    text.chars().map(wide).collect()
}

/// Mathematical bold letters and digits.
pub fn bold(text: &str, _: &mut Dice) -> String {
    let bold = |c: char| {
        let (first, bold) = match c {
            'A'..='Z' => ('A', 0x1d400),
            'a'..='z' => ('a', 0x1d41a),
            '0'..='9' => ('0', 0x1d7ce),
            c => return c,
        };
        char::from_u32(bold + u32::from(c) - u32::from(first)).unwrap_or(c)
    };
    text.chars().map(bold).collect()
}

/// One to three combining marks on every letter.
pub fn combining(text: &str, dice: &mut Dice) -> String {
    let mut out = String::new();
    for c in text.chars() {
        out.push(c);
        if c.is_alphabetic() {
            for _ in 0..=dice.below(3) {
                let mark = MARKS.0 + dice.below(MARKS.1) as u32;
                out.extend(char::from_u32(mark));
            }
        }
    }
    out
}

/// Half of the letters that have one are replaced by a look-alike.
pub fn look_alikes(text: &str, dice: &mut Dice) -> String {
    let replace = |c: char| match LOOK_ALIKES.iter().find(|(latin, _)| *latin == c) {
        Some((_, others)) if dice.below(2) == 0 => dice.one(others),
        _ => c,
    };
    text.chars().map(replace).collect()
}

/// Capitals.
pub fn upper(text: &str, _: &mut Dice) -> String {
    text.to_uppercase()
}

/// In a third of the words of four letters or more two neighbours change places.
pub fn typos(text: &str, dice: &mut Dice) -> String {
    let word = |word: &str| {
        let mut letters: Vec<char> = word.chars().collect();
        let whole = letters.len() >= 4 && letters.iter().all(|c| c.is_alphabetic());
        if whole && dice.below(3) == 0 {
            // The first letter stays, as it does where people mistype.
            let at = 1 + dice.below(letters.len() - 2);
            letters.swap(at, at + 1);
        }
        letters.into_iter().collect::<String>()
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Please open the big Cabinet, then 42 more boxes somewhere near there";

    fn dice() -> Dice {
        Dice::new(7, TEXT)
    }

    #[test]
    fn leet_writes_digits() {
        assert_eq!(leet("Bet on a list, z", &mut dice()), "837 0n 4 l157, z");
    }

    #[test]
    fn full_width_is_of_ascii() {
        assert_eq!(full_width("A b!é", &mut dice()), "Ａ\u{3000}ｂ！é");
    }

    #[test]
    fn bold_is_of_letters_and_digits() {
        assert_eq!(bold("Az 09é", &mut dice()), "𝐀𝐳 𝟎𝟗é");
    }

    #[test]
    fn marks_stand_on_letters_only() {
        let out = combining("a 1", &mut dice());
        let marks = out.chars().filter(|c| matches!(c, '\u{300}'..='\u{36f}')).count();
        let rest: String = out.chars().filter(|c| !matches!(c, '\u{300}'..='\u{36f}')).collect();
        assert!((1..=3).contains(&marks) && rest == "a 1" && out.ends_with(" 1"), "{out:?}");
    }

    #[test]
    fn look_alikes_replace_about_half() {
        let text = "a".repeat(200);
        let out = look_alikes(&text, &mut dice());
        let replaced = out.chars().filter(|c| *c == 'а').count();
        assert!((60..140).contains(&replaced) && out.chars().count() == 200, "{replaced}");
        assert_eq!(look_alikes("zkw 1", &mut dice()), "zkw 1");
    }

    #[test]
    fn capitals() {
        assert_eq!(upper("aé1ß", &mut dice()), "AÉ1SS");
    }

    #[test]
    fn a_typo_changes_neighbours_within_a_word() {
        let out = typos(TEXT, &mut dice());
        assert_ne!(out, TEXT);
        assert_eq!(out, typos(TEXT, &mut dice()), "the same at every run");
        let sorted = |word: &str| {
            let mut letters: Vec<char> = word.chars().collect();
            letters.sort_unstable();
            letters
        };
        for (before, after) in TEXT.split(' ').zip(out.split(' ')) {
            assert_eq!(sorted(before), sorted(after));
            assert_eq!(before.chars().next(), after.chars().next());
        }
    }
}
