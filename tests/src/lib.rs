//! Tests of Weir that belong to no single crate; they are in `tests/`. Here is what they share.

pub mod cuts;
pub mod exchange;
pub mod mutate;
pub mod pipeline;
pub mod policies;
pub mod recordings;
pub mod sink;
pub mod texts;
