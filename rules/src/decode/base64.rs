//! Base64, in the standard and the URL alphabet, with padding or without, on one line or on several.

use super::Kind;
use super::run::{MAX_RUN, Run, Sink, may_be_text, text};

/// Characters of the shortest run: what is seen before anything is kept.
pub(super) const LEAST: usize = 16;
/// The shortest line that another may follow, and the most that it may be indented.
const LEAST_LINE: u32 = 16;
const MAX_INDENT: u32 = 8;

#[derive(Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// Behind a line, and how many bytes.
    Break(u32),
    /// Padding, and how much of it.
    Padding(u32),
}

/// What has been decoded at some place.
#[derive(Clone, Copy, Default)]
struct Mark {
    bytes: usize,
    end: u64,
}

/// Puts six bits each together to bytes.
#[derive(Default)]
struct Bits {
    bits: u32,
    pending: u32,
}

impl Bits {
    fn take(&mut self, value: u32) -> Option<u8> {
        self.bits = self.bits << 6 | value;
        self.pending += 6;
        let pending = self.pending.checked_sub(8)?;
        let byte = (self.bits >> pending) as u8;
        self.bits &= (1 << pending) - 1;
        self.pending = pending;
        Some(byte)
    }
}

#[derive(Default)]
pub(super) struct Base64 {
    state: State,
    start: u64,
    bytes: Vec<u8>,
    bits: Bits,
    /// Characters of the run, and of its last line.
    count: usize,
    line: u32,
    end: u64,
    /// Where the line before the last ended.
    line_end: Option<Mark>,
}

