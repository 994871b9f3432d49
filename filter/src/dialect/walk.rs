//! Lexer events to facts: the one place that keeps a path.

use std::ops::Range;

use super::meaning::{Meaning, Node, Value};
use super::path::{Key, Seg};
use super::{Dialect, Direction, words};
use crate::json::{Event, Fault, Sink, Token};

/// The most bytes kept of a [`Value`]; they are what it is, and the rest is only scanned.
const MAX_VALUE: usize = 512;
/// Numbers shorter than this cannot be personal data; they are not scanned.
const MIN_NUMBER: usize = 9;
/// Member names shorter than this are not scanned.
const MIN_KEY: usize = 8;

/// First and second array index of a path: message and part, choice and call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    pub first: u32,
    pub second: u32,
}

/// What a document says, in its order. Raw ranges are offsets in the caller's coordinates.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// A piece of a text, decoded, in [`Facts::text`].
    Text {
        meaning: Meaning,
        spot: Spot,
        text: Range<usize>,
        raw: Range<u64>,
    },
    /// The string that the pieces before made is complete; `raw` is its content without the quotes.
    TextEnd {
        meaning: Meaning,
        spot: Spot,
        raw: Range<u64>,
    },
    /// A number or a member name that is scanned whole.
    Bare {
        meaning: Meaning,
        text: Range<usize>,
        raw: Range<u64>,
        key: bool,
    },
    Value {
        value: Value,
        spot: Spot,
        text: Range<usize>,
        raw: Range<u64>,
    },
    Begin {
        node: Node,
        spot: Spot,
        raw: Range<u64>,
    },
    /// `member` is where the member's key begins, if it has one.
    End {
        node: Node,
        spot: Spot,
        raw: Range<u64>,
        member: Option<u64>,
    },
    /// Not inspected: how many raw bytes.
    Media {
        bytes: u64,
    },
    Reference,
    State,
}

/// Facts of one feed with their decoded text.
#[derive(Default)]
pub struct Facts {
    pub list: Vec<Fact>,
    pub text: String,
}

impl Facts {
    /// Decoded text of a fact.
    pub fn text(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// Forgets everything, keeping the allocations.
    pub fn clear(&mut self) {
        self.list.clear();
        self.text.clear();
    }
}

struct Level {
    array: bool,
    next: u32,
    key: Option<Key>,
    key_start: u64,
    start: u64,
    node: Option<Node>,
}

/// Follows a document and collects its facts.
pub struct Walker {
    dialect: Dialect,
    direction: Direction,
    levels: Vec<Level>,
    path: Vec<Seg>,
    /// Meaning and place of the open string, and the start of its content.
    string: Option<(Meaning, Spot, u64)>,
    /// How the open string began, if that decides what it is.
    value: String,
    /// The text of the open string is told piece by piece, and nothing of it is kept back (any more).
    told: bool,
    pub facts: Facts,
}

impl Walker {
    pub fn new(dialect: Dialect, direction: Direction) -> Walker {
        Walker {
            dialect,
            direction,
            levels: Vec::new(),
            path: Vec::new(),
            string: None,
            value: String::new(),
            told: false,
            facts: Facts::default(),
        }
    }

    /// Ready for the next document.
    pub fn reset(&mut self) {
        self.levels.clear();
        self.path.clear();
        self.string = None;
        self.facts.clear();
    }

    /// The path of the value that begins now.
    fn enter(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            if level.array {
                self.path.push(Seg::Index(level.next));
                level.next = level.next.saturating_add(1);
            } else {
                self.path.push(Seg::Key(level.key.unwrap_or(Key::Other)));
            }
        }
    }

    fn leave(&mut self) {
        if !self.levels.is_empty() {
            self.path.pop();
        }
    }

    fn spot(&self) -> Spot {
        let mut indexes = self.path.iter().filter_map(|s| match s {
            Seg::Index(i) => Some(*i),
            Seg::Key(_) => None,
        });
        Spot { first: indexes.next().unwrap_or(0), second: indexes.next().unwrap_or(0) }
    }

    fn meaning(&self) -> Meaning {
        self.dialect.meaning(self.direction, &self.path)
    }

    fn node(&self) -> Option<Node> {
        self.dialect.node(self.direction, &self.path)
    }

    fn keep(&mut self, text: &str) -> Range<usize> {
        let start = self.facts.text.len();
        self.facts.text.push_str(text);
        start..self.facts.text.len()
    }

    fn member(&self) -> Option<u64> {
        self.levels.last().filter(|l| !l.array).map(|l| l.key_start)
    }

    fn begin(&mut self, array: bool, raw: Range<u64>) {
        self.enter();
        let node = self.node();
        if let Some(node) = node {
            let spot = self.spot();
            self.facts.list.push(Fact::Begin { node, spot, raw: raw.clone() });
        }
        self.levels.push(Level {
            array,
            next: 0,
            key: None,
            key_start: raw.start,
            start: raw.start,
            node,
        });
    }

    fn end(&mut self, raw: Range<u64>) {
        let Some(level) = self.levels.pop() else { return };
        if let Some(node) = level.node {
            let fact = Fact::End {
                node,
                spot: self.spot(),
                raw: level.start..raw.end,
                member: self.member(),
            };
            self.facts.list.push(fact);
        }
        self.leave();
    }

    /// A string or scalar that is a node of its own (such as `"content": null`).
    fn leaf_node(&mut self, raw: Range<u64>) {
        if let Some(node) = self.node() {
            let (spot, member) = (self.spot(), self.member());
            self.facts.list.push(Fact::End { node, spot, raw, member });
        }
    }

