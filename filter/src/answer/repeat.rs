//! Events that say what an earlier one said, but for their text and a value or two, such as the time: most of any stream.
//! They are read by that difference.

use std::ops::Range;

use weir_rules::Channel;

use super::lane::LaneKey;
use crate::json::{plain, simple_escape};

/// The most patterns that are kept: streams of several choices take turns.
const MAX_PATTERNS: usize = 4;
/// The most places of an event that may differ.
const MAX_PLACES: usize = 64;
/// The longest number that is read so, in digits.
const MAX_DIGITS: usize = 20;

/// Where an event may differ from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub raw: Range<usize>,
    pub kind: Kind,
}

/// What stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The text of a lane.
    Text(LaneKey),
    /// A string of its own.
    String(Channel),
    /// A number without sign, point or exponent.
    Number(Channel),
}

/// An event, and which of its places others differ in.
struct Pattern {
    event: Vec<u8>,
    places: Vec<(Place, bool)>,
}

/// What stands at a place of an event that is found.
#[derive(Default)]
struct Value {
    raw: Range<usize>,
    text: String,
    /// The event that was read last had the same.
    known: bool,
}

/// What earlier events of a stream say.
#[derive(Default)]
pub struct Patterns {
    known: Vec<Pattern>,
    /// What was found last, one for each place that differs.
    values: Vec<Value>,
}

/// An event that says what an earlier one said.
pub struct Repeat {
    /// The whole event is so long, in bytes.
    pub length: usize,
    /// Which lane its text belongs to, and where it is written.
    pub key: LaneKey,
    pub raw: Range<usize>,
    pattern: usize,
}

impl Patterns {
    /// An event that carries one text and otherwise changes nothing; `places` are all in which another may differ,
    /// in order.
    pub fn learn(&mut self, event: &[u8], places: Vec<Place>) {
        // Where a lone CR ends an event, the next byte may still belong to it.
        if event.ends_with(b"\r") || places.len() > MAX_PLACES {
            return;
        }
        let fresh = Pattern {
            event: event.to_vec(),
            places: places
                .into_iter()
                .map(|p| (p.clone(), matches!(p.kind, Kind::Text(_))))
                .collect(),
        };
        match self.known.iter_mut().find(|known| known.frame().eq(fresh.frame())) {
            Some(known) => known.differ_from(fresh),
            None => {
                self.known.truncate(MAX_PATTERNS - 1);
                self.known.insert(0, fresh);
            }
        }
    }

    /// The event at the beginning of `bytes`, if it is complete and says what an earlier one said. Where it is not found,
    /// nothing is lost: the event is read as any other.
    pub fn find(&mut self, bytes: &[u8]) -> Option<Repeat> {
        let values = &mut self.values;
        let found = self.known.iter().enumerate();
        let mut found = found.filter_map(|(at, pattern)| Some((at, pattern.read(bytes, values)?)));
        let (pattern, (length, key, raw)) = found.next()?;
        Some(Repeat { length, key, raw, pattern })
    }

    /// What the event that was found last says anew beside its text.
    pub fn news(&self, repeat: &Repeat) -> impl Iterator<Item = (Channel, &str)> {
        let places = self.known.get(repeat.pattern).into_iter().flat_map(Pattern::varying);
        places.zip(&self.values).filter(|(_, value)| !value.known).filter_map(|(place, value)| {
            match place.kind {
                Kind::Text(_) => None,
                Kind::String(channel) | Kind::Number(channel) => {
                    Some((channel, value.text.as_str()))
                }
            }
        })
    }

    /// Nothing was found in the [`news`](Self::news) of an event: they are none if the next one has them too.
    pub fn accept(&mut self, repeat: &Repeat, event: &[u8]) {
        if let Some(pattern) = self.known.get_mut(repeat.pattern) {
            let values = self.values.iter();
            let changed = pattern
                .varying()
                .zip(values)
                .any(|(place, value)| !value.known && !matches!(place.kind, Kind::Text(_)));
            if changed {
                pattern.move_to(event, &self.values);
            }
        }
    }

    /// The decoded text of the event that was found last; [`give_back`](Self::give_back) its memory.
    pub fn take_text(&mut self, repeat: &Repeat) -> String {
        self.text(repeat).map(std::mem::take).unwrap_or_default()
    }

