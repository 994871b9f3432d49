//! Refusals in the caller's own dialect, before and in the middle of an answer. Shapes: OpenAI's error object and
//! `content_filter` finish, Anthropic's error object and `refusal` stop reason.

use crate::answer::stream::Seen;
use crate::dialect::Dialect;

/// A JSON string literal of `text`.
fn quoted(text: &str) -> String {
    let mut out = vec![b'"'];
    crate::json::escape_into(text, crate::json::Layers::Plain, &mut out);
    out.push(b'"');
    String::from_utf8(out).unwrap_or_else(|_| "\"\"".to_owned())
}

/// Body of an error reply.
pub fn error(dialect: Dialect, status: u16, message: &str, id: &str) -> String {
    let message = quoted(message);
    let id = quoted(id);
    match dialect {
        Dialect::OpenAIChat => format!(
            "{{\"error\":{{\"message\":{message},\"type\":\"invalid_request_error\",\"param\":null,\"code\":\"content_filter\"}}}}"
        ),
        Dialect::AnthropicMessages => {
            let kind = match status {
                400 => "invalid_request_error",
                413 => "request_too_large",
                500.. => "api_error",
                _ => "permission_error",
            };
            format!(
                "{{\"type\":\"error\",\"error\":{{\"type\":\"{kind}\",\"message\":{message}}},\"request_id\":{id}}}"
            )
        }
    }
}

/// What a refused answer is told about.
pub struct About<'a> {
    pub id: &'a str,
    pub model: &'a str,
    /// A visible text, for `as: Completion`.
    pub message: Option<&'a str>,
    /// Seconds since the Unix epoch.
    pub created: u64,
}

/// A whole refused answer.
pub fn completion(dialect: Dialect, about: &About<'_>) -> String {
    let (id, model) = (about.id, quoted(about.model));
    match dialect {
        Dialect::OpenAIChat => {
            let content = about.message.map_or_else(|| "null".to_owned(), quoted);
            let created = about.created;
            format!(
                "{{\"id\":\"chatcmpl-weir-{id}\",\"object\":\"chat.completion\",\"created\":{created},\"model\":{model},\
\"choices\":[{{\"index\":0,\"message\":{{\"role\":\"assistant\",\"content\":{content},\"refusal\":null}},\"logprobs\":null,\
\"finish_reason\":\"content_filter\"}}],\"usage\":{{\"prompt_tokens\":0,\"completion_tokens\":0,\"total_tokens\":0}}}}"
            )
        }
        Dialect::AnthropicMessages => {
            let content = about.message.map_or_else(String::new, |m| {
                format!("{{\"type\":\"text\",\"text\":{}}}", quoted(m))
            });
            format!(
                "{{\"id\":\"msg_weir_{id}\",\"type\":\"message\",\"role\":\"assistant\",\"model\":{model},\"content\":[{content}],\
\"stop_reason\":\"refusal\",\"stop_sequence\":null,\"usage\":{{\"input_tokens\":0,\"output_tokens\":0}}}}"
            )
        }
    }
}

/// A refused answer as a whole event stream.
pub fn completion_stream(dialect: Dialect, about: &About<'_>) -> String {
    match dialect {
        Dialect::OpenAIChat => {
            let role = chat_chunk(about, 0, "{\"role\":\"assistant\",\"content\":\"\"}", "null");
            let seen = Seen { open_choices: vec![0], ..Seen::default() };
            role + &stream(dialect, &seen, about)
        }
        Dialect::AnthropicMessages => {
            let id = about.id;
            let model = quoted(about.model);
            let start = format!(
                "event: message_start\ndata: {{\"type\":\"message_start\",\"message\":{{\"id\":\"msg_weir_{id}\",\"type\":\"message\",\
\"role\":\"assistant\",\"model\":{model},\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\
\"usage\":{{\"input_tokens\":0,\"output_tokens\":0}}}}}}\n\n"
            );
            let seen = Seen { started: true, ..Seen::default() };
            start + &stream(dialect, &seen, about)
        }
    }
}

fn chat_chunk(about: &About<'_>, index: u32, delta: &str, finish: &str) -> String {
    let (id, created, model) = (about.id, about.created, quoted(about.model));
    format!(
        "data: {{\"id\":\"{id}\",\"object\":\"chat.completion.chunk\",\"created\":{created},\"model\":{model},\
\"choices\":[{{\"index\":{index},\"delta\":{delta},\"logprobs\":null,\"finish_reason\":{finish}}}]}}\n\n"
    )
}

/// Ends a stream of which the client has seen `seen`: every open choice or block is closed, nothing is left hanging.
pub fn stream(dialect: Dialect, seen: &Seen, about: &About<'_>) -> String {
    if seen.done {
        return String::new();
    }
    match dialect {
        Dialect::OpenAIChat => {
            let about = About {
                id: if seen.id.is_empty() { about.id } else { &seen.id },
                model: if seen.model.is_empty() { about.model } else { &seen.model },
                ..*about
            };
            let mut open = seen.open_choices.clone();
            if open.is_empty() {
                open.push(0);
            }
            let mut out = String::new();
            for index in open {
                if let Some(message) = about.message {
                    let delta = format!("{{\"content\":{}}}", quoted(message));
                    out.push_str(&chat_chunk(&about, index, &delta, "null"));
                }
                out.push_str(&chat_chunk(&about, index, "{}", "\"content_filter\""));
            }
            out.push_str("data: [DONE]\n\n");
            out
        }
        Dialect::AnthropicMessages => anthropic(seen, about),
    }
}

fn anthropic(seen: &Seen, about: &About<'_>) -> String {
    if !seen.started {
        return completion_stream(Dialect::AnthropicMessages, about);
    }
    let mut out = String::new();
    let mut event = |name: &str, fields: &str| {
        out.push_str(&format!("event: {name}\ndata: {{\"type\":\"{name}\"{fields}}}\n\n"));
    };
    let mut next = 0;
    if let Some(index) = seen.open_block {
        event("content_block_stop", &format!(",\"index\":{index}"));
        next = index + 1;
    }
    if let Some(message) = about.message {
        let text = quoted(message);
        event(
            "content_block_start",
            &format!(",\"index\":{next},\"content_block\":{{\"type\":\"text\",\"text\":\"\"}}"),
        );
        event(
            "content_block_delta",
            &format!(",\"index\":{next},\"delta\":{{\"type\":\"text_delta\",\"text\":{text}}}"),
        );
        event("content_block_stop", &format!(",\"index\":{next}"));
    }
    event(
        "message_delta",
        ",\"delta\":{\"stop_reason\":\"refusal\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":0}",
    );
    event("message_stop", "");
    out
}
