//! Sixty-four bytes of a text: which of its bytes are of which class, a bit each, and where something may begin.
//!
//! Texts are read in blocks that are counted from their beginning, however they arrive; what comes of a block therefore
//! does not depend on how the text was cut.

use wide::{u8x16, u16x8};

pub(super) const BLOCK: usize = 64;
const LANES: usize = 16;

/// The last bytes read: those of the blocks at hand, and the ones before.
pub(super) struct Past<'a> {
    pub older: &'a [u8],
    pub newer: &'a [u8],
    /// Offset of the first of `newer`.
    pub at: u64,
    /// What may be looked at: from some way before the block that is being read to its end. Not more, though it may be
    /// there, because that depends on how the text was cut.
    pub from: u64,
    pub end: u64,
}

impl Past<'_> {
    /// What has been read from an offset on, without a gap: not all of it, unless there is nothing more.
    pub fn part(&self, at: u64) -> &[u8] {
        if at < self.from || at >= self.end {
            return &[];
        }
        let part = match at.checked_sub(self.at) {
            Some(index) => self
                .newer
                .get(index as usize..)
                .and_then(|newer| newer.get(..(self.end - at) as usize)),
            None => self
                .older
                .len()
                .checked_sub((self.at - at) as usize)
                .and_then(|index| self.older.get(index..)),
        };
        part.unwrap_or_default()
    }

    /// The byte at an offset, if it has been read and is not too far back.
    #[inline(never)]
    pub fn byte(&self, at: u64) -> Option<u8> {
        self.part(at).first().copied()
    }

    /// How far back from `at` all bytes fit, at most `most` of them.
    pub fn back(&self, at: u64, most: u64, fits: &dyn Fn(u8) -> bool) -> u64 {
        let most = most.min(at.saturating_sub(self.from)) as usize;
        let newer = self.newer.get(..at.saturating_sub(self.at) as usize).unwrap_or_default();
        let older = self.older.len().saturating_sub(self.at.saturating_sub(at) as usize);
        let older = self.older.get(..older).unwrap_or_default();
        let before = newer.iter().rev().chain(older.iter().rev()).take(most);
        at - before.take_while(|byte| fits(**byte)).count() as u64
    }

    /// The word that ends at `end`; nothing if it is too long to be one.
    pub fn word(&self, end: u64, is_of: &dyn Fn(u8) -> bool) -> Word {
        let start = self.back(end, LONGEST as u64 + 1, is_of);
        let length = (end - start) as usize;
        let bytes = self.head(start);
        Word { span: start..end, bytes, length: if length > LONGEST { 0 } else { length } }
    }

    /// The bytes from `at` on.
    pub fn head<const N: usize>(&self, at: u64) -> [u8; N] {
        self.part(at).first_chunk().copied().unwrap_or_else(|| {
            let mut bytes = [0; N];
            bytes.iter_mut().zip(self.bytes(at..at + N as u64)).for_each(|(to, byte)| *to = byte);
            bytes
        })
    }

    /// Bytes of a range.
    pub fn bytes(&self, range: std::ops::Range<u64>) -> impl Iterator<Item = u8> {
        range.filter_map(|at| self.byte(at))
    }
}

/// The longest word that is looked at.
const LONGEST: usize = 32;

/// A word, and where it is.
pub(super) struct Word {
    pub span: std::ops::Range<u64>,
    bytes: [u8; LONGEST],
    length: usize,
}

