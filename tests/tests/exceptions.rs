//! Exceptions: narrowed by rule, channel, caller and fingerprint, ended by their date, told in records.

use std::rc::Rc;

use weir_filter::Guard;
use weir_filter::dialect::Dialect;
use weir_filter::sim::{self, Around, Pieces, Run};
use weir_filter::tally::Decision;
use weir_tests::exchange;
use weir_tests::policies;

const BODY: &[u8] =
    br#"{"model":"m","messages":[{"role":"user","content":"the code is blue-7 and blue-8"}]}"#;

fn guard(exception: &str) -> Rc<Guard> {
    policies::guard(&format!(
        r#"{{"keys":[{{"name":"k1","use":"Fingerprint","env":"K"}}],
"rules":[{{"id":"code","keywords":["blue-"],"regex":"blue-\\d","maxLength":8,"channels":["request.user"],"action":"Reject"}}],
"exceptions":[{{"id":"E-1","rules":["code"],"reason":"r","owner":"o"{exception}}}]}}"#
    ))
}

fn run(guard: &Rc<Guard>, caller: Option<&str>) -> Run {
    let around = Around { caller: caller.map(str::to_owned), ..Around::default() };
    let request = exchange::request(Dialect::OpenAIChat, BODY);
    let pieces = (Pieces::Every(7), Pieces::Whole);
    sim::run_as(guard, &request, &exchange::answer(false, b"{}"), pieces, &around)
}

/// The fingerprint of a finding, as records tell it.
fn print(of: usize) -> String {
    let record = run(&guard(r#","expires":"2000-01-01""#), None).record;
    let list = record.split_once("\"fingerprints\":[").unwrap().1.split_once(']').unwrap().0;
    list.split(',').nth(of).unwrap().trim_matches('"').to_owned()
}

#[test]
fn an_exception_covers_what_it_names_and_nothing_else() {
    let (one, other) = (print(0), print(1));
    assert_ne!(one, other);
    for (exception, caller, decision) in [
        (r#","expires":"2999-12-31""#.to_owned(), None, Decision::Audit),
        (r#","expires":"2999-12-31","action":"Mask""#.into(), None, Decision::Mask),
        (
            r#","expires":"2999-12-31","match":{"channels":["request.user"]}"#.into(),
            None,
            Decision::Audit,
        ),
        (
            r#","expires":"2999-12-31","match":{"channels":["request.system"]}"#.into(),
            None,
            Decision::Reject,
        ),
        (
            r#","expires":"2999-12-31","match":{"callers":["spiffe://t/*"]}"#.into(),
            Some("spiffe://t/a"),
            Decision::Audit,
        ),
        (
            r#","expires":"2999-12-31","match":{"callers":["spiffe://t/*"]}"#.into(),
            Some("spiffe://u/a"),
            Decision::Reject,
        ),
        (r#","expires":"2999-12-31","match":{"callers":["*"]}"#.into(), None, Decision::Reject),
        (
            format!(r#","expires":"2999-12-31","match":{{"fingerprints":["{one}"]}}"#),
            None,
            Decision::Reject,
        ),
        (
            format!(r#","expires":"2999-12-31","match":{{"fingerprints":["{one}","{other}"]}}"#),
            None,
            Decision::Audit,
        ),
        (r#","expires":"2023-11-14T22:13:19Z""#.into(), None, Decision::Reject),
        (r#","expires":"2023-11-14T22:13:21Z""#.into(), None, Decision::Audit),
    ] {
        let run = run(&guard(&exception), caller);
        assert_eq!(run.tally.decision, decision, "{exception} {caller:?}\n{}", run.record);
        let told = run.record.contains(r#""exception":"E-1""#);
        assert_eq!(
            told,
            decision != Decision::Reject || exception.contains(&one),
            "{}",
            run.record
        );
    }
}

#[test]
fn an_expired_exception_is_counted() {
    let run = run(&guard(r#","expires":"2020-12-31""#), None);
    assert!(run.record.contains(r#""exceptionsExpired":2"#), "{}", run.record);
    assert_eq!(run.counters.get("weir_exceptions_lapsed{}"), Some(&2));
}

#[test]
fn an_exception_must_name_a_rule_that_is_there() {
    let spec = r#"{"exceptions":[{"id":"E","rules":["nope-*"],"reason":"r","owner":"o","expires":"2999-12-31"}]}"#;
    let document = format!(
        r#"{{"apiVersion":"guard.weir.dev/v1alpha1","kind":"Policy","metadata":{{"name":"t"}},"spec":{spec}}}"#
    );
    let errors = policies::try_document(&document).err().unwrap().0;
    assert_eq!(errors[0].pointer, "/spec/exceptions/0/rules/0");
}
