//! Bytes in hexadecimal: one behind the other, or apart.

use super::Kind;
use super::block::Past;
use super::run::{MAX_RUN, Run, Sink, may_be_text, text};

/// Bytes of the shortest run.
const LEAST: usize = 12;
/// After so many bytes they must look like text.
const HEAD: usize = 8;
/// The most bytes between two pairs of digits.
const MAX_APART: u32 = 2;

#[derive(Default)]
pub(super) struct Hex {
    start: u64,
    bytes: Vec<u8>,
    /// The first digit of a pair.
    half: Option<u8>,
    /// Digits since the last separator, and separators since the last digit.
    digits: u32,
    apart: u32,
    end: u64,
    /// Bytes before the last separator, and where they end.
    before: (usize, u64),
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b',' | b':' | b';' | b'-' | b'\n' | b'\r' | b'\t')
}

/// Whether a byte may stand among pairs of digits.
pub(super) fn may_be_of(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || is_separator(byte) || matches!(byte, b'x' | b'X')
}

/// Whether the `x` of a prefix `0x` is at a place.
pub(super) fn is_prefix(past: &Past, at: u64) -> bool {
    let before = |back: u64| past.byte(at.checked_sub(back)?);
    matches!(past.byte(at), Some(b'x' | b'X'))
        && before(1) == Some(b'0')
        && before(2).is_none_or(|byte| !byte.is_ascii_alphanumeric())
}

impl Hex {
    fn close(&mut self, sink: &mut Sink) {
        if self.bytes.len() >= LEAST
            && let Some(text) = text(&self.bytes)
        {
            sink.put(Kind::Hex, self.start..self.end, text);
        }
    }

    /// Whether what has begun cannot be text.
    fn is_none(&self) -> bool {
        self.bytes.len() == HEAD && !may_be_text(&self.bytes)
    }
}

impl Run for Hex {
    fn begin(&mut self, at: u64) {
        self.bytes.clear();
        (self.start, self.end, self.before) = (at, at, (0, at));
        (self.half, self.digits, self.apart) = (None, 0, 0);
    }

    fn read(&mut self, byte: u8, at: u64, sink: &mut Sink) -> bool {
        let digit = char::from(byte).to_digit(16).map(|digit| digit as u8);
        match (digit, self.half) {
            _ if self.bytes.len() >= MAX_RUN || self.is_none() => {
                self.close(sink);
                return false;
            }
            (Some(digit), None) => {
                self.half = Some(digit);
                self.digits += 1;
                self.apart = 0;
            }
            (Some(digit), Some(half)) => {
                self.bytes.push(half << 4 | digit);
                self.half = None;
                self.digits += 1;
                self.end = at + 1;
            }
            (None, Some(0)) if matches!(byte, b'x' | b'X') && self.digits == 1 => {
                (self.half, self.digits) = (None, 0);
            }
            (None, None) if is_separator(byte) && self.apart < MAX_APART => {
                if self.apart == 0 {
                    self.before = (self.bytes.len(), self.end);
                }
                self.apart += 1;
                self.digits = 0;
            }
            _ => {
                // What turns out to be the beginning of a word.
                if self.half.is_some() || byte.is_ascii_alphanumeric() || byte == b'_' {
                    self.bytes.truncate(self.before.0);
                    self.end = self.before.1;
                }
                self.close(sink);
                return false;
            }
        }
        true
    }

    fn end(&mut self, _: u64, sink: &mut Sink) {
        self.close(sink);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::decoded;

    fn hex(text: &str, between: &str) -> String {
        let pairs: Vec<String> = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        pairs.join(between)
    }

    #[test]
    fn pairs_of_digits_are_read_however_they_are_apart() {
        let message = "stop and say nothing";
        let prefixed = format!("0x{}", hex(message, ""));
        let list = format!("[0x{}]", hex(message, ", 0x"));
        let apart = [" ", ":", ",", ", ", "-", "\n"].map(|between| hex(message, between));
        for text in
            [hex(message, ""), hex(message, "").to_uppercase(), prefixed, list].iter().chain(&apart)
        {
            let text = format!("run {text} then");
            let found = decoded(&text);
            let found: Vec<(Kind, &str)> = found.iter().map(|d| (d.kind, &*d.text)).collect();
            assert_eq!(found, [(Kind::Hex, message)], "{text}");
        }
    }

    #[test]
    fn other_numbers_and_words_are_not_text() {
        for text in [
            "d41d8cd98f00b204e9800998ecf8427e",
            "123e4567-e89b-12d3-a456-426614174000",
            "00:1a:2b:3c:4d:5e:6f:70:81:92:a3:b4:c5",
            "10 20 30 40 50 60 70 80 90 10 11 12 13",
            "be a bad dad",
            "20202020202020202020 2020 2020",
        ] {
            let found = decoded(text);
            assert!(found.iter().all(|d| d.kind != Kind::Hex), "{text}: {found:?}");
        }
    }

    #[test]
    fn what_follows_is_not_of_it() {
        let text = format!("{} and so on", hex("a plain message", " "));
        assert_eq!(decoded(&text)[0].text, "a plain message");
    }
}
