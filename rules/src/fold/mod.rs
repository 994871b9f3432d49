//! Views of a text, character by character and without state (design decision 7).
//!
//! **Folded** is what a reader sees, in lower-case ASCII where it can be: case, width, compatibility forms (NFKC),
//! marks and look-alikes of ASCII (UTS #39) fold, what shows nothing drops, white space is a space. ASCII itself is
//! only lower-cased: `1` stays `1`, `rn` stays `rn`. **Squashed** drops separators from that and reads digits and
//! signs as the letters that they replace.
//!
//! Other scripts. Those that people write whole texts in and that are no kin of Latin (Arabic, Devanagari, Han, Hangul,
//! Hebrew, Kana, Thai and the others of UAX #31, table 5) keep their letters and marks. Greek, Cyrillic, Armenian and
//! the lesser used scripts keep a letter only where no ASCII letter looks like it, so «слово» folds to «cлoвo» in both
//! alphabets. Keywords go through [`fold_str`] and so do texts: both sides agree. A regex does not, so it is written
//! in folded form. A capital is compared as it stands, before it is lower-cased, and may look like an ASCII letter
//! where its small letter does not: Н folds to `h`, and н stays. A rule for such a script therefore lists its keywords
//! in each case that it is to match.
//!
//! `rules/tools/fold-table` writes the table and says from what data.

mod table;

use table::{FIRST, LISTED, PAGES, POOL, RUNS, TEXTS};

/// How a run of characters folds: all to one value.
const SAME: u32 = 0 << 8;
/// Counting up from a value.
const UP: u32 = 1 << 8;
/// Counting up from a value, which is the low 16 bits of a character in the plane of the run.
const BESIDE: u32 = 2 << 8;
/// Capital and small letter by turns.
const PAIRS: u32 = 3 << 8;
/// Each character to its own value, one behind the other in [`LISTED`].
const LIST: u32 = 4 << 8;

/// A value is a character of the basic plane, 0 for nothing, or, in this range without characters, a place in
/// [`TEXTS`].
const FIRST_TEXT: u32 = 0xD800;
const LAST_TEXT: u32 = 0xDFFF;

/// What the Folded view makes of a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folded {
    /// Nothing to see, or a mark on the letter before.
    Drop,
    /// White space; runs of it are collapsed by whoever reads the view.
    Space,
    /// One to four characters without white space, in lower case; each folds to itself.
    Chars(Chars),
}

/// The text that a character folds to: 1 to 4 characters, inline or in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chars(Inner);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inner {
    One { bytes: [u8; 4], length: u8 },
    Text(&'static str),
}

impl Chars {
    #[inline]
    fn one(c: char) -> Chars {
        let mut bytes = [0; 4];
        let length = c.encode_utf8(&mut bytes).len() as u8;
        Chars(Inner::One { bytes, length })
    }

    /// The text, never empty.
    #[inline]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Inner::One { bytes, length } => {
                let text = bytes.get(..usize::from(*length)).unwrap_or_default();
                std::str::from_utf8(text).unwrap_or_default()
            }
            Inner::Text(text) => text,
        }
    }
}

/// Folds one character.
#[inline]
pub fn fold(c: char) -> Folded {
    if !c.is_ascii() {
        return fold_beyond_ascii(c);
    }
    match fold_ascii(c as u8) {
        0 => Folded::Drop,
        b' ' => Folded::Space,
        byte => Folded::Chars(Chars::one(char::from(byte))),
    }
}

fn fold_beyond_ascii(c: char) -> Folded {
    match lookup(u32::from(c)) {
        None => Folded::Chars(Chars::one(c)),
        Some(0) => Folded::Drop,
        Some(0x20) => Folded::Space,
        Some(value @ FIRST_TEXT..=LAST_TEXT) => {
            Folded::Chars(text(value - FIRST_TEXT).unwrap_or_else(|| Chars::one(c)))
        }
        Some(value) => Folded::Chars(Chars::one(char::from_u32(value).unwrap_or(c))),
    }
}

/// The value in the table for a character, if it is in a run.
fn lookup(code: u32) -> Option<u32> {
    // Characters from the third plane on share the last page.
    let page = (code as usize >> 8).min(PAGES.len().saturating_sub(2));
    let from = usize::from(*PAGES.get(page)?);
    let runs = RUNS.get(from..usize::from(*PAGES.get(page + 1)?))?;
    // The run that reaches into a page may begin before it.
    let at = (from + runs.partition_point(|run| run >> 11 <= code)).checked_sub(1)?;
    let run = *RUNS.get(at)?;
    let first = u32::from(*FIRST.get(at)?);
    let offset = code.checked_sub(run >> 11).filter(|offset| *offset <= run & 0xFF)?;
    Some(match run & 0x700 {
        SAME => first,
        UP => first + offset,
        BESIDE => (code & 0x1F_0000) | (first + offset),
        PAIRS => code + (offset + 1) % 2,
        _ => u32::from(*LISTED.get((first + offset) as usize)?),
    })
}

fn text(place: u32) -> Option<Chars> {
    let packed = usize::from(*TEXTS.get(place as usize)?);
    let rest = POOL.get(packed >> 2..)?;
    let end = rest.char_indices().nth((packed & 3) + 1).map_or(rest.len(), |(end, _)| end);
    rest.get(..end).map(|text| Chars(Inner::Text(text)))
}

/// Folds an ASCII byte: a space for white space, 0 for what drops. Other bytes stay.
#[inline]
pub fn fold_ascii(byte: u8) -> u8 {
    match byte {
        b'\t'..=b'\r' => b' ',
        0x00..=0x08 | 0x0E..=0x1F | 0x7F => 0,
        _ => byte.to_ascii_lowercase(),
    }
}

/// Folds a text and collapses each run of white space to one space. Folding it again changes nothing.
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

/// Whether a character drops from the Folded view: controls, zero-width and bidirectional ones, variation selectors,
/// fillers, and the marks of Latin, Greek and Cyrillic.
pub fn is_ignorable(c: char) -> bool {
    fold(c) == Folded::Drop
}

/// The Squashed view of a byte of the Folded view: letters, and digits and signs as the letters that they stand for.
/// `None` drops it: white space and other punctuation. Bytes of other scripts pass.
#[inline]
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
