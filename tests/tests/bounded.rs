//! Invariant `bounded`: memory of a stream stays under `limits`, whatever arrives.

use weir_filter::answer::{Stop, StreamAnswer};
use weir_filter::dialect::Dialect;
use weir_filter::request::BodyFault;
use weir_filter::tally::Tally;
use weir_tests::{pipeline, policies};

fn spec(limits: &str) -> String {
    policies::MASKS.replace("\"inspection\"", &format!("\"limits\":{limits},\"inspection\""))
}

#[test]
fn a_stream_holds_no_more_than_it_may() {
    let engine = policies::engine(&spec(r#"{"held":"4Ki","event":"2Ki"}"#));
    // Every event could go on a match of which nothing may be shown, and none ends it.
    let event = |text: &str| {
        format!(
            "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":null}}]}}\n\n"
        )
    };
    let mut stream = StreamAnswer::new(engine, Dialect::OpenAIChat);
    let (mut out, mut tally) = (Vec::new(), Tally::default());
    let mut stopped = None;
    for at in 0..10_000 {
        let text = ["-----BEGIN ", "AKIAAAAA", "a", "@b", "4111", ""][at % 6];
        let result = stream.write(event(text).as_bytes(), 0, &mut out, &mut tally);
        assert!(stream.held() <= 4096 + 2048, "{} bytes held", stream.held());
        if result.is_err() {
            stopped = result.err();
            break;
        }
    }
    assert!(stopped.is_none() || stopped == Some(Stop::Fault(BodyFault::TooLarge)), "{stopped:?}");
}

#[test]
fn what_is_over_a_limit_is_a_fault() {
    let engine =
        policies::engine(&spec(r#"{"event":"1Ki","request":"1Ki","openChannels":2,"depth":8}"#));
    let long = format!("data: {}\n\n", "x".repeat(2000));
    let lanes: String = (0..3)
        .map(|i| {
            format!("data: {{\"choices\":[{{\"index\":{i},\"delta\":{{\"content\":\"x\"}}}}]}}\n\n")
        })
        .collect();
    let deep = format!("data: {}\n\n", "[".repeat(9));
    for (body, fault) in [
        (long, BodyFault::TooLarge),
        (lanes, BodyFault::TooLarge),
        (deep, BodyFault::TooDeep),
        ("data: {\"a\":1,\"a\":2}\n\n".to_owned(), BodyFault::Ambiguous),
        ("data: {\"a\":NaN}\n\n".to_owned(), BodyFault::Malformed),
        ("data: {} {}\n\n".to_owned(), BodyFault::Ambiguous),
    ] {
        let got = pipeline::answer(&engine, Dialect::OpenAIChat, true, &[body.as_bytes()]);
        assert_eq!(got.stop, Some(Stop::Fault(fault)), "{body}");
    }
    let request = format!("{{\"a\":\"{}\"}}", "x".repeat(2000));
    let got = pipeline::request(&engine, Dialect::OpenAIChat, &[request.as_bytes()]);
    assert_eq!(got.verdict, Err(BodyFault::TooLarge));
}
