//! The micro-benches: one path of the engine at a time, natively and as Wasm, beside what else reads text.

pub mod exchange;
pub mod patterns;
pub mod prepared;
pub mod regexes;
pub mod scan;
pub mod texts;

use std::time::{Duration, Instant};

/// Why a job could not be done.
pub type Error = Box<dyn std::error::Error>;

/// How long a job is repeated.
const LONG: Duration = Duration::from_millis(60);

/// What a job came to.
#[derive(Default)]
pub struct Seen {
    pub seconds: f64,
    pub bytes: usize,
    /// Findings in one pass.
    pub found: usize,
}

/// Repeats `pass`, which reads `bytes` bytes and says what it found, for a while; the first one is not counted.
///
/// # Errors
/// Those of a pass.
pub fn repeat(bytes: usize, mut pass: impl FnMut() -> Result<usize, Error>) -> Result<Seen, Error> {
    let found = pass()?;
    let began = Instant::now();
    let mut seen = Seen { found, ..Seen::default() };
    while began.elapsed() < LONG {
        pass()?;
        seen.bytes += bytes;
    }
    seen.seconds = began.elapsed().as_secs_f64();
    Ok(seen)
}

/// Pieces of at most `size` bytes, but for characters that are longer.
pub fn pieces(text: &str, size: usize) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut cut = size.clamp(1, rest.len().max(1)).min(rest.len());
        while !rest.is_char_boundary(cut) {
            cut += 1;
        }
        let piece = rest.get(..cut).filter(|piece| !piece.is_empty())?;
        rest = rest.get(cut..)?;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::pieces;

    #[test]
    fn pieces_are_the_text() {
        let text = "a\u{e9}\u{6c34}bc";
        for size in 1..9 {
            assert_eq!(pieces(text, size).collect::<String>(), text);
        }
        assert_eq!(pieces(text, 1).collect::<Vec<_>>(), ["a", "\u{e9}", "\u{6c34}", "b", "c"]);
        assert_eq!(pieces("", 4).count(), 0);
    }
}
