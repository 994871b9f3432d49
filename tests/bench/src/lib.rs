//! What the benchmark's programs share: text that is never the same twice, a chat's events, HTTP/1.1 as they speak it.

pub mod events;
#[cfg(not(target_os = "wasi"))]
pub mod http;
pub mod micro;
pub mod text;

/// Microseconds of the machine's clock: the same for all processes.
pub fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_micros() as u64)
}
