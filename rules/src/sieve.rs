//! Which places of a text may be the beginning of something, sixteen at a time.
//!
//! What may begin is a *beginning*: sets of bytes, one for the place before it and for each of its first places. Of these,
//! a few neighbors that text seldom has are its window. Windows are put into [`BUCKETS`] buckets, and a bucket's sets into tables by low and high
//! half of a byte, which one shuffle each looks up for sixteen bytes (the method of Teddy, from Hyperscan:
//! <https://www.usenix.org/conference/nsdi19/presentation/wang-xiang>). What passes is a candidate; whoever asks looks closer.
//! What begins with a word has buckets of its own, is looked for at the beginnings of words alone, and by a hash of its first
//! bytes.

use wide::{u8x16, u16x8};

use crate::grams::{Grams, Sampled};

/// Bytes of a window.
const GRAM: usize = 4;
/// Bytes that are looked at in one step.
const LANES: usize = 16;
/// Steps that are taken at once where the text is long enough.
const MANY: usize = 4;
/// Buckets of one bank; a bit each.
const BUCKETS: usize = 8;
/// The last is for the beginnings of words, unless they are too many for it to tell them from others.
const BANKS: usize = 3;
const MANY_WORDS: usize = 300;
/// How far behind the beginning of something its window may be, in bytes.
pub(crate) const SHIFT: usize = 4;
/// Bytes of which a window is chosen.
pub(crate) const REACH: usize = GRAM + SHIFT;
/// The most groups that are told apart when buckets are chosen.
const MAX_GROUPS: usize = 256;

/// How many of 100,000 bytes of ordinary prose and code are each byte of ASCII, by its halves: counted in this project's
/// own files, 1 for what has none. Only speed depends on it.
const SHARES: [[u32; LANES]; 8] = [
    [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2334, 1, 1, 1, 1, 1],
    [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
    [19585, 55, 2134, 42, 3, 7, 159, 89, 1610, 1610, 160, 48, 1662, 283, 1595, 331],
    [258, 187, 136, 64, 81, 40, 80, 20, 49, 16, 1051, 275, 85, 916, 207, 18],
    [43, 304, 81, 215, 174, 398, 75, 80, 68, 198, 30, 57, 113, 128, 221, 221],
    [110, 4, 281, 346, 295, 78, 63, 79, 17, 27, 4, 381, 38, 380, 1, 982],
    [291, 4252, 738, 1972, 2417, 8154, 1494, 793, 1578, 3424, 104, 433, 2373, 1506, 3885, 3957],
    [1723, 161, 4357, 4589, 5491, 1740, 534, 984, 377, 1008, 111, 320, 236, 318, 1, 1],
];
/// The share of each byte beyond ASCII.
const BEYOND: u32 = 30;

/// A set of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bytes([u64; 4]);

impl Bytes {
    pub const ALL: Bytes = Bytes([u64::MAX; 4]);

    /// The bytes that fit.
    pub fn of(fits: impl Fn(u8) -> bool) -> Bytes {
        let mut set = Bytes::default();
        (0..=u8::MAX).filter(|byte| fits(*byte)).for_each(|byte| set.insert(byte));
        set
    }

    pub fn insert(&mut self, byte: u8) {
        if let Some(word) = self.0.get_mut(usize::from(byte >> 6)) {
            *word |= 1 << (byte & 63);
        }
    }

    pub fn contains(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte >> 6)).is_some_and(|word| word >> (byte & 63) & 1 == 1)
    }

    pub fn join(&mut self, other: &Bytes) {
        self.0.iter_mut().zip(other.0).for_each(|(own, theirs)| *own |= theirs);
    }
}

/// What may stand in the place before something, and in its first places.
pub(crate) type Beginning = [Bytes; REACH];
type Window = [Bytes; GRAM];

/// For each half of a byte, in which buckets it may be.
type Halves = [u8; LANES];

