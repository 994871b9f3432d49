//! Cross-validation: what a model says of texts that it was not taught.

use std::collections::BTreeMap;

use crate::fit::{Settings, fit};
use crate::rows::Row;

/// What a model that was taught without a row says of it.
pub struct Judged<'a> {
    pub row: &'a Row,
    pub value: f32,
}

/// By what rows are kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apart {
    /// At random: texts like those that were taught.
    Rows,
    /// By source: texts of kinds that were not.
    Sources,
}

/// Folds of either kind.
const FOLDS: u32 = 5;

/// The part in which a row is judged; those that are never measured are always taught.
fn part(row: &Row, apart: Apart) -> Option<u32> {
    let name = match apart {
        Apart::Rows => &row.id,
        Apart::Sources => &row.source,
    };
    let hash = name
        .bytes()
        .fold(0x811C_9DC5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    row.measured.then(|| (hash >> 8) % FOLDS)
}

/// Judges every row that is measured by a model that was taught without its part.
pub fn judge<'a>(rows: &'a [Row], apart: Apart, settings: &Settings, seed: u64) -> Vec<Judged<'a>> {
    let mut judged = Vec::new();
    for fold in 0..FOLDS {
        let (tested, taught): (Vec<&Row>, Vec<&Row>) =
            rows.iter().partition(|row| part(row, apart) == Some(fold));
        let model = fit(&taught, settings, seed);
        judged.extend(tested.into_iter().map(|row| Judged { row, value: model.score(row) }));
    }
    judged
}

/// The value that this share of the benign rows of some kinds exceeds.
pub fn threshold(judged: &[Judged<'_>], kinds: &[&str], share: f64) -> f32 {
    let ordinary = |one: &&Judged<'_>| !one.row.attack && kinds.contains(&one.row.kind.as_str());
    let mut values: Vec<f32> = judged.iter().filter(ordinary).map(|one| one.value).collect();
    values.sort_by(|a, b| b.total_cmp(a));
    let at = (values.len() as f64 * share) as usize;
    values.get(at).copied().unwrap_or(f32::MAX)
}

/// The share of the rows of each kind, or of each source, that exceed a value.
pub fn exceeding(
    judged: &[Judged<'_>],
    value: f32,
    by: impl Fn(&Row) -> &str,
) -> BTreeMap<(bool, String), (usize, usize)> {
    let mut table: BTreeMap<(bool, String), (usize, usize)> = BTreeMap::new();
    for one in judged {
        let entry = table.entry((one.row.attack, by(one.row).to_owned())).or_default();
        entry.0 += usize::from(one.value > value);
        entry.1 += 1;
    }
    table
}
