//! Sets of characters.

use super::PatternError;
use super::parse::Parser;

/// Inclusive code points.
pub(super) type Range = (u32, u32);

/// `\d`
pub(super) const DIGIT: &[Range] = &[(0x30, 0x39)];
/// `\w`
pub(super) const WORD: &[Range] = &[(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)];
/// `\s`: ASCII white space, no-break space, ideographic space.
pub(super) const SPACE: &[Range] = &[(0x09, 0x0D), (0x20, 0x20), (0xA0, 0xA0), (0x3000, 0x3000)];
/// `\n`, which `.` leaves out.
pub(super) const NEWLINE: &[Range] = &[(0x0A, 0x0A)];

const LAST_ASCII: u32 = 0x7F;
const LAST: u32 = char::MAX as u32;
const UPPER: u128 = 0x03FF_FFFF << 0x41;
const LOWER: u128 = UPPER << CASE_DISTANCE;
const CASE_DISTANCE: u32 = 0x20;

/// A set of characters: one bit for each ASCII character, sorted ranges for the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Class {
    ascii: u128,
    /// Sorted, disjoint and not adjacent, all above ASCII.
    wide: Box<[Range]>,
}

impl Class {
    /// Compiles what a pattern may write for one character: `[A-Za-z0-9+/=\s]`, `\w`, `.` or a literal.
    ///
    /// # Errors
    /// The same as for a whole pattern, and if the text is not exactly one character wide.
    pub fn parse(text: &str) -> Result<Class, PatternError> {
        Parser::class_only(text)
    }

    /// The union of `ranges`; then in both ASCII cases; then turned around.
    pub(super) fn new(ranges: &[Range], ignore_case: bool, negated: bool) -> Class {
        let mut class = Class { ascii: ascii_bits(ranges), wide: Box::default() };
        let wide =
            ranges.iter().filter(|r| r.1 > LAST_ASCII).map(|r| (r.0.max(LAST_ASCII + 1), r.1));
        class.wide = merged(wide.collect());
        if ignore_case {
            class.ascii |= (class.ascii & UPPER) << CASE_DISTANCE;
            class.ascii |= (class.ascii & LOWER) >> CASE_DISTANCE;
        }
        if negated {
            class.ascii = !class.ascii;
            class.wide = gaps(&class.wide);
        }
        class
    }

    /// Whether `c` is in the set.
    #[inline]
    pub fn contains(&self, c: char) -> bool {
        let code = u32::from(c);
        if code <= LAST_ASCII {
            return self.ascii >> code & 1 == 1;
        }
        let after = self.wide.partition_point(|range| range.1 < code);
        self.wide.get(after).is_some_and(|range| range.0 <= code)
    }

    /// Whether the set has characters beyond ASCII.
    pub(super) fn is_wide(&self) -> bool {
        !self.wide.is_empty()
    }

    /// Whether the set holds `c`, in one or both ASCII cases, and nothing else.
    pub(super) fn is_only(&self, c: char) -> bool {
        let code = u32::from(c);
        if !c.is_ascii() {
            return self.ascii == 0 && *self.wide == [(code, code)];
        }
        let cases = [c.to_ascii_lowercase(), c.to_ascii_uppercase()];
        let either_case = cases.iter().fold(0, |bits, c| bits | 1u128 << u32::from(*c));
        self.wide.is_empty() && self.ascii != 0 && self.ascii & !either_case == 0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ascii == 0 && self.wide.is_empty()
    }

    pub(super) fn ascii(&self) -> u128 {
        self.ascii
    }

    /// All characters of the set as ranges, in no order.
    pub(super) fn ranges(&self) -> impl Iterator<Item = Range> + '_ {
        let narrow = (0..=LAST_ASCII).filter(|code| self.ascii >> code & 1 == 1);
        narrow.map(|code| (code, code)).chain(self.wide.iter().copied())
    }

    /// Adds every character of `other`.
    pub(super) fn extend(&mut self, other: &Class) {
        self.ascii |= other.ascii;
        if other.is_wide() {
            self.wide = merged(self.wide.iter().chain(&other.wide).copied().collect());
        }
    }

    /// Bytes of heap memory.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&*self.wide)
    }
}

fn ascii_bits(ranges: &[Range]) -> u128 {
    let narrow = ranges.iter().filter(|r| r.0 <= r.1 && r.0 <= LAST_ASCII);
    narrow.fold(0, |bits, &(low, high)| {
        let up_to_high = u128::MAX >> LAST_ASCII.saturating_sub(high);
        bits | (up_to_high & (u128::MAX << low))
    })
}

fn merged(ranges: Vec<Range>) -> Box<[Range]> {
    // By insertion: they are few, mostly in order, and a sort of their own type is 8 KB of module.
    let mut sorted: Vec<Range> = Vec::with_capacity(ranges.len());
    for range in ranges {
        sorted.insert(sorted.partition_point(|known| *known < range), range);
    }
    let mut out: Vec<Range> = Vec::with_capacity(sorted.len());
    for (low, high) in sorted {
        match out.last_mut() {
            Some(last) if low <= last.1.saturating_add(1) => last.1 = last.1.max(high),
            _ => out.push((low, high)),
        }
    }
    out.into_boxed_slice()
}

/// What sorted `ranges` above ASCII leave out.
fn gaps(ranges: &[Range]) -> Box<[Range]> {
    let mut out = Vec::with_capacity(ranges.len().saturating_add(1));
    let mut from = LAST_ASCII + 1;
    for &(low, high) in ranges {
        if from < low {
            out.push((from, low.saturating_sub(1)));
        }
        from = high.saturating_add(1);
    }
    if from <= LAST {
        out.push((from, LAST));
    }
    out.into_boxed_slice()
}