/// Finds candidates, and bytes that are odd: what a scanner cannot pass over whatever stands there.
#[derive(Debug)]
pub(crate) struct Sieve {
    /// By bank and place.
    low: [[Halves; GRAM]; BANKS],
    high: [[Halves; GRAM]; BANKS],
    odd: Bytes,
    /// The same for bytes beyond ASCII, by halves.
    odd_low: Halves,
    odd_high: Halves,
    /// What words are looked for.
    words: Grams,
    /// What may begin anywhere, in few ways.
    anywhere: Sampled,
    /// Every word is looked up, and the last bank is like the others.
    all_words: bool,
}

/// What is at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Something may begin at the next byte, or up to [`SHIFT`] bytes before that.
    Candidate,
    /// A word may be one that is looked for.
    Word,
    /// Something may begin here, or at the byte before.
    Sample,
    Odd,
}

impl Sieve {
    /// For beginnings, and bytes that are odd. Of ASCII, only what [`is_dropped`] may be odd.
    pub fn new(beginnings: &[Beginning], odd: Bytes) -> Sieve {
        let mut sieve = Sieve {
            low: Default::default(),
            high: Default::default(),
            odd,
            odd_low: Halves::default(),
            odd_high: Halves::default(),
            words: Grams::default(),
            anywhere: Sampled::default(),
            all_words: false,
        };
        let (words, rest): (Vec<&Beginning>, Vec<&Beginning>) =
            beginnings.iter().partition(|beginning| sieve.words.takes(beginning));
        let rest: Vec<&Beginning> =
            rest.into_iter().filter(|beginning| !sieve.anywhere.insert(beginning)).collect();
        let after = |word: &Beginning| word.get(1..)?.first_chunk().copied();
        sieve.all_words = words.len() > MANY_WORDS;
        let most = sieve.banks() * BUCKETS;
        let mut chosen = buckets(rest.into_iter().map(window).collect(), most);
        chosen.resize(most, Window::default());
        if !sieve.all_words {
            chosen.extend(buckets(words.into_iter().filter_map(after).collect(), BUCKETS));
        }
        for ((chosen, low), high) in chosen.chunks(BUCKETS).zip(&mut sieve.low).zip(&mut sieve.high)
        {
            for (bucket, window) in chosen.iter().enumerate() {
                let bit = 1u8 << bucket;
                for ((low, high), set) in low.iter_mut().zip(high.iter_mut()).zip(window) {
                    for byte in (0..=u8::MAX).filter(|byte| set.contains(*byte)) {
                        mark(low, byte & 15, bit);
                        mark(high, byte >> 4, bit);
                    }
                }
            }
        }
        for byte in (0x80..=u8::MAX).filter(|byte| odd.contains(*byte)) {
            let bit = 1 << ((byte >> 4) - 8);
            mark(&mut sieve.odd_low, byte & 15, bit);
            mark(&mut sieve.odd_high, byte >> 4, bit);
        }
        sieve
    }

    /// Banks for what may begin anywhere.
    fn banks(&self) -> usize {
        BANKS - usize::from(!self.all_words)
    }

    /// Whether a byte is odd.
    pub fn is_odd(&self, byte: u8) -> bool {
        self.odd.contains(byte)
    }

    /// The first odd byte from `from` on, of the next 64.
    pub fn next_odd(&self, text: &[u8], from: usize) -> Option<usize> {
        let rest = text.get(from..)?;
        let (blocks, end) = rest.get(..4 * LANES).unwrap_or(rest).as_chunks::<LANES>();
        for (at, block) in blocks.iter().enumerate() {
            let block = u8x16::new(*block);
            let odd = self.odd(block, block & u8x16::splat(15), upper(block));
            if odd != 0 {
                return Some(from + at * LANES + odd.trailing_zeros() as usize);
            }
        }
        let at = end.iter().position(|byte| self.odd.contains(*byte))?;
        Some(from + blocks.len() * LANES + at)
    }

