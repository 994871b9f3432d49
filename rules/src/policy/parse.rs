//! JSON to policy, with the place of every error.

use serde::Deserialize;

use super::unenforced::REASON;
use super::{Policy, PolicyError, PolicyErrors, place, validate};

/// The most bytes of a policy document.
pub const MAX_DOCUMENT: usize = 4 << 20;

impl Policy {
    /// Parses and checks a policy document.
    ///
    /// # Errors
    /// The first place that is no policy, or every place that makes no sense.
    pub fn from_json(json: &[u8]) -> Result<Policy, PolicyErrors> {
        if json.iter().all(u8::is_ascii_whitespace) {
            return Err(PolicyErrors::one("", "the document is empty", "configure a policy"));
        }
        if json.len() > MAX_DOCUMENT {
            return Err(PolicyErrors::one("", "the document is over 4 MiB", "split the policy"));
        }
        let mut reader = serde_json::Deserializer::from_slice(json);
        let policy = Policy::deserialize(&mut reader).map_err(|error| {
            let message = error.to_string();
            let container = message.starts_with("missing field");
            let pointer = place::pointer(json, error.line(), error.column(), container);
            PolicyErrors(vec![explain(pointer, &message)])
        })?;
        reader.end().map_err(|_| {
            PolicyErrors::one("", "text follows the document", "send exactly one document")
        })?;
        let errors = validate::check(&policy);
        if errors.is_empty() { Ok(policy) } else { Err(PolicyErrors(errors)) }
    }
}

/// A parser's message as place, reason and cure.
fn explain(pointer: String, message: &str) -> PolicyError {
    // serde_json ends its messages with a position in the JSON text, which is nobody's file.
    let message = message.rfind(" at line ").and_then(|at| message.get(..at)).unwrap_or(message);
    PolicyError { pointer, reason: shorten(message), cure: cure(message) }
}

/// The first name between back quotes.
fn quoted(message: &str) -> Option<&str> {
    message.split('`').nth(1)
}

/// The message without the list of what is known.
fn shorten(message: &str) -> String {
    if message == "expected value" {
        return "this is no value of the field".to_owned();
    }
    let value = quoted(message).unwrap_or_default();
    if message.starts_with("unknown variant") {
        return match value {
            "Tokenize" | "Approve" | "Progressive" => format!("`{value}` {REASON}"),
            _ => format!("unknown value `{value}`"),
        };
    }
    message.split(", expected").next().unwrap_or(message).to_owned()
}

fn cure(message: &str) -> String {
    if message == "expected value" {
        return "write one of the field's words, quoted".to_owned();
    }
    let known = || message.split('`').skip(3).step_by(2);
    if message.starts_with("unknown field") || message.starts_with("unknown variant") {
        let wrong = quoted(message).unwrap_or_default();
        let near = known().min_by_key(|name| distance(wrong, name));
        return match near {
            Some(name) if distance(wrong, name) <= 2.max(wrong.len() / 3) => {
                format!("did you mean `{name}`?")
            }
            _ => format!("write one of {}", known().collect::<Vec<_>>().join(", ")),
        };
    }
    if message.starts_with("missing field") {
        return format!("add `{}`", quoted(message).unwrap_or_default());
    }
    if message.starts_with("duplicate field") {
        return "keep one".to_owned();
    }
    match message.split_once("expected ") {
        Some((wrong, "a string")) if !wrong.contains("map") && !wrong.contains("sequence") => {
            "quote it".to_owned()
        }
        Some((_, expected)) => format!("write {expected}"),
        None => "correct the JSON".to_owned(),
    }
}

/// Levenshtein distance, for names of a few letters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (j, y) in b.iter().enumerate() {
            let above = row.get(j + 1).copied().unwrap_or(usize::MAX - 1);
            let cost = usize::from(x != *y);
            let here = (diagonal + cost).min(above + 1).min(left + 1);
            diagonal = above;
            if let Some(slot) = row.get_mut(j) {
                *slot = left;
            }
            left = here;
        }
        if let Some(slot) = row.get_mut(b.len()) {
            *slot = left;
        }
    }
    row.last().copied().unwrap_or(0)
}
