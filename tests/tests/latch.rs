//! Invariant `latch`: after a refusal only the refusal.

use weir_filter::answer::Stop;
use weir_filter::dialect::Dialect;
use weir_filter::sim::{self, Pieces};
use weir_tests::texts::{self, Place};
use weir_tests::{exchange, pipeline, policies};

const REJECTS: &str = r#"{"rules":[{"id":"codename","keywords":["bluebird"],"exposure":"Nothing","action":"Reject","channels":["response.text","response.toolCall","request.user"]}]}"#;

#[test]
fn nothing_follows_a_refused_stream() {
    let engine = policies::guard(REJECTS);
    for (dialect, body) in [
        (
            Dialect::OpenAIChat,
            texts::chat_stream("bluebird ships in May", Place::Content, 3, false),
        ),
        (
            Dialect::AnthropicMessages,
            texts::anthropic_stream("bluebird ships in May", Place::Content, 3, false),
        ),
    ] {
        let request = exchange::request(dialect, br#"{"model":"m","messages":[],"stream":true}"#);
        let whole = sim::run(
            &engine,
            &request,
            &exchange::answer(true, body.as_bytes()),
            (Pieces::Whole, Pieces::Whole),
            false,
        );
        assert_eq!(whole.tally.decision.word(), "reject");
        let text = String::from_utf8(whole.client.body.clone()).unwrap();
        assert!(!text.contains("bluebird") && !text.contains("May"), "{text}");
        let (ending, last) = match dialect {
            Dialect::OpenAIChat => ("\"finish_reason\":\"content_filter\"", "data: [DONE]\n\n"),
            Dialect::AnthropicMessages => {
                ("\"stop_reason\":\"refusal\"", "data: {\"type\":\"message_stop\"}\n\n")
            }
        };
        assert!(text.contains(ending) && text.ends_with(last), "{text}");
        for at in 1..body.len() {
            let pieces = (Pieces::Whole, Pieces::At(at));
            for trailers in [false, true] {
                let run = sim::run(
                    &engine,
                    &request,
                    &exchange::answer(true, body.as_bytes()),
                    pieces,
                    trailers,
                );
                assert_eq!(run.client.body, whole.client.body, "cut at {at}, trailers {trailers}");
            }
        }
    }
}

#[test]
fn a_refused_request_reaches_nobody() {
    let engine = policies::guard(REJECTS);
    let body = br#"{"model":"m","messages":[{"role":"user","content":"what is bluebird?"}]}"#;
    let request = exchange::request(Dialect::OpenAIChat, body);
    for at in 0..body.len() {
        let pieces = (Pieces::At(at), Pieces::Whole);
        let run = sim::run(&engine, &request, &exchange::answer(false, b"{}"), pieces, at % 2 == 1);
        assert_eq!(run.upstream.1, None);
        let header = |name: &str| {
            run.client.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
        };
        assert_eq!((header(":status"), header("x-weir-decision")), (Some("403"), Some("reject")));
    }
}

#[test]
fn a_json_answer_that_is_refused_shows_nothing() {
    let engine = policies::engine(REJECTS);
    let body = br#"{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"so bluebird it is"},"finish_reason":"stop"}]}"#;
    let got = pipeline::answer(&engine, Dialect::OpenAIChat, false, &[body]);
    assert_eq!((got.stop, got.out.len()), (Some(Stop::Refused), 0));
}
