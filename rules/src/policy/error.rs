//! What is wrong with a policy: where, why, and what to do about it.

use std::fmt;

/// One place that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    /// JSON pointer (RFC 6901) of the place; empty for the document.
    pub pointer: String,
    pub reason: String,
    pub cure: String,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "/" } else { &self.pointer };
        write!(f, "{place}: {} ({})", self.reason, self.cure)
    }
}

/// Everything that is wrong with a policy, in the order of the document as far as it could be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyErrors(pub Vec<PolicyError>);

impl PolicyErrors {
    /// A single error.
    pub fn one(pointer: &str, reason: impl Into<String>, cure: impl Into<String>) -> PolicyErrors {
        PolicyErrors(vec![PolicyError {
            pointer: pointer.to_owned(),
            reason: reason.into(),
            cure: cure.into(),
        }])
    }
}

impl fmt::Display for PolicyErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, error) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for PolicyErrors {}
