//! All runs of a text that may be open, each kind at most once, and where a block may begin one.

use std::ops::Range;

use super::Kind;
use super::base64::{self, Base64};
use super::block::{Events, Past};
use super::escaped::{self, Escaped, Syntax};
use super::glued::{self, Glued};
use super::hex::{self, Hex};
use super::morse::{self, Morse};
use super::run::{Sink, Slot};
use super::spaced::{self, Spaced};
use super::stretch::Stretch;
use super::tags::Tags;

pub(super) struct Runs {
    /// One of them may be open.
    pub open: bool,
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

impl Runs {
    pub fn mark(&mut self, kind: Kind, mark: Range<u64>, weight: u8, past: &Past, sink: &mut Sink) {
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

    pub fn go_on(&mut self, past: &Past, sink: &mut Sink) {
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

    pub fn begin(&mut self, events: &Events, block: u64, past: &Past, sink: &mut Sink) {
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

    pub fn end(&mut self, at: u64, sink: &mut Sink) {
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

/// The offsets of the bits of a block.
pub(super) fn places(mut bits: u64, block: u64) -> impl Iterator<Item = u64> {
    std::iter::from_fn(move || {
        let place = u64::from(bits.trailing_zeros());
        let is_one = bits != 0;
        bits &= bits.wrapping_sub(1);
        is_one.then_some(block + place)
    })
}
