//! From decoded text back to raw bytes: no offset map is kept, a fragment is decoded again where an edit needs it.

use std::ops::Range;

/// How often a text was decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layers {
    /// Content of a JSON string.
    Plain,
    /// Content of a JSON string inside the content of a JSON string.
    Nested,
}

/// One decoded character and the raw bytes it came from, relative to the fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    pub ch: char,
    pub raw: Range<usize>,
}

/// Decodes a fragment of string content character by character. Never fails: what is no escape is itself, a lone
/// surrogate is U+FFFD.
pub struct Units<'a> {
    raw: &'a [u8],
    at: usize,
    layers: Layers,
}

impl<'a> Units<'a> {
    pub fn new(raw: &'a [u8], layers: Layers) -> Units<'a> {
        Units { raw, at: 0, layers }
    }

    fn plain(&mut self) -> Option<Unit> {
        let start = self.at;
        let rest = self.raw.get(start..)?;
        let (ch, length) = one(rest)?;
        self.at = start + length;
        Some(Unit { ch, raw: start..self.at })
    }

    fn nested(&mut self) -> Option<Unit> {
        let first = self.plain()?;
        if first.ch != '\\' {
            return Some(first);
        }
        // The outer layer's characters are the inner layer's bytes; an escape has at most twelve.
        let mut inner = vec![b'\\'];
        let mut ends = vec![first.raw.end];
        let mark = self.at;
        while inner.len() < 12 {
            match self.plain() {
                Some(unit) if unit.ch.is_ascii() => {
                    inner.push(unit.ch as u8);
                    ends.push(unit.raw.end);
                }
                _ => break,
            }
        }
        self.at = mark;
        if inner.len() == 1
            && let Some(next) = self.plain()
        {
            // An unknown escape of a character that is not ASCII is the character.
            return Some(Unit { ch: next.ch, raw: first.raw.start..next.raw.end });
        }
        let (ch, length) = one(&inner)?;
        let end = ends.get(length.saturating_sub(1)).copied().unwrap_or(first.raw.end);
        self.at = end;
        Some(Unit { ch, raw: first.raw.start..end })
    }
}

impl Iterator for Units<'_> {
    type Item = Unit;

    fn next(&mut self) -> Option<Unit> {
        match self.layers {
            Layers::Plain => self.plain(),
            Layers::Nested => self.nested(),
        }
    }
}

/// The first character of string content and its length in bytes.
fn one(rest: &[u8]) -> Option<(char, usize)> {
    match rest {
        [] => None,
        [b'\\', b'u', digits @ ..] => match hex(digits.get(..4)) {
            Some(high @ 0xd800..=0xdbff) => match digits.get(4..) {
                Some([b'\\', b'u', low @ ..]) => match hex(low.get(..4)) {
                    Some(low @ 0xdc00..=0xdfff) => {
                        let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                        Some((char::from_u32(code).unwrap_or('\u{fffd}'), 12))
                    }
                    _ => Some(('\u{fffd}', 6)),
                },
                _ => Some(('\u{fffd}', 6)),
            },
            Some(code) => Some((char::from_u32(code).unwrap_or('\u{fffd}'), 6)),
            None => Some(('u', 2)),
        },
        [b'\\', c, ..] if c.is_ascii() => Some((simple_escape(*c).unwrap_or(char::from(*c)), 2)),
        [b'\\', after @ ..] if !after.is_empty() => one(after).map(|(c, length)| (c, length + 1)),
        [byte, ..] if byte.is_ascii() => Some((char::from(*byte), 1)),
        _ => {
            let head = rest.get(..4).unwrap_or(rest);
            let valid = match std::str::from_utf8(head) {
                Ok(text) => text,
                Err(error) => {
                    std::str::from_utf8(head.get(..error.valid_up_to())?).unwrap_or_default()
                }
            };
            Some(valid.chars().next().map_or(('\u{fffd}', 1), |c| (c, c.len_utf8())))
        }
    }
}

/// The character of a two-byte escape.
pub(crate) fn simple_escape(byte: u8) -> Option<char> {
    Some(match byte {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        _ => return None,
    })
}

/// Four hexadecimal digits.
pub(super) fn hex(digits: Option<&[u8]>) -> Option<u32> {
    let digits = digits.filter(|d| d.len() == 4)?;
    digits.iter().try_fold(0, |code, d| Some(code * 16 + char::from(*d).to_digit(16)?))
}

/// Where the decoded byte offset `offset` begins in `raw`; the end of `raw` for the text's length. `None` beyond.
pub fn raw_offset(raw: &[u8], layers: Layers, offset: usize) -> Option<usize> {
    // Most text has no escapes: then both offsets are the same.
    if raw.get(..offset).is_some_and(|head| memchr::memchr(b'\\', head).is_none()) {
        return Some(offset);
    }
    let mut decoded = 0;
    for unit in Units::new(raw, layers) {
        if decoded >= offset {
            return Some(unit.raw.start);
        }
        decoded += unit.ch.len_utf8();
    }
    (decoded >= offset).then_some(raw.len())
}

/// Looks up offsets of one fragment that mostly ascend, so that it is decoded once and not once for each.
pub struct Offsets<'a> {
    raw: &'a [u8],
    layers: Layers,
    /// The last offset that was found, decoded and raw.
    found: (usize, usize),
}

impl<'a> Offsets<'a> {
    pub fn new(raw: &'a [u8], layers: Layers) -> Offsets<'a> {
        Offsets { raw, layers, found: (0, 0) }
    }

    /// Bytes of the fragment.
    pub fn length(&self) -> usize {
        self.raw.len()
    }

    /// As [`raw_offset`].
    pub fn find(&mut self, offset: usize) -> Option<usize> {
        let (decoded, at) = if offset < self.found.0 { (0, 0) } else { self.found };
        let rest = self.raw.get(at..)?;
        self.found = (offset, at + raw_offset(rest, self.layers, offset - decoded)?);
        Some(self.found.1)
    }
}
