//! A set of instruction numbers.

/// One bit for each instruction.
#[derive(Clone, Debug, Default)]
pub(super) struct Set(Vec<u64>);

impl Set {
    /// A set that holds numbers below `length` and is empty.
    pub(super) fn new(length: usize) -> Set {
        let mut set = Set::default();
        set.clear(length);
        set
    }

    pub(super) fn clear(&mut self, length: usize) {
        self.0.clear();
        self.grow(length);
    }

    pub(super) fn grow(&mut self, length: usize) {
        let words = length.div_ceil(64);
        if self.0.len() < words {
            self.0.resize(words, 0);
        }
    }

    /// Whether `pc` is new and below the set's length.
    #[inline]
    pub(super) fn insert(&mut self, pc: u16) -> bool {
        let bit = 1u64 << (pc & 63);
        match self.0.get_mut(usize::from(pc >> 6)) {
            Some(word) if *word & bit == 0 => {
                *word |= bit;
                true
            }
            _ => false,
        }
    }

    pub(super) fn contains(&self, pc: u16) -> bool {
        self.0.get(usize::from(pc >> 6)).is_some_and(|word| word >> (pc & 63) & 1 == 1)
    }
}
