//! Overlap rules: enforced findings of one channel become disjoint edits (design decision 16).
//!
//! The union of overlapping spans is one edit; its label is the strongest action's, then the longest match's, then
//! the first rule's. An edit is settled only when no finding that could still join it is open, so the result is the
//! same at any cut of the text.

use crate::action::Action;
use crate::finding::{Finding, Found};

/// A settled replacement in a channel's decoded text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub start: u64,
    pub end: u64,
    /// What is written where the edit begins; `None` continues an edit that has its label already.
    pub label: Option<Label>,
}

/// Where the replacement text of an edit comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Label {
    /// The label of this rule.
    Rule(u16),
    /// A mask computed from the match.
    Mask(Box<str>),
    /// The fixed note of Neutralize.
    Note,
}

#[derive(Debug)]
struct Pending {
    start: u64,
    end: u64,
    strength: (Action, u64, std::cmp::Reverse<u16>),
    label: Label,
    /// Rules whose open-ended matches keep this edit growing.
    growing: Vec<(u16, u64)>,
    /// Settled and handed out up to here.
    settled: Option<u64>,
}

/// Collects the enforced findings of one channel and hands out settled edits in order.
#[derive(Debug, Default)]
pub struct Merger {
    pending: Vec<Pending>,
}

impl Merger {
    /// Adds an enforced finding that edits text. Audit and Reject findings edit nothing and are ignored.
    pub fn add(&mut self, finding: &Finding, action: Action) {
        let (from, label) = match (action, &finding.mask) {
            (Action::Neutralize, _) => (finding.start, Label::Note),
            (Action::Mask, Some(mask)) => (finding.shown, Label::Mask(mask.clone())),
            (Action::Mask, None) => (finding.shown, Label::Rule(finding.rule)),
            (Action::Audit | Action::Reject, _) => return,
        };
        if from >= finding.end && !finding.open {
            return;
        }
        let length = if finding.open { u64::MAX } else { finding.end - finding.start };
        let mut new = Pending {
            start: from,
            end: finding.end.max(from),
            strength: (action, length, std::cmp::Reverse(finding.rule)),
            label,
            growing: Vec::new(),
            settled: None,
        };
        if finding.open {
            new.growing.push((finding.rule, finding.start));
        }
        self.insert(new);
    }

    /// Joins `new` with every pending edit it overlaps; touching is not overlapping. Pending edits are disjoint and in
    /// order, and only the last may be growing: it would have joined whatever began behind it.
    fn insert(&mut self, mut new: Pending) {
        let apart = |old: &Pending| old.end <= new.start && old.growing.is_empty();
        let from = self.pending.partition_point(apart);
        let behind = |old: &Pending| old.start < new.end || !new.growing.is_empty();
        let overlapped = self.pending.get(from..).unwrap_or_default().iter();
        let to = from + overlapped.take_while(|old| behind(old)).count();
        let joined: Vec<Pending> = self.pending.drain(from..to).collect();
        for old in joined {
            if old.settled.is_some() || (old.strength > new.strength && new.settled.is_none()) {
                new.label = old.label;
                new.strength = old.strength;
            }
            new.start = new.start.min(old.start);
            new.end = new.end.max(old.end);
            new.growing.extend(old.growing);
            new.settled = new.settled.max(old.settled);
        }
        self.pending.insert(from, new);
    }

    /// Takes an [`Found::Extended`] of an enforced finding.
    pub fn extend(&mut self, rule: u16, start: u64, end: u64, last: bool) {
        let key = (rule, start);
        let Some(at) = self.pending.iter().position(|p| p.growing.contains(&key)) else { return };
        let mut grown = self.pending.remove(at);
        grown.end = grown.end.max(end);
        if last {
            grown.growing.retain(|g| *g != key);
        }
        self.insert(grown);
    }

    /// Adds whatever a scanner found, with the action that is enforced for its rule, if any.
    pub fn take(&mut self, found: &Found, action: Option<Action>) {
        match (found, action) {
            (_, None) => {}
            (Found::Match(finding), Some(action)) => self.add(finding, action),
            (Found::Extended { rule, start, end, last }, Some(_)) => {
                self.extend(*rule, *start, *end, *last);
            }
        }
    }

    /// Whether no edit is open.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Hands out what can no longer change: `horizon` is where the earliest future edit could begin.
    /// Returns the offset from which text must still be held.
    pub fn settle(&mut self, horizon: u64, sink: &mut dyn FnMut(Edit)) -> u64 {
        let mut hold = horizon;
        self.pending.retain_mut(|edit| {
            let growing = !edit.growing.is_empty();
            if !growing && edit.end > horizon && edit.settled.is_none() {
                hold = hold.min(edit.start);
                return true;
            }
            let until = edit.end.min(horizon);
            let from = edit.settled.unwrap_or(edit.start);
            if until > from {
                let label = edit.settled.is_none().then(|| edit.label.clone());
                sink(Edit { start: from, end: until, label });
                edit.settled = Some(until);
            }
            if until < edit.end {
                hold = hold.min(edit.settled.unwrap_or(edit.start));
            }
            growing || until < edit.end
        });
        hold
    }
}

/// The edits of a complete text's enforced findings.
pub fn edits(findings: &[(Finding, Action)]) -> Vec<Edit> {
    let mut merger = Merger::default();
    for (finding, action) in findings {
        merger.add(finding, *action);
    }
    let mut edits = Vec::new();
    merger.settle(u64::MAX, &mut |edit| edits.push(edit));
    edits
}