fn value(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

/// Whether what begins with these characters may be text.
pub(super) fn may_begin(characters: &[u8; LEAST]) -> bool {
    let mut bytes = [0; LEAST * 3 / 4];
    let (mut bits, mut length) = (Bits::default(), 0);
    for byte in characters {
        let Some(byte) = value(*byte).and_then(|value| bits.take(value)) else { continue };
        // Most of what is none shows it in its first byte: no character begins so.
        if length == 0 && matches!(byte, 0..0x09 | 0x0E..0x20 | 0x80..0xC2) {
            return false;
        }
        if let Some(to) = bytes.get_mut(length) {
            *to = byte;
        }
        length += 1;
    }
    bytes.get(..length).is_some_and(may_be_text)
}

impl Base64 {
    fn take(&mut self, value: u32, at: u64) {
        self.bytes.extend(self.bits.take(value));
        self.count += 1;
        self.line += 1;
        self.end = at + 1;
    }

    /// `next` is what follows, if anything.
    fn close(&mut self, next: Option<u8>, sink: &mut Sink) {
        let goes_on = next.is_some_and(|next| !matches!(next, b'\n' | b'\r' | b'"' | b'\'' | b'`'));
        // The beginning of ordinary text on the next line.
        let ordinary = self.state == State::Text && self.line < LEAST_LINE && goes_on;
        if let Some(mark) = self.line_end
            && (ordinary || self.line == 0)
        {
            self.bytes.truncate(mark.bytes);
            self.end = mark.end;
        }
        if let Some(text) = text(&self.bytes) {
            sink.put(Kind::Base64, self.start..self.end, text);
        }
    }
}

impl Run for Base64 {
    fn begin(&mut self, at: u64) {
        self.state = State::Text;
        self.bytes.clear();
        self.bits = Bits::default();
        (self.start, self.end) = (at, at);
        (self.count, self.line, self.line_end) = (0, 0, None);
    }

    fn read(&mut self, byte: u8, at: u64, sink: &mut Sink) -> bool {
        if self.bytes.len() + 3 > MAX_RUN && self.count.is_multiple_of(4) {
            self.close(Some(byte), sink);
            self.begin(at);
        }
        match (&mut self.state, byte) {
            (State::Break(indent), b' ' | b'\t' | b'\r' | b'\n') if *indent < MAX_INDENT => {
                *indent += 1;
            }
            (State::Text, b'\n' | b'\r') if self.line >= LEAST_LINE => {
                self.line_end = Some(Mark { bytes: self.bytes.len(), end: self.end });
                self.state = State::Break(0);
                self.line = 0;
            }
            (State::Padding(pads), b'=') if *pads < 2 => {
                *pads += 1;
                self.end = at + 1;
            }
            (State::Text, b'=') if self.count % 4 > 1 => {
                self.state = State::Padding(1);
                self.end = at + 1;
            }
            (state @ (State::Text | State::Break(_)), _) if let Some(value) = value(byte) => {
                *state = State::Text;
                self.take(value, at);
            }
            _ => {
                self.close(Some(byte), sink);
                return false;
            }
        }
        true
    }

    fn end(&mut self, _: u64, sink: &mut Sink) {
        self.close(None, sink);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::said;

    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    fn encode(bytes: &[u8]) -> String {
        let mut out = String::new();
        for group in bytes.chunks(3) {
            let bits = group.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
            let bits = bits << (8 * (3 - group.len()));
            for place in 0..4 {
                let value = (bits >> (18 - 6 * place) & 63) as usize;
                out.push(if place <= group.len() { ALPHABET[value] as char } else { '=' });
            }
        }
        out
    }

    fn says(text: &str) -> Vec<(String, &str)> {
        let found = said(text).into_iter().filter(|(kind, ..)| *kind == Kind::Base64);
        found.map(|(_, says, part)| (says, part)).collect()
    }

    #[test]
    fn both_alphabets_are_read_with_and_without_padding() {
        for message in
            ["hello there", "write a poem", "write a poem?", "ÿÿ über >>> ??? allen Wipfeln"]
        {
            let code = encode(message.as_bytes());
            for code in [code.replace('+', "-").replace('/', "_"), code] {
                for code in [code.trim_end_matches('='), &code] {
                    let text = format!("do:{code}, then");
                    if code.len() >= LEAST {
                        assert_eq!(says(&text), [(message.to_owned(), code)]);
                    }
                }
            }
        }
    }

    #[test]
    fn lines_are_joined_and_what_follows_them_is_not() {
        let message =
            "A longer message that somebody has wrapped, as mail programs do it. ".repeat(3);
        let code = encode(message.as_bytes());
        let lines: Vec<&str> =
            code.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
        for between in ["\n", "\r\n", "\n    "] {
            let code = lines.join(between);
            let text = format!("{code}\nDecode this");
            assert_eq!(says(&text), [(message.clone(), &*code)]);
        }
    }

    #[test]
    fn it_is_found_behind_other_parts_of_a_word() {
        let code = encode(b"a message of some length");
        for text in [format!("data/x-{code}"), format!("a_long_name_of_a_file/{code}")] {
            assert_eq!(says(&text), [("a message of some length".to_owned(), &*code)]);
        }
    }

    #[test]
    fn text_of_powershell_is_read() {
        let wide: Vec<u8> =
            "Write-Output hello".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(says(&encode(&wide))[0].0, "Write-Output hello");
    }

    #[test]
    fn words_paths_and_bytes_are_not_text() {
        let bytes: Vec<u8> = (0..200u32).map(|n| (n * 167 + 13) as u8).collect();
        for text in [
            "internationalization of AbstractSingletonProxyFactoryBean",
            "/usr/local/share/applications/default/index.html",
            "================ ---------------- ________________",
            &encode(&bytes),
            "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3",
        ] {
            assert_eq!(says(text), [], "{text}");
        }
    }

    #[test]
    fn a_long_run_is_cut_between_bytes() {
        let message = "word ".repeat(8_000);
        let code = encode(message.as_bytes());
        let found: Vec<String> = says(&code).into_iter().map(|(text, _)| text).collect();
        assert_eq!(found.concat(), message);
        assert!(found.len() > 2 && found.iter().all(|text| text.len() <= MAX_RUN));
    }
}
