//! What fuzzing found, each as the smallest exchange that showed it.

use weir_filter::dialect::Dialect;
use weir_filter::frame::Sse;
use weir_filter::sim::Message;
use weir_filter::tally::Decision;
use weir_tests::proxy::{self, Outcome, Script};
use weir_tests::{exchange, policies};

const KEY: &str = "AKIAIOSFODNN7EXAMPL2";

const HELLO: &[u8] = br#"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#;

fn event(text: &str) -> String {
    format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
}

fn run(spec: &str, script: Script) -> Outcome {
    proxy::run(&policies::guard(spec), script)
}

fn request(body: &[u8]) -> Message {
    exchange::request(Dialect::OpenAIChat, body)
}

/// An answer to a plain question.
fn answered(streamed: bool, body: &str) -> Script {
    let answer = exchange::answer(streamed, body.as_bytes());
    Script { request: request(HELLO), answer, ..Script::default() }
}

#[test]
fn a_line_feed_that_arrives_late_does_not_count_against_the_next_event() {
    let stream = b"data: a\r\n\r\ndata: b\r\n\r\n";
    for at in 0..stream.len() {
        let mut sse = Sse::new(10);
        let (first, second) = stream.split_at(at);
        let fed = sse.feed(first, &mut |_| {}).and_then(|()| sse.feed(second, &mut |_| {}));
        assert!(fed.is_ok(), "cut at {at}");
    }
}

#[test]
fn what_is_swallowed_never_leaves_when_the_host_keeps_its_buffer() {
    let body = [event("one"), "data: {nonsense\n\n".to_owned(), event("two")].concat();
    for bit in 0..16 {
        let script = Script {
            failing: 1 << bit,
            pieces: (Vec::new(), vec![event("one").len()]),
            ..answered(true, &body)
        };
        let outcome = run(policies::MASKS, script);
        assert_eq!(outcome.after_refusal, 0, "call {bit} fails");
        assert!(!String::from_utf8_lossy(&outcome.client.body).contains("two"), "call {bit} fails");
    }
}

#[test]
fn no_part_of_a_body_goes_up_when_the_host_fails() {
    for bit in 0..16 {
        let script = Script {
            request: request(HELLO),
            pieces: (vec![20], Vec::new()),
            failing: 1 << bit,
            ..Script::default()
        };
        let outcome = run(&policies::masks_with(r#""failureMode":"FailOpen""#), script);
        assert!(outcome.sent.is_empty() || outcome.sent == HELLO, "call {bit} fails");
    }
}

#[test]
fn what_passes_unread_passes_whole() {
    let document =
        format!("{{\"choices\":[{{\"message\":{{\"content\":\"{}\"}}}}]}}", "x".repeat(5000));
    let spec = policies::masks_with(r#""failureMode":"FailOpen","limits":{"request":"4Ki"}"#);
    for size in [0, 1000] {
        let script = Script { pieces: (Vec::new(), vec![size]), ..answered(false, &document) };
        let outcome = run(&spec, script);
        assert!(outcome.client.body == document.as_bytes(), "pieces of {size}");
    }
}

#[test]
fn what_may_be_held_does_not_depend_on_the_cut() {
    let spec = r#"{"limits":{"held":"1Ki"},"rules":[{"id":"long","keywords":["begin"],"regex":"begin[a]{1,400}end","maxLength":410,"exposure":"Nothing","action":"Mask"}]}"#;
    let texts = ["begin"].into_iter().chain(["aaaaaaaa"; 40]).chain(["end."]);
    let body: String = texts.map(event).collect();
    let decisions = [0, 1, 100].map(|size| {
        let script = Script { pieces: (Vec::new(), vec![size]), ..answered(true, &body) };
        run(spec, script).tally.decision
    });
    assert_eq!(decisions, [Decision::Fail; 3]);
}

#[test]
fn a_match_is_found_behind_an_open_ended_one_that_a_later_piece_completes() {
    let token = "tok_abcdefgh0123456789abcdefghij0123456789zz";
    let body = format!("{{\"messages\":[{{\"role\":\"user\",\"content\":\"{token} {token} \"}}]}}");
    for at in 0..body.len() {
        let script = Script {
            request: request(body.as_bytes()),
            pieces: (vec![at, body.len()], Vec::new()),
            ..Script::default()
        };
        let sent = run(policies::MASKS, script).sent;
        assert!(!String::from_utf8_lossy(&sent).contains("abcdefgh"), "cut at {at}");
    }
}

#[test]
fn bare_arguments_that_are_written_in_escapes_are_masked_whole() {
    let escaped: String =
        "4539148803436467".chars().map(|c| format!("\\u{:04x}", c as u32)).collect();
    let call = |arguments: &str| {
        format!(
            "{{\"tool_calls\":[{{\"index\":0,\"function\":{{\"name\":\"x\",\"arguments\":\"{arguments}\"}}}}]}}"
        )
    };
    for before in ["", "{\\\"n\\\":"] {
        let call = call(&format!("{before}{escaped} "));
        let body =
            format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{call}}}]}}\n\ndata: [DONE]\n\n");
        let streamed = run(policies::MASKS, answered(true, &body)).client.body;
        let document = format!("{{\"choices\":[{{\"message\":{call}}}]}}");
        let whole = run(policies::MASKS, answered(false, &document)).client.body;
        for shown in [streamed, whole] {
            let shown = String::from_utf8(shown).expect("text");
            assert!(!shown.contains("\\u0038"), "after {before:?}: {shown}");
        }
    }
}

