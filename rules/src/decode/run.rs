//! What the families of encodings share: a run that is open, where it is read, and what may come of it.

use std::ops::Range;

use super::block::Past;
use super::{Decoded, Kind};

/// Bytes that one run decodes to; it is closed there, and what follows begins a new one.
pub(super) const MAX_RUN: usize = 16 << 10;
/// Bytes that all runs of a text decode to, besides a share of the text's own length.
const MAX_TEXT: u64 = 64 << 10;
const SHARE: u64 = 4;

/// Where decoded text goes, as long as the budget lasts.
pub(super) struct Sink<'a> {
    pub out: &'a mut Vec<Decoded>,
    /// Bytes of decoded text so far.
    pub spent: &'a mut u64,
    /// Bytes of the text that have been read.
    pub read: u64,
}

impl Sink<'_> {
    pub fn put(&mut self, kind: Kind, span: Range<u64>, mut text: String) {
        text.truncate(text.floor_char_boundary(MAX_RUN));
        let spent = *self.spent + text.len() as u64;
        if text.is_empty() || spent > MAX_TEXT + self.read / SHARE {
            return;
        }
        *self.spent = spent;
        self.out.push(Decoded { kind, span, text });
    }
}

/// Reads a run byte by byte.
pub(super) trait Run {
    /// The first byte will be the one at `at`.
    fn begin(&mut self, at: u64);
    /// Reads the next byte; false if the run has ended before it.
    fn read(&mut self, byte: u8, at: u64, sink: &mut Sink) -> bool;
    /// The text ends at `at`.
    fn end(&mut self, at: u64, sink: &mut Sink);
}

/// A place for one run at a time.
#[derive(Default)]
pub(super) struct Slot<R> {
    pub run: R,
    open: bool,
    /// The first byte that has not been read by a run.
    next: u64,
}

impl<R: Run> Slot<R> {
    pub fn of(run: R) -> Slot<R> {
        Slot { run, open: false, next: 0 }
    }

    /// Whether something may begin that is seen at `at`.
    pub fn is_free(&self, at: u64) -> bool {
        !self.open && at >= self.next
    }

    /// Opens a run and reads it as far as the text goes.
    pub fn begin(&mut self, at: u64, past: &Past, sink: &mut Sink) {
        self.next = self.next.max(at);
        // The run before may have ended within a character.
        while past.byte(self.next).is_some_and(|byte| byte & 0xC0 == 0x80) {
            self.next += 1;
        }
        self.open = true;
        self.run.begin(self.next);
        self.go_on(past, sink);
    }

    /// Reads on if a run is open; whether it still is.
    pub fn go_on(&mut self, past: &Past, sink: &mut Sink) -> bool {
        if self.open {
            read(&mut self.run, &mut self.open, &mut self.next, past, sink);
        }
        self.open
    }

    pub fn end(&mut self, at: u64, sink: &mut Sink) {
        if self.open {
            self.run.end(at, sink);
        }
        self.open = false;
        self.next = 0;
    }
}

/// Reads as far as the text goes, or the run.
fn read(run: &mut dyn Run, open: &mut bool, next: &mut u64, past: &Past, sink: &mut Sink) {
    loop {
        let part = past.part(*next);
        if part.is_empty() {
            return;
        }
        for byte in part {
            *open = run.read(*byte, *next, sink);
            if !*open {
                return;
            }
            *next += 1;
        }
    }
}

/// The valid characters among bytes.
pub(super) fn valid(bytes: &[u8]) -> String {
    bytes.utf8_chunks().map(|chunk| chunk.valid()).collect()
}

/// Whether bytes may be the beginning of a text that somebody has encoded.
pub(super) fn may_be_text(bytes: &[u8]) -> bool {
    let (pairs, _) = bytes.as_chunks::<2>();
    let shown = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r');
    if pairs.iter().all(|[low, high]| *high == 0 && shown(char::from(*low))) {
        return true;
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_some() => return false,
        Err(error) => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        }
    };
    text.chars().all(shown)
}

/// What bytes say if they are text: almost all of them readable, most of it letters and white space. UTF-8, or UTF-16
/// in little endian as PowerShell writes it.
pub(super) fn text(bytes: &[u8]) -> Option<String> {
    let (pairs, _) = bytes.as_chunks::<2>();
    let empty = pairs.iter().filter(|[_, high]| *high == 0).count();
    let text = if empty * 10 > pairs.len() * 8 {
        let units = pairs.iter().map(|pair| u16::from_le_bytes(*pair));
        char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{FFFD}')).collect()
    } else {
        let text = valid(bytes);
        if text.len() * 10 < bytes.len() * 9 {
            return None;
        }
        text
    };
    let (mut all, mut letters, mut spaces, mut hidden) = (0usize, 0usize, 0usize, 0usize);
    for c in text.chars() {
        all += 1;
        letters += usize::from(c.is_alphabetic());
        spaces += usize::from(c.is_whitespace());
        hidden += usize::from(c.is_control() && !c.is_whitespace());
    }
    let mostly = letters * 3 >= all && (letters + spaces) * 10 >= all * 6;
    (mostly && hidden * 50 <= all).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_told_from_other_bytes() {
        assert_eq!(text(b"Plain words, some.").as_deref(), Some("Plain words, some."));
        assert_eq!(text("Grüße, 世界".as_bytes()).as_deref(), Some("Grüße, 世界"));
        let wide: Vec<u8> = "Get-Date now".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(text(&wide).as_deref(), Some("Get-Date now"));
        assert!(may_be_text(&wide));
        assert_eq!(text(b"0123456789 abc"), None);
        assert_eq!(text(&[0x89, 0x50, 0x4E, 0x47, 0xFF, 0xFE, 0x80, 0x81]), None);
        assert!(!may_be_text(&[0x89, 0x50]) && !may_be_text(b"ab\x01cd"));
        // A character that is cut.
        assert!(may_be_text("abü".as_bytes().split_last().unwrap().1));
    }

    #[test]
    fn the_budget_grows_with_the_text() {
        let (mut out, mut spent) = (Vec::new(), 0);
        for read in [0, 0, 0, 0, 0, 80 << 10] {
            let mut sink = Sink { out: &mut out, spent: &mut spent, read };
            sink.put(Kind::Hex, 0..9, "é".repeat(MAX_RUN));
        }
        assert_eq!(out.len(), 5);
        assert_eq!(spent, 5 * MAX_RUN as u64);
    }
}