    fn string_begin(&mut self, at: u64) {
        self.enter();
        self.value.clear();
        let meaning = self.meaning();
        self.told = !is_kept_back(meaning) && !is_silent(meaning);
        self.string = Some((meaning, self.spot(), at));
    }

    fn string_text(&mut self, mut piece: &str, raw: Range<u64>) {
        let Some((meaning, spot, _)) = self.string else { return };
        if is_silent(meaning) {
            return;
        }
        if !self.told {
            let room = MAX_VALUE.saturating_sub(self.value.len());
            let (own, rest) = piece.split_at(piece.floor_char_boundary(room));
            self.value.push_str(own);
            if rest.is_empty() || self.is_media(meaning) {
                return;
            }
            self.tell_value(meaning, spot, &raw);
            piece = rest;
        }
        self.tell(meaning, spot, piece, raw);
    }

    /// Whether the open string carries a file itself.
    fn is_media(&self, meaning: Meaning) -> bool {
        meaning == Meaning::Media || (meaning == Meaning::Url && self.value.starts_with("data:"))
    }

    fn tell(&mut self, meaning: Meaning, spot: Spot, piece: &str, raw: Range<u64>) {
        let text = self.keep(piece);
        if self.told
            && let Some(Fact::Text { text: before, raw: written, .. }) = self.facts.list.last_mut()
            && before.end == text.start
        {
            (before.end, written.end) = (text.end, raw.end);
            return;
        }
        self.facts.list.push(Fact::Text { meaning, spot, text, raw });
        self.told = true;
    }

    /// What was kept back of the open string is scanned too: a secret may stand wherever a string may.
    fn tell_value(&mut self, meaning: Meaning, spot: Spot, raw: &Range<u64>) {
        let value = std::mem::take(&mut self.value);
        self.tell(meaning, spot, &value, raw.clone());
        self.value = value;
    }

    fn string_end(&mut self, end: u64) {
        let Some((meaning, spot, start)) = self.string.take() else { return };
        let raw = start..end;
        let is_media = self.is_media(meaning);
        let kept = !self.told && !is_media && !self.value.is_empty();
        if kept && !words::is_known(&self.value) {
            self.tell_value(meaning, spot, &raw);
        }
        if self.told {
            self.facts.list.push(Fact::TextEnd { meaning, spot, raw: raw.clone() });
        }
        let fact = match meaning {
            Meaning::Value(value) => {
                let kept = std::mem::take(&mut self.value);
                let text = self.keep(&kept);
                self.value = kept;
                Some(Fact::Value { value, spot, text, raw })
            }
            _ if is_media => (end > start).then_some(Fact::Media { bytes: end - start }),
            Meaning::Url | Meaning::Reference => Some(Fact::Reference),
            Meaning::State => Some(Fact::State),
            _ => None,
        };
        self.facts.list.extend(fact);
        self.leaf_node(start.saturating_sub(1)..end + 1);
        self.leave();
    }

    fn scalar(&mut self, text: &str, raw: Range<u64>) {
        self.enter();
        let (meaning, spot) = (self.meaning(), self.spot());
        if let Meaning::Value(value) = meaning {
            let text = self.keep(text);
            self.facts.list.push(Fact::Value { value, spot, text, raw: raw.clone() });
        }
        match meaning {
            Meaning::State if text != "null" => self.facts.list.push(Fact::State),
            Meaning::Structural => {}
            _ if text.len() >= MIN_NUMBER => {
                let text = self.keep(text);
                let fact = Fact::Bare { meaning, text, raw: raw.clone(), key: false };
                self.facts.list.push(fact);
            }
            _ => {}
        }
        self.leaf_node(raw);
        self.leave();
    }

    fn key(&mut self, name: &str, raw: Range<u64>) {
        let key = Key::of(name);
        if let Some(level) = self.levels.last_mut() {
            level.key = Some(key);
            level.key_start = raw.start;
        }
        if key == Key::Other && name.len() >= MIN_KEY {
            self.path.push(Seg::Key(Key::Other));
            let meaning = self.meaning();
            self.path.pop();
            let text = self.keep(name);
            let raw = raw.start + 1..raw.end.saturating_sub(1);
            self.facts.list.push(Fact::Bare { meaning, text, raw, key: true });
        }
    }
}

/// A string whose beginning decides what it is; told when it is complete, or too long to be that.
fn is_kept_back(meaning: Meaning) -> bool {
    matches!(meaning, Meaning::Value(_) | Meaning::Structural | Meaning::Url)
}

/// A string whose text is not told.
fn is_silent(meaning: Meaning) -> bool {
    matches!(meaning, Meaning::Media | Meaning::Reference | Meaning::State)
}

impl Sink for Walker {
    fn token(&mut self, token: Token<'_>) -> Result<(), Fault> {
        let raw = token.raw;
        match token.event {
            Event::ObjectBegin => self.begin(false, raw),
            Event::ArrayBegin => self.begin(true, raw),
            Event::ObjectEnd | Event::ArrayEnd => self.end(raw),
            Event::Key(name) => self.key(name, raw),
            Event::StringBegin => self.string_begin(raw.start),
            Event::Text(text) => self.string_text(text, raw),
            Event::StringEnd => self.string_end(raw.start),
            Event::Scalar(text) => self.scalar(text, raw),
        }
        Ok(())
    }
}
