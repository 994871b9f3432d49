//! Events that say what an earlier one said are read by their difference: whatever differs is found all the same.
//! A stream that is cut inside each event is read the long way, so the two must agree.

use weir_filter::answer::Stop;
use weir_filter::dialect::Dialect;
use weir_tests::{pipeline, policies, texts};

const SECRET: &str = "AKIAIOSFODNN7EXAMPL2";

/// A chat event: what may differ from one to the next.
fn chat(choice: u32, text: &str, made: u64, pad: &str, reason: &str) -> String {
    format!(
        r#"data: {{"id":"c-1","created":{made},"pad":"{pad}","choices":[{{"index":{choice},"delta":{{"content":"{text}"}},"finish_reason":{reason}}}]}}"#
    ) + "\n\n"
}

fn anthropic(index: u32, kind: &str, field: &str, text: &str) -> String {
    format!(
        "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":{index},\"delta\":{{\"type\":\"{kind}\",\"{field}\":\"{text}\"}}}}\n\n"
    )
}

fn stop(index: u32) -> String {
    format!(
        "event: content_block_stop\ndata: {{\"type\":\"content_block_stop\",\"index\":{index}}}\n\n"
    )
}

/// What a stream came to, the same however it is cut: what left, and what stopped it.
fn read(dialect: Dialect, events: &[String]) -> (String, Option<Stop>) {
    let engine = policies::engine(policies::MASKS);
    let run = |pieces: &[&[u8]]| pipeline::answer(&engine, dialect, true, pieces);
    let body = events.concat();
    let whole = run(&[body.as_bytes()]);
    let each: Vec<&[u8]> = events.iter().map(String::as_bytes).collect();
    let bytes: Vec<&[u8]> = body.as_bytes().chunks(1).collect();
    for (how, pieces) in [("event by event", each), ("byte by byte", bytes)] {
        let other = run(&pieces);
        assert_eq!(
            String::from_utf8_lossy(&other.out),
            String::from_utf8_lossy(&whole.out),
            "{how}"
        );
        assert_eq!(other.tally.rows, whole.tally.rows, "{how}");
        assert_eq!(other.tally.events, whole.tally.events, "{how}");
        assert_eq!(other.tally.answer_bytes, whole.tally.answer_bytes, "{how}");
        assert_eq!(other.stop, whole.stop, "{how}");
    }
    (String::from_utf8(whole.out).expect("UTF-8"), whole.stop)
}

#[test]
fn a_clean_stream_passes_whatever_differs() {
    let mut events: Vec<String> = (0..9)
        .map(|n| chat(n % 3, " so", 1_700_000_000 + u64::from(n), &"p".repeat(n as usize), "null"))
        .collect();
    events.push(chat(0, " \\n\\\"é\\u0041", 1_700_000_009, "q", "null"));
    events.push(chat(0, "", 1_700_000_009, "q", r#""stop""#));
    events.push("data: [DONE]\n\n".to_owned());
    let (out, stop) = read(Dialect::OpenAIChat, &events);
    assert_eq!((out, stop), (events.concat(), None));
}

#[test]
fn a_secret_is_masked_in_whichever_value_it_comes() {
    let plain = |n: u64| chat(0, " so", 1_700_000_000 + n, &n.to_string(), "null");
    for at in 0..6 {
        for in_text in [true, false] {
            let mut events: Vec<String> = (0..6).map(plain).collect();
            events[at] = match in_text {
                true => chat(0, SECRET, 1_700_000_000, "x", "null"),
                false => chat(0, " so", 1_700_000_000, SECRET, "null"),
            };
            events.push(chat(0, " end", 1_700_000_000, "", r#""stop""#));
            let (out, stop) = read(Dialect::OpenAIChat, &events);
            assert_eq!(stop, None);
            assert!(!out.contains("IOSFODNN"), "{at} {in_text}: {out}");
            assert_eq!(out.matches("[redacted:key]").count(), 1, "{at} {in_text}: {out}");
        }
    }
}

#[test]
fn a_secret_over_many_events_is_masked_between_choices_that_take_turns() {
    let mut events = Vec::new();
    for (n, letter) in SECRET.chars().enumerate() {
        events.push(chat(0, &letter.to_string(), 1_700_000_000 + n as u64, "", "null"));
        events.push(chat(1, " so", 1_700_000_000, &"p".repeat(n), "null"));
    }
    events.push(chat(0, " end", 1_700_000_000, "", r#""stop""#));
    events.push(chat(1, " end", 1_700_000_000, "", r#""stop""#));
    let (out, stop) = read(Dialect::OpenAIChat, &events);
    assert_eq!(stop, None);
    let said = texts::chat_client(out.as_bytes());
    assert_eq!(said.first().map(String::as_str), Some("AKIA[redacted:key] end"));
    assert_eq!(said.get(4).map(String::as_str), Some((" so".repeat(20) + " end").as_str()));
}

#[test]
fn a_number_that_becomes_a_card_is_not_passed() {
    let made = [
        1_700_000_000_000_000,
        1_700_000_000_000_017,
        4_111_111_111_111_111,
        1_700_000_000_000_019,
    ];
    let events: Vec<String> = made.iter().map(|made| chat(0, " so", *made, "", "null")).collect();
    let (out, _) = read(Dialect::OpenAIChat, &events);
    assert!(!out.contains("4111111111111111"), "{out}");
}

#[test]
fn blocks_of_another_kind_are_not_taken_for_the_same() {
    let events = [
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"content\":[]}}\n\n".to_owned(),
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n".to_owned(),
        anthropic(0, "text_delta", "text", "so "),
        anthropic(0, "text_delta", "text", "it is"),
        anthropic(1, "text_delta", "text", "other"),
        stop(1),
        anthropic(0, "thinking_delta", "thinking", "hm"),
        anthropic(0, "text_delta", "text", SECRET),
        "event: ping\ndata: {\"type\":\"ping\"}\n\n".to_owned(),
        anthropic(0, "text_delta", "text", " end"),
        stop(0),
        anthropic(0, "text_delta", "text", "late"),
        stop(0),
    ];
    let (out, stop) = read(Dialect::AnthropicMessages, &events);
    assert_eq!(stop, None);
    assert!(out.contains("AKIA[redacted:key]") && !out.contains("IOSFODNN"), "{out}");
}
