//! A body as bytes and as the texts in it: a text that is streamed in pieces is looked for as one.

use std::collections::BTreeMap;

use serde_json::Value;

/// A body that parts are looked for in.
pub struct Body<'b> {
    bytes: &'b [u8],
    /// The texts of its JSON, each joined over all events of a stream.
    texts: Vec<String>,
}

impl<'b> Body<'b> {
    /// Reads JSON, or the JSON in the events of a stream. Other bodies are only bytes.
    pub fn read(bytes: &'b [u8]) -> Body<'b> {
        let mut texts = BTreeMap::new();
        match serde_json::from_slice::<Value>(bytes) {
            Ok(document) => collect(&document, String::new(), &mut texts),
            Err(_) => {
                for line in bytes.split(|b| *b == b'\n') {
                    let data = line.strip_prefix(b"data:").unwrap_or_default();
                    if let Ok(event) = serde_json::from_slice::<Value>(data) {
                        collect(&event, String::new(), &mut texts);
                    }
                }
            }
        }
        Body { bytes, texts: texts.into_values().collect() }
    }

    /// Whether the bytes or one of the texts contain `part`.
    pub fn has(&self, part: &str) -> bool {
        let bytes = part.as_bytes();
        self.bytes.windows(bytes.len().max(1)).any(|window| window == bytes)
            || self.texts.iter().any(|text| text.contains(part))
    }
}

/// Appends the texts of `value` to those of their paths. Where an object has an `index`, as choices, blocks and calls
/// of a stream do, it is a part of the path.
fn collect(value: &Value, path: String, texts: &mut BTreeMap<String, String>) {
    match value {
        Value::String(text) => texts.entry(path).or_default().push_str(text),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                let numbered = item.get("index").is_some();
                let inner = if numbered { format!("{path}/") } else { format!("{path}/{at}") };
                collect(item, inner, texts);
            }
        }
        Value::Object(members) => {
            let index = members.get("index").and_then(Value::as_u64);
            let path = index.map_or_else(|| path.clone(), |index| format!("{path}#{index}"));
            for (name, inner) in members {
                collect(inner, format!("{path}/{name}"), texts);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::Body;

    #[test]
    fn parts_are_found_in_bytes_and_across_events() {
        let chat = |choice: u8, text: &str| {
            format!(
                "data: {{\"choices\":[{{\"index\":{choice},\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n"
            )
        };
        let chats = [chat(0, "blue"), chat(1, "x"), chat(0, "bi\\u0072d"), chat(1, "y")].concat();
        let block = |index: u8, text: &str| {
            format!(
                "event: content_block_delta\ndata: {{\"index\":{index},\"delta\":{{\"text\":\"{text}\"}}}}\n\n"
            )
        };
        let blocks = [block(0, "a"), block(1, "b"), block(0, "c")].concat();
        for (body, part, expected) in [
            (chats.as_str(), "bluebird", true),
            (&chats, "xy", true),
            (&chats, "bluex", false),
            (&chats, "\"index\":1", true),
            (&blocks, "ac", true),
            (&blocks, "ab", false),
            ("{\"a\":[\"one\",\"two\"],\"b\":\"\\u00e9\"}", "é", true),
            ("{\"a\":[\"one\",\"two\"]}", "onetwo", false),
            ("no JSON at all", "JSON", true),
            ("", "x", false),
        ] {
            assert_eq!(Body::read(body.as_bytes()).has(part), expected, "{part} in {body}");
        }
    }
}
