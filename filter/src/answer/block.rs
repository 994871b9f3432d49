//! Stream events that wait: their raw bytes, what text they carry, and what will be cut out of them.

use std::ops::Range;

use weir_rules::{Edit, Ruleset};

use super::lane::LaneKey;
use crate::splice::{self, Coding, Cut};

/// A run of one lane's text inside an event.
pub struct Segment {
    pub lane: LaneKey,
    /// Offsets in the lane's text.
    pub text: Range<u64>,
    /// Offsets in the event's raw bytes.
    pub raw: Range<usize>,
    pub coding: Coding,
}

/// A character of nested arguments that began in this event and is not complete.
pub struct Partial {
    pub lane: LaneKey,
    /// Offset in the lane's text that the character will have.
    pub text: u64,
    pub raw: Range<usize>,
}

/// A piece of a tool call inside an event.
#[derive(Clone)]
pub struct CallPart {
    pub group: u32,
    pub call: u32,
    /// The element of `tool_calls`, the `function_call` object, or the event's `delta` or `content_block`.
    pub element: Range<u64>,
    /// All elements of the array that the element stands in.
    pub list: Option<Range<u64>>,
    pub index: Option<Range<u64>>,
    /// The object that carries text beside it: its first byte inside, and its `content` if it has one.
    pub said_start: u64,
    pub content: Option<Range<u64>>,
}

/// A stream event in the queue.
#[derive(Default)]
pub struct Block {
    pub raw: Vec<u8>,
    pub segments: Vec<Segment>,
    pub partials: Vec<Partial>,
    pub calls: Vec<CallPart>,
    pub cuts: Vec<Cut>,
    pub logprobs: Vec<(u32, Range<u64>)>,
    /// Choices whose text was edited in this event.
    pub edited: Vec<u32>,
    pub finish: Vec<(u32, Range<u64>, String)>,
    /// Microseconds at arrival.
    pub since: u64,
}

impl Block {
    /// Applies an edit of `lane` to what this event carries of it. `written` is the label, until it is written.
    pub fn edit(&mut self, rules: &Ruleset, lane: LaneKey, edit: &Edit, written: &mut bool) {
        for segment in self.segments.iter_mut().filter(|s| s.lane == lane) {
            let from = edit.start.max(segment.text.start);
            let to = edit.end.min(segment.text.end);
            if from >= to {
                continue;
            }
            let raw = self.raw.get(segment.raw.clone()).unwrap_or_default();
            let relative = |at: u64| (at - segment.text.start) as usize;
            let label = edit.label.as_ref().filter(|_| !*written).map(|l| splice::label(rules, l));
            let cut = splice::cut(
                &mut segment.coding.offsets(raw),
                segment.raw.start as u64,
                segment.coding,
                relative(from)..relative(to),
                label,
            );
            *written |= cut.is_some();
            if let (Some(cut), Coding::String(_)) = (&cut, segment.coding) {
                // Edits come in order: the next is looked for from here.
                segment.text.start = to;
                segment.raw.start = cut.raw.end as usize;
            }
            self.cuts.extend(cut);
            if !self.edited.contains(&lane.group) {
                self.edited.push(lane.group);
            }
        }
    }

    /// Whether every text of the event may leave, by `free`, the offset up to which a lane's text may.
    pub fn is_free(&self, free: &dyn Fn(LaneKey) -> u64) -> bool {
        self.segments.iter().all(|s| s.text.end <= free(s.lane))
            && self.partials.iter().all(|p| p.text < free(p.lane))
    }

    /// The event's bytes as they leave.
    pub fn write(mut self, out: &mut Vec<u8>) {
        for (group, raw) in &self.logprobs {
            if self.edited.contains(group) {
                self.cuts.push(Cut { raw: raw.clone(), bytes: b"null".to_vec() });
            }
        }
        splice::apply(&self.raw, 0, &mut self.cuts, out);
    }
}
