//! Decoded views (design decision 7): what the encoded runs of a text say.
//!
//! A [`Decoder`] looks through a text as it arrives for what may begin such a run, sixteen bytes at a time, and reads
//! on byte by byte only there. What comes of it depends on the text alone, not on how it was cut: it is looked at in
//! blocks of 64 bytes, counted from its beginning. Decoded text is bounded, by run and by text, and so is what is kept.

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
mod runs;
mod spaced;
mod stretch;
mod tags;
mod words;

use std::ops::Range;

use block::{BLOCK, Classes, Events, Past, Word};
use run::Sink;
use runs::{Runs, places};

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