    /// Goes through `from..to` in order until `take` returns something, which is told all candidates, words and odd bytes.
    /// Near the text's end a candidate is whatever may go on. What begins at `from` is not told.
    pub fn find<T>(
        &self,
        text: &[u8],
        from: usize,
        to: usize,
        mut take: impl FnMut(usize, Found) -> Option<T>,
    ) -> Option<T> {
        let mut place = Place { at: from, goes_on: 1 };
        if let Some(found) = self.steps::<MANY, T>(text, to, &mut place, &mut take) {
            return Some(found);
        }
        if let Some(found) = self.steps::<1, T>(text, to, &mut place, &mut take) {
            return Some(found);
        }
        let Place { at, goes_on } = place;
        let mut goes_on = goes_on == 1;
        for at in at..to {
            let byte = *text.get(at)?;
            let word = is_word(byte);
            let starts = word && !goes_on;
            goes_on = word;
            let odd = self.odd.contains(byte);
            for (is, kind) in [
                (odd, Found::Odd),
                (starts && self.words.has(text, at), Found::Word),
                (self.anywhere.has(text, at), Found::Sample),
                (self.is_candidate(text, at), Found::Candidate),
            ] {
                if is && let Some(found) = take(at, kind) {
                    return Some(found);
                }
            }
        }
        None
    }

    /// Goes on by so many blocks at once, which makes loops longer and so easier to foretell.
    #[inline]
    fn steps<const N: usize, T>(
        &self,
        text: &[u8],
        to: usize,
        place: &mut Place,
        take: &mut impl FnMut(usize, Found) -> Option<T>,
    ) -> Option<T> {
        while place.at + N * LANES <= to
            && let Some(bytes) = text.get(place.at..place.at + N * LANES + GRAM - 1)
        {
            let mut all = Sifted::default();
            for block in 0..N {
                let from = block * LANES;
                let window = bytes.get(from..).and_then(<[u8]>::first_chunk)?;
                let sifted = self.sift(window);
                all.candidates |= sifted.candidates << from;
                all.words |= sifted.words << from;
                all.word |= sifted.word << from;
                all.odd |= sifted.odd << from;
            }
            let Sifted { candidates, words, word, odd } = all;
            let starts = words & !(word << 1 | place.goes_on);
            place.goes_on = word >> (N * LANES - 1);
            let words = self.words.among(text, place.at, starts);
            let samples = self.anywhere.among(text, place.at, N * LANES);
            if candidates | odd | words | samples != 0
                && let Some(found) = each([candidates, odd, words, samples], place.at, take)
            {
                return Some(found);
            }
            place.at += N * LANES;
        }
        None
    }

    /// Whether a place may be one of a candidate.
    fn is_candidate(&self, text: &[u8], at: usize) -> bool {
        let gram = text.get(at..).unwrap_or_default();
        let banks = self.low.iter().zip(&self.high).take(self.banks());
        banks.into_iter().any(|(low, high)| {
            gram.iter().zip(low.iter().zip(high)).fold(u8::MAX, |bits, (byte, (low, high))| {
                bits & look(low, byte & 15) & look(high, byte >> 4)
            }) != 0
        })
    }