    pub fn give_back(&mut self, repeat: &Repeat, text: String) {
        if let Some(value) = self.text(repeat) {
            *value = text;
        }
    }

    fn text(&mut self, repeat: &Repeat) -> Option<&mut String> {
        let value = self.values.iter_mut().find(|value| value.raw == repeat.raw);
        value.map(|value| &mut value.text)
    }
}

impl Pattern {
    /// What stands between all places, and what kinds these are.
    fn frame(&self) -> impl Iterator<Item = (&[u8], Option<Kind>)> {
        let ends = self.places.iter().map(|(place, _)| place.raw.end);
        let starts = self.places.iter().map(|(place, _)| (place.raw.start, Some(place.kind)));
        let starts = starts.chain([(self.event.len(), None)]);
        std::iter::once(0)
            .chain(ends)
            .zip(starts)
            .map(|(from, (to, kind))| (self.event.get(from..to).unwrap_or_default(), kind))
    }

    fn varying(&self) -> impl Iterator<Item = &Place> {
        self.places.iter().filter(|(_, varies)| *varies).map(|(place, _)| place)
    }

    /// Takes another event of the same frame: where they differ, others may.
    fn differ_from(&mut self, other: Pattern) {
        let varies: Vec<bool> = self
            .places
            .iter()
            .zip(&other.places)
            .map(|((own, varies), (theirs, _))| {
                *varies || self.event.get(own.raw.clone()) != other.event.get(theirs.raw.clone())
            })
            .collect();
        *self = other;
        for ((_, own), varies) in self.places.iter_mut().zip(varies) {
            *own = varies;
        }
    }

    /// The same with what another event has at its places.
    fn move_to(&mut self, event: &[u8], values: &[Value]) {
        let mut values = values.iter();
        let mut moved = 0isize;
        for (place, varies) in &mut self.places {
            if *varies && let Some(value) = values.next() {
                moved = value.raw.end as isize - place.raw.end as isize;
                place.raw = value.raw.clone();
            } else {
                let shift = |at: usize| at.saturating_add_signed(moved);
                place.raw = shift(place.raw.start)..shift(place.raw.end);
            }
        }
        self.event.clear();
        self.event.extend_from_slice(event);
    }

    /// Reads an event that differs from this one where others may; its length, its lane, and where its text is.
    fn read(
        &self,
        bytes: &[u8],
        values: &mut Vec<Value>,
    ) -> Option<(usize, LaneKey, Range<usize>)> {
        let (mut at, mut from, mut count) = (0, 0, 0);
        let mut said = None;
        for place in self.varying() {
            let same = self.event.get(from..place.raw.start)?;
            let rest = bytes.get(at..)?.strip_prefix(same)?;
            if values.len() <= count {
                values.push(Value::default());
            }
            let value = values.get_mut(count)?;
            value.text.clear();
            let start = at + same.len();
            let length = match place.kind {
                Kind::Number(_) => digits(rest, &mut value.text)?,
                Kind::String(_) | Kind::Text(_) => unescape(rest, &mut value.text)?,
            };
            value.raw = start..start + length;
            value.known = rest.get(..length) == self.event.get(place.raw.clone());
            if let Kind::Text(key) = place.kind {
                said = Some((key, value.raw.clone()));
            }
            (at, from, count) = (start + length, place.raw.end, count + 1);
        }
        let same = self.event.get(from..)?;
        let (key, raw) = said?;
        bytes.get(at..)?.starts_with(same).then_some((at + same.len(), key, raw))
    }
}

/// Copies a whole number; its length.
fn digits(bytes: &[u8], text: &mut String) -> Option<usize> {
    let length = bytes.iter().take(MAX_DIGITS).take_while(|byte| byte.is_ascii_digit()).count();
    let number = bytes.get(..length).filter(|number| !number.is_empty())?;
    // Zero stands alone, and what may go on is not over.
    if number.starts_with(b"0") && length > 1 || !matches!(bytes.get(length)?, b',' | b'}' | b']') {
        return None;
    }
    text.push_str(std::str::from_utf8(number).ok()?);
    Some(length)
}

