//! Decoded views (design decision 7): what the encoded runs of a text say.
//!
//! A [`Decoder`] looks through a text as it arrives for what may begin such a run, sixteen bytes at a time, and reads on
//! byte by byte only there. What comes of it depends on the text alone, not on how it was cut: it is looked at in blocks
//! of 64 bytes, counted from its beginning. Decoded text is bounded, by run and by text, and so is all that is kept.

mod base64;
mod block;
mod entities;
mod escaped;
mod glued;
mod hashes;
mod hex;
mod hyphens;
mod leet;
mod mirrored;
mod morse;
mod run;
mod spaced;
mod stretch;
mod tags;
mod words;

use std::ops::Range;

use base64::Base64;
use block::{BLOCK, Classes, Events, Past, Word};
use escaped::{Escaped, Syntax};
use glued::Glued;
use hex::Hex;
use morse::Morse;
use run::{Sink, Slot};
use spaced::Spaced;
use stretch::Stretch;
use tags::Tags;

/// What an encoded run of a text says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    pub kind: Kind,
    /// Bytes of the text that the run covers.
    pub span: Range<u64>,
    pub text: String,
}

/// How a run is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Base64,
    Hex,
    Percent,
    Entities,
    Escapes,
    Tags,
    Spaced,
    Hyphens,
    Leet,
    Reversed,
    Rot13,
    Morse,
}

impl Kind {
    pub const ALL: [Kind; 12] = [
        Kind::Base64,
        Kind::Hex,
        Kind::Percent,
        Kind::Entities,
        Kind::Escapes,
        Kind::Tags,
        Kind::Spaced,
        Kind::Hyphens,
        Kind::Leet,
        Kind::Reversed,
        Kind::Rot13,
        Kind::Morse,
    ];

    /// What it is called.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Base64 => "base64",
            Kind::Hex => "hex",
            Kind::Percent => "percent",
            Kind::Entities => "entities",
            Kind::Escapes => "escapes",
            Kind::Tags => "tags",
            Kind::Spaced => "spaced",
            Kind::Hyphens => "hyphens",
            Kind::Leet => "leet",
            Kind::Reversed => "reversed",
            Kind::Rot13 => "rot13",
            Kind::Morse => "morse",
        }
    }
}

/// Bytes before a block that are kept, to see where a run begins.
const KEPT: usize = 256;

/// Finds and decodes encoded runs of a text that arrives in pieces.
pub struct Decoder {
    reader: Reader,
    /// The last bytes before the block at hand, and how many there are.
    kept: [u8; KEPT],
    length: usize,
    /// The block at hand, as far as it has arrived.
    block: [u8; BLOCK],
    filled: usize,
}

impl Default for Decoder {
    fn default() -> Decoder {
        let (kept, block) = ([0; KEPT], [0; BLOCK]);
        Decoder { reader: Reader::default(), kept, length: 0, block, filled: 0 }
    }
}

impl Decoder {
    /// Reads more text, which begins at offset `at`; whatever is complete is appended to `out`. Text that does not
    /// continue what came before is a new one.
    pub fn push(&mut self, text: &str, at: u64, out: &mut Vec<Decoded>) {
        if at != self.reader.at + self.filled as u64 {
            self.end(out);
            (self.reader.at, self.reader.start) = (at, at);
        }
        let mut text = text.as_bytes();
        if self.filled > 0 {
            let (first, rest) = text.split_at(text.len().min(BLOCK - self.filled));
            self.fill(first);
            text = rest;
            if self.filled < BLOCK {
                return;
            }
            let block = self.block;
            self.read(&block, out);
            self.filled = 0;
        }
        let (whole, rest) = text.split_at(text.len() - text.len() % BLOCK);
        if !whole.is_empty() {
            self.read(whole, out);
        }
        self.fill(rest);
    }

