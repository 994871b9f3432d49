//! The policy format `guard.weir.dev/v1alpha1`: types, parsing with place, reason and cure, checks.
//!
//! The format is designed once: a section that this version does not enforce is refused with that reason, never
//! ignored, and so is every unknown field.

mod bundle;
mod caller;
mod date;
mod error;
mod exception;
mod layered;
mod merge;
mod model;
mod node;
mod parse;
mod quantity;
pub(crate) mod read;
mod rule;
mod validate;

pub use bundle::*;
pub use caller::*;
pub use date::Date;
pub use error::{PolicyError, PolicyErrors};
pub use exception::*;
pub use layered::{Effective, Resolved, SHADOW_SINCE, is_bundle, literal, resolve};
pub use merge::Origin;
pub use model::*;
pub use node::Node;
pub(crate) use parse::rules_of;
pub use parse::tree;
pub use quantity::{Period, Quantity};
pub(crate) use read::words;
pub use rule::*;

/// The JSON Schema of a policy document, draft 2020-12, generated from the types that parse it.
#[cfg(feature = "schema")]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Policy).to_value()
}

/// The JSON Schema of a bundle.
#[cfg(feature = "schema")]
pub fn bundle_schema() -> serde_json::Value {
    schemars::schema_for!(Bundle).to_value()
}

#[cfg(test)]
mod tests;
