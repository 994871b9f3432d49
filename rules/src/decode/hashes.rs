//! Sets of a few hundred words, made by the compiler: most others are told from them without a look at any.

const BITS: usize = 1 << 12;

/// A set of hashes.
pub(super) struct Hashes([u64; BITS / 64]);

/// The hash of a word, whatever its case (FNV-1a).
pub(super) fn of(word: &[u8]) -> u32 {
    word.iter().fold(FIRST, |hash, byte| next(hash, *byte))
}

/// What the hash of a word begins with, and how it goes on.
pub(super) const FIRST: u32 = 0x811C_9DC5;

pub(super) const fn next(hash: u32, byte: u8) -> u32 {
    (hash ^ byte.to_ascii_lowercase() as u32).wrapping_mul(0x0100_0193)
}

/// Two places for a hash, or for any number.
const fn places(hash: u32) -> [usize; 2] {
    let mixed = hash.wrapping_mul(0x9E37_79B1);
    [(mixed >> 20) as usize, (mixed >> 8) as usize % BITS]
}

impl Hashes {
    pub const fn new() -> Hashes {
        Hashes([0; BITS / 64])
    }

    // The compiler evaluates it; a place is always among the bits.
    #[allow(clippy::indexing_slicing)]
    pub const fn insert(&mut self, hash: u32) {
        let [one, other] = places(hash);
        self.0[one / 64] |= 1 << (one % 64);
        self.0[other / 64] |= 1 << (other % 64);
    }

    #[inline]
    pub fn has(&self, hash: u32) -> bool {
        let has =
            |place: usize| self.0.get(place / 64).is_some_and(|bits| bits >> (place % 64) & 1 == 1);
        let [one, other] = places(hash);
        has(one) && has(other)
    }
}
