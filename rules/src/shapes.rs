//! What begins with bytes that can be written in many ways: whether a place fits, byte by byte.

use crate::sieve::{Beginning, Bytes, REACH};

/// Kinds that are told apart; further ones are joined with their neighbors.
const KINDS: usize = u64::BITS as usize;
/// Bytes that are looked at.
const PLACES: usize = REACH - 1;

/// For each place and byte, of which kinds it may be.
#[derive(Debug, Default)]
pub(crate) struct Shapes(Vec<[u64; 256]>);

impl Shapes {
    pub fn new(beginnings: &[Beginning]) -> Shapes {
        let mut shapes = vec![[0; 256]; if beginnings.is_empty() { 0 } else { PLACES }];
        for (at, beginning) in beginnings.iter().enumerate() {
            let kind = 1 << (at * KINDS / beginnings.len().max(KINDS));
            for (shape, set) in shapes.iter_mut().zip(beginning.iter().skip(1)) {
                mark(shape, set, kind);
            }
        }
        Shapes(shapes)
    }

    /// Whether one of them may begin at a place; at the end of a text it may.
    #[inline]
    pub fn fits(&self, text: &[u8], at: usize) -> bool {
        let text = text.get(at..).unwrap_or_default();
        let mut kinds = if self.0.is_empty() { 0 } else { u64::MAX };
        for (shape, byte) in self.0.iter().zip(text) {
            kinds &= shape.get(usize::from(*byte)).copied().unwrap_or(0);
            if kinds == 0 {
                return false;
            }
        }
        kinds != 0
    }

    pub fn memory(&self) -> usize {
        size_of_val(&*self.0)
    }
}

fn mark(shape: &mut [u64; 256], set: &Bytes, kind: u64) {
    for (byte, kinds) in (0..=u8::MAX).zip(shape) {
        if set.contains(byte) {
            *kinds |= kind;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_fits_if_all_its_bytes_do() {
        let one = |bytes: &[u8]| -> Beginning {
            std::array::from_fn(|place| match place.checked_sub(1).and_then(|at| bytes.get(at)) {
                Some(wanted) => Bytes::of(|byte| byte == *wanted),
                None => Bytes::ALL,
            })
        };
        let kinds = [one(b"1-2"), one(b"ab")];
        let shapes = Shapes::new(&kinds);
        let fits = |text: &[u8]| shapes.fits(text, 1);
        assert!(fits(b" 1-2 and so on") && fits(b" abc and so on") && fits(b" ab") && fits(b" 1"));
        assert!(!fits(b" 1b2 and so on") && !fits(b" a-b") && !fits(b"1-2") && !fits(b" 11"));
        assert!(!Shapes::new(&[]).fits(b"anything", 0));
    }
}
