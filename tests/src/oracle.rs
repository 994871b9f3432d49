//! What a client makes of an answer, and whether it holds something that the policy `MASKS` hides: read a second
//! way, without any code of the filter.

use serde_json::Value;

/// Texts of an answer that a client joins: choice or block, call, kind, text.
type Lanes = Vec<((u64, u64, &'static str), String)>;

/// The texts that a client of the answer sees, each joined. Lanes end where the filter's do: at a finish reason, a
/// block's stop, the end.
pub fn texts(body: &[u8], streamed: bool, anthropic: bool) -> Vec<String> {
    let mut lanes = Lanes::new();
    let mut done = Vec::new();
    if streamed {
        for event in events(body) {
            match serde_json::from_slice::<Value>(&event) {
                Ok(value) if anthropic => anthropic_event(&value, &mut lanes, &mut done),
                Ok(value) => chat_event(&value, "delta", &mut lanes, &mut done),
                Err(_) => {}
            }
        }
    } else if let Ok(value) = serde_json::from_slice::<Value>(body) {
        if anthropic {
            for (at, block) in value["content"].as_array().into_iter().flatten().enumerate() {
                add(&mut lanes, (at as u64, 0, "text"), &block["text"]);
            }
        } else {
            chat_event(&value, "message", &mut lanes, &mut done);
        }
    }
    done.extend(lanes.into_iter().map(|(_, text)| text));
    done
}

/// The data of each event, terminated or not.
pub fn events(body: &[u8]) -> Vec<Vec<u8>> {
    let (mut events, mut data) = (Vec::new(), Vec::new());
    let lines = body.split(|b| *b == b'\n').map(|l| l.strip_suffix(b"\r").unwrap_or(l));
    for line in lines.chain([&b""[..]]) {
        if let Some(value) = line.strip_prefix(b"data:") {
            data.extend_from_slice(value);
            data.push(b'\n');
        } else if line.is_empty() && !data.is_empty() {
            events.push(std::mem::take(&mut data));
        }
    }
    events
}

fn add(lanes: &mut Lanes, key: (u64, u64, &'static str), value: &Value) {
    let Some(more) = value.as_str() else { return };
    match lanes.iter_mut().find(|(own, _)| *own == key) {
        Some((_, text)) => text.push_str(more),
        None => lanes.push((key, more.to_owned())),
    }
}

fn close(lanes: &mut Lanes, group: u64, done: &mut Vec<String>) {
    done.extend(lanes.extract_if(.., |(key, _)| key.0 == group).map(|(_, text)| text));
}

fn chat_event(event: &Value, said: &str, lanes: &mut Lanes, done: &mut Vec<String>) {
    let mut finished = Vec::new();
    for (at, choice) in event["choices"].as_array().into_iter().flatten().enumerate() {
        let group = index(&choice["index"]).unwrap_or(at as u64);
        let said = &choice[said];
        for kind in ["content", "refusal", "reasoning", "reasoning_content"] {
            add(lanes, (group, 0, kind), &said[kind]);
        }
        for part in said["content"].as_array().into_iter().flatten() {
            add(lanes, (group, 0, "content"), &part["text"]);
        }
        if choice["finish_reason"].is_string() {
            finished.push(group);
        }
    }
    finished.into_iter().for_each(|group| close(lanes, group, done));
}

fn anthropic_event(event: &Value, lanes: &mut Lanes, done: &mut Vec<String>) {
    let group = index(&event["index"]).unwrap_or(0);
    match event["type"].as_str() {
        Some("content_block_start") => {
            add(lanes, (group, 0, "text"), &event["content_block"]["text"])
        }
        Some("content_block_delta") => add(lanes, (group, 0, "text"), &event["delta"]["text"]),
        Some("content_block_stop") => close(lanes, group, done),
        Some("message_stop" | "error") => done.extend(lanes.drain(..).map(|(_, text)| text)),
        _ => {}
    }
}

fn index(value: &Value) -> Option<u64> {
    value.as_u64().filter(|index| *index <= u64::from(u32::MAX))
}

/// What stands in `text` that `MASKS` hides: an access key, a mail address, a card number. Only what is surely one.
pub fn leak(text: &str) -> Option<&'static str> {
    let bytes = text.as_bytes();
    (0..bytes.len()).find_map(|at| {
        let (before, here) = bytes.split_at(at);
        if is_key(here) {
            Some("key")
        } else if is_mail(before, here) {
            Some("mail")
        } else if is_card(before, here) {
            Some("card")
        } else {
            None
        }
    })
}

fn is_word(byte: Option<&u8>) -> bool {
    byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_' || *b >= 0x80)
}

fn run(bytes: &[u8], class: impl Fn(&u8) -> bool) -> usize {
    bytes.iter().take_while(|b| class(b)).count()
}

fn is_key(here: &[u8]) -> bool {
    let Some(rest) = here.strip_prefix(b"AKIA") else { return false };
    run(rest, |b| b.is_ascii_uppercase() || b.is_ascii_digit()) == 16 && !is_word(rest.get(16))
}

fn is_mail(before: &[u8], here: &[u8]) -> bool {
    let local = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'.';
    let Some(host) = here.strip_prefix(b"@").filter(|_| before.last().is_some_and(local)) else {
        return false;
    };
    let name = run(host, |b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let rest = host.get(name..).unwrap_or_default();
    (1..=32).contains(&name) && rest.starts_with(b".com") && !is_word(rest.get(4))
}

fn is_card(before: &[u8], here: &[u8]) -> bool {
    let digits = run(here, u8::is_ascii_digit);
    if is_word(before.last()) || digits != 16 || is_word(here.get(16)) || here[0] != b'4' {
        return false;
    }
    let sum: u32 = here[..16]
        .iter()
        .enumerate()
        .map(|(at, digit)| match u32::from(digit - b'0') * (2 - at as u32 % 2) {
            doubled @ 10.. => doubled - 9,
            other => other,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::{self, PLANTED, Place};

    #[test]
    fn what_is_planted_is_seen() {
        for planted in PLANTED.iter().take(3) {
            for (body, anthropic) in [
                (texts::chat_stream(planted.text, Place::Content, 3, true), false),
                (texts::anthropic_stream(planted.text, Place::Content, 3, false), true),
            ] {
                let seen = super::texts(body.as_bytes(), true, anthropic);
                assert!(seen.iter().any(|text| leak(text).is_some()), "{seen:?}");
                assert!(
                    seen.iter().all(|text| leak(text).is_none() || text.contains(planted.text))
                );
            }
        }
        assert_eq!(leak("AKIA[redacted:key] at a@b.org, 4539148803436468"), None);
    }
}
