//! Tests of Weir that belong to no single crate; they are in `tests/`. Here is what they share.

pub mod cuts;
pub mod examples;
pub mod exchange;
pub mod fuzz;
pub mod mutate;
pub mod oracle;
pub mod pipeline;
pub mod policies;
pub mod proxy;
pub mod recordings;
pub mod sink;
pub mod texts;
