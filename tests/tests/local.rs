//! Invariant `local`: bytes outside edited strings are untouched, and JSON stays JSON.

use serde_json::Value;
use weir_filter::dialect::Dialect;
use weir_filter::request::Verdict;
use weir_tests::cuts::{cuts, pieces};
use weir_tests::{pipeline, policies, recordings};

const SECRET: &str = "AKIAIOSFODNN7EXAMPL2";
const MASKED: &str = "AKIA[redacted:key]";

/// Pointers of all string values that a client wrote in its own words.
fn texts(value: &Value, pointer: String, out: &mut Vec<String>) {
    match value {
        Value::String(_) => out.push(pointer),
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                texts(item, format!("{pointer}/{i}"), out);
            }
        }
        Value::Object(members) => {
            for (name, item) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                texts(item, format!("{pointer}/{name}"), out);
            }
        }
        _ => {}
    }
}

/// The document with the secret, and what has to be escaped, behind the text at `pointer`.
fn with_secret(original: &Value, pointer: &str) -> Option<String> {
    let mut with = original.clone();
    let Some(Value::String(text)) = with.pointer_mut(pointer) else { return None };
    text.push_str(&format!(" \u{1f511} {SECRET} \"end\""));
    Some(serde_json::to_string_pretty(&with).unwrap())
}

/// Values that identify or type, and are not scanned: a secret there would be no text of anyone.
const STRUCTURAL: [&str; 14] = [
    "function_call",
    "role",
    "type",
    "model",
    "name",
    "signature",
    "data",
    "url",
    "file_id",
    "file_data",
    "media_type",
    "arguments",
    "tool_choice",
    "image_url",
];

#[test]
fn a_secret_in_any_text_of_a_request_is_masked_in_place() {
    let engine = policies::engine(policies::MASKS);
    let mut planted = 0;
    for recording in recordings::all() {
        let Ok(original) = serde_json::from_slice::<Value>(&recording.request) else { continue };
        let mut pointers = Vec::new();
        texts(&original, String::new(), &mut pointers);
        for pointer in pointers {
            if STRUCTURAL.contains(&pointer.rsplit('/').next().unwrap_or_default()) {
                continue;
            }
            let Some(body) = with_secret(&original, &pointer) else { continue };
            let got = pipeline::request(&engine, recording.dialect, &[body.as_bytes()]);
            if pointer.contains("thinking") {
                assert_eq!(got.verdict, Ok(Verdict::Refused), "signed text is never edited");
                continue;
            }
            assert_eq!(got.verdict, Ok(Verdict::Edited), "{} {pointer}", recording.id);
            assert_eq!(
                String::from_utf8_lossy(&got.body),
                body.replace(SECRET, MASKED),
                "{} {pointer}",
                recording.id
            );
            planted += 1;
        }
    }
    assert!(planted > 200, "only {planted} places were tried");
}

#[test]
fn keys_and_numbers_are_texts_too() {
    let engine = policies::engine(policies::MASKS);
    for (body, expected) in [
        (
            format!(r#"{{"metadata":{{"{SECRET}":1}}}}"#),
            format!(r#"{{"metadata":{{"{MASKED}":1}}}}"#),
        ),
        (
            r#"{"metadata":{"n":4111111111111111}}"#.to_owned(),
            r#"{"metadata":{"n":4111110}}"#.to_owned(),
        ),
    ] {
        for cut in cuts(body.len()) {
            let got =
                pipeline::request(&engine, Dialect::OpenAIChat, &pieces(body.as_bytes(), &cut));
            assert_eq!(got.verdict, Ok(Verdict::Edited));
            assert_eq!(String::from_utf8_lossy(&got.body), expected);
        }
    }
}

#[test]
fn arguments_are_escaped_twice() {
    let engine = policies::engine(policies::MASKS);
    let arguments = serde_json::json!({"note": format!("a \"quoted\" {SECRET}\nnext"), "card": 4111111111111111u64}).to_string();
    let body = serde_json::json!({"messages":[{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"send","arguments":arguments}}]}]}).to_string();
    let got = pipeline::request(&engine, Dialect::OpenAIChat, &[body.as_bytes()]);
    let edited: Value = serde_json::from_slice(&got.body).unwrap();
    let inner = edited["messages"][0]["tool_calls"][0]["function"]["arguments"].as_str().unwrap();
    let inner: Value = serde_json::from_str(inner).unwrap();
    assert_eq!(inner["note"], format!("a \"quoted\" {MASKED}\nnext"));
    assert_eq!(inner["card"], 4111110);
}

