//! One difference between two policies.

use std::cmp::Ordering;

/// What a difference makes of the policy. Ordered as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    Weaker,
    /// It matters, but which way depends on the traffic.
    Changed,
    Stronger,
}

impl Weight {
    pub const ALL: [Weight; 3] = [Weight::Weaker, Weight::Changed, Weight::Stronger];

    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Weight::Weaker => "weaker",
            Weight::Changed => "changed",
            Weight::Stronger => "stronger",
        }
    }

    /// The weight of a step from one strength to another.
    pub fn of<T: Ord>(old: &T, new: &T) -> Weight {
        match new.cmp(old) {
            Ordering::Less => Weight::Weaker,
            Ordering::Equal => Weight::Changed,
            Ordering::Greater => Weight::Stronger,
        }
    }

    /// The other way round.
    pub fn reversed(self) -> Weight {
        match self {
            Weight::Weaker => Weight::Stronger,
            Weight::Changed => Weight::Changed,
            Weight::Stronger => Weight::Weaker,
        }
    }
}

/// One difference, and where it stands in either document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub weight: Weight,
    /// JSON pointer in the old policy; `None` if it is not there.
    pub old: Option<String>,
    /// JSON pointer in the new policy; `None` if it is not there.
    pub new: Option<String>,
    /// What is different, in words of the policies.
    pub what: String,
}

/// A value of a policy in a few words.
pub fn shorten(text: &str) -> String {
    /// Characters of a value that are shown.
    const SHOWN: usize = 60;
    let mut short: String =
        crate::caret::visible(text).replace('\n', " ").chars().take(SHOWN).collect();
    if text.chars().nth(SHOWN).is_some() {
        short.push('…');
    }
    short
}
