//! Tool-call arguments over stream events: JSON inside JSON strings that are cut anywhere.

use std::collections::VecDeque;
use std::ops::Range;

use super::Stop;
use super::block::{Block, Partial, Segment};
use super::lane::{LaneKey, LaneState};
use super::stream::Step;
use crate::engine::Engine;
use crate::json::{Layers, Offsets, Piece};
use crate::request::BodyFault;
use crate::splice::Coding;
use crate::tally::Tally;

/// Feeds a fragment of tool-call arguments. A character whose escape is cut over two events has raw bytes in both.
pub(super) fn feed_nested(
    engine: &Engine,
    lane: &mut LaneState,
    text: &str,
    raw_range: Range<usize>,
    block: &mut Block,
    queue: &mut VecDeque<(Block, Step)>,
    tally: &mut Tally,
) -> Result<(), Stop> {
    let raw_base = raw_range.start;
    let raw = block.raw.get(raw_range.clone()).unwrap_or_default().to_vec();
    let base = lane.decoded;
    let mut offsets = Offsets::new(&raw, Layers::Plain);
    let mut place = |at: u64| {
        let offset = at.saturating_sub(base) as usize;
        raw_base + offsets.find(offset).unwrap_or(raw.len())
    };
    let mut arguments = std::mem::take(&mut lane.arguments);
    let mut failed: Option<Stop> = None;
    arguments.feed(text, base, &mut |piece, range| {
        if failed.is_some() {
            return;
        }
        let from = lane.position();
        let result = match piece {
            Piece::Text(inner) | Piece::Bare(inner) => lane.push(&engine.rules, inner, tally),
            Piece::TextEnd | Piece::BareEnd => lane.end(&engine.rules, tally),
        };
        match result {
            Err(error) => failed = Some(Stop::from(BodyFault::from(error))),
            Ok(pushed) if pushed.rejected => failed = Some(Stop::Refused),
            Ok(_) => {}
        }
        let to = lane.position();
        if to == from {
            return;
        }
        let cut_over = range.start < base;
        let coding = match piece {
            Piece::Bare(_) => Coding::Bare,
            _ if cut_over => Coding::Whole(Layers::Nested),
            _ => Coding::String(Layers::Nested),
        };
        let raw = place(range.start)..place(range.end);
        block.segments.push(Segment { lane: lane.key, text: from..to, raw, coding });
        if cut_over {
            complete_partial(queue, lane.key, from..to);
        }
    });
    lane.decoded = base + text.len() as u64;
    if let Some(range) = arguments.partial() {
        let raw = place(range.start)..raw_range.end;
        block.partials.push(Partial { lane: lane.key, text: lane.position(), raw });
    } else if !text.is_empty() {
        forget_partials(queue, lane.key);
    }
    lane.arguments = arguments;
    failed.map_or(Ok(()), Err)
}

/// The character that earlier events began is known now: what they carry of it becomes a segment.
fn complete_partial(queue: &mut VecDeque<(Block, Step)>, lane: LaneKey, text: Range<u64>) {
    for (block, _) in queue.iter_mut() {
        for partial in block.partials.extract_if(.., |p| p.lane == lane && p.text == text.start) {
            block.segments.push(Segment {
                lane,
                text: text.clone(),
                raw: partial.raw,
                coding: Coding::Whole(Layers::Nested),
            });
        }
    }
}

fn forget_partials(queue: &mut VecDeque<(Block, Step)>, lane: LaneKey) {
    for (block, _) in queue.iter_mut() {
        block.partials.retain(|p| p.lane != lane);
    }
}
