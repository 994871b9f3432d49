//! Tests of Weir that belong to no single crate; they are in `tests/`.
