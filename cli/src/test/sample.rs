//! At which offsets a text or a body is cut in two.

/// Up to this length every cut is run.
pub const EVERY: usize = 2048;
/// So many cuts, evenly spread, of what is longer.
pub const SAMPLE: usize = 512;

/// The offsets at which something of `length` bytes is cut in two.
pub fn cuts(length: usize) -> impl Iterator<Item = usize> {
    let parts = if length <= EVERY { length } else { SAMPLE + 1 };
    (1..parts).map(move |part| part * length / parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cut_or_an_even_sample() {
        for length in [0, 1, 2, 3, EVERY] {
            let expected: Vec<usize> = (1..length).collect();
            assert_eq!(cuts(length).collect::<Vec<_>>(), expected, "{length}");
        }
        for length in [EVERY + 1, 100_000] {
            let cuts: Vec<usize> = cuts(length).collect();
            assert_eq!(cuts.len(), SAMPLE);
            assert!(cuts.windows(2).all(|two| two[0] < two[1] && two[1] < length));
            let widest = cuts.windows(2).map(|two| two[1] - two[0]).max().unwrap();
            assert!(widest <= length / SAMPLE + 1 && cuts[0] <= length / SAMPLE, "{length}");
        }
    }
}
