//! Dialects: what the fields of a provider's wire format mean. Facts only; no scanning, no HTTP.

pub mod anthropic;
pub mod chat;
pub mod meaning;
pub mod path;
pub mod walk;
pub mod words;

pub use meaning::{Lane, Meaning, Node, Value};
pub use path::Seg;
pub use walk::{Fact, Facts, Spot, Walker};

/// The wire formats that Weir understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    OpenAIChat,
    AnthropicMessages,
}

/// Which way a body goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Request,
    Answer,
}

impl Dialect {
    /// The dialect's name in policies and records.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::OpenAIChat => "OpenAIChat",
            Dialect::AnthropicMessages => "AnthropicMessages",
        }
    }

    /// The dialect that a normalized path speaks, by the provider's documented endpoints.
    pub fn of_path(path: &str) -> Option<Dialect> {
        if path.ends_with("/chat/completions") {
            Some(Dialect::OpenAIChat)
        } else if path.ends_with("/v1/messages") {
            Some(Dialect::AnthropicMessages)
        } else {
            None
        }
    }

    /// The reason that an answer ends with instead of `finish`, once every tool call of it was taken out.
    pub fn finish_without_calls(self, finish: &str) -> Option<&'static str> {
        match (self, finish) {
            (Dialect::OpenAIChat, "tool_calls" | "function_call") => Some("stop"),
            (Dialect::AnthropicMessages, "tool_use") => Some("end_turn"),
            _ => None,
        }
    }

    pub(crate) fn meaning(self, direction: Direction, path: &[Seg]) -> Meaning {
        match (self, direction) {
            (Dialect::OpenAIChat, Direction::Request) => chat::request(path),
            (Dialect::OpenAIChat, Direction::Answer) => chat::answer(path),
            (Dialect::AnthropicMessages, Direction::Request) => anthropic::request(path),
            (Dialect::AnthropicMessages, Direction::Answer) => anthropic::answer(path),
        }
    }

    pub(crate) fn node(self, direction: Direction, path: &[Seg]) -> Option<Node> {
        match (self, direction) {
            (Dialect::OpenAIChat, Direction::Request) => chat::request_node(path),
            (Dialect::OpenAIChat, Direction::Answer) => chat::answer_node(path),
            (Dialect::AnthropicMessages, Direction::Request) => anthropic::request_node(path),
            (Dialect::AnthropicMessages, Direction::Answer) => anthropic::answer_node(path),
        }
    }
}
