//! How attempts stand behind a keyword that their match begins with: the same every time, so it is found out once.
//!
//! Most keywords that are common words come to nothing within a few characters. That is looked at before anything opens,
//! and costs nothing of the text's budget.

use crate::attempt::{Attempt, LOOK, Outcome};
use crate::compile::{CompiledRule, Trigger};
use crate::fold::fold_ascii;
use crate::pattern::{Node, Paths, Places};
use crate::policy::View;
use crate::sieve::{Bytes, is_word};

/// The most places of a program that are kept for one keyword.
const MAX_PLACES: usize = 64;

/// An attempt behind its keyword.
#[derive(Debug)]
pub(crate) enum Stand {
    Failed,
    Open(Box<Open>),
}

/// An attempt that goes on.
#[derive(Debug)]
pub(crate) struct Open {
    /// By which the paths know it.
    number: usize,
    /// Steps of the keyword.
    pub work: u64,
    pub places: Places,
    pub chars: u16,
    pub previous: Option<char>,
    ahead: Option<u128>,
    folded: bool,
}

impl Open {
    /// Where its attempts begin on the paths.
    pub fn node(&self, id: u16, rule: &CompiledRule, paths: &mut Paths) -> Option<Node> {
        paths.resumed(self.number, id, &rule.program, &self.places.pcs, self.previous)
    }

    /// Whether the attempt of a rule comes to nothing in the next bytes; not where nothing can be said yet.
    pub fn fails(&self, id: u16, rule: &CompiledRule, next: &[u8], paths: &mut Paths) -> bool {
        if self.fails_at(next.first().copied()) {
            return true;
        }
        let Some(mut node) = self.node(id, rule, paths).filter(|_| !self.places.matched) else {
            return false;
        };
        let mut previous = self.previous;
        for byte in next.iter().take(usize::from(LOOK)).copied() {
            let byte = if self.folded && byte.is_ascii() { fold_ascii(byte) } else { byte };
            if !byte.is_ascii() || self.folded && byte == 0 {
                return false;
            }
            let c = char::from(byte);
            if self.folded && byte == b' ' && previous == Some(c) {
                continue;
            }
            previous = Some(c);
            match paths.step(id, &rule.program, node, c) {
                Some(step) if step.matched_here() || step.matched_behind() => return false,
                Some(step) => match step.next() {
                    Some(next) => node = next,
                    None => return true,
                },
                None => return false,
            }
        }
        false
    }

    /// Whether the attempt ends at the next byte; not where nothing can be said yet.
    pub fn fails_at(&self, next: Option<u8>) -> bool {
        let (Some(byte), Some(ahead)) = (next.filter(u8::is_ascii), self.ahead) else {
            return false;
        };
        let byte = if self.folded { fold_ascii(byte) } else { byte };
        let read = !self.folded || byte != 0 && (byte != b' ' || self.previous != Some(' '));
        read && ahead >> byte & 1 == 0
    }
}

/// What a text may have around a keyword, in bytes, where it comes to anything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Around<'a> {
    pub before: Bytes,
    pub ahead: Bytes,
    /// It may be written so only.
    pub exactly: Option<&'a [u8]>,
    /// `ahead` holds for it in any case, but as long as it stands.
    pub any_case: bool,
}

impl Default for Around<'_> {
    fn default() -> Self {
        Around { before: Bytes::ALL, ahead: Bytes::ALL, exactly: None, any_case: false }
    }
}

/// By keyword, how attempts stand behind it.
#[derive(Debug, Default)]
pub(crate) struct Stands(Vec<Known>);

#[derive(Debug)]
struct Known {
    /// The keyword as the text must have it; of a folded one only the length counts.
    written: Box<[u8]>,
    spelling: Spelling,
    /// Within a word it is none.
    bounded: bool,
    /// Where no word character stands before it, and where one does.
    behind: [Option<Stand>; 2],
}

/// How else a text may write a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spelling {
    /// As the view reads it.
    Folded,
    /// The same in any case goes on in the same way, what is written otherwise in another.
    AnyCase,
    /// Written otherwise it goes on in another way.
    Case,
    /// Written otherwise it comes to nothing.
    Exact,
}

/// What is known of a keyword where it was found.
pub(crate) enum Behind<'a> {
    /// It comes to nothing.
    Nothing,
    /// It goes on as every attempt of its rule does.
    Known(&'a Open),
    /// An attempt must read it.
    Unknown,
}

