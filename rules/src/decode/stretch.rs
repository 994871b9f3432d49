//! A stretch of text that is written in another way word by word. It is seen by marks, words that hardly stand there by
//! chance; it is then read from some way before the first mark to some way behind the last, and said in plain.

use std::ops::Range;

use super::block::Past;
use super::run::{MAX_RUN, Run, Sink, Slot, valid};
use super::{Kind, hyphens, leet, mirrored};

/// What marks that are near each other must weigh.
const ENOUGH: u8 = 3;
/// The most bytes between two marks: before a stretch is certain, and in it.
const NEAR: u64 = 80;
const GAP: u64 = 128;
/// How far a stretch reaches beyond its marks: words to where their sentence begins or ends, if that is nearer.
const AROUND_WORDS: u64 = 64;
const AROUND_MIRRORED: u64 = 128;

pub(super) struct Stretch {
    kind: Kind,
    /// What the marks weigh that are near each other, where the first begins, and where the last ends.
    weight: u8,
    first: u64,
    last: u64,
    start: u64,
    raw: Vec<u8>,
}

impl Stretch {
    pub fn of(kind: Kind) -> Stretch {
        Stretch { kind, weight: 0, first: 0, last: 0, start: 0, raw: Vec::new() }
    }

    fn close(&mut self, sink: &mut Sink) {
        let marked = self.last.saturating_sub(self.start) as usize;
        let mut end = (marked + self.around() as usize).min(self.raw.len());
        let is_word = |byte: &u8| !byte.is_ascii_whitespace();
        if end < self.raw.len() {
            // Not within a word.
            let word = self.raw.get(marked..end).unwrap_or_default();
            end -= word.iter().rev().take_while(|byte| is_word(byte)).count();
        }
        if let Some(sentence) =
            self.raw.get(marked..end).and_then(|rest| rest.iter().position(ends))
            && self.ends_with_sentence()
        {
            end = marked + sentence + 1;
        }
        let raw = self.raw.get(..end).unwrap_or_default().trim_ascii_end();
        let span = self.start..self.start + raw.len() as u64;
        let mut put = |says: fn(&[u8]) -> Vec<u8>| {
            sink.put(self.kind, span.clone(), valid(&says(raw)));
        };
        match self.kind {
            Kind::Hyphens => put(hyphens::joined),
            Kind::Leet => put(leet::plain),
            Kind::Rot13 => put(mirrored::rotated),
            _ => {
                put(mirrored::reversed);
                put(mirrored::reversed_words);
            }
        }
        self.raw.clear();
    }

    /// What is mirrored may begin where others end.
    fn ends_with_sentence(&self) -> bool {
        matches!(self.kind, Kind::Hyphens | Kind::Leet)
    }

    fn around(&self) -> u64 {
        if self.ends_with_sentence() { AROUND_WORDS } else { AROUND_MIRRORED }
    }
}

/// Whether a sentence may end with a byte.
fn ends(byte: &u8) -> bool {
    matches!(byte, b'\n' | b'.' | b'?' | b'!' | b';')
}

impl Run for Stretch {
    fn begin(&mut self, at: u64) {
        self.start = at;
        self.raw.clear();
    }

    fn read(&mut self, byte: u8, at: u64, sink: &mut Sink) -> bool {
        if at > self.last + GAP || self.raw.len() >= MAX_RUN {
            self.weight = 0;
            self.close(sink);
            return false;
        }
        self.raw.push(byte);
        true
    }

    fn end(&mut self, _: u64, sink: &mut Sink) {
        self.close(sink);
    }
}

impl Slot<Stretch> {
    /// A mark, and what it weighs.
    pub fn mark(&mut self, mark: Range<u64>, weight: u8, past: &Past, sink: &mut Sink) {
        let is_free = self.is_free(mark.start);
        let run = &mut self.run;
        if is_free {
            if run.weight == 0 || mark.start > run.last + NEAR {
                (run.weight, run.first) = (0, mark.start);
            }
            run.weight = run.weight.saturating_add(weight);
        }
        run.last = run.last.max(mark.end);
        if is_free && run.weight >= ENOUGH {
            let first = run.first.max(past.from);
            let (in_sentence, around) = (self.run.ends_with_sentence(), self.run.around());
            let goes_on = |byte: u8| !(in_sentence && ends(&byte));
            let start = past.back(first, around, &goes_on);
            // Not within a word.
            let word = past.bytes(start..first).take_while(|byte| !byte.is_ascii_whitespace());
            let word = if first - start == around { word.count() as u64 } else { 0 };
            let start = (start + word).min(first);
            let skipped = past.bytes(start..first).take_while(u8::is_ascii_whitespace).count();
            self.begin(start + skipped as u64, past, sink);
        }
    }

    /// The text ends; what has been marked is forgotten.
    pub fn forget(&mut self, at: u64, sink: &mut Sink) {
        self.end(at, sink);
        (self.run.weight, self.run.first, self.run.last) = (0, 0, 0);
    }
}
