//! Weir's pipeline: from HTTP callbacks to one decision. The module for the proxy and the library for tests and the
//! command line are the same code; only [`shim`] and [`hostcalls`] know the proxy.

pub mod answer;
pub mod audit;
pub mod caller;
pub mod config;
pub mod decode;
pub mod degraded;
pub mod dialect;
pub mod document;
pub mod ending;
pub mod engine;
pub mod frame;
pub mod guard;
pub mod head;
pub mod host;
#[cfg(target_os = "wasi")]
mod hostcalls;
pub mod json;
pub mod known;
pub mod memory;
pub mod message;
pub mod nested;
pub mod phase;
pub mod request;
pub mod route;
#[cfg(target_os = "wasi")]
mod shim;
pub mod sim;
pub mod splice;
pub mod tally;
pub mod warnings;

pub use engine::Engine;
pub use guard::Guard;
pub use phase::Exchange;