    /// The text ends: what is open is decided. The decoder is then ready for a new text.
    pub fn end(&mut self, out: &mut Vec<Decoded>) {
        let (mut block, filled) = (self.block, self.filled);
        if let Some(rest) = block.get_mut(filled..) {
            rest.fill(0);
        }
        let older = self.kept.get(KEPT - self.length..).unwrap_or_default();
        let at = self.reader.at;
        let from = self.reader.from();
        let past = Past { older, newer: &block, at, from, end: at + filled as u64 };
        self.reader.block(&block, &past, out);
        self.reader.end(past.end, out);
        (self.length, self.filled) = (0, 0);
    }

    fn fill(&mut self, bytes: &[u8]) {
        for (to, byte) in self.block.iter_mut().skip(self.filled).zip(bytes) {
            *to = *byte;
        }
        self.filled += bytes.len();
    }

    /// Reads whole blocks.
    fn read(&mut self, bytes: &[u8], out: &mut Vec<Decoded>) {
        let older = self.kept.get(KEPT - self.length..).unwrap_or_default();
        let at = self.reader.at;
        let (blocks, _) = bytes.as_chunks::<BLOCK>();
        for block in blocks {
            let end = self.reader.at + BLOCK as u64;
            let from = self.reader.from();
            self.reader.block(block, &Past { older, newer: bytes, at, from, end }, out);
            self.reader.at = end;
        }
        let last = bytes.get(bytes.len().saturating_sub(KEPT)..).unwrap_or_default();
        self.kept.copy_within(last.len().., 0);
        if let Some(kept) = self.kept.get_mut(KEPT - last.len()..) {
            kept.copy_from_slice(last);
        }
        self.length = KEPT.min(self.length + last.len());
    }
}

/// What is known of a text between blocks.
#[derive(Default)]
struct Reader {
    /// Where the text begins, and the block at hand.
    start: u64,
    at: u64,
    before: Classes,
    /// The last bytes before the block.
    last: [u8; 4],
    /// A word goes on that has digits next to letters, or a hyphen between letters.
    mixed: bool,
    hyphen: bool,
    /// Bytes of decoded text.
    spent: u64,
    /// What has ever begun. Texts without encoded runs need none of it.
    runs: Option<Box<Runs>>,
}

struct Runs {
    /// One of them may be open.
    open: bool,
    escaped: [Slot<Escaped>; 3],
    tags: Slot<Tags>,
    base64: Slot<Base64>,
    hex: Slot<Hex>,
    glued: Slot<Glued>,
    spaced: Slot<Spaced>,
    morse: Slot<Morse>,
    stretches: [Slot<Stretch>; 4],
}

impl Default for Runs {
    fn default() -> Runs {
        let kinds = [Kind::Hyphens, Kind::Leet, Kind::Reversed, Kind::Rot13];
        Runs {
            open: false,
            escaped: Default::default(),
            tags: Slot::default(),
            base64: Slot::default(),
            hex: Slot::default(),
            glued: Slot::default(),
            spaced: Slot::default(),
            morse: Slot::default(),
            stretches: kinds.map(|kind| Slot::of(Stretch::of(kind))),
        }
    }
}

impl Reader {
    /// What may be looked at of what has been read.
    fn from(&self) -> u64 {
        self.start.max(self.at.saturating_sub(KEPT as u64))
    }