impl Word {
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// Classes of the bytes of a block.
#[derive(Clone, Copy, Default)]
pub(super) struct Classes {
    letter: u64,
    digit: u64,
    /// Letters, digits, and the others of base64: `+ / - _ =`.
    long: u64,
    hyphen: u64,
    dot: u64,
    /// `%`, `&`, a backslash, and the first byte of tag characters.
    lead: u64,
}

const SIGNS: u8 = 1;
const LINE: u8 = 1 << 1;
const EQUALS: u8 = 1 << 2;
const PERCENT: u8 = 1 << 3;
const BACKSLASH: u8 = 1 << 4;
const TAG: u8 = 1 << 5;
const HYPHEN: u8 = 1 << 6;
const DOT: u8 = 1 << 7;

/// Classes by the lower and upper halves of bytes; a byte is of those that both have.
const LOW: u8x16 = u8x16::new([
    0,
    0,
    0,
    TAG,
    0,
    PERCENT,
    PERCENT,
    0,
    0,
    0,
    0,
    SIGNS,
    BACKSLASH,
    SIGNS | EQUALS | HYPHEN,
    DOT,
    SIGNS | LINE,
]);
const HIGH: u8x16 = u8x16::new([
    0,
    0,
    SIGNS | PERCENT | HYPHEN | DOT,
    EQUALS,
    0,
    LINE | BACKSLASH,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    TAG,
]);

impl Classes {
    #[inline]
    pub fn of(block: &[u8; BLOCK]) -> Classes {
        let mut classes = Classes::default();
        let (lanes, _) = block.as_chunks::<LANES>();
        for (at, lane) in lanes.iter().enumerate() {
            let lane = u8x16::new(*lane);
            let shift = at * LANES;
            let letter = (lane | u8x16::splat(0x20)) - u8x16::splat(b'a');
            let letter = bits(letter.simd_lt(u8x16::splat(26)));
            let digit = bits((lane - u8x16::splat(b'0')).simd_lt(u8x16::splat(10)));
            let wide: u16x8 = bytemuck::cast(lane);
            let high = bytemuck::cast::<u16x8, u8x16>(wide >> 4u32) & u8x16::splat(15);
            let class = LOW.shuffle(lane & u8x16::splat(15)) & HIGH.shuffle(high);
            classes.letter |= letter << shift;
            classes.digit |= digit << shift;
            classes.long |= (letter | digit | any(class, SIGNS | LINE | EQUALS)) << shift;
            classes.lead |= any(class, PERCENT | BACKSLASH | TAG) << shift;
            classes.hyphen |= any(class, HYPHEN) << shift;
            classes.dot |= any(class, DOT) << shift;
        }
        classes
    }
}

#[inline]
fn bits(lanes: u8x16) -> u64 {
    u64::from(lanes.to_bitmask() & 0xFFFF)
}

#[inline]
fn any(class: u8x16, of: u8) -> u64 {
    bits(!(class & u8x16::splat(of)).simd_eq(u8x16::default()))
}

/// Where in a block something may begin, or end: the bit of the last byte that shows it.
pub(super) struct Events {
    pub lead: u64,
    /// The sixteenth byte of what may be base64, from where a word begins in it.
    pub long: u64,
    /// Behind the third of three letters that stand alone, one byte between them.
    pub spaced: u64,
    /// Behind the third of three pairs of letters or digits, one byte between them or two.
    pub pairs: u64,
    /// A dot or hyphen, something else, a dot or hyphen.
    pub morse: u64,
    /// Behind a word of three letters or more.
    pub words: u64,
    /// A digit next to a letter, and behind what words of both end.
    pub mixed: u64,
    pub mixed_ends: u64,
    /// Behind a hyphen between letters, and behind what words with hyphens end.
    pub hyphen: u64,
    pub hyphen_ends: u64,
}

impl Events {
    #[inline]
    pub fn any(&self) -> bool {
        self.lead | self.long | self.spaced | self.pairs | self.morse != 0
    }

    /// Of a block, by its classes and those of the one before.
    #[inline]
    pub fn of(before: &Classes, now: &Classes) -> Events {
        let join = |before: u64, now: u64| u128::from(before) | u128::from(now) << 64;
        let letter = join(before.letter, now.letter);
        let digit = join(before.digit, now.digit);
        let hyphen = join(before.hyphen, now.hyphen);
        let stroke = hyphen | join(before.dot, now.dot);
        let word = letter | digit;

        let mut long = join(before.long, now.long);
        for by in [1, 2, 4, 8] {
            long &= long << by;
        }
        let alone = letter << 1 & !word & !(word << 2);
        let pair = word << 1 & word << 2 & !word & !(word << 3);
        let broken = letter | hyphen;
        let lead = now.lead;
        let now = |bits: u128| (bits >> 64) as u64;
        Events {
            lead,
            long: now(long & (word & !(word << 1)) << 15),
            spaced: now(alone & alone << 2 & alone << 4),
            pairs: now(pair & (pair << 3 & pair << 6 | pair << 4 & pair << 8)),
            morse: now(stroke & stroke << 2 & !((stroke | word) << 1)),
            words: now(letter << 1 & letter << 2 & letter << 3 & !letter),
            mixed: now(digit & letter << 1 | letter & digit << 1),
            mixed_ends: now(word << 1 & !word),
            hyphen: now(letter & hyphen << 1 & letter << 2),
            hyphen_ends: now(broken << 1 & !broken),
        }
    }
}
