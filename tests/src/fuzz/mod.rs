//! What the fuzz targets check. A target hands its input over; the corpus is replayed by the tests as well.

mod bytes;
mod exchange;
mod frames;
mod json;
mod policy;
mod streams;

pub use exchange::exchange;
pub use frames::frames;
pub use json::json;
pub use policy::policy;
pub use streams::{Case, streams};

/// A check of one input, which panics if an invariant is broken.
pub type Check = fn(&[u8]);

/// Every target by its name.
pub const TARGETS: [(&str, Check); 5] = [
    ("frames", frames),
    ("json", json),
    ("policy", policy),
    ("exchange", exchange),
    ("streams", streams),
];
