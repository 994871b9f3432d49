//! Taking a denied tool call out of a stream event: a visible note instead, siblings renumbered, the finish reason
//! following.

use std::ops::Range;

use super::CALL_NOTE;
use super::block::{Block, CallPart};
use super::calls::Calls;
use crate::dialect::Dialect;
use crate::splice::{self, Cut};

/// Applies the verdicts on the calls that `block` carries. `later` are the calls of the events still queued.
pub fn apply(dialect: Dialect, block: &mut Block, calls: &mut Calls, later: &[u32]) {
    let parts = std::mem::take(&mut block.calls);
    match dialect {
        Dialect::OpenAIChat => chat(block, calls, &parts),
        Dialect::AnthropicMessages => anthropic(block, calls, &parts, later),
    }
    for (group, raw, reason) in &block.finish {
        if let Some(after) = dialect.finish_without_calls(reason)
            && calls.all_denied(*group)
        {
            block.cuts.push(Cut::replace(raw, after));
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
            block.cuts.push(Cut::replace(&list, "[]"));
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
                block.cuts.push(Cut::replace(index, &number));
            }
            continue;
        }
        if part.list.is_none() {
            block.cuts.push(Cut::replace(&part.element, "null"));
        }
        let Some(call) = calls.get(part.group, part.call).filter(|c| !c.noted) else { continue };
        call.noted = true;
        note(block, part);
    }
}

/// Writes the note into the text beside the call.
fn note(block: &mut Block, part: &CallPart) {
    let content = part
        .content
        .as_ref()
        .map(|raw| (raw, block.raw.get(raw.start as usize..raw.end as usize).unwrap_or_default()));
    block.cuts.extend(note_cut(content, part.said_start));
}

/// The cut that says in a message's text that a call was taken out. `content` is the text member's value with its
/// bytes, `said_start` the first byte inside the message. `None` where the text is no string that could say it.
pub(super) fn note_cut(content: Option<(&Range<u64>, &[u8])>, said_start: u64) -> Option<Cut> {
    Some(match content {
        None => Cut::replace(&(said_start..said_start), &format!("\"content\":\"{CALL_NOTE}\",")),
        Some((raw, b"null" | b"\"\"")) => Cut::replace(raw, &format!("\"{CALL_NOTE}\"")),
        Some((raw, bytes)) if bytes.ends_with(b"\"") => {
            Cut::replace(&(raw.end - 1..raw.end - 1), &format!(" {CALL_NOTE}"))
        }
        Some(_) => return None,
    })
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
        block.cuts.push(Cut::replace(&part.element, &bytes));
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|w| w == needle)
}
