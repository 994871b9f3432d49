//! Server-sent events as bytes arrive, by the WHATWG event stream format: lines end in LF, CRLF or CR, a byte order
//! mark may stand at the start, a blank line ends an event.

use std::ops::Range;

/// One event with all its bytes, the blank line included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    pub raw: Vec<u8>,
    /// Content of each `data` line inside `raw`.
    pub data: Vec<Range<usize>>,
    /// Every other line that could carry a text: comments, names, ids, fields that nobody reads.
    pub other: Vec<Range<usize>>,
    /// A blank line ended it.
    pub terminated: bool,
    /// It has no field at all: comments, or nothing.
    pub comment_only: bool,
}

/// An event is longer than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SseFault;

/// Splits a stream into events. The concatenated `raw` of all frames is the input, byte for byte.
///
/// An event whose last line ends in a lone CR is given out at once; if an LF follows, it begins the next frame's
/// bytes. Waiting for it would delay every event of such a stream by one.
#[derive(Debug)]
pub struct Sse {
    limit: usize,
    frame: Frame,
    /// Start of the open line inside the frame.
    line: usize,
    fields: bool,
    /// The byte before was a CR that ended a line.
    after_cr: bool,
    /// Bytes at the frame's beginning that belong to the end of the event before: the LF after its CR.
    stray: usize,
    started: bool,
}

impl Sse {
    /// `limit` is the most bytes of one event.
    pub fn new(limit: usize) -> Sse {
        Sse {
            limit,
            frame: Frame::default(),
            line: 0,
            fields: false,
            after_cr: false,
            stray: 0,
            started: false,
        }
    }