    /// Written out place by place: the module is built for size, which leaves loops as they are.
    #[inline]
    fn sift(&self, window: &[u8; LANES + GRAM - 1]) -> Sifted {
        let [one, other, words] = &self.low;
        let low = [one, other, words];
        let [one, other, words] = &self.high;
        let high = [one, other, words];
        let mut sifted = Sifted::default();
        let mut banks = [u8x16::splat(u8::MAX); BANKS];
        macro_rules! place {
            ($at:literal) => {
                let block: [u8; LANES] =
                    window.get($at..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
                let block = u8x16::new(block);
                let low_half = block & u8x16::splat(15);
                let high_half = upper(block);
                if $at == 0 {
                    sifted.odd = self.odd(block, low_half, high_half);
                    let class = WORD_LOW.shuffle(low_half) & WORD_HIGH.shuffle(high_half);
                    sifted.word = filled(class);
                }
                let [one, other, words] = &mut banks;
                *one &= u8x16::new(low[0][$at]).shuffle(low_half)
                    & u8x16::new(high[0][$at]).shuffle(high_half);
                *other &= u8x16::new(low[1][$at]).shuffle(low_half)
                    & u8x16::new(high[1][$at]).shuffle(high_half);
                *words &= u8x16::new(low[2][$at]).shuffle(low_half)
                    & u8x16::new(high[2][$at]).shuffle(high_half);
            };
        }
        place!(0);
        place!(1);
        place!(2);
        place!(3);
        let [one, other, last] = banks;
        (sifted.candidates, sifted.words) = match self.all_words {
            true => (filled(one | other | last), sifted.word),
            false => (filled(one | other), filled(last)),
        };
        sifted
    }

    /// A bit for each odd byte.
    #[inline]
    fn odd(&self, block: u8x16, low_half: u8x16, high_half: u8x16) -> u64 {
        let beyond = block.to_bitmask();
        // Control characters but white space, and DEL.
        let control = block.simd_lt(u8x16::splat(0x20));
        let space = (block - u8x16::splat(b'\t')).simd_lt(u8x16::splat(5));
        let dropped = (control & !space) | block.simd_eq(u8x16::splat(0x7F));
        let mut odd = u64::from(dropped.to_bitmask());
        if beyond != 0 {
            let low = u8x16::new(self.odd_low).shuffle(low_half);
            odd |= filled(low & u8x16::new(self.odd_high).shuffle(high_half));
        }
        odd
    }

    /// Bytes of memory.
    pub fn memory(&self) -> usize {
        size_of::<Sieve>() + self.words.memory() + self.anywhere.memory()
    }
}

/// Where a search is.
struct Place {
    at: usize,
    /// 1 if a word goes on there.
    goes_on: u64,
}

/// Whether a byte is a word character of ASCII.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The same by halves of bytes: digits, letters up to `O`, and from `P` on in capitals, with `_`, and in small ones.
const WORD_LOW: u8x16 = u8x16::new([13, 15, 15, 15, 15, 15, 15, 15, 15, 15, 14, 2, 2, 2, 2, 6]);
const WORD_HIGH: u8x16 = u8x16::new([0, 0, 0, 1, 2, 4, 2, 8, 0, 0, 0, 0, 0, 0, 0, 0]);

/// A bit for each byte that is not zero.
#[inline]
fn filled(block: u8x16) -> u64 {
    u64::from(!block.simd_eq(u8x16::default()).to_bitmask() & 0xFFFF)
}

/// A bit for each place.
#[derive(Default)]
struct Sifted {
    candidates: u64,
    /// If a word begins there, it may be one that is looked for.
    words: u64,
    /// It is in a word.
    word: u64,
    odd: u64,
}

/// Whether a byte of ASCII is one that views drop: control characters but white space, and DEL.
pub(crate) fn is_dropped(byte: u8) -> bool {
    byte < 0x20 && !(b'\t'..=b'\r').contains(&byte) || byte == 0x7F
}

/// The upper halves of bytes.
#[inline]
fn upper(block: u8x16) -> u8x16 {
    let wide: u16x8 = bytemuck::cast(block);
    bytemuck::cast::<u16x8, u8x16>(wide >> 4u32) & u8x16::splat(15)
}

/// Tells what is at each place that has a bit, in order.
#[inline]
fn each<T>(
    [candidates, odd, words, samples]: [u64; 4],
    at: usize,
    take: &mut impl FnMut(usize, Found) -> Option<T>,
) -> Option<T> {
    let mut left = candidates | odd | words | samples;
    while left != 0 {
        let place = left.trailing_zeros();
        left &= left - 1;
        let at = at + place as usize;
        for (bits, found) in [
            (odd, Found::Odd),
            (words, Found::Word),
            (samples, Found::Sample),
            (candidates, Found::Candidate),
        ] {
            if bits >> place & 1 == 1
                && let Some(found) = take(at, found)
            {
                return Some(found);
            }
        }
    }
    None
}

fn mark(table: &mut Halves, half: u8, bit: u8) {
    if let Some(entry) = table.get_mut(usize::from(half)) {
        *entry |= bit;
    }
}

fn look(table: &Halves, half: u8) -> u8 {
    table.get(usize::from(half)).copied().unwrap_or(u8::MAX)
}

/// Leaves out what stands twice. Sorting such large things would add 20 KB to the module.
pub(crate) fn distinct<T: PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut distinct = Vec::new();
    for one in all {
        if !distinct.contains(&one) {
            distinct.push(one);
        }
    }
    distinct
}

