//! What trains Weir's classifier.

pub mod grammar;
