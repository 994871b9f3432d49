//! The classifier's weights: a byte for each of 65,536 slots, which the highest bits of a feature's hash name.
//!
//! A slot belongs to one feature: four bits of the byte must be the next four of the hash, so that of the features that
//! were never learned only one in sixteen is taken for another. The other four bits are the weight, by a code.
//!
//! `rules/tools/train` writes the file and says from what data; `rules/model/README.md` is its model card.

/// The file: what it is, its knots, and the weights.
pub(crate) const FILE: &[u8] = include_bytes!("../../model/injection.bin");
/// What the file begins with.
pub const MAGIC: &[u8; 8] = b"weirng02";
/// Bits of a feature's hash that name its slot, and those that show whose it is.
pub const SLOT_BITS: u32 = 16;
pub const OWNER_BITS: u32 = 4;
/// The weights that there are.
pub const CODE: [i8; 16] = [0, 1, 2, 3, 5, 8, 12, 18, -1, -2, -3, -5, -8, -12, -18, -27];
/// A window's sum becomes points between these: nothing, High, Medium, Low, the most.
pub const KNOTS: usize = 5;
/// What a window's sum at each knot is worth.
pub const POINTS: [u16; KNOTS] = [0, 300, 500, 800, 1000];
/// Bytes before the weights.
pub const HEAD: usize = MAGIC.len() + 4 * KNOTS;

/// Windows that are looked at where each word ends, in words.
pub const WINDOWS: [usize; 3] = [8, 16, 32];
/// The longest window.
pub const LONGEST: usize = 32;

/// A linear model over the features of a window.
#[derive(Clone, Debug)]
pub struct Model {
    weights: &'static [u8; 1 << SLOT_BITS],
    knots: [i32; KNOTS],
    norms: [i32; LONGEST + 1],
}

impl Model {
    /// The model in this module; none if its file is not what this code reads, which a test rules out.
    pub fn built_in() -> Option<Model> {
        Model::read(FILE)
    }

    /// Reads a model's file.
    pub fn read(file: &'static [u8]) -> Option<Model> {
        let (head, weights) = file.split_at_checked(HEAD)?;
        let (magic, rest) = head.split_at_checked(MAGIC.len())?;
        let mut knots = [0; KNOTS];
        for (knot, bytes) in knots.iter_mut().zip(rest.chunks_exact(4)) {
            *knot = i32::from_le_bytes(*bytes.first_chunk()?);
        }
        if magic != MAGIC || weights.len() != 1 << SLOT_BITS || !knots.is_sorted_by(|a, b| a < b) {
            return None;
        }
        let mut norms = [0; LONGEST + 1];
        for (words, norm) in norms.iter_mut().enumerate() {
            *norm = (norm_of(words) * 65536.0) as i32;
        }
        Some(Model { weights: weights.first_chunk()?, knots, norms })
    }

    /// The weight of a feature.
    #[inline]
    pub fn weight(&self, hash: u32) -> i32 {
        let slot = self.weights.get((hash >> (32 - SLOT_BITS)) as usize).copied().unwrap_or(0);
        let owner = (hash >> (32 - SLOT_BITS - OWNER_BITS)) as u8 & 0xF;
        let weight = CODE.get(usize::from(slot & 0xF)).copied().unwrap_or(0);
        if slot >> 4 == owner { i32::from(weight) } else { 0 }
    }

    /// What a window's sum of weights comes to, of a window of so many words.
    #[inline]
    pub fn window(&self, sum: i32, words: usize) -> i32 {
        let norm = self.norms.get(words).copied().unwrap_or(0);
        ((i64::from(sum) * i64::from(norm)) >> 12) as i32
    }

    /// The value below which a window is worth no points.
    pub fn floor(&self) -> i32 {
        self.knots.first().copied().unwrap_or(0)
    }

    /// What a window is worth, 0 to 1000.
    pub fn points(&self, value: i32) -> u16 {
        let knots = self.knots.iter().zip(POINTS);
        let above = knots.clone().skip(1).find(|(knot, _)| value < **knot);
        let below = knots.take_while(|(knot, _)| **knot <= value).last();
        match (below, above) {
            (Some((low, from)), Some((high, to))) => {
                let (part, whole) = (i64::from(value - low), i64::from(high - low));
                from + (i64::from(to - from) * part / whole.max(1)) as u16
            }
            (None, _) => 0,
            (Some(_), None) => 1000,
        }
    }
}

/// By what a window's sum is multiplied, so that a short text counts as much as a long one.
pub fn norm_of(words: usize) -> f64 {
    let root = (words as f64 + 4.0).sqrt();
    1.0 / (root * root.sqrt())
}