/// The window of a beginning that ordinary text has the least of.
fn window(beginning: &Beginning) -> Window {
    let windows = beginning.array_windows::<GRAM>();
    let least = windows.min_by(|a, b| share(&halves(a)).total_cmp(&share(&halves(b))));
    least.copied().unwrap_or([Bytes::ALL; GRAM])
}

/// Windows joined, so that ordinary text is let through as seldom as can be: the two whose union adds the least are
/// joined until no more are left than there are buckets.
fn buckets(windows: Vec<Window>, most: usize) -> Vec<Window> {
    let windows = distinct(windows.into_iter());
    // What ASCII never has is told apart least: many languages have many such keywords.
    let beyond = |window: &Window| window.iter().any(|Bytes([low, high, ..])| low | high == 0);
    let (beyond, windows): (Vec<Window>, Vec<Window>) = windows.into_iter().partition(beyond);
    let group = |group: &[Window]| {
        let mut all = Window::default();
        group.iter().for_each(|one| join(&mut all, one));
        Group::new(all)
    };
    let chunked = |windows: &[Window], most: usize| -> Vec<Group> {
        windows.chunks(windows.len().div_ceil(most).max(1)).map(group).collect()
    };
    let mut groups = chunked(&windows, MAX_GROUPS);
    groups.extend(chunked(&beyond, MAX_GROUPS / 8));
    for at in 0..groups.len() {
        find_nearest(&mut groups, at);
    }
    while groups.len() > most {
        let added = |group: &Group| group.nearest.map_or(f32::INFINITY, |(_, added)| added);
        let least = (0..groups.len())
            .filter_map(|at| Some((at, added(groups.get(at)?))))
            .min_by(|a, b| a.1.total_cmp(&b.1));
        let Some((one, _)) = least else { break };
        let Some((other, _)) = groups.get(one).and_then(|group| group.nearest) else { break };
        let (from, into) = (one.max(other), one.min(other));
        let last = groups.len() - 1;
        let gone = groups.swap_remove(from);
        if let Some(group) = groups.get_mut(into) {
            join(&mut group.window, &gone.window);
            *group = Group::new(group.window);
        }
        // Who was nearest to one of the two, or to the one that has moved, looks again.
        for at in 0..groups.len() {
            let changed = groups.get(at).is_some_and(|group| {
                group.nearest.is_none_or(|(near, _)| [from, into, last].contains(&near))
            });
            if at == into || changed {
                find_nearest(&mut groups, at);
            }
        }
    }
    groups.into_iter().map(|group| group.window).collect()
}

/// Some windows joined.
struct Group {
    window: Window,
    halves: [Split; GRAM],
    share: f32,
    /// The group that joins it at the least cost, and that cost.
    nearest: Option<(usize, f32)>,
}

impl Group {
    fn new(window: Window) -> Group {
        let halves = halves(&window);
        Group { window, halves, share: share(&halves), nearest: None }
    }
}

fn find_nearest(groups: &mut [Group], at: usize) {
    let Some(own) = groups.get(at) else { return };
    let others = groups.iter().enumerate().filter(|(other, _)| *other != at);
    let costs = others.map(|(other, group)| {
        (other, share(&union(&own.halves, &group.halves)) - own.share - group.share)
    });
    let nearest = costs.min_by(|a, b| a.1.total_cmp(&b.1));
    if let Some(own) = groups.get_mut(at) {
        own.nearest = nearest;
    }
}

fn join(own: &mut Window, theirs: &Window) {
    own.iter_mut().zip(theirs).for_each(|(own, theirs)| own.join(theirs));
}