    fn block(&mut self, block: &[u8; BLOCK], past: &Past, out: &mut Vec<Decoded>) {
        let now = Classes::of(block);
        let events = Events::of(&self.before, &now);
        self.before = now;
        let mut sink = Sink { out, spent: &mut self.spent, read: past.end - self.start };
        let runs = &mut self.runs;
        let mut mark = |kind: Kind, word: &Word, weight: u8| {
            if weight > 0 {
                runs.get_or_insert_default().mark(kind, word.span.clone(), weight, past, &mut sink);
            }
        };
        each_end(events.mixed, events.mixed_ends, &mut self.mixed, |place| {
            let word = past.word(self.at + place, &leet::is_of);
            mark(Kind::Leet, &word, leet::weight(word.bytes()));
            mark(Kind::Rot13, &word, mirrored::named(word.bytes()));
        });
        each_end(events.hyphen, events.hyphen_ends, &mut self.hyphen, |place| {
            let word = past.word(self.at + place, &hyphens::is_of);
            mark(Kind::Hyphens, &word, hyphens::weight(word.bytes()));
        });
        let mut joined = [0; BLOCK + 4];
        if let Some((last, rest)) = joined.split_first_chunk_mut() {
            *last = self.last;
            rest.copy_from_slice(block);
        }
        for at in places(events.words, 0) {
            let end = joined.get(at as usize + 1..).and_then(<[u8]>::first_chunk);
            if end.is_some_and(|end| mirrored::may_end(*end)) {
                let word = past.word(self.at + at, &|byte| byte.is_ascii_alphabetic());
                if let Some((kind, weight)) = mirrored::weight(word.bytes()) {
                    mark(kind, &word, weight);
                }
            }
        }
        self.last = *block.last_chunk().unwrap_or(&self.last);

        let prefixed = places(events.mixed, self.at).any(|at| hex::is_prefix(past, at));
        if self.runs.is_none() && !events.any() && !prefixed {
            return;
        }
        let runs = self.runs.get_or_insert_default();
        let mut sink = Sink { out, spent: &mut self.spent, read: past.end - self.start };
        if runs.open {
            runs.go_on(past, &mut sink);
        }
        if events.any() || prefixed {
            runs.begin(&events, self.at, past, &mut sink);
            runs.open = true;
        }
    }

    fn end(&mut self, at: u64, out: &mut Vec<Decoded>) {
        let mut sink = Sink { out, spent: &mut self.spent, read: at - self.start };
        if let Some(runs) = &mut self.runs {
            runs.end(at, &mut sink);
        }
        (self.start, self.at, self.spent) = (0, 0, 0);
        (self.before, self.last) = Default::default();
        (self.mixed, self.hyphen) = (false, false);
    }
}

impl Runs {
    fn mark(&mut self, kind: Kind, mark: Range<u64>, weight: u8, past: &Past, sink: &mut Sink) {
        let slot = match kind {
            Kind::Hyphens => 0,
            Kind::Leet => 1,
            Kind::Reversed => 2,
            _ => 3,
        };
        if let Some(slot) = self.stretches.get_mut(slot) {
            slot.mark(mark, weight, past, sink);
            self.open = true;
        }
    }

    fn go_on(&mut self, past: &Past, sink: &mut Sink) {
        let mut open = false;
        self.escaped.iter_mut().for_each(|slot| open |= slot.go_on(past, sink));
        open |= self.tags.go_on(past, sink);
        open |= self.base64.go_on(past, sink);
        open |= self.hex.go_on(past, sink);
        open |= self.glued.go_on(past, sink);
        open |= self.spaced.go_on(past, sink);
        open |= self.morse.go_on(past, sink);
        self.stretches.iter_mut().for_each(|slot| open |= slot.go_on(past, sink));
        self.open = open;
    }

