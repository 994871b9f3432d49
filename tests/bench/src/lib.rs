//! What the benchmark's programs share: text that is never the same twice, a chat's events, HTTP/1.1 as they speak it.

pub mod events;
#[cfg(not(target_os = "wasi"))]
pub mod http;
pub mod micro;
pub mod text;

/// The beginning of 2025, in seconds since the Unix epoch.
const START: u64 = 1_735_689_600;

/// Microseconds of the machine's clock since 2025, the same for all processes: 14 digits, since a filter may take sixteen for
/// a card's.
pub fn now() -> u64 {
    let start = std::time::UNIX_EPOCH + std::time::Duration::from_secs(START);
    let since = std::time::SystemTime::now().duration_since(start);
    since.map_or(0, |since| since.as_micros() as u64)
}
