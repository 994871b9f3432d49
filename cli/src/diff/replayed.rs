//! What two policies make of the same recorded traffic.

use std::collections::BTreeMap;
use std::rc::Rc;

use weir_filter::Guard;
use weir_filter::sim::Run;
use weir_filter::tally::Decision;
use weir_rules::policy::Mode;

use super::change::Weight;
use crate::exchange::Exchange;

/// A rule in a channel with what it does there.
type Row = (String, String);

/// What one policy makes of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub decision: Decision,
    /// No byte of the request's body went upstream.
    pub stopped: bool,
    /// Enforced edits of text and denied tools.
    pub edits: u32,
    /// Findings by rule and channel, with action and mode.
    rows: BTreeMap<Row, u32>,
}

impl Seen {
    fn of(run: &Run) -> Seen {
        let mut rows: BTreeMap<Row, u32> = BTreeMap::new();
        let mut edits = 0u32;
        for row in &run.tally.rows {
            let channel = row.channel.map_or_else(String::new, |channel| format!(" in {channel}"));
            let shadow = if row.mode == Mode::Shadow { " in Shadow" } else { "" };
            let key = (row.rule.clone(), format!("{}{shadow}{channel}", row.action));
            let count = rows.entry(key).or_default();
            *count = count.saturating_add(row.count);
            let edit = row.mode == Mode::Enforce && !matches!(row.action, "audit" | "reject");
            edits = edits.saturating_add(if edit { row.count } else { 0 });
        }
        let decision = run.tally.decision;
        Seen { decision, stopped: run.upstream.1.is_none(), edits, rows }
    }

    /// How strict it was: the decision, then whether the provider saw the request, then the edits that reached anyone.
    fn strength(&self) -> (Decision, bool, u32) {
        let refused = self.decision >= Decision::Reject;
        let decision = if refused { Decision::Reject } else { self.decision };
        (decision, self.stopped, if refused { 0 } else { self.edits })
    }
}

/// An exchange of which the policies make different things.
pub struct Shift {
    pub name: String,
    pub weight: Weight,
    pub old: Seen,
    pub new: Seen,
}

impl Shift {
    /// What differs by rule: `RULE, WHAT: OLD → NEW`, those that find less first.
    pub fn rows(&self) -> Vec<String> {
        let mut rows: Vec<(Weight, String)> = Vec::new();
        let keys = self
            .old
            .rows
            .keys()
            .chain(self.new.rows.keys().filter(|k| !self.old.rows.contains_key(*k)));
        for key in keys {
            let count = |seen: &Seen| seen.rows.get(key).copied().unwrap_or(0);
            let (old, new) = (count(&self.old), count(&self.new));
            if old != new {
                let (rule, what) = key;
                rows.push((Weight::of(&old, &new), format!("{rule} {what}: {old} → {new}")));
            }
        }
        rows.sort();
        rows.into_iter().map(|(_, row)| row).collect()
    }
}

/// All exchanges.
#[derive(Default)]
pub struct Replayed {
    pub exchanges: usize,
    /// Those of which the policies make different things, weaker first.
    pub shifts: Vec<Shift>,
    /// How many exchanges came to each decision, before and after.
    pub decisions: BTreeMap<Decision, (usize, usize)>,
    /// Findings by rule, before and after, where they differ.
    pub rules: Vec<(String, u64, u64)>,
}

impl Replayed {
    /// Shifts of one weight.
    pub fn count(&self, weight: Weight) -> usize {
        self.shifts.iter().filter(|shift| shift.weight == weight).count()
    }
}

/// Replays the exchanges under both policies.
pub fn compare(old: &Rc<Guard>, new: &Rc<Guard>, exchanges: &[(String, Exchange)]) -> Replayed {
    let mut all = Replayed { exchanges: exchanges.len(), ..Replayed::default() };
    let mut rules: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for (name, exchange) in exchanges {
        let before = Seen::of(&exchange.run_whole(old));
        let after = Seen::of(&exchange.run_whole(new));
        all.decisions.entry(before.decision).or_default().0 += 1;
        all.decisions.entry(after.decision).or_default().1 += 1;
        for ((rule, _), count) in &before.rows {
            rules.entry(rule.clone()).or_default().0 += u64::from(*count);
        }
        for ((rule, _), count) in &after.rows {
            rules.entry(rule.clone()).or_default().1 += u64::from(*count);
        }
        if before != after {
            let weight = Weight::of(&before.strength(), &after.strength());
            all.shifts.push(Shift { name: name.clone(), weight, old: before, new: after });
        }
    }
    // Of the weaker ones, those that lost most come first.
    all.shifts.sort_by_key(|shift| {
        let (old, new) = (shift.old.strength(), shift.new.strength());
        (shift.weight, std::cmp::Reverse(old), new, shift.name.clone())
    });
    let changed = rules.into_iter().filter(|(_, (old, new))| old != new);
    all.rules = changed.map(|(rule, (old, new))| (rule, old, new)).collect();
    all.rules.sort_by_key(|(rule, old, new)| (Weight::of(old, new), rule.clone()));
    all
}