    /// Reads more bytes up to the end of an event: how many, and the event if it is complete.
    ///
    /// # Errors
    /// An event is over the limit; nothing more is read.
    pub fn next(&mut self, bytes: &[u8]) -> Result<(usize, Option<Frame>), SseFault> {
        let mut rest = bytes;
        if self.after_cr && !rest.is_empty() {
            self.after_cr = false;
            if let Some(after) = rest.strip_prefix(b"\n") {
                self.stray += usize::from(self.frame.raw.is_empty());
                self.frame.raw.push(b'\n');
                self.line = self.frame.raw.len();
                rest = after;
            }
        }
        while !rest.is_empty() {
            let end = memchr::memchr2(b'\n', b'\r', rest);
            let length = end.map_or(rest.len(), |at| at + 1);
            if self.frame.raw.len() - self.stray + length > self.limit {
                // Kept for a policy that lets it pass: one chunk more at the most.
                self.frame.raw.extend_from_slice(rest);
                return Err(SseFault);
            }
            let (taken, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            self.frame.raw.extend_from_slice(taken);
            rest = after;
            if end.is_none() {
                break;
            }
            let cr = taken.ends_with(b"\r");
            let line = self.line..self.frame.raw.len() - 1;
            let mut blank = self.field(line);
            if cr {
                match rest.strip_prefix(b"\n") {
                    Some(after) => {
                        self.frame.raw.push(b'\n');
                        rest = after;
                    }
                    None => self.after_cr = rest.is_empty(),
                }
            }
            self.line = self.frame.raw.len();
            blank &= self.frame.raw.iter().any(|b| !matches!(b, b'\r' | b'\n')) || !self.fields;
            if blank {
                return Ok((bytes.len() - rest.len(), Some(self.take(true))));
            }
        }
        Ok((bytes.len(), None))
    }

    /// Reads all of `bytes` and gives out the events that they complete.
    ///
    /// # Errors
    /// As [`next`](Sse::next).
    pub fn feed(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Frame)) -> Result<(), SseFault> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (read, frame) = self.next(rest)?;
            rest = rest.get(read..).unwrap_or_default();
            frame.into_iter().for_each(&mut *sink);
        }
        Ok(())
    }

    /// The most bytes of one event.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Whether the next byte begins an event.
    pub fn is_between(&self) -> bool {
        self.frame.raw.is_empty() && !self.after_cr
    }

    /// Bytes of the event that is not complete.
    pub fn pending(&self) -> u64 {
        self.frame.raw.len() as u64
    }

    /// The stream is over; gives out an event that no blank line ended.
    pub fn end(&mut self, sink: &mut dyn FnMut(Frame)) {
        if self.frame.raw.is_empty() {
            return;
        }
        self.field(self.line..self.frame.raw.len());
        sink(self.take(false));
    }

    fn take(&mut self, terminated: bool) -> Frame {
        let mut frame = std::mem::take(&mut self.frame);
        frame.terminated = terminated;
        frame.comment_only = !self.fields;
        self.fields = false;
        self.line = 0;
        self.stray = 0;
        frame
    }

    /// Reads a line without its end; whether it is blank.
    fn field(&mut self, mut line: Range<usize>) -> bool {
        let content = |range: &Range<usize>| self.frame.raw.get(range.clone()).unwrap_or_default();
        if !self.started {
            self.started = true;
            if content(&line).starts_with(b"\xef\xbb\xbf") {
                line.start += 3;
            }
        }
        let text = content(&line);
        if text.is_empty() {
            return true;
        }
        let data = match text.strip_prefix(b"data") {
            Some([]) => Some(line.end..line.end),
            Some([b':', b' ', ..]) => Some(line.start + 6..line.end),
            Some([b':', ..]) => Some(line.start + 5..line.end),
            _ => None,
        };
        // A name such as `data2` is another field.
        let other = data.is_none();
        self.fields |= !text.starts_with(b":");
        self.frame.data.extend(data);
        self.frame.other.extend(other.then_some(line));
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each frame as its data lines joined, with a mark for an unterminated one.
    fn frames(input: &[u8], cuts: &[usize]) -> (Vec<String>, Vec<u8>) {
        let mut sse = Sse::new(1 << 20);
        let (mut seen, mut raw) = (Vec::new(), Vec::new());
        let mut sink = |frame: Frame| {
            raw.extend_from_slice(&frame.raw);
            if frame.comment_only {
                return;
            }
            let lines: Vec<String> = frame
                .data
                .iter()
                .map(|d| String::from_utf8_lossy(&frame.raw[d.clone()]).into_owned())
                .collect();
            seen.push(lines.join("|") + if frame.terminated { "" } else { "~" });
        };
        let mut at = 0;
        for &cut in cuts.iter().chain([&input.len()]) {
            sse.feed(&input[at..cut], &mut sink).unwrap();
            at = cut;
        }
        sse.end(&mut sink);
        (seen, raw)
    }

    #[test]
    fn events_are_the_same_at_every_cut() {
        for (input, expected) in [
            ("data: a\n\ndata: b\n\n", vec!["a", "b"]),
            ("data:a\r\n\r\ndata:  b\r\n\r\n", vec!["a", " b"]),
            ("data: a\r\rdata: b\r\r", vec!["a", "b"]),
            ("\u{feff}data: a\n\n", vec!["a"]),
            (": comment\n\ndata: a\n\n", vec!["a"]),
            ("event: x\ndata: a\ndata: b\nid: 1\n\n", vec!["a|b"]),
            ("data\n\n", vec![""]),
            ("data: a\n\ndata: tail", vec!["a", "tail~"]),
            ("event: x\n\n", vec![""]),
            ("\n\ndata: a\n\n", vec!["a"]),
            ("data: é\n\n", vec!["é"]),
        ] {
            let bytes = input.as_bytes();
            let bytewise: Vec<usize> = (1..bytes.len()).collect();
            for cuts in (0..=bytes.len()).map(|c| vec![c]).chain([vec![], bytewise]) {
                let (seen, raw) = frames(bytes, &cuts);
                assert_eq!(seen, expected, "{input:?} cut at {cuts:?}");
                assert_eq!(raw, bytes, "{input:?} cut at {cuts:?}");
            }
        }
    }

    #[test]
    fn an_event_over_the_limit_is_a_fault() {
        let mut sse = Sse::new(10);
        assert!(matches!(sse.next(b"data: a\n\n"), Ok((9, Some(_)))));
        assert_eq!(sse.next(b"data: 1234567"), Err(SseFault));
    }
}
