//! Weir's rules: policy, views, patterns, findings. Knows text, calls and callers; not HTTP, not JSON framing.

pub mod action;
mod attempt;
pub mod automaton;
pub mod channel;
mod compile;
pub mod decode;
pub mod finding;
pub mod fold;
mod granted;
pub mod keys;
mod mask;
mod merge;
mod openings;
pub mod packs;
pub mod pattern;
pub mod policy;
mod run;
pub mod scan;
pub mod score;
mod sieve;
mod skip;
mod stand;
mod swallow;
mod tools;
pub mod validate;
mod walk;

pub use action::Action;
pub use channel::{Channel, ChannelSet};
pub use compile::Ruleset;
pub use finding::{Finding, Found, ScanError};
pub use granted::{Decided, Granted};
pub use keys::Keys;
pub use mask::NOTE;
pub use merge::{Edit, Label, Merger, edits};
pub use scan::{Scanner, closed, scan_whole};
pub use tools::{ToolRules, ToolVerdict, glob};
