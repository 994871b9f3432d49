//! Taking a denied tool call out of a stream event: a visible note instead, siblings renumbered, the finish reason
//! following.

use std::ops::Range;

use super::CALL_NOTE;
use super::block::{Block, CallPart};
use super::calls::Calls;
use super::stream::replace;
use crate::dialect::Dialect;
use crate::splice;

/// Applies the verdicts on the calls that `block` carries. `later` are the calls of the events still queued.
pub fn apply(dialect: Dialect, block: &mut Block, calls: &mut Calls, later: &[u32]) {
    let parts = std::mem::take(&mut block.calls);
    match dialect {
        Dialect::OpenAIChat => chat(block, calls, &parts),
        Dialect::AnthropicMessages => anthropic(block, calls, &parts, later),
    }
    let (finished, after) = match dialect {
        Dialect::OpenAIChat => (["tool_calls", "function_call"].as_slice(), "stop"),
        Dialect::AnthropicMessages => (["tool_use"].as_slice(), "end_turn"),
    };
    for (group, raw, reason) in &block.finish {
        if finished.contains(&reason.as_str()) && calls.all_denied(*group) {
            block.cuts.push(replace(raw, after));
        }
    }
}

fn chat(block: &mut Block, calls: &mut Calls, parts: &[CallPart]) {
    let denied = |calls: &Calls, p: &CallPart| calls.verdict(p.group, p.call) == Some(true);
    let mut lists: Vec<Range<u64>> = parts.iter().filter_map(|p| p.list.clone()).collect();
    lists.dedup();
    for list in lists {
        let own: Vec<&CallPart> = parts.iter().filter(|p| p.list.as_ref() == Some(&list)).collect();
        let gone: Vec<bool> = own.iter().map(|p| denied(calls, p)).collect();
        if !gone.is_empty() && gone.iter().all(|g| *g) {
            block.cuts.push(replace(&list, "[]"));
        } else {
            let all: Vec<Range<u64>> = own.iter().map(|p| p.element.clone()).collect();
            splice::remove_elements(&all, &gone, &mut block.cuts);
        }
    }
    for part in parts {
        if !denied(calls, part) {
            let shift = calls.denied_before(part.group, part.call);
            if let (Some(index), 1..) = (&part.index, shift) {
                let number = part.call.saturating_sub(shift).to_string();
                block.cuts.push(replace(index, &number));
            }
            continue;
        }
        if part.list.is_none() {
            block.cuts.push(replace(&part.element, "null"));
        }
        let Some(call) = calls.get(part.group, part.call).filter(|c| !c.noted) else { continue };
        call.noted = true;
        note(block, part);
    }
}

/// Writes the note into the text beside the call.
fn note(block: &mut Block, part: &CallPart) {
    let content = part.content.as_ref().map(|raw| {
        let bytes = block.raw.get(raw.start as usize..raw.end as usize).unwrap_or_default();
        (raw, bytes)
    });
    let cut = match content {
        None => {
            let at = part.said_start..part.said_start;
            replace(&at, &format!("\"content\":\"{CALL_NOTE}\","))
        }
        Some((raw, b"null" | b"\"\"")) => replace(raw, &format!("\"{CALL_NOTE}\"")),
        Some((raw, bytes)) if bytes.ends_with(b"\"") => {
            let at = raw.end - 1..raw.end - 1;
            replace(&at, &format!(" {CALL_NOTE}"))
        }
        Some(_) => return,
    };
    block.cuts.push(cut);
}

fn anthropic(block: &mut Block, calls: &mut Calls, parts: &[CallPart], later: &[u32]) {
    for part in parts {
        if calls.verdict(0, part.call) != Some(true) {
            continue;
        }
        let Some(call) = calls.get(0, part.call) else { continue };
        let starts = block.raw.get(part.element.start as usize..part.element.end as usize);
        let is_start = starts.is_some_and(|b| !contains(b, b"input_json_delta"));
        let here = !call.noted && (!is_start || !later.contains(&part.call));
        call.noted |= here;
        let text = if here { CALL_NOTE } else { "" };
        let kind = if is_start { "text" } else { "text_delta" };
        let bytes = format!("{{\"type\":\"{kind}\",\"text\":\"{text}\"}}");
        block.cuts.push(replace(&part.element, &bytes));
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|w| w == needle)
}
