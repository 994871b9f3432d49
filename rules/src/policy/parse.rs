//! JSON to policy, with the place of every error.

use std::cell::RefCell;

use serde::Deserialize;

use super::read::{At, Read};
use super::{Node, Policy, PolicyErrors, Rule, validate};

/// The most bytes of a policy document.
pub const MAX_DOCUMENT: usize = 4 << 20;

impl Policy {
    /// Parses and checks a policy document.
    ///
    /// # Errors
    /// Every place that is no policy, or else every place that makes no sense.
    pub fn from_json(json: &[u8]) -> Result<Policy, PolicyErrors> {
        Policy::from_node(&tree(json)?, "")
    }

    /// Reads and checks a policy that stands at `pointer` of a document.
    ///
    /// # Errors
    /// As [`from_json`](Policy::from_json).
    pub fn from_node(node: &Node, pointer: &str) -> Result<Policy, PolicyErrors> {
        let policy: Policy = section(node, pointer)?;
        let mut errors = validate::check(&policy);
        for error in &mut errors {
            error.pointer.insert_str(0, pointer);
        }
        if errors.is_empty() { Ok(policy) } else { Err(PolicyErrors(errors)) }
    }
}

/// Parses a document that must be JSON, and nothing but one document.
///
/// # Errors
/// Where the text stops to be JSON.
pub fn tree(json: &[u8]) -> Result<Node, PolicyErrors> {
    if json.iter().all(u8::is_ascii_whitespace) {
        return Err(PolicyErrors::one("", "the document is empty", "configure a policy"));
    }
    if json.len() > MAX_DOCUMENT {
        return Err(PolicyErrors::one("", "the document is over 4 MiB", "split the policy"));
    }
    let mut reader = serde_json::Deserializer::from_slice(json);
    let node = Node::deserialize(&mut reader)
        .map_err(|error| PolicyErrors::one("", error.to_string(), "correct the JSON"))?;
    reader.end().map_err(|_| {
        PolicyErrors::one("", "text follows the document", "send exactly one document")
    })?;
    Ok(node)
}

/// Reads a section that stands at `pointer` of its document.
///
/// # Errors
/// Every place that is not what the section has there.
pub(super) fn section<T: Read>(node: &Node, pointer: &str) -> Result<T, PolicyErrors> {
    let errors = RefCell::new(Vec::new());
    let read = T::read(&At::root(node, pointer, &errors));
    let errors = errors.into_inner();
    match read {
        Some(read) if errors.is_empty() => Ok(read),
        _ => Err(PolicyErrors(errors)),
    }
}

/// The rules of a table that the build made; nothing of what is none.
pub(crate) fn rules_of(table: &[u8]) -> Vec<Rule> {
    tree(table).and_then(|node| section(&node, "")).unwrap_or_default()
}
