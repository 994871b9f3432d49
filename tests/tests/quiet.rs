//! Invariant `quiet`: no matched text in logs, records or replies.

use weir_filter::dialect::Dialect;
use weir_filter::sim::{self, Pieces};
use weir_tests::texts::{self, PLANTED, Place};
use weir_tests::{exchange, policies};

#[test]
fn nothing_matched_is_ever_told() {
    let masks = policies::guard(policies::MASKS);
    let rejects = policies::guard(&policies::MASKS.replace("\"Mask\"", "\"Reject\""));
    for planted in &PLANTED {
        for engine in [&masks, &rejects] {
            let body = serde_json::json!({"model":"m","messages":[{"role":"user","content":planted.text}]});
            let request = exchange::request(Dialect::OpenAIChat, body.to_string().as_bytes());
            let plain = exchange::request(Dialect::OpenAIChat, br#"{"model":"m","messages":[]}"#);
            let stream = texts::chat_stream(planted.text, Place::Content, 4, false);
            let answer = exchange::answer(true, stream.as_bytes());
            for request in [&request, &plain] {
                let run =
                    sim::run(engine, request, &answer, (Pieces::Whole, Pieces::Every(9)), false);
                assert!(run.record.contains("\"rules\":[{"), "{}", run.record);
                let client = String::from_utf8_lossy(&run.client.body).into_owned();
                let headers = format!("{:?}", run.client.headers);
                let told = format!("{}{}{headers}{client}", run.record, run.logs.join("\n"));
                assert!(!told.contains(planted.hidden), "{:?}", planted.text);
            }
        }
    }
}
