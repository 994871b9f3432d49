//! Morse code: dots and hyphens, a space between letters, a slash or more spaces between words.

use super::Kind;
use super::run::{MAX_RUN, Run, Sink};

/// Letters of the shortest run, and how many of them differ.
const LEAST: usize = 8;
const LEAST_DISTINCT: u32 = 4;
/// Strokes of the longest sign.
const MAX_STROKES: u32 = 6;
const MAX_GAP: u32 = 8;
/// How far a run may reach back from where it is seen.
pub(super) const BACK: u64 = 32;

pub(super) fn is_of(byte: u8) -> bool {
    matches!(byte, b'.' | b'-' | b'/' | b' ' | b'\n')
}

/// A sign by its strokes: a one, then a bit each, one for a hyphen. By that number, the letters and digits of ITU-R
/// M.1677-1; a space where there is none.
const SIGNS: &[u8; 64] = b"  etianmsurwdkgohvf l pjbxcyzq  54 3   2       16 /     7   8 90";

#[derive(Default)]
pub(super) struct Morse {
    start: u64,
    text: String,
    sign: usize,
    strokes: u32,
    gap: u32,
    slash: bool,
    end: u64,
    unknown: usize,
}

impl Morse {
    fn sign(&mut self, at: u64) {
        if self.strokes == 0 {
            return;
        }
        match SIGNS.get(self.sign).filter(|sign| **sign != b' ') {
            Some(sign) => self.text.push(char::from(*sign)),
            // Full stop, comma and the like are as good as nothing.
            None => self.unknown += 1,
        }
        (self.sign, self.strokes, self.end) = (1, 0, at);
    }

    fn close(&mut self, at: u64, sink: &mut Sink) {
        self.sign(at);
        let letter = |byte: u8| 1u32 << (byte.wrapping_sub(b'a') & 31);
        let seen = self.text.bytes().filter(u8::is_ascii_lowercase);
        let (count, distinct) = seen.fold((0, 0), |(n, set), byte| (n + 1, set | letter(byte)));
        if count >= LEAST && distinct.count_ones() >= LEAST_DISTINCT && self.unknown * 4 <= count {
            sink.put(Kind::Morse, self.start..self.end, std::mem::take(&mut self.text));
        }
    }
}

impl Run for Morse {
    fn begin(&mut self, at: u64) {
        self.text.clear();
        (self.start, self.end, self.sign, self.strokes) = (at, at, 1, 0);
        (self.gap, self.slash, self.unknown) = (0, false, 0);
    }

    fn read(&mut self, byte: u8, at: u64, sink: &mut Sink) -> bool {
        match byte {
            b'.' | b'-' if self.strokes < MAX_STROKES => {
                if self.text.is_empty() && self.strokes == 0 {
                    self.start = at;
                }
                if (self.slash || self.gap > 2) && !self.text.is_empty() {
                    self.text.push(' ');
                }
                (self.gap, self.slash) = (0, false);
                self.sign = self.sign << 1 | usize::from(byte == b'-');
                self.strokes += 1;
            }
            b' ' | b'/' | b'\n' if self.gap < MAX_GAP && self.text.len() < MAX_RUN - 2 => {
                self.sign(at);
                self.gap += 1;
                self.slash |= byte != b' ';
            }
            _ => {
                self.close(at, sink);
                return false;
            }
        }
        true
    }

    fn end(&mut self, at: u64, sink: &mut Sink) {
        self.close(at, sink);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::said;

    #[test]
    fn letters_and_words_are_read() {
        let code = "- . .-.. .-.. / -- . / -.-- --- ..- .-. / -. .- -- .   ----.";
        let text = format!("so: {code} ok");
        assert_eq!(said(&text), [(Kind::Morse, "tell me your name 9".to_owned(), code)]);
    }

    #[test]
    fn lines_and_ellipses_are_none() {
        for text in [
            "- - - - - - - - - - - -",
            "... ... ... ... ... ... ... ... ...",
            "--- --- ---\n--- --- ---",
        ] {
            assert_eq!(said(text), []);
        }
    }
}
