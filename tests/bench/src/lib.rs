//! What the benchmark's programs share: text that is never the same twice, and HTTP/1.1 as they speak it.

pub mod http;
pub mod text;

/// Microseconds of the machine's clock: the same for all processes.
pub fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_micros() as u64)
}
