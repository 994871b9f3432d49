//! `weir replay`: what is passed on, said and refused, at every cut.

mod common;

use common::{Folder, policy};

const SPEC: &str = r#"
  traffic: [{hosts: [api.openai.com], paths: ["/v1/*"]}]
  rules:
    - {id: bird, keywords: [bluebird], regex: 'bluebird', maxLength: 8, before: 4, action: Mask, channels: ["*"]}
    - {id: stop, keywords: [halt], regex: 'halt', maxLength: 4, action: Reject, channels: [request.user]}
"#;

/// A folder with a policy and an exchange that asks `ask` and streams an answer with a finding in two events.
fn folder(name: &str, ask: &str) -> Folder {
    let folder = Folder::new(name);
    folder.file("p.yaml", policy(SPEC));
    let body = format!(
        r#"{{"model":"m","stream":true,"messages":[{{"role":"user","content":"{ask}"}}]}}"#
    );
    let head =
        "POST /v1/chat/completions HTTP/1.1\nHost: api.openai.com\nContent-Type: application/json";
    folder.file("req", format!("{head}\n\n{body}"));
    let events: String = ["a blue", "bird b", "ye"]
        .map(|text| {
            format!("data: {{\"id\":\"c\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":null}}]}}\n\n")
        })
        .concat();
    folder.file(
        "resp",
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n{events}data: [DONE]\n\n"
        ),
    );
    folder
}

const EXCHANGE: &str = "replay --policy p.yaml --exchange req resp";

#[test]
fn people_are_told_what_happened() {
    let folder = folder("replay-words", "the bluebird");
    let ran = folder.run(&format!("{EXCHANGE} --cut 40"), "");
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""));
    for words in [
        "policy test: mask\n",
        "  bird in request.user: mask, 1 times\n",
        "  bird in response.text: mask, 1 times\n",
        "client: status 200, ",
        "first byte to the client: with piece ",
        " ms in all",
        "record: {",
    ] {
        assert!(ran.out.contains(words), "{words:?} in {}", ran.out);
    }
    assert!(!ran.out.contains("bluebird"), "{}", ran.out);
}

#[test]
fn raw_is_upstream_then_client_at_any_cut() {
    let folder = folder("replay-raw", "the bluebird");
    let whole = folder.run(&format!("{EXCHANGE} --raw"), "");
    assert_eq!(whole.exit, 0);
    let (upstream, client) = whole.out.split_once("\r\nHTTP/1.1 200 OK\r\n").unwrap();
    assert!(upstream.starts_with("POST /v1/chat/completions HTTP/1.1\r\nhost: api.openai.com\r\n"));
    assert!(upstream.contains("\"the [redacted:bird]\"") && client.ends_with("data: [DONE]\n\n"));
    assert!(client.contains("a [redacted:bird]") && !whole.out.contains("blue"), "{client}");
    for more in ["--cut 1", "--cut 7", "--trailers", "--trailers --cut 5", "--every-cut"] {
        let ran = folder.run(&format!("{EXCHANGE} --raw {more}"), "");
        assert_eq!((ran.exit, &ran.out), (0, &whole.out), "{more}");
    }
}

#[test]
fn every_cut_is_run() {
    let folder = folder("replay-cuts", "the bluebird");
    for more in ["", " --trailers"] {
        let ran = folder.run(&format!("{EXCHANGE} --every-cut{more}"), "");
        assert_eq!(ran.exit, 0, "{}", ran.out);
        let count: usize = ran.out.split_once(" cuts run, 0 differ\n").unwrap().0.parse().unwrap();
        assert!(count > 300, "{count}");
    }
}

#[test]
fn a_refused_answer_ends_the_same_at_every_cut() {
    let folder = folder("replay-answer", "hello");
    folder.file("p.yaml", policy(&SPEC.replace("action: Mask", "action: Reject")));
    // Long enough for one callback a byte to take more than a second of the simulated clock.
    let answer = std::fs::read_to_string(folder.path("resp")).unwrap();
    let waits = ": wait\n\n".repeat(150);
    folder.file("resp", answer.replacen("data:", &format!("{waits}data:"), 1));
    let ran = folder.run(EXCHANGE, "");
    assert!(ran.out.contains("bird in response.text: reject, 1 times\n"), "{}", ran.out);
    let ran = folder.run(&format!("{EXCHANGE} --raw --cut 9"), "");
    assert!(ran.out.contains("\"finish_reason\":\"content_filter\"") && !ran.out.contains("ye"));
    let ran = folder.run(&format!("{EXCHANGE} --every-cut"), "");
    assert_eq!(ran.exit, 0, "{}", ran.out);
}

#[test]
fn a_refused_request_has_no_upstream_body() {
    let folder = folder("replay-refused", "please halt");
    let ran = folder.run(EXCHANGE, "");
    assert_eq!(ran.exit, 0);
    assert!(ran.out.contains("policy test: reject\n") && ran.out.contains("no byte of the body"));
    let ran = folder.run(&format!("{EXCHANGE} --raw"), "");
    let (upstream, client) = ran.out.split_once("HTTP/1.1 403 Forbidden\r\n").unwrap();
    assert!(upstream.ends_with("\r\n\r\n") && !upstream.contains("messages"), "{upstream}");
    assert!(
        client.contains("x-weir-decision: reject\r\n") && !ran.out.contains("halt"),
        "{client}"
    );
}

#[test]
fn what_the_filter_does_not_read_is_not_called_clean() {
    let folder = folder("replay-unread", "the bluebird");
    folder.file("req", "POST /v1/chat/completions HTTP/1.1\nHost: elsewhere.example\n\n{}");
    let ran = folder.run(EXCHANGE, "");
    assert_eq!(ran.exit, 0);
    assert!(ran.out.contains("\n  not read: "), "{}", ran.out);
}

#[test]
fn bad_input() {
    let folder = folder("replay-bad", "hello");
    folder.file("bad.yaml", policy("{mode: Bogus}"));
    folder.file("cut", "POST / HTTP/1.1\nhost: x");
    for (arguments, exit, words) in [
        ("--policy p.yaml --exchange resp req", 2, "weir: resp:1: a response where"),
        ("--policy p.yaml --exchange cut resp", 2, "weir: cut:2: the file ends inside the head"),
        ("--policy p.yaml --exchange missing resp", 2, "weir: missing: "),
        ("--policy p.yaml --exchange req", 2, "error: "),
        ("--policy p.yaml --exchange req resp --cut 1 --every-cut", 2, "error: "),
        ("--policy bad.yaml --exchange req resp", 1, "bad.yaml:4:8: "),
    ] {
        let ran = folder.run(&format!("replay {arguments}"), "");
        assert_eq!(ran.exit, exit, "{arguments}: {}", ran.err);
        assert!(ran.err.starts_with(words), "{arguments}: {}", ran.err);
        assert_eq!(ran.out, "", "{arguments}");
    }
}
