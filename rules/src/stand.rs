//! How attempts stand behind a keyword that their match begins with: the same every time, so it is found out once.
//!
//! Most keywords that are common words come to nothing at the next character. That is looked at before anything opens,
//! and costs the text what it would have cost otherwise.

use crate::attempt::{Attempt, Outcome};
use crate::compile::{CompiledRule, Trigger};
use crate::fold::fold_ascii;
use crate::pattern::{Ahead, Places};
use crate::policy::View;

/// The most places of a program that are kept for one keyword.
const MAX_PLACES: usize = 64;

/// An attempt behind its keyword.
#[derive(Debug)]
pub(crate) enum Stand {
    Failed { work: u64 },
    Open(Box<Open>),
}

/// An attempt that goes on.
#[derive(Debug)]
pub(crate) struct Open {
    pub work: u64,
    pub places: Places,
    pub chars: u16,
    pub previous: Option<char>,
    ahead: Option<Ahead>,
    folded: bool,
}

impl Open {
    /// The work of the next step, if the attempt ends there; none if it goes on, or nothing can be said yet.
    pub fn fails_at(&self, next: Option<u8>) -> Option<u64> {
        let byte = next.filter(u8::is_ascii)?;
        let byte = if self.folded { fold_ascii(byte) } else { byte };
        let read = !self.folded || byte != 0 && (byte != b' ' || self.previous != Some(' '));
        let ahead = self.ahead.as_ref()?;
        (read && !ahead.takes(byte)).then_some(1 + ahead.work)
    }
}

/// By keyword, how attempts stand behind it.
#[derive(Debug, Default)]
pub(crate) struct Stands(Vec<Known>);

#[derive(Debug)]
struct Known {
    /// The keyword as the text must have it; of a folded one only the length counts.
    written: Box<[u8]>,
    folded: bool,
    /// Where no word character stands before it, and where one does.
    behind: [Option<Stand>; 2],
}

impl Stands {
    /// Appends the next keyword, as its rule's view sees it.
    pub fn push(&mut self, id: u16, rule: &CompiledRule, keyword: &str) {
        let folded = rule.view != View::Raw;
        let usable = rule.trigger == Trigger::Keywords && rule.before == 0 && keyword.is_ascii();
        let behind = [None, Some('a')].map(|previous| {
            let stand = || stand(id, rule, keyword, previous);
            usable.then(stand).flatten()
        });
        self.0.push(Known { written: keyword.as_bytes().into(), folded, behind });
    }

    /// How an attempt stands behind keyword number `keyword`, which `text` is where it was found.
    pub fn behind(&self, keyword: u32, text: &[u8], in_word: bool) -> Option<&Stand> {
        let known = self.0.get(usize::try_from(keyword).ok()?)?;
        let same = if known.folded {
            text.len() == known.written.len() && text.is_ascii()
        } else {
            *text == *known.written
        };
        known.behind.get(usize::from(in_word)).filter(|_| same)?.as_ref()
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

fn stand(id: u16, rule: &CompiledRule, keyword: &str, previous: Option<char>) -> Option<Stand> {
    let end = keyword.len() as u64;
    let mut attempt = Attempt::new(id, 0, 0..end, previous);
    let work = attempt.advance(rule, keyword, 0);
    match attempt.outcome() {
        Outcome::Failed => Some(Stand::Failed { work }),
        Outcome::Matched { .. } => None,
        Outcome::Open => {
            let (places, chars, previous) = attempt.places()?;
            if places.len() > MAX_PLACES {
                return None;
            }
            let ahead = rule.program.ahead(&places);
            let folded = rule.view != View::Raw;
            Some(Stand::Open(Box::new(Open { work, places, chars, previous, ahead, folded })))
        }
    }
}
