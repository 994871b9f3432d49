//! Whole exchanges through the simulated host.

use weir_filter::dialect::Dialect;
use weir_filter::sim::{Headers, Message};

fn headers(pairs: &[(&str, &str)]) -> Headers {
    pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
}

/// A request to a dialect's endpoint.
pub fn request(dialect: Dialect, body: &[u8]) -> Message {
    let path = match dialect {
        Dialect::OpenAIChat => "/v1/chat/completions",
        Dialect::AnthropicMessages => "/v1/messages",
    };
    let length = body.len().to_string();
    Message {
        headers: headers(&[
            (":method", "POST"),
            (":path", path),
            (":authority", "api.example.com"),
            ("content-type", "application/json"),
            ("content-length", &length),
            ("x-weir-decision", "forged"),
        ]),
        body: body.to_vec(),
    }
}

/// An answer, streamed or whole.
pub fn answer(streamed: bool, body: &[u8]) -> Message {
    let kind = if streamed { "text/event-stream; charset=utf-8" } else { "application/json" };
    Message { headers: headers(&[(":status", "200"), ("content-type", kind)]), body: body.to_vec() }
}

/// A small deterministic generator (xorshift), so that a failure can be run again.
pub struct Random(pub u64);

impl Random {
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Below `end`, which must not be 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.number() % end as u64) as usize
    }
}