#[test]
fn of_two_faults_the_first_one_counts_at_any_cut() {
    let body = format!("{{\"{}\u{1}\":1}}", "n".repeat(300));
    for size in [0, 1, 100] {
        let script = Script {
            request: request(body.as_bytes()),
            pieces: (vec![size], Vec::new()),
            ..Script::default()
        };
        assert_eq!(run(policies::MASKS, script).tally.faults, ["too-large"], "pieces of {size}");
    }
}

/// Places that name, type or number something, each with `@` where its string stands.
const PLACES: [(&str, Dialect, &str); 17] = [
    ("request", Dialect::OpenAIChat, r#"{"model":"@","messages":[]}"#),
    ("request", Dialect::OpenAIChat, r#"{"messages":[{"role":"@","content":"hello"}]}"#),
    ("request", Dialect::OpenAIChat, r#"{"messages":[{"role":"user","content":[{"type":"@"}]}]}"#),
    (
        "request",
        Dialect::OpenAIChat,
        r#"{"messages":[],"tools":[{"type":"function","function":{"name":"@"}}]}"#,
    ),
    ("request", Dialect::OpenAIChat, r#"{"messages":[],"tool_choice":{"type":"@","x":{"@":1}}}"#),
    (
        "request",
        Dialect::OpenAIChat,
        r#"{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://a.example/@"}}]}]}"#,
    ),
    (
        "request",
        Dialect::AnthropicMessages,
        r#"{"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"x","signature":"@"}]}]}"#,
    ),
    (
        "request",
        Dialect::AnthropicMessages,
        r#"{"messages":[{"role":"assistant","content":[{"type":"redacted_thinking","data":"@"}]}]}"#,
    ),
    ("answer", Dialect::OpenAIChat, r#"{"id":"@","choices":[]}"#),
    ("answer", Dialect::OpenAIChat, r#"{"model":"@","object":"@","choices":[]}"#),
    (
        "answer",
        Dialect::OpenAIChat,
        r#"{"choices":[{"message":{"role":"@"},"delta":{"role":"@"},"finish_reason":"@"}]}"#,
    ),
    (
        "answer",
        Dialect::OpenAIChat,
        r#"{"choices":[{"message":{"tool_calls":[{"type":"@","function":{"name":"@"}}]},"delta":{"tool_calls":[{"index":0,"type":"@","function":{"name":"@"}}]}}]}"#,
    ),
    (
        "answer",
        Dialect::OpenAIChat,
        r#"{"choices":[{"logprobs":{"content":[{"token":"a","top_logprobs":[{"token":"@"}]}]}}]}"#,
    ),
    ("answer", Dialect::AnthropicMessages, r#"{"type":"@","message":{"type":"@"}}"#),
    (
        "answer",
        Dialect::AnthropicMessages,
        r#"{"type":"message_start","id":"@","message":{"id":"@","role":"@"},"role":"@"}"#,
    ),
    (
        "answer",
        Dialect::AnthropicMessages,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","name":"@"},"content":[{"type":"tool_use","name":"@"}]}"#,
    ),
    (
        "answer",
        Dialect::AnthropicMessages,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"@"},"stop_reason":"@"}"#,
    ),
];

/// What the other side sees of the document.
fn shown(side: &str, dialect: Dialect, body: &str, size: usize) -> Vec<u8> {
    if side == "request" {
        let request = exchange::request(dialect, body.as_bytes());
        return run(
            policies::MASKS,
            Script { request, pieces: (vec![size], Vec::new()), ..Script::default() },
        )
        .sent;
    }
    let request = exchange::request(dialect, HELLO);
    let event = format!("data: {body}\n\n");
    let both = [(false, body), (true, event.as_str())].map(|(streamed, body)| {
        let answer = exchange::answer(streamed, body.as_bytes());
        let pieces = (Vec::new(), vec![size]);
        run(
            policies::MASKS,
            Script { request: request.clone(), answer, pieces, ..Script::default() },
        )
        .client
        .body
    });
    both.concat()
}

#[test]
fn a_secret_hides_nowhere_in_a_document() {
    for (side, dialect, place) in PLACES {
        let clean = shown(side, dialect, &place.replace('@', "harmless"), 0);
        assert!(String::from_utf8_lossy(&clean).contains("harmless"), "{place}");
        let at_the_limit = format!("{}é{KEY} more", "x".repeat(511));
        for text in [KEY.to_owned(), format!("{} {KEY} more", "x".repeat(600)), at_the_limit] {
            for size in [0, 1, 100] {
                let shown = shown(side, dialect, &place.replace('@', &text), size);
                assert!(
                    !String::from_utf8_lossy(&shown).contains(KEY),
                    "{place}, pieces of {size}"
                );
            }
        }
    }
}

#[test]
fn a_document_that_is_one_number_is_read() {
    let card = "4539148803436467";
    for (side, dialect) in
        [("request", Dialect::OpenAIChat), ("answer", Dialect::AnthropicMessages)]
    {
        let shown = shown(side, dialect, card, 0);
        assert!(!String::from_utf8_lossy(&shown).contains(card), "{side}");
    }
}

#[test]
fn choices_that_never_end_are_counted() {
    let body: String = (0..300)
        .map(|n| format!("data: {{\"choices\":[{{\"index\":{n},\"delta\":{{}}}}]}}\n\n"))
        .collect();
    assert_eq!(run(policies::MASKS, answered(true, &body)).tally.faults, ["too-large"]);
}

#[test]
fn an_ending_does_not_repeat_what_was_masked() {
    let event = |head: &str| {
        format!(
            "data: {{{head}\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"hi\"}}}}]}}\n\n"
        )
    };
    for (model, head) in
        [("m", format!("\"id\":\"{KEY}\",\"model\":\"{KEY}\",")), (KEY, String::new())]
    {
        let body = [event(&head), "data: {nonsense\n\n".to_owned()].concat();
        let asked = format!(r#"{{"model":"{model}","messages":[]}}"#);
        let script = Script { request: request(asked.as_bytes()), ..answered(true, &body) };
        let outcome = run(policies::MASKS, script);
        let shown = String::from_utf8_lossy(&outcome.client.body).into_owned();
        assert!(shown.contains("[DONE]") && !shown.contains(KEY), "{shown}");
    }
}