impl Stands {
    /// Appends the next keyword, as its rule's view sees it.
    pub fn push(&mut self, id: u16, rule: &CompiledRule, keyword: &str) {
        let usable = rule.trigger == Trigger::Keywords && rule.before == 0 && keyword.is_ascii();
        let behind = [(0, None), (1, Some('a'))].map(|(variant, previous)| {
            let number = 2 * self.0.len() + variant;
            let stand = || stand(id, rule, keyword, previous, number);
            usable.then(stand).flatten()
        });
        let spelling = match rule.view {
            View::Folded | View::Squashed => Spelling::Folded,
            View::Raw if usable && rule.program.spells_exactly(keyword) => Spelling::Exact,
            View::Raw if rule.program.ignores_case() => Spelling::AnyCase,
            View::Raw => Spelling::Case,
        };
        let mut first = Attempt::new(id, 0, 0..keyword.len() as u64, Some('a'), None);
        first.advance(rule, keyword.get(..1).unwrap_or_default(), 0, &mut Paths::default());
        let bounded = usable && first.outcome() == Outcome::Failed;
        self.0.push(Known { written: keyword.as_bytes().into(), spelling, bounded, behind });
    }

    /// How an attempt stands behind keyword number `keyword`, which `text` is where it was found.
    pub fn behind(&self, keyword: u32, text: &[u8], in_word: bool) -> Behind<'_> {
        let Some(known) = self.known(keyword) else { return Behind::Unknown };
        if in_word && known.bounded {
            return Behind::Nothing;
        }
        let same = match known.spelling {
            Spelling::Folded => text.len() == known.written.len() && text.is_ascii(),
            Spelling::AnyCase => text.eq_ignore_ascii_case(&known.written),
            Spelling::Case => *text == *known.written,
            Spelling::Exact if *text == *known.written => true,
            Spelling::Exact => return Behind::Nothing,
        };
        match known.behind.get(usize::from(in_word)).filter(|_| same) {
            Some(Some(Stand::Open(open))) => Behind::Known(open),
            Some(Some(Stand::Failed)) => Behind::Nothing,
            _ => Behind::Unknown,
        }
    }

    fn known(&self, keyword: u32) -> Option<&Known> {
        self.0.get(usize::try_from(keyword).ok()?)
    }

    /// What a text may have around a keyword, and how it may write it, where it comes to anything.
    pub fn around(&self, keyword: u32) -> Around<'_> {
        let Some(known) = self.known(keyword) else { return Around::default() };
        let mut ahead = Bytes::default();
        for behind in known.behind.iter().take(if known.bounded { 1 } else { 2 }) {
            ahead.join(&match behind {
                Some(Stand::Open(open)) => Bytes::of(|byte| !open.fails_at(Some(byte))),
                Some(Stand::Failed) => Bytes::default(),
                None => Bytes::ALL,
            });
        }
        Around {
            before: Bytes::of(|byte| !known.bounded || !is_word(byte)),
            ahead,
            exactly: (known.spelling == Spelling::Exact).then_some(&*known.written),
            any_case: matches!(known.spelling, Spelling::Folded | Spelling::AnyCase),
        }
    }

    /// Bytes of memory.
    pub fn memory(&self) -> usize {
        let places = |stand: &Option<Stand>| match stand {
            Some(Stand::Open(open)) => size_of::<Open>() + open.places.memory(),
            _ => 0,
        };
        let known = |known: &Known| {
            size_of::<Known>()
                + known.written.len()
                + known.behind.iter().map(places).sum::<usize>()
        };
        self.0.iter().map(known).sum()
    }
}

fn stand(
    id: u16,
    rule: &CompiledRule,
    keyword: &str,
    previous: Option<char>,
    number: usize,
) -> Option<Stand> {
    let end = keyword.len() as u64;
    let mut attempt = Attempt::new(id, 0, 0..end, previous, None);
    let work = attempt.advance(rule, keyword, 0, &mut Paths::default());
    match attempt.outcome() {
        Outcome::Failed => Some(Stand::Failed),
        Outcome::Matched { .. } => None,
        Outcome::Open => {
            let (places, chars, previous) = attempt.places()?;
            if places.len() > MAX_PLACES {
                return None;
            }
            let ahead = rule.program.ahead(&places);
            let (work, folded) = (work + end, rule.view != View::Raw);
            let open = Open { number, work, places, chars, previous, ahead, folded };
            Some(Stand::Open(Box::new(open)))
        }
    }
}
