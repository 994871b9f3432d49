//! Answers of chat completions as a provider writes them: the events of a stream, and whole ones.

use std::io::Write;

use crate::text::{Pool, Random};

/// Appends one event; `made` is when, in microseconds, where providers say the second. `delta` and `reason` are JSON.
pub fn event(out: &mut Vec<u8>, id: u64, made: u64, delta: &str, reason: &str) {
    // Writing to a vector cannot fail.
    let _ = write!(
        out,
        "data: {{\"id\":\"chatcmpl-{id:016x}\",\"object\":\"chat.completion.chunk\",\"created\":{made},\"model\":\"gpt-4o-mini\",\"system_fingerprint\":\"fp_44709d6fcb\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"logprobs\":null,\"finish_reason\":{reason}}}]}}\n\n"
    );
}

/// The delta of one token.
pub fn delta(token: &str) -> String {
    format!(r#"{{"content":{}}}"#, serde_json::Value::from(token))
}

/// What ends every stream.
pub const DONE: &[u8] = b"data: [DONE]\n\n";

/// A whole stream of so many events of one token.
pub fn stream(pool: &Pool, random: &mut Random, events: usize) -> Vec<u8> {
    let (id, mut out, mut sent) = (random.next(), Vec::new(), 0);
    while sent < events {
        for token in pool.tokens(random).iter().take(events - sent) {
            event(&mut out, id, crate::now(), &delta(token), "null");
            sent += 1;
        }
    }
    event(&mut out, id, crate::now(), "{}", r#""stop""#);
    out.extend_from_slice(DONE);
    out
}

/// The body of a whole answer; `text` is a JSON string.
pub fn answer(id: u64, text: &str) -> String {
    format!(
        r#"{{"id":"chatcmpl-{id:016x}","object":"chat.completion","created":1763942400,"model":"gpt-4o-mini","choices":[{{"index":0,"message":{{"role":"assistant","content":{text},"refusal":null}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29}}}}"#
    )
}
