//! The policy format `guard.weir.dev/v1alpha1`: types, parsing with place, reason and cure, checks.
//!
//! The format is designed once: a section that this version does not enforce is refused with that reason, never
//! ignored, and so is every unknown field.

mod error;
mod model;
mod parse;
mod place;
mod quantity;
mod rule;
mod unenforced;
mod validate;

pub use error::{PolicyError, PolicyErrors};
pub use model::*;
pub use quantity::{Period, Quantity};
pub use rule::*;
pub use unenforced::Unenforced;

/// The JSON Schema of a policy document, draft 2020-12, generated from the types that parse it.
#[cfg(feature = "schema")]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Policy).to_value()
}

#[cfg(test)]
mod tests;
