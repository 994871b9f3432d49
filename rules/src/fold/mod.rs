//! Views of a text, character by character and without state (design decision 7).
//!
//! Folded: case, width, compatibility forms, accents and look-alikes fold to lower-case ASCII where a reader would
//! read ASCII; invisible characters drop; white space is a space. Other scripts keep their letters, lower-cased;
//! because their look-alikes of Latin letters fold, keywords in other scripts are folded too and both sides agree.

mod table;

use table::{POOL, RUNS};

/// A short folded text, inline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chars {
    Pool(&'static str),
    One { bytes: [u8; 4], length: u8 },
}

impl Chars {
    fn one(c: char) -> Chars {
        let mut bytes = [0; 4];
        let length = c.encode_utf8(&mut bytes).len() as u8;
        Chars::One { bytes, length }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        match self {
            Chars::Pool(text) => text,
            Chars::One { bytes, length } => {
                let text = bytes.get(..usize::from(*length)).unwrap_or_default();
                std::str::from_utf8(text).unwrap_or_default()
            }
        }
    }
}

/// What the Folded view makes of a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folded {
    /// Nothing to see.
    Drop,
    /// White space; runs of it are collapsed by whoever reads the view.
    Space,
    Chars(Chars),
}

/// Folds one character.
pub fn fold(c: char) -> Folded {
    if c.is_ascii() {
        return match fold_ascii(c as u8) {
            0 => Folded::Drop,
            b' ' => Folded::Space,
            byte => Folded::Chars(Chars::one(char::from(byte))),
        };
    }
    let code = c as u32;
    let at = RUNS.partition_point(|(start, ..)| *start <= code);
    let run = at.checked_sub(1).and_then(|i| RUNS.get(i));
    if let Some(&(start, extra, steps, place, length)) = run
        && code - start <= u32::from(extra)
    {
        let place = usize::from(place);
        return match POOL.get(place..place + usize::from(length)) {
            None | Some("") => Folded::Drop,
            Some(" ") => Folded::Space,
            Some(text) if steps => {
                let first = text.chars().next().unwrap_or(c) as u32;
                Folded::Chars(Chars::one(char::from_u32(first + code - start).unwrap_or(c)))
            }
            Some(text) => Folded::Chars(Chars::Pool(text)),
        };
    }
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => Folded::Chars(Chars::one(one)),
        _ => Folded::Chars(Chars::one(c)),
    }
}

/// Folds an ASCII byte; 0 drops it.
#[inline]
pub fn fold_ascii(byte: u8) -> u8 {
    match byte {
        b'\t'..=b'\r' | b' ' => b' ',
        0x00..=0x08 | 0x0e..=0x1f | 0x7f => 0,
        _ => byte.to_ascii_lowercase(),
    }
}

/// Folds a text, collapsing runs of white space to one space.
pub fn fold_str(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match fold(c) {
            Folded::Drop => {}
            Folded::Space if out.ends_with(' ') => {}
            Folded::Space => out.push(' '),
            Folded::Chars(chars) => out.push_str(chars.as_str()),
        }
    }
    out
}

/// Whether a character is invisible.
pub fn is_ignorable(c: char) -> bool {
    fold(c) == Folded::Drop
}

/// The Squashed view of a folded byte: letters and digits, digits and signs read as the letters they stand for;
/// `None` drops it. Bytes of other scripts pass.
pub fn squash(byte: u8) -> Option<u8> {
    Some(match byte {
        b'0' => b'o',
        b'1' | b'!' | b'|' => b'i',
        b'3' => b'e',
        b'4' | b'@' => b'a',
        b'5' | b'$' => b's',
        b'7' => b't',
        b'8' => b'b',
        b'a'..=b'z' | b'2' | b'6' | b'9' | 0x80.. => byte,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
