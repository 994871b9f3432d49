//! What a rule does with what it finds.

use serde::Deserialize;

/// Actions on text, weakest first: where findings overlap, the greatest wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Action {
    /// Count it, change nothing.
    Audit,
    /// Replace it by a fixed note (requests only).
    Neutralize,
    /// Replace it by a label.
    Mask,
    /// Refuse the request, or the rest of the answer.
    Reject,
}
