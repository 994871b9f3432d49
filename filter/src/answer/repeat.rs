//! Events that differ from an earlier one in their text only: most of any stream. They are read by that difference.

use std::ops::Range;

use super::lane::LaneKey;

/// The most patterns that are kept: streams of several choices take turns.
const MAX_PATTERNS: usize = 4;

/// What stands around the text of an event.
struct Pattern {
    before: Vec<u8>,
    /// From the quote that ends the text to the end of the event.
    after: Vec<u8>,
    /// Where the text belongs.
    key: LaneKey,
}

/// What earlier events of a stream say around their text.
#[derive(Default)]
pub struct Patterns {
    known: Vec<Pattern>,
    /// The text of the event that was read last.
    text: String,
}

/// An event that says what an earlier one said, with another text.
pub struct Repeat {
    pub key: LaneKey,
    /// The whole event is so long, in bytes.
    pub length: usize,
    /// Where its text is written.
    pub raw: Range<usize>,
}

impl Patterns {
    /// An event that carries nothing but the text written at `raw`, and changes nothing else.
    pub fn learn(&mut self, event: &[u8], raw: Range<usize>, key: LaneKey) {
        let (Some(before), Some(after)) = (event.get(..raw.start), event.get(raw.end..)) else {
            return;
        };
        // Where a lone CR ends an event, the next byte may still belong to it.
        if after.ends_with(b"\r")
            || self.known.iter().any(|p| p.before == before && p.after == after)
        {
            return;
        }
        self.known.truncate(MAX_PATTERNS - 1);
        self.known.insert(0, Pattern { before: before.to_vec(), after: after.to_vec(), key });
    }

    /// The event at the beginning of `bytes`, if it is complete and says nothing new but its text. Where it is not
    /// found, nothing is lost: the event is read as any other.
    pub fn find(&mut self, bytes: &[u8]) -> Option<Repeat> {
        for pattern in &self.known {
            let Some(rest) = bytes.strip_prefix(pattern.before.as_slice()) else { continue };
            self.text.clear();
            let Some(length) = unescape(rest, &mut self.text) else { continue };
            if rest.get(length..)?.starts_with(&pattern.after) {
                let start = pattern.before.len();
                let end = start + length;
                let length = end + pattern.after.len();
                return Some(Repeat { key: pattern.key, length, raw: start..end });
            }
        }
        None
    }

    /// The decoded text of the event that was found last.
    pub fn take_text(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    /// Its memory, for the next one.
    pub fn give_back(&mut self, text: String) {
        self.text = text;
    }
}

/// Decodes string content up to the quote that ends it, whose place is returned. None if it does not end here, or if
/// there is anything in it that a reader might not take, or more than two-character escapes.
fn unescape(content: &[u8], text: &mut String) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = content.get(at..)?;
        let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
        let (run, stop) = rest.split_at_checked(plain)?;
        text.push_str(std::str::from_utf8(run).ok()?);
        match stop {
            [b'"', ..] => return Some(at + plain),
            [b'\\', escape, ..] => text.push(crate::json::simple_escape(*escape)?),
            _ => return None,
        }
        at += plain + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Lane;

    const EVENT: &[u8] = br#"data: {"delta":{"content":"one"},"n":1}

"#;
    const KEY: LaneKey = LaneKey { group: 0, part: 0, kind: Lane::Text };

    fn found(event: &str) -> Option<(String, usize)> {
        let mut patterns = Patterns::default();
        patterns.learn(EVENT, 27..30, KEY);
        let repeat = patterns.find(event.as_bytes())?;
        Some((patterns.take_text(), repeat.length))
    }

    #[test]
    fn an_event_is_found_by_what_stands_around_its_text() {
        let event =
            |text: &str| format!("data: {{\"delta\":{{\"content\":\"{text}\"}},\"n\":1}}\n\n");
        for (raw, text) in [("two", "two"), ("", ""), ("é\\n\\\"", "é\n\""), ("\\\\", "\\")] {
            let event = event(raw);
            assert_eq!(found(&(event.clone() + "data: x")), Some((text.to_owned(), event.len())));
        }
        for raw in ["\\u0041", "a\nb", "a\",\"b\":\"c", "\\x", "\\"] {
            assert_eq!(found(&event(raw)), None, "{raw:?}");
        }
        let whole = event("two");
        assert!(
            (0..whole.len()).all(|cut| whole.get(..cut).is_some_and(|part| found(part).is_none()))
        );
        assert_eq!(found(&whole.replace("1}", "2}")), None);
    }
}
