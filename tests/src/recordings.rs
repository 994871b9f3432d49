//! Recorded exchanges with real providers (see `recordings/manifest.jsonl` and NOTICE).

use std::path::PathBuf;

use weir_filter::dialect::Dialect;

/// One recorded exchange.
pub struct Recording {
    pub id: String,
    pub dialect: Dialect,
    pub streamed: bool,
    pub request: Vec<u8>,
    pub answer: Vec<u8>,
}

/// All recordings in the dialects that are understood.
pub fn all() -> Vec<Recording> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("recordings");
    let manifest = std::fs::read_to_string(folder.join("manifest.jsonl")).unwrap();
    manifest
        .lines()
        .map(|line| {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = |key: &str| row[key].as_str().unwrap().to_owned();
            let id = text("id");
            Recording {
                dialect: match text("dialect").as_str() {
                    "OpenAIChat" => Dialect::OpenAIChat,
                    _ => Dialect::AnthropicMessages,
                },
                streamed: text("format") == "sse",
                request: std::fs::read(folder.join(format!("{id}.req"))).unwrap(),
                answer: std::fs::read(folder.join(format!("{id}.resp"))).unwrap(),
                id,
            }
        })
        .collect()
}