/// Values of answers that identify or type, or that the provider signs.
const ANSWER_STRUCTURAL: [&str; 11] = [
    "id",
    "object",
    "model",
    "role",
    "type",
    "finish_reason",
    "stop_reason",
    "signature",
    "data",
    "name",
    "arguments",
];

#[test]
fn a_secret_in_any_text_of_an_answer_is_masked_in_place() {
    let engine = policies::engine(policies::MASKS);
    let mut planted = 0;
    for recording in recordings::all().into_iter().filter(|r| !r.streamed) {
        let original: Value = serde_json::from_slice(&recording.answer).unwrap();
        let mut pointers = Vec::new();
        texts(&original, String::new(), &mut pointers);
        for pointer in pointers {
            let last = pointer.rsplit('/').next().unwrap_or_default();
            if ANSWER_STRUCTURAL.contains(&last) || pointer.contains("/logprobs/") {
                continue;
            }
            let Some(body) = with_secret(&original, &pointer) else { continue };
            let signed = pointer.contains("thinking");
            for cut in [Vec::new(), vec![body.len() / 3], (1..body.len()).collect()] {
                let pieces = pieces(body.as_bytes(), &cut);
                let got = pipeline::answer(&engine, recording.dialect, false, &pieces);
                let out = String::from_utf8_lossy(&got.out).into_owned();
                if signed {
                    assert!(
                        got.stop.is_some() && !out.contains(SECRET),
                        "{} {pointer}",
                        recording.id
                    );
                } else {
                    assert_eq!(out, body.replace(SECRET, MASKED), "{} {pointer}", recording.id);
                }
            }
            planted += 1;
        }
    }
    assert!(planted > 40, "only {planted} places were tried");
}

#[test]
fn copies_in_logprobs_go_with_the_text() {
    let engine = policies::engine(policies::MASKS);
    let tokens = ["so ", "AKIAIOSF", "ODNN7EXA", "MPL2", " ok"];
    let logprob = |t: &str| serde_json::json!({"token": t, "logprob": -0.1, "bytes": t.as_bytes(), "top_logprobs": []});
    let chunk = |t: &str| {
        let choice = serde_json::json!({"index": 0, "delta": {"content": t}, "logprobs": {"content": [logprob(t)]}, "finish_reason": null});
        format!("data: {}\n\n", serde_json::json!({"id": "c", "choices": [choice]}))
    };
    let mut stream: String = tokens.iter().map(|t| chunk(t)).collect();
    stream += "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let whole: Vec<Value> = tokens.iter().map(|t| logprob(t)).collect();
    let answer = serde_json::json!({"id": "c", "choices": [{"index": 0, "logprobs": {"content": whole},
        "message": {"role": "assistant", "content": tokens.concat()}, "finish_reason": "stop"}]});
    for (streamed, body) in [(true, stream), (false, answer.to_string())] {
        for cut in cuts(body.len()) {
            let got = pipeline::answer(
                &engine,
                Dialect::OpenAIChat,
                streamed,
                &pieces(body.as_bytes(), &cut),
            );
            let out = String::from_utf8(got.out).unwrap();
            assert_eq!(got.stop, None);
            for hidden in ["IOSF", "ODNN7EXA", "MPL2", "79,68,78,78"] {
                assert!(!out.contains(hidden), "{hidden} in {out}");
            }
            assert!(out.contains("[redacted:key]"), "{out}");
            let counted: u32 = got.tally.rows.iter().map(|r| r.count).sum();
            assert_eq!(counted, 1, "a copy is not counted again");
        }
    }
}
