//! Answers made around planted texts.

use serde_json::{Value, json};

/// What is planted, what of it may be seen (its exposure), and what must not.
pub struct Planted {
    pub text: &'static str,
    pub hidden: &'static str,
}

/// Findings of the policy `MASKS`.
pub const PLANTED: [Planted; 5] = [
    Planted { text: "AKIAIOSFODNN7EXAMPL2", hidden: "IOSFODNN7EXAMPL2" },
    Planted { text: "jane.doe@example.com", hidden: "jane.doe@example.com" },
    Planted { text: "4539148803436467", hidden: "8803436467" },
    Planted {
        text: "-----BEGIN RSA PRIVATE KEY-----\nMIIEow+IBAAKC/AQEA\nabc=\n-----END RSA PRIVATE KEY-----",
        hidden: "MIIEow+IBAAKC/AQEA",
    },
    Planted { text: "tok_abcdefgh0123456789abcdefghij0123456789zz", hidden: "abcdefgh0123456789" },
];

/// `text` in pieces of `size` characters.
pub fn tokens(text: &str, size: usize) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(size.max(1)).map(|c| c.iter().collect()).collect()
}

/// Where in an answer a text is planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Content,
    Reasoning,
    Refusal,
    SecondChoice,
    Arguments,
}

pub const PLACES: [Place; 5] =
    [Place::Content, Place::Reasoning, Place::Refusal, Place::SecondChoice, Place::Arguments];

fn chat_chunk(index: u32, delta: Value, finish: Value) -> String {
    let chunk = json!({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m",
        "choices":[{"index":index,"delta":delta,"finish_reason":finish}]});
    format!("data: {chunk}\n\n")
}

