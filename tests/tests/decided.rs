//! Invariant `decided`: every stream ends in exactly one decision and one record, however it ends.

use weir_filter::dialect::Dialect;
use weir_filter::sim::{self, Pieces, Run};
use weir_tests::exchange;
use weir_tests::policies;
use weir_tests::texts::{self, Place};

const RULES: &str = r#"{"traffic":[{"hosts":["api.example.com"]}],"rules":[
  {"id":"codename","keywords":["bluebird"],"action":"Reject","channels":["request.user","response.text"]},
  {"id":"key","keywords":["AKIA"],"regex":"AKIA[A-Z0-9]{16}\\b","view":"Raw","maxLength":20,"action":"Mask","channels":["*"]}]}"#;

fn records(run: &Run) -> usize {
    run.logs.iter().filter(|l| l.starts_with("weir_audit ")).count()
}

#[test]
fn every_end_has_one_decision() {
    let engine = policies::guard(RULES);
    let say = |text: &str| {
        format!(r#"{{"model":"m","messages":[{{"role":"user","content":"{text}"}}]}}"#)
    };
    let stream = |text: &str| texts::chat_stream(text, Place::Content, 4, false);
    let (clean, leak, named) =
        (stream("rivers"), stream("AKIAIOSFODNN7EXAMPL2"), stream("bluebird"));
    let cut_off = leak.split("data: [DONE]").next().unwrap_or_default().to_owned();
    let half = leak.get(..leak.len() / 2).unwrap_or_default().to_owned();
    for (request, answer, expected) in [
        (say("hi"), clean.as_str(), "pass"),
        (say("hi"), &leak, "mask"),
        (say("hi"), &named, "reject"),
        (say("hi"), &cut_off, "mask"),
        (say("hi"), &half, "fail"),
        (say("hi"), "data: {nonsense\n\n", "fail"),
        (say("hi"), "", "pass"),
        (say("AKIAIOSFODNN7EXAMPL2"), &clean, "mask"),
        (say("bluebird"), &clean, "reject"),
        ("{\"messages\":[".to_owned(), &clean, "fail"),
        ("{\"a\":1,\"a\":2}".to_owned(), &clean, "fail"),
    ] {
        for trailers in [false, true] {
            for size in [0, 1, 64] {
                let pieces = Pieces::Every(size);
                let request = exchange::request(Dialect::OpenAIChat, request.as_bytes());
                let answer = exchange::answer(true, answer.as_bytes());
                let run = sim::run(&engine, &request, &answer, (pieces, pieces), trailers);
                let what = format!("{} {expected} {trailers} {size}", run.record);
                assert_eq!(records(&run), 1, "{what}");
                assert!(run.record.contains(&format!("\"decision\":\"{expected}\"")), "{what}");
            }
        }
    }
}

#[test]
fn what_is_not_understood_is_decided_too() {
    let engine = policies::guard(RULES);
    let body = br#"{"input":"hi"}"#;
    for (header, value) in
        [(":path", "/v1/responses"), ("content-type", "text/plain"), ("content-encoding", "zstd")]
    {
        let mut request = exchange::request(Dialect::OpenAIChat, body);
        request.headers.retain(|(name, _)| name != header);
        request.headers.push((header.to_owned(), value.to_owned()));
        let run = sim::run(
            &engine,
            &request,
            &exchange::answer(false, b"{}"),
            (Pieces::Whole, Pieces::Whole),
            false,
        );
        assert_eq!(run.upstream.1, None, "{header}");
        assert_eq!(records(&run), 1, "{header}");
        assert!(run.record.contains("\"notInspected\":[\""), "{header}: {}", run.record);
    }
}