    fn begin(&mut self, events: &Events, block: u64, past: &Past, sink: &mut Sink) {
        for at in places(events.lead, block) {
            let Some(byte) = past.byte(at) else { break };
            match Syntax::of(byte) {
                Some(syntax) => self.begin_escaped(syntax, at, past, sink),
                None if self.tags.is_free(at) => self.tags.begin(at, past, sink),
                None => {}
            }
        }
        for at in places(events.long, block) {
            self.begin_long(at + 1 - base64::LEAST as u64, at, past, sink);
        }
        for at in places(events.pairs, block) {
            if self.hex.is_free(at) {
                let apart = past.byte(at - 4).is_some_and(|byte| !byte.is_ascii_alphanumeric());
                let start = if apart { at - 10 } else { at - 8 };
                if past.bytes(start..at).all(hex::may_be_of) {
                    self.hex.begin(start, past, sink);
                }
            }
        }
        for at in places(events.mixed, block) {
            if hex::is_prefix(past, at) && self.hex.is_free(at) {
                self.hex.begin(at - 1, past, sink);
            }
        }
        for at in places(events.spaced, block) {
            if self.spaced.is_free(at)
                && let Some(start) = spaced::start(past, at)
            {
                self.spaced.run.with(past.byte(at - 2).unwrap_or_default());
                self.spaced.begin(start, past, sink);
            }
        }
        for at in places(events.morse, block) {
            if self.morse.is_free(at) {
                let start = past.back(at, morse::BACK, &morse::is_of);
                self.morse.begin(start, past, sink);
            }
        }
    }

    fn begin_escaped(&mut self, syntax: Syntax, at: u64, past: &Past, sink: &mut Sink) {
        let Some(slot) = self
            .escaped
            .get_mut(syntax as usize)
            .filter(|slot| slot.is_free(at) && syntax.may_begin(past, at))
        else {
            return;
        };
        slot.run.syntax = syntax;
        slot.begin(past.back(at, escaped::BACK, &escaped::is_beside), past, sink);
    }

    /// At a word of sixteen characters.
    fn begin_long(&mut self, start: u64, at: u64, past: &Past, sink: &mut Sink) {
        let head = past.head::<{ base64::LEAST }>(start);
        if self.base64.is_free(at) && base64::may_begin(&head) {
            self.base64.begin(start, past, sink);
        }
        if self.hex.is_free(at) && head.iter().all(|byte| hex::may_be_of(*byte)) {
            self.hex.begin(start, past, sink);
        }
        if self.glued.is_free(at) && glued::may_begin(&head) {
            self.glued.begin(start, past, sink);
        }
    }

    fn end(&mut self, at: u64, sink: &mut Sink) {
        self.escaped.iter_mut().for_each(|slot| slot.end(at, sink));
        self.tags.end(at, sink);
        self.base64.end(at, sink);
        self.hex.end(at, sink);
        self.glued.end(at, sink);
        self.spaced.end(at, sink);
        self.morse.end(at, sink);
        self.stretches.iter_mut().for_each(|slot| slot.forget(at, sink));
    }
}

/// Tells where words end that have a bit of `within`, and keeps whether one goes on.
#[inline]
fn each_end(mut within: u64, ends: u64, goes_on: &mut bool, mut end: impl FnMut(u64)) {
    while *goes_on || within != 0 {
        let from = if *goes_on { 0 } else { within.trailing_zeros() };
        let rest = ends & u64::MAX << from;
        *goes_on = rest == 0;
        if rest == 0 {
            return;
        }
        end(u64::from(rest.trailing_zeros()));
        within &= (u64::MAX << 1).wrapping_shl(rest.trailing_zeros());
    }
}

/// The offsets of the bits of a block.
fn places(mut bits: u64, block: u64) -> impl Iterator<Item = u64> {
    std::iter::from_fn(move || {
        let place = u64::from(bits.trailing_zeros());
        let is_one = bits != 0;
        bits &= bits.wrapping_sub(1);
        is_one.then_some(block + place)
    })
}

/// What the runs of a whole text say.
pub fn decoded(text: &str) -> Vec<Decoded> {
    let (mut decoder, mut out) = (Decoder::default(), Vec::new());
    decoder.push(text, 0, &mut out);
    decoder.end(&mut out);
    out
}

/// The same for tests, with the part of the text that each run covers.
#[cfg(test)]
fn said(text: &str) -> Vec<(Kind, String, &str)> {
    let part = |span: Range<u64>| text.get(span.start as usize..span.end as usize);
    decoded(text).into_iter().map(|d| (d.kind, d.text, part(d.span).unwrap())).collect()
}
