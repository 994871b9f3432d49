//! Numbers from the beginning of an input, ways to cut the rest of it, and what of an output may depend on the cut.

/// The part of an input that has not been used yet.
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    /// The next byte; 0 when there is none.
    pub fn byte(&mut self) -> u8 {
        let (byte, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *byte
    }
}

/// `bytes` in pieces as the two bytes of `cut` say: at one place, or all of one size.
pub fn pieces(bytes: &[u8], cut: (u8, u8)) -> Vec<&[u8]> {
    let number = usize::from(cut.0 & 0x7f) << 8 | usize::from(cut.1);
    if cut.0 & 0x80 == 0 {
        bytes.chunks(1 + number % 64).collect()
    } else {
        let (first, second) = bytes.split_at(number % (bytes.len() + 1));
        vec![first, second]
    }
}

/// Written while a tool call waits for its verdict; how often depends on the pieces.
const KEEP_ALIVE: &str = ": keep-alive\n\n";

/// What a client reads of an event stream: without the filter's own comments, and one empty line for any number of
/// them, because the line feed of a carriage return that ended a piece belongs to no event.
pub fn as_read(stream: &[u8]) -> String {
    let text = String::from_utf8_lossy(stream).replace(KEEP_ALIVE, "");
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<&str> = text.split('\n').collect();
    lines.dedup_by(|one, two| one.is_empty() && two.is_empty());
    lines.join("\n").trim_end_matches('\n').to_owned()
}
