//! Cuts the folds into runs of characters that fold alike, at the least cost in bytes.

use std::collections::BTreeMap;

/// Characters in a run, at most: what eight bits count.
const MAX_RUN: u32 = 256;
/// Bytes of a run beside its list: start with kind and length, and first value.
const RUN_COST: usize = 6;
const LIST_COST: usize = 2;

/// How a run folds; the numbers are those of `rules/src/fold/mod.rs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// All to the same value.
    Same(u16),
    /// Counting up from a value, in the basic plane.
    Up(u16),
    /// Counting up from the low 16 bits of a character, in the plane of the run.
    Beside(u16),
    /// Capital and small letter by turns, beginning with a capital.
    Pairs,
    /// Each to its own value.
    List(Vec<u16>),
}

#[derive(Clone, Debug)]
pub struct Run {
    pub start: u32,
    pub length: u32,
    pub kind: Kind,
}

/// What a character folds to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A character of the basic plane, 0 for none, or a place among the texts.
    Value(u16),
    /// A character of another plane.
    Far(u32),
}

impl Target {
    fn value(self) -> Option<u16> {
        match self {
            Target::Value(value) => Some(value),
            Target::Far(_) => None,
        }
    }
}

/// The cheapest runs that cover all of `folds` and leave every other character as it is.
pub fn cut(folds: &BTreeMap<u32, Target>) -> Result<Vec<Run>, String> {
    let codes: Vec<u32> = folds.keys().copied().collect();
    // From the end: the least cost from each entry on, and the run that begins there.
    let mut best: Vec<(usize, Option<Run>)> = vec![(usize::MAX, None); codes.len()];
    best.push((0, None));
    for at in (0..codes.len()).rev() {
        let start = codes[at];
        for run in candidates(folds, start) {
            let next = codes.partition_point(|code| *code < start + run.length);
            let list = if let Kind::List(values) = &run.kind { values.len() } else { 0 };
            let cost = best[next].0.saturating_add(RUN_COST + LIST_COST * list);
            if cost < best[at].0 {
                best[at] = (cost, Some(run));
            }
        }
    }
    let mut runs = Vec::new();
    let mut at = 0;
    while at < codes.len() {
        let run = best[at].1.take().ok_or_else(|| format!("U+{:04X} fits no run", codes[at]))?;
        at = codes.partition_point(|code| *code < run.start + run.length);
        runs.push(run);
    }
    Ok(runs)
}

/// Every run that may begin at `start`. The longest is the best of a kind, except for lists.
fn candidates(folds: &BTreeMap<u32, Target>, start: u32) -> Vec<Run> {
    let mut found = Vec::new();
    let longest =
        |fits: &dyn Fn(u32) -> bool| (0..MAX_RUN).find(|offset| !fits(*offset)).unwrap_or(MAX_RUN);
    let target = |offset: u32| folds.get(&(start + offset)).copied();
    let first = target(0).and_then(Target::value);
    if let Some(first) = first {
        let same = longest(&|offset| target(offset) == Some(Target::Value(first)));
        found.push(Run { start, length: same, kind: Kind::Same(first) });
        let up = longest(&|offset| {
            let character = u32::from(first) + offset;
            let plain =
                (0x21..0xD800).contains(&character) || (0xE000..0x1_0000).contains(&character);
            plain && target(offset).and_then(Target::value).map(u32::from) == Some(character)
        });
        if up > 0 {
            found.push(Run { start, length: up, kind: Kind::Up(first) });
        }
    }
    if let Some(Target::Far(first)) = target(0) {
        let beside = longest(&|offset| {
            first >> 16 == start >> 16 && target(offset) == Some(Target::Far(first + offset))
        });
        if beside > 0 {
            found.push(Run { start, length: beside, kind: Kind::Beside((first & 0xFFFF) as u16) });
        }
    }
    let pairs = longest(&|offset| {
        let small = start + offset + 1;
        match offset % 2 {
            0 => target(offset) == Some(Target::Value(small as u16)) && small < 0x1_0000,
            _ => target(offset).is_none(),
        }
    });
    if pairs > 1 {
        found.push(Run { start, length: pairs, kind: Kind::Pairs });
    }
    let mut values = Vec::new();
    for offset in 0..MAX_RUN {
        // A character between that stays is listed as itself.
        let itself = u16::try_from(start + offset).ok().map(Target::Value);
        let Some(value) = target(offset).or(itself).and_then(Target::value) else { break };
        values.push(value);
        if target(offset).is_some() {
            found.push(Run { start, length: offset + 1, kind: Kind::List(values.clone()) });
        }
    }
    found
}