/// Decodes string content up to the quote that ends it, whose place is returned. None if it does not end here, or if
/// there is anything in it that a reader might not take, or more than two-character escapes.
fn unescape(content: &[u8], text: &mut String) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = content.get(at..)?;
        let plain = plain(rest);
        let (run, stop) = rest.split_at_checked(plain)?;
        text.push_str(std::str::from_utf8(run).ok()?);
        match stop {
            [b'"', ..] => return Some(at + plain),
            [b'\\', escape, ..] => text.push(simple_escape(*escape)?),
            _ => return None,
        }
        at += plain + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Lane;

    const KEY: LaneKey = LaneKey { group: 0, part: 0, kind: Lane::Text };
    const OTHER: Channel = Channel::ResponseOther;

    fn event(pad: &str, text: &str, made: &str) -> String {
        format!("data: {{\"pad\":\"{pad}\",\"content\":\"{text}\",\"made\":{made},\"n\":1}}\n\n")
    }

    /// Learns an event, whose values stand as [`event`] writes them.
    fn learn(patterns: &mut Patterns, pad: &str, text: &str, made: &str) {
        let event = event(pad, text, made);
        let span = |value: &str, from: usize| {
            let at = from + event.get(from..).unwrap().find(value).unwrap();
            at..at + value.len()
        };
        let pad = span(pad, 14);
        let text = span(text, pad.end + 13);
        let made = span(made, text.end + 9);
        let places =
            [(pad, Kind::String(OTHER)), (text, Kind::Text(KEY)), (made, Kind::Number(OTHER))];
        let places = places.into_iter().map(|(raw, kind)| Place { raw, kind }).collect();
        patterns.learn(event.as_bytes(), places);
    }

    /// The text of an event, and its news.
    fn found(patterns: &mut Patterns, event: &str) -> Option<(String, Vec<String>)> {
        let repeat = patterns.find(event.as_bytes())?;
        assert!(repeat.length <= event.len());
        let news = patterns.news(&repeat).map(|(_, text)| text.to_owned()).collect();
        patterns.accept(&repeat, event.get(..repeat.length).unwrap().as_bytes());
        Some((patterns.take_text(&repeat), news))
    }

    #[test]
    fn an_event_is_found_by_what_stands_around_its_text() {
        let mut patterns = Patterns::default();
        learn(&mut patterns, "p", "one", "12");
        for (raw, text) in [("two", "two"), ("", ""), ("é\\n\\\"", "é\n\""), ("\\\\", "\\")] {
            let more = event("p", raw, "12") + "data: x";
            assert_eq!(found(&mut patterns, &more), Some((text.to_owned(), Vec::new())));
        }
        for raw in ["\\u0041", "a\nb", "a\",\"b\":\"c", "\\x", "\\"] {
            assert_eq!(found(&mut patterns, &event("p", raw, "12")), None, "{raw:?}");
        }
        assert_eq!(found(&mut patterns, &event("q", "two", "12")), None);
        assert_eq!(found(&mut patterns, &event("p", "two", "13")), None);
        let whole = event("p", "two", "12");
        let mut parts = (0..whole.len()).filter_map(|cut| whole.get(..cut));
        assert!(parts.all(|part| found(&mut patterns, part).is_none()));
    }

    #[test]
    fn what_differs_once_may_differ_again() {
        let mut patterns = Patterns::default();
        learn(&mut patterns, "p", "one", "9");
        learn(&mut patterns, "long pad", "two", "10");
        let news = |patterns: &mut Patterns, pad: &str, made: &str| {
            found(patterns, &event(pad, "x", made)).map(|(_, news)| news)
        };
        let some = |texts: &[&str]| Some(texts.iter().map(|t| (*t).to_owned()).collect());
        assert_eq!(news(&mut patterns, "q", "11"), some(&["q", "11"]));
        assert_eq!(news(&mut patterns, "q", "1234"), some(&["1234"]));
        assert_eq!(news(&mut patterns, "", "1234"), some(&[""]));
        assert_eq!(news(&mut patterns, "", "1234"), some(&[]));
        for made in ["01", "-1", "1.5", "1e3", "", "null", "123456789012345678901"] {
            assert_eq!(news(&mut patterns, "", made), None, "{made}");
        }
    }
}