/// An OpenAI stream that says `text` in `place`, in pieces of `size` characters; `escaped` writes it in \u escapes.
pub fn chat_stream(text: &str, place: Place, size: usize, escaped: bool) -> String {
    let mut out = String::new();
    for index in 0..2 {
        out += &chat_chunk(index, json!({"role":"assistant","content":""}), Value::Null);
    }
    let (group, said) = match place {
        Place::Arguments => {
            out += &chat_chunk(
                0,
                json!({"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"send","arguments":""}}]}),
                Value::Null,
            );
            (0, json!({"to": text, "n": 7}).to_string())
        }
        Place::SecondChoice => (1, format!("so {text} it is")),
        _ => (0, format!("so {text} it is")),
    };
    for (at, token) in tokens(&said, size).into_iter().enumerate() {
        let delta = match place {
            Place::Content | Place::SecondChoice => json!({"content": token}),
            Place::Reasoning => json!({"reasoning_content": token}),
            Place::Refusal => json!({"refusal": token}),
            Place::Arguments => json!({"tool_calls":[{"index":0,"function":{"arguments": token}}]}),
        };
        out += &chat_chunk(group, delta, Value::Null);
        if at % 3 == 0 {
            out += &chat_chunk(1 - group, json!({"content": "and "}), Value::Null);
        }
    }
    for index in 0..2 {
        out += &chat_chunk(index, json!({}), json!("stop"));
    }
    out += "data: {\"id\":\"chatcmpl-1\",\"choices\":[],\"usage\":{\"total_tokens\":7}}\n\ndata: [DONE]\n\n";
    if escaped { escape(&out) } else { out }
}

/// An Anthropic stream likewise.
pub fn anthropic_stream(text: &str, place: Place, size: usize, escaped: bool) -> String {
    let event = |value: Value| {
        format!("event: {}\ndata: {value}\n\n", value["type"].as_str().unwrap_or_default())
    };
    let mut out = event(
        json!({"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"usage":{"input_tokens":1,"output_tokens":1}}}),
    );
    let (block, said) = match place {
        Place::Arguments => {
            let start = json!({"type":"tool_use","id":"toolu_1","name":"send","input":{}});
            (start, json!({"to": text, "n": 7}).to_string())
        }
        _ => (json!({"type":"text","text":""}), format!("so {text} it is")),
    };
    out += &event(json!({"type":"content_block_start","index":0,"content_block":block}));
    out += &event(json!({"type":"ping"}));
    for token in tokens(&said, size) {
        let delta = match place {
            Place::Arguments => json!({"type":"input_json_delta","partial_json":token}),
            _ => json!({"type":"text_delta","text":token}),
        };
        out += &event(json!({"type":"content_block_delta","index":0,"delta":delta}));
    }
    out += &event(json!({"type":"content_block_stop","index":0}));
    out += &event(
        json!({"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":9}}),
    );
    out += &event(json!({"type":"message_stop"}));
    if escaped { escape(&out) } else { out }
}

/// Writes every letter and digit inside the texts of a stream as a \u escape.
fn escape(stream: &str) -> String {
    let mut out = String::new();
    for line in stream.split_inclusive('\n') {
        let Some(value) = line.strip_prefix("data: ").and_then(|l| serde_json::from_str(l).ok())
        else {
            out += line;
            continue;
        };
        let value: Value = value;
        let text = value.to_string();
        let mut escaped = String::new();
        for (key, part) in [
            "\"content\":\"",
            "\"text\":\"",
            "\"arguments\":\"",
            "\"partial_json\":\"",
            "\"reasoning_content\":\"",
            "\"refusal\":\"",
        ]
        .iter()
        .filter_map(|key| text.split_once(key).map(|p| (key, p)))
        .take(1)
        {
            escaped += part.0;
            escaped += key;
            let mut rest = part.1.chars().peekable();
            while let Some(c) = rest.next() {
                match c {
                    '"' => {
                        escaped.push('"');
                        break;
                    }
                    '\\' => {
                        escaped.push(c);
                        escaped.extend(rest.next());
                    }
                    c if c.is_ascii_alphanumeric() => escaped += &format!("\\u{:04x}", c as u32),
                    c => escaped.push(c),
                }
            }
            escaped.extend(rest);
        }
        out += "data: ";
        out += if escaped.is_empty() { &text } else { &escaped };
        out.push('\n');
    }
    out
}

/// What a client makes of an OpenAI stream: content, reasoning, refusal and arguments by choice, joined.
pub fn chat_client(out: &[u8]) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    let text = std::str::from_utf8(out).unwrap();
    for line in text.lines().filter_map(|l| l.strip_prefix("data: ")) {
        if line == "[DONE]" || line.is_empty() {
            continue;
        }
        let chunk: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        for choice in chunk["choices"].as_array().into_iter().flatten() {
            let index = choice["index"].as_u64().unwrap_or(0) as usize;
            let delta = &choice["delta"];
            let pieces = [
                &delta["content"],
                &delta["reasoning_content"],
                &delta["refusal"],
                &delta["tool_calls"][0]["function"]["arguments"],
            ];
            for (kind, piece) in pieces.iter().enumerate() {
                let slot = index * 4 + kind;
                if said.len() <= slot {
                    said.resize(slot + 1, String::new());
                }
                said[slot] += piece.as_str().unwrap_or_default();
            }
        }
    }
    said
}

/// What a client makes of an Anthropic stream: text and arguments by block, joined.
pub fn anthropic_client(out: &[u8]) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    let text = std::str::from_utf8(out).unwrap();
    for line in text.lines().filter_map(|l| l.strip_prefix("data: ")) {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        let slot = event["index"].as_u64().unwrap_or(0) as usize;
        if said.len() <= slot {
            said.resize(slot + 1, String::new());
        }
        for key in ["text", "partial_json", "thinking"] {
            said[slot] += event["delta"][key].as_str().unwrap_or_default();
        }
    }
    said
}

/// A stream's events, one a piece.
pub fn events(stream: &str) -> Vec<&[u8]> {
    stream.split_inclusive("\n\n").map(str::as_bytes).collect()
}
