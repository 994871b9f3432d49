//! What begins with bytes that can be written in few ways, by hash of its first bytes.

use crate::sieve::{Beginning, Bytes, is_word};

/// The first bytes of things, in lower case, by hash: four, and of most things one or two more.
#[derive(Debug, Default)]
pub(crate) struct Grams {
    four: Vec<u64>,
    /// By how many bytes are looked up, from four on.
    longer: [Vec<u64>; 3],
}

/// Bits of each table.
const GRAM_BITS: usize = 1 << 16;
/// The most ways to write the first bytes of what is put there.
const MAX_WAYS: usize = 64;
/// Merges the cases of ASCII letters, in each byte.
const CASES: u64 = 0x2020_2020_2020_2020;
/// The first four, five and six bytes of a word of eight.
const FIRST: [u64; 3] = [0xFFFF_FFFF, 0xFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF];

impl Grams {
    /// Whether the bytes at a place are there; at the end of a text they may be.
    #[inline]
    pub fn has(&self, text: &[u8], at: usize) -> bool {
        let Some(gram) = text.get(at..).and_then(<[u8]>::first_chunk) else {
            return !self.four.is_empty();
        };
        let gram = u64::from_le_bytes(*gram) | CASES;
        let [four, ..] = FIRST;
        let same = |(table, first): (&Vec<u64>, u64)| bit(table, hash(gram & first));
        bit(&self.four, hash(gram & four)) && self.longer.iter().zip(FIRST).any(same)
    }

    /// Those of the places, a bit each from `at` on, that are there.
    #[inline]
    pub fn among(&self, text: &[u8], at: usize, mut places: u64) -> u64 {
        let mut found = 0;
        // Without branches: which way a word goes cannot be foretold.
        while places != 0 {
            let place = places.trailing_zeros();
            places &= places - 1;
            let gram = text.get(at + place as usize..).unwrap_or_default();
            found |= u64::from(bit(&self.four, hash(lower(gram)))) << place;
        }
        let mut there = found;
        while found != 0 {
            let place = found.trailing_zeros();
            found &= found - 1;
            if !self.has(text, at + place as usize) {
                there &= !(1 << place);
            }
        }
        there
    }

    /// Puts a beginning there; false if it can be written in too many ways.
    pub fn insert(&mut self, beginning: &Beginning) -> bool {
        let [_, places @ ..] = beginning;
        let ways = |bytes: usize| written(places.get(..bytes).unwrap_or_default());
        let Some(four) = ways(4) else { return false };
        self.four.resize(GRAM_BITS / 64, 0);
        four.iter().for_each(|way| set(&mut self.four, hash(*way)));
        // The more bytes tell it apart the better.
        let longest = [(2, 6), (1, 5)].into_iter().find_map(|(at, n)| Some((at, ways(n)?)));
        let (at, ways) = longest.unwrap_or((0, four));
        if let Some(table) = self.longer.get_mut(at) {
            table.resize(GRAM_BITS / 64, 0);
            ways.iter().for_each(|way| set(table, hash(*way)));
        }
        true
    }

    /// The same if it is the beginning of a word.
    pub fn takes(&mut self, beginning: &Beginning) -> bool {
        let [before, first, ..] = beginning;
        let bounded = (0..=u8::MAX).all(|byte| match is_word(byte) {
            true => !before.contains(byte),
            false => !first.contains(byte),
        });
        bounded && self.insert(beginning)
    }

    pub fn memory(&self) -> usize {
        size_of_val(&*self.four) + self.longer.iter().map(|t| size_of_val(&**t)).sum::<usize>()
    }
}

/// Bytes by which what is looked up at every second place is told.
const SAMPLE: usize = 4;

/// Things that may begin anywhere, looked up at every second place: by the first four bytes, or by those behind the first.
#[derive(Debug, Default)]
pub(crate) struct Sampled(Vec<u64>);

impl Sampled {
    /// Puts a beginning there; false if its first bytes can be written in too many ways.
    pub fn insert(&mut self, beginning: &Beginning) -> bool {
        let [_, places @ ..] = beginning;
        let ways = |from: usize| written(places.get(from..from + SAMPLE)?);
        let (Some(first), Some(second)) = (ways(0), ways(1)) else { return false };
        self.0.resize(GRAM_BITS / 64, 0);
        first.iter().chain(&second).for_each(|way| set(&mut self.0, hash(*way)));
        true
    }

    /// Whether something may begin at a place.
    pub fn has(&self, text: &[u8], at: usize) -> bool {
        let gram = text.get(at..).and_then(<[u8]>::first_chunk::<SAMPLE>);
        !self.0.is_empty() && gram.is_none_or(|gram| bit(&self.0, hash(lower(gram))))
    }

    /// A bit for each of `bytes` places from `at` on where, or one place before which, something may begin.
    #[inline]
    pub fn among(&self, text: &[u8], at: usize, bytes: usize) -> u64 {
        let Some(text) = text.get(at..at + bytes + SAMPLE - 1).filter(|_| !self.0.is_empty())
        else {
            return 0;
        };
        let mut found = 0;
        for (place, gram) in (0u32..).zip(text.windows(SAMPLE)).skip(1).step_by(2) {
            found |= u64::from(bit(&self.0, hash(lower(gram)))) << place;
        }
        found
    }

    pub fn memory(&self) -> usize {
        size_of_val(&*self.0)
    }
}

/// Four bytes in lower case.
#[inline]
fn lower(gram: &[u8]) -> u64 {
    let gram = gram.first_chunk().copied().unwrap_or_default();
    u64::from(u32::from_le_bytes(gram) | CASES as u32)
}

/// All ways to write some places in lower case, unless there are too many.
fn written(places: &[Bytes]) -> Option<Vec<u64>> {
    let mut ways = vec![0u64];
    for (at, set) in places.iter().enumerate() {
        let merged = |byte: u8| set.contains(byte) || set.contains(byte & !0x20);
        let lower = (0..=u8::MAX).filter(|byte| byte & 0x20 != 0 && merged(*byte));
        let bytes: Vec<u64> = lower.map(|byte| u64::from(byte) << (8 * at)).collect();
        if ways.len() * bytes.len() > MAX_WAYS {
            return None;
        }
        ways = ways.iter().flat_map(|way| bytes.iter().map(move |byte| way | byte)).collect();
    }
    Some(ways)
}

fn hash(gram: u64) -> usize {
    (gram.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) as usize
}

fn bit(bits: &[u64], at: usize) -> bool {
    bits.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
}

fn set(bits: &mut [u64], at: usize) {
    if let Some(word) = bits.get_mut(at / 64) {
        *word |= 1 << (at % 64);
    }
}
