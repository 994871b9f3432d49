//! Ways to cut bytes into the pieces in which they arrive.

/// Every cut into two in release builds; in debug builds a sample of them. Always whole and byte by byte.
pub fn cuts(length: usize) -> Vec<Vec<usize>> {
    let step = if cfg!(debug_assertions) { (length / 8).max(1) } else { 1 };
    let mut all: Vec<Vec<usize>> = (1..length).step_by(step).map(|at| vec![at]).collect();
    all.push(Vec::new());
    all.push((1..length).collect());
    all
}

/// The pieces of `bytes` between `cuts`.
pub fn pieces<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut from = 0;
    for &at in cuts.iter().chain([&bytes.len()]) {
        pieces.push(&bytes[from..at]);
        from = at;
    }
    pieces
}
