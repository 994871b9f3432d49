//! What trains Weir's classifier.

pub mod cross;
pub mod fit;
pub mod grammar;
pub mod joined;
pub mod rows;
