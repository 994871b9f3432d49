//! A whole exchange, as the command line runs one: how the bodies are cut and trailers are part of the input.

use std::cell::OnceCell;
use std::rc::Rc;

use serde_json::Value;
use weir_filter::Guard;
use weir_filter::dialect::Dialect;
use weir_filter::sim::{self, Around, Pieces, Run};
use weir_filter::tally::Decision;

use super::bytes::{Bytes, as_read};
use crate::{exchange as messages, policies};

/// Stands in an input for the planted secret.
const MARK: u8 = 1;
/// Ends the request in an input.
const BREAK: u8 = 2;
const SECRET: &[u8] = b" AKIAIOSFODNN7EXAMPL2 ";
/// What no mask shows.
const HIDDEN: &[u8] = b"IOSFODNN7EXAMPL2";

const LIMITS: &str = r#""limits":{"request":"16Ki","paused":"2Ki","event":"2Ki","held":"4Ki","toolCall":"2Ki","depth":16}"#;

thread_local! {
    static GUARDS: OnceCell<Vec<Rc<Guard>>> = const { OnceCell::new() };
}

/// The policies by number; the first two let nothing pass that cannot be read.
fn guards() -> Vec<Rc<Guard>> {
    let closed = policies::MASKS.replace("\"Allow\"", "\"Reject\"");
    let own = |spec: &str, more: &str| {
        policies::guard(&spec.replace("\"inspection\"", &format!("{more},{LIMITS},\"inspection\"")))
    };
    vec![
        own(&closed, r#""failureMode":"FailClosed""#),
        own(&closed, r#""tools":{"rules":[{"id":"t","tools":["g*"],"action":"Deny"}]}"#),
        own(policies::MASKS, r#""failureMode":"FailOpen""#),
        policies::guard(&format!(
            r#"{{"requestMode":"Progressive","packs":[{{"name":"injection","action":"Audit"}}],{LIMITS}}}"#
        )),
        policies::guard(&format!(
            r#"{{"rules":[{{"id":"w","keywords":["the"],"action":"Reject","channels":["*"]}}],{LIMITS}}}"#
        )),
    ]
}

fn planted(bytes: &[u8]) -> Vec<u8> {
    let parts: Vec<&[u8]> = bytes.split(|byte| *byte == MARK).collect();
    parts.join(SECRET)
}

fn contains(bytes: &[u8]) -> bool {
    bytes.windows(HIDDEN.len()).any(|window| window == HIDDEN)
}

fn value_shows(value: &Value) -> bool {
    match value {
        Value::String(text) => contains(text.as_bytes()),
        Value::Array(items) => items.iter().any(value_shows),
        Value::Object(fields) => {
            fields.iter().any(|(name, value)| contains(name.as_bytes()) || value_shows(value))
        }
        _ => false,
    }
}

/// Whether a reader of a document or of events sees the secret.
fn shows(bytes: &[u8]) -> bool {
    let text = |bytes: &[u8]| match serde_json::from_slice(bytes) {
        Ok(value) => value_shows(&value),
        Err(_) => contains(bytes),
    };
    if serde_json::from_slice::<Value>(bytes).is_ok() {
        return text(bytes);
    }
    let lines = bytes.split(|byte| matches!(byte, b'\n' | b'\r'));
    lines.map(|line| line.strip_prefix(b"data:").unwrap_or(line)).any(text)
}

fn records(run: &Run) -> usize {
    run.logs.iter().filter(|line| line.starts_with("weir_audit ")).count()
}

fn cut(bytes: &mut Bytes<'_>) -> Pieces {
    match (bytes.byte(), bytes.byte()) {
        (high, low) if high & 0x80 == 0 => Pieces::At(usize::from(high) << 8 | usize::from(low)),
        (_, low) => Pieces::Every(1 + usize::from(low)),
    }
}

/// Checks one exchange.
pub fn exchange(input: &[u8]) {
    let mut bytes = Bytes(input);
    let (form, which) = (bytes.byte(), usize::from(bytes.byte()));
    let pieces = (cut(&mut bytes), cut(&mut bytes));
    let mut parts = bytes.0.splitn(2, |byte| *byte == BREAK);
    let (request, answer) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if contains(bytes.0) {
        return;
    }
    let dialect = if form & 1 == 0 { Dialect::OpenAIChat } else { Dialect::AnthropicMessages };
    let (streamed, trailers) = (form & 2 == 0, form & 4 != 0);
    let request = messages::request(dialect, &planted(request));
    let answer = messages::answer(streamed, &planted(answer));
    let guard = GUARDS.with(|cell| {
        let guards = cell.get_or_init(guards);
        guards[which % guards.len()].clone()
    });
    let closed = which % 5 < 2;
    let run = |pieces| {
        let around = Around { trailers, ..Around::default() };
        let run = sim::run_as(&guard, &request, &answer, pieces, &around);
        assert_eq!(records(&run), 1, "one record: {}", run.record);
        let record: Value = serde_json::from_str(&run.record).unwrap();
        assert_eq!(record["decision"], run.tally.decision.word());
        if run.upstream.1.is_none() {
            assert!(run.tally.decision >= Decision::Reject, "refused: {}", run.record);
        }
        if closed {
            assert!(run.sent.is_empty(), "a refused body went up");
            assert!(!shows(run.upstream.1.as_deref().unwrap_or_default()), "the upstream sees it");
            assert!(!shows(&run.client.body), "the client sees it");
            assert!(!run.logs.iter().any(|line| contains(line.as_bytes())), "the log shows it");
        }
        run
    };
    let whole = run((Pieces::Whole, Pieces::Whole));
    let other = run(pieces);
    let client = |run: &Run| match streamed {
        true => as_read(&run.client.body),
        false => String::from_utf8_lossy(&run.client.body).into_owned(),
    };
    let (one, two) = (client(&whole), client(&other));
    assert_eq!(whole.tally.decision, other.tally.decision, "\n{}\n{}", whole.record, other.record);
    assert!(whole.upstream.1 == other.upstream.1, "upstream bytes");
    // A document that flows is sent as far as it was read when it turns out to be none.
    let broken = whole.tally.decision == Decision::Fail && !streamed;
    let prefix = broken && (one.starts_with(&two) || two.starts_with(&one));
    assert!(one == two || prefix, "client bytes\n{one}\n---\n{two}");
}
