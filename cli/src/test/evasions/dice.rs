//! Choices that are the same at every run.

/// A generator of numbers: SplitMix64 (Steele, Lea and Flood 2014).
pub struct Dice(u64);

impl Dice {
    /// Numbers that follow from the seed and from the text that they are for, whatever came before it.
    pub fn new(seed: u64, text: &str) -> Dice {
        Dice(seed ^ weir_filter::engine::fnv(text.as_bytes()))
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end.max(1) as u64) as usize
    }

    /// One of some characters.
    pub fn one(&mut self, of: &[char]) -> char {
        let at = self.below(of.len());
        of.get(at).copied().unwrap_or_default()
    }
}
