//! The ways in which an exchange may end that a policy chooses: bodies that go on before their verdict, heads that
//! wait for it, answers that are cut.

use std::rc::Rc;

use weir_filter::Guard;
use weir_filter::dialect::Dialect;
use weir_filter::sim::{self, Message, Pieces, Run};
use weir_filter::tally::Decision;
use weir_tests::{exchange, policies};

const RULES: &str = r#""rules":[
{"id":"no","keywords":["forbidden"],"channels":["request.user","response.text"],"action":"Reject"},
{"id":"mask","keywords":["hidden"],"exposure":"Nothing","channels":["request.user"],"action":"Mask"}]"#;

fn guard(more: &str) -> Rc<Guard> {
    policies::guard(&format!("{{{more},{RULES}}}"))
}

fn said(text: &str) -> Vec<u8> {
    format!("{{\"model\":\"m\",\"messages\":[{{\"role\":\"user\",\"content\":\"{text}\"}}]}}\n ")
        .into_bytes()
}

fn ask(guard: &Rc<Guard>, body: &[u8], answer: &Message, pieces: Pieces) -> Run {
    let request = exchange::request(Dialect::OpenAIChat, body);
    sim::run(guard, &request, answer, (pieces, pieces), false)
}

#[test]
fn a_progressive_body_goes_on_but_for_its_end() {
    let guard = guard(r#""requestMode":"Progressive""#);
    let answer = exchange::answer(false, b"{}");
    for (text, decision) in [
        ("a word", Decision::Pass),
        ("a forbidden word", Decision::Reject),
        // What has gone on cannot be masked any more.
        ("a hidden word", Decision::Reject),
        ("an odd \\ud800 word", Decision::Fail),
    ] {
        let body = said(text);
        for cut in 1..body.len() {
            for pieces in [Pieces::At(cut), Pieces::Every(cut)] {
                let run = ask(&guard, &body, &answer, pieces);
                assert_eq!(run.tally.decision, decision, "{text} {pieces:?}");
                if decision == Decision::Pass {
                    assert_eq!(run.upstream.1.as_deref(), Some(&body[..]), "{pieces:?}");
                } else {
                    assert!(!run.sent.contains(&b'\n'), "{pieces:?}");
                    let depth = run.sent.iter().fold(0i32, |depth, byte| match byte {
                        b'{' => depth + 1,
                        b'}' => depth - 1,
                        _ => depth,
                    });
                    assert!(
                        run.sent.is_empty() || depth > 0,
                        "a whole document went on: {pieces:?}"
                    );
                }
            }
        }
        let run = ask(&guard, &body, &answer, Pieces::Every(16));
        assert!(decision != Decision::Reject || !run.sent.is_empty(), "something went on early");
    }
}

#[test]
fn a_progressive_body_is_refused_where_it_is_known_to_be() {
    let guard = guard(r#""requestMode":"Progressive""#);
    let mut body = said("a forbidden word");
    let known = body.len() - 6;
    let more = format!(",{{\"role\":\"user\",\"content\":\"{}\"}}", "x".repeat(500));
    body.splice(body.len() - 4..body.len() - 4, more.bytes());
    let run = ask(&guard, &body, &exchange::answer(false, b"{}"), Pieces::Every(8));
    assert_eq!(run.tally.decision, Decision::Reject);
    assert!(run.sent.len() <= known && run.sent.len() + 16 > known, "{}", run.sent.len());
}

#[test]
fn with_heads_held_a_refusal_leaves_no_trace_upstream() {
    let guard = guard(r#""holdHeaders":true"#);
    let clean =
        exchange::answer(false, br#"{"choices":[{"index":0,"message":{"content":"fine"}}]}"#);
    let body = said("a forbidden word");
    let run = ask(&guard, &body, &clean, Pieces::Every(9));
    assert_eq!((run.tally.decision, run.upstream.0.len()), (Decision::Reject, 0));
    assert_eq!(run.client.headers[0].1, "403");
    let masked = ask(&guard, &said("a hidden word"), &clean, Pieces::Every(9));
    let sent = masked.upstream.1.unwrap();
    let length = masked.upstream.0.iter().find(|(n, _)| n == "content-length").unwrap();
    assert_eq!(length.1, sent.len().to_string());
    let bad =
        exchange::answer(false, br#"{"choices":[{"index":0,"message":{"content":"forbidden"}}]}"#);
    for pieces in [Pieces::Whole, Pieces::Every(5)] {
        let run = ask(&guard, &said("hello"), &bad, pieces);
        assert_eq!(run.client.headers[0].1, "403", "an answer is refused with a clean status");
        assert!(!String::from_utf8_lossy(&run.client.body).contains("choices"));
    }
}

#[test]
fn a_cut_answer_is_ended_and_then_reset() {
    let event = |text: &str| {
        format!(
            "data: {{\"id\":\"x\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n"
        )
    };
    let events: String = ["one ", "forbidden", " two", " three"].iter().map(|t| event(t)).collect();
    let answer = exchange::answer(true, events.as_bytes());
    let size = event("one ").len();
    for (ending, reset) in [("Drain", false), ("Cut", true)] {
        let guard = guard(&format!(r#""onViolation":"{ending}""#));
        let run = ask(&guard, &said("hello"), &answer, Pieces::Every(size));
        let text = String::from_utf8(run.client.body).unwrap();
        assert_eq!((run.tally.decision, run.reset), (Decision::Reject, reset));
        assert!(text.contains("content_filter") && text.ends_with("data: [DONE]\n\n"), "{text}");
        assert!(
            text.contains("one ") && !text.contains("two") && !text.contains("forbidden"),
            "{text}"
        );
    }
}
