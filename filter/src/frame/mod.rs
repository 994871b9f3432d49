//! Framing of answers.

mod sse;

pub use sse::{Frame, Sse, SseFault};