/// Which lower and upper halves the bytes of a set have, a bit each.
type Split = (u16, u16);

fn halves(window: &Window) -> [Split; GRAM] {
    window.map(|set| {
        (0..=u8::MAX)
            .filter(|byte| set.contains(*byte))
            .fold((0, 0), |(low, high), byte| (low | 1 << (byte & 15), high | 1 << (byte >> 4)))
    })
}

fn union(a: &[Split; GRAM], b: &[Split; GRAM]) -> [Split; GRAM] {
    let mut both = *a;
    both.iter_mut().zip(b).for_each(|(own, theirs)| *own = (own.0 | theirs.0, own.1 | theirs.1));
    both
}

/// The share of places that a window lets through once it is looked up by halves, as if bytes were independent.
fn share(window: &[Split; GRAM]) -> f32 {
    window.iter().map(|(low, high)| passed(*low, *high) as f32 / 100_000.0).product()
}

fn passed(low: u16, high: u16) -> u32 {
    let rows = SHARES.iter().enumerate().filter(|(row, _)| high >> row & 1 == 1);
    let ascii: u32 = rows
        .flat_map(|(_, row)| row.iter().enumerate())
        .map(|(column, share)| share * u32::from(low >> column & 1))
        .sum();
    ascii + BEYOND * (high >> 8).count_ones() * low.count_ones()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beginning(word: &[u8; 4]) -> Beginning {
        std::array::from_fn(|place| match place.checked_sub(1).and_then(|place| word.get(place)) {
            Some(wanted) => Bytes::of(|byte| byte.eq_ignore_ascii_case(wanted)),
            None => Bytes::ALL,
        })
    }

    #[test]
    fn whatever_begins_is_a_candidate_wherever_it_stands() {
        let words: [&[u8; 4]; 20] = [
            b"abcd", b"sk-a", b"ghp_", b"0123", b"://x", b"akia", b"eyja", b"hf_9", b"xoxb",
            b"read", b"show", b"send", b"igno", b"forg", b"disr", b"you ", b"@abc", b"npm_",
            b"aiza", b"----",
        ];
        let odd = Bytes::of(|byte| is_dropped(byte) || byte >= 0xF0);
        let beginnings: Vec<Beginning> = words.iter().map(|word| beginning(word)).collect();
        let sieve = Sieve::new(&beginnings, odd);
        for word in words {
            for at in 1..60 {
                let mut text = vec![b'.'; 80];
                for (place, byte) in text.iter_mut().skip(at).zip(word) {
                    *place = byte.to_ascii_uppercase();
                }
                let mut seen = Vec::new();
                sieve.find(&text, 0, text.len() - REACH, |at, found| {
                    seen.push((at, found));
                    None::<()>
                });
                let told = |(place, found): &(usize, Found)| match found {
                    Found::Candidate => (at - 1..at + SHIFT).contains(place),
                    Found::Sample => (at..at + 2).contains(place),
                    Found::Word | Found::Odd => false,
                };
                assert!(seen.iter().any(told), "{word:?} at {at}: {seen:?}");
                assert!(seen.len() < 6, "dots are let through: {seen:?}");
            }
        }
    }

    #[test]
    fn bytes_are_odd_in_blocks_as_by_themselves() {
        let odd = Bytes::of(|byte| is_dropped(byte) || matches!(byte, 0xC2..=0xE3 | 0xEA | 0xED..));
        let sieve = Sieve::new(&[], odd);
        let text: Vec<u8> = (0..=u8::MAX).cycle().take(600).collect();
        for from in 0..40 {
            let mut seen = Vec::new();
            sieve.find(&text, from, text.len() - REACH, |at, found| {
                assert_eq!(found, Found::Odd);
                seen.push(at);
                None::<()>
            });
            let expected: Vec<usize> =
                (from..text.len() - REACH).filter(|at| odd.contains(text[*at])).collect();
            assert_eq!(seen, expected);
        }
    }
}
