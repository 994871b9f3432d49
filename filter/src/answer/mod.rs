//! Answers: whole JSON bodies and event streams, scanned while they flow.

pub mod arguments;
pub mod block;
pub mod calls;
pub mod deny;
pub mod json;
pub mod lane;
pub mod plan;
mod repeat;
pub mod stream;

pub use json::JsonAnswer;
pub use stream::StreamAnswer;

use crate::request::BodyFault;

/// The visible note in place of a tool call that policy took out.
pub const CALL_NOTE: &str = "[a tool call was removed by policy]";

/// Why an answer does not go on as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// A rule refuses it.
    Refused,
    /// It cannot be inspected.
    Fault(BodyFault),
}

impl From<BodyFault> for Stop {
    fn from(fault: BodyFault) -> Stop {
        Stop::Fault(fault)
    }
}
