//! Every byte of a body on traffic that the policy names is counted: as read or as passed unread, and never as both.

use std::collections::BTreeMap;

use serde_json::Value;
use weir_filter::dialect::Dialect;
use weir_filter::sim::{self, Message, Pieces, Run};
use weir_tests::{exchange, policies};

/// Names a host, lets pass what has no shape, and what cannot be judged.
const SPEC: &str = r#"{"traffic":[{"hosts":["api.example.com"]}],"failureMode":"FailOpen",
"inspection":{"unknownShape":"Audit"},"limits":{"request":"4Ki","held":"1Ki"},
"rules":[{"id":"no","keywords":["forbidden"],"action":"Reject"}]}"#;

const HELLO: &[u8] = br#"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#;
const FINE: &[u8] = br#"{"choices":[{"index":0,"message":{"role":"assistant","content":"fine"}}]}"#;

fn header(message: &mut Message, name: &str, value: &str) {
    message.headers.retain(|(n, _)| n != name);
    message.headers.push((name.to_owned(), value.to_owned()));
}

/// A request whose head is changed.
fn request(body: &[u8], changes: &[(&str, &str)]) -> Message {
    let mut message = exchange::request(Dialect::OpenAIChat, body);
    changes.iter().for_each(|(name, value)| header(&mut message, name, value));
    message
}

/// An answer whose head is changed.
fn answer(body: &[u8], changes: &[(&str, &str)]) -> Message {
    let mut message = exchange::answer(false, body);
    changes.iter().for_each(|(name, value)| header(&mut message, name, value));
    message
}

/// Bytes that were read and that passed unread, by the counters.
fn counted(counters: &BTreeMap<String, u64>) -> (u64, u64) {
    let of = |word: &str| {
        let fits = |(name, _): &(&String, &u64)| {
            name.starts_with("weir_bytes") && name.contains(&format!("inspected={word}"))
        };
        counters.iter().filter(fits).map(|(_, count)| count).sum()
    };
    (of("yes"), of("no"))
}

/// Runs an exchange cut in several ways; each comes to the same count, and the record says it too.
fn count(spec: &str, request: &Message, answer: &Message) -> (u64, u64) {
    let guard = policies::guard(spec);
    let counts = [Pieces::Whole, Pieces::Every(7), Pieces::At(40)].map(|pieces| {
        let run: Run = sim::run(&guard, request, answer, (pieces, pieces), false);
        assert_eq!(run.upstream.1.as_ref(), Some(&request.body), "the request passes as it is");
        assert_eq!(run.client.body, answer.body, "the answer passes as it is");
        let record: Value = serde_json::from_str(&run.record).unwrap();
        let counted = counted(&run.counters);
        let bytes = &record["bytes"];
        let read = bytes["request"].as_u64().unwrap() + bytes["answer"].as_u64().unwrap();
        assert_eq!((read, bytes["unread"].as_u64().unwrap()), counted, "{pieces:?}: {record}");
        counted
    });
    assert_eq!(counts, [counts[0]; 3], "it depends on the cut");
    counts[0]
}

fn sizes(read: &[&[u8]], unread: &[&[u8]]) -> (u64, u64) {
    let sum = |bodies: &[&[u8]]| bodies.iter().map(|b| b.len() as u64).sum();
    (sum(read), sum(unread))
}

#[test]
fn what_is_read_is_counted_as_read() {
    let counts = count(SPEC, &request(HELLO, &[]), &answer(FINE, &[]));
    assert_eq!(counts, sizes(&[HELLO, FINE], &[]));
}

#[test]
fn a_body_of_unknown_shape_is_counted_as_unread() {
    let body = b"--b\r\ncontent-type: text/plain\r\n\r\nsome words of a form\r\n--b--\r\n";
    for kind in ["multipart/form-data; boundary=b", "text/plain"] {
        let counts = count(SPEC, &request(body, &[("content-type", kind)]), &answer(FINE, &[]));
        assert_eq!(counts, sizes(&[FINE], &[body]), "{kind}");
    }
}

#[test]
fn allowed_without_a_row_it_is_counted_all_the_same() {
    let spec = SPEC.replace("\"Audit\"", "\"Allow\"");
    let counts =
        count(&spec, &request(HELLO, &[("content-type", "text/plain")]), &answer(FINE, &[]));
    assert_eq!(counts, sizes(&[FINE], &[HELLO]));
}

#[test]
fn on_an_unknown_path_both_sides_are_unread() {
    let there = [(":path", "/v1/files")];
    assert_eq!(
        count(SPEC, &request(HELLO, &there), &answer(FINE, &[])),
        sizes(&[], &[HELLO, FINE])
    );
    let get = [(":path", "/v1/models"), (":method", "GET")];
    let file = answer(FINE, &[("content-type", "application/octet-stream")]);
    let bare = request(b"", &get);
    let guard = policies::guard(SPEC);
    let run = sim::run(&guard, &bare, &file, (Pieces::Whole, Pieces::Every(9)), false);
    assert_eq!(counted(&run.counters), sizes(&[], &[FINE]));
}

#[test]
fn a_shadowed_refusal_passes_unread() {
    let spec = r#"{"mode":"Shadow","traffic":[{"hosts":["api.example.com"]}],"rules":[]}"#;
    let counts = count(spec, &request(HELLO, &[(":path", "/v1/files")]), &answer(FINE, &[]));
    assert_eq!(counts, sizes(&[], &[HELLO, FINE]));
}

#[test]
fn an_upgrade_is_unread_both_ways() {
    let upgrade = request(HELLO, &[("upgrade", "websocket"), (":method", "GET")]);
    let switched = answer(FINE, &[(":status", "101")]);
    assert_eq!(count(SPEC, &upgrade, &switched), sizes(&[], &[HELLO, FINE]));
}

#[test]
fn a_body_that_cannot_be_judged_is_unread_to_its_end() {
    let broken = [b"{\"model\":\"m\",,}".as_slice(), &[b' '; 300]].concat();
    assert_eq!(count(SPEC, &request(&broken, &[]), &answer(FINE, &[])), sizes(&[FINE], &[&broken]));
    let large = [HELLO, &[b' '; 6000]].concat();
    assert_eq!(count(SPEC, &request(&large, &[]), &answer(FINE, &[])), sizes(&[FINE], &[&large]));
}

#[test]
fn an_answer_that_cannot_be_read_is_unread_whether_it_says_how_long_it_is_or_not() {
    let length = FINE.len().to_string();
    for declared in [vec![], vec![("content-length", length.as_str())]] {
        for change in [("content-encoding", "br"), ("content-type", "text/html")] {
            let changes = [declared.clone(), vec![change]].concat();
            let counts = count(SPEC, &request(HELLO, &[]), &answer(FINE, &changes));
            assert_eq!(counts, sizes(&[HELLO], &[FINE]), "{changes:?}");
        }
    }
}

#[test]
fn of_an_answer_that_breaks_off_the_rest_is_unread() {
    let good = b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"fine\"}}]}\n\n";
    let broken = b"data: {nonsense\n\n";
    let mut stream = exchange::answer(true, &[good.as_slice(), broken, good, good].concat());
    header(&mut stream, "content-type", "text/event-stream");
    let counts = count(SPEC, &request(HELLO, &[]), &stream);
    assert_eq!(counts, sizes(&[HELLO, good], &[broken, good, good]));
}
