//! What the documents cannot tell of a changed rule, its examples can: those that one policy's rule finds and the
//! other's does not.

use weir_filter::Engine;
use weir_rules::ChannelSet;
use weir_rules::policy::Rule;

use super::change::{Change, Weight};
use crate::test::Marked;
use crate::verdict::findings;

/// Runs the examples of rules that stand in both policies under the other one.
pub fn compare(old: &Engine, new: &Engine, changes: &mut Vec<Change>) {
    for (at, before) in old.policy.spec.rules.iter().enumerate() {
        let Some(place) = position(new, &before.id) else { continue };
        let Some(after) = new.policy.spec.rules.get(place) else { continue };
        let (one, other) =
            (Some(format!("/spec/rules/{at}")), Some(format!("/spec/rules/{place}")));
        for (rule, engine, weight, how) in [
            (before, new, Weight::Weaker, "found before, not any more"),
            (after, old, Weight::Stronger, "found now, not before"),
        ] {
            let missed =
                rule.examples.matches.iter().filter(|text| !finds(engine, rule, text)).count();
            if missed > 0 {
                let what = format!("{}: {missed} of its examples {how}", rule.id);
                changes.push(Change { weight, old: one.clone(), new: other.clone(), what });
            }
        }
    }
}

fn position(engine: &Engine, id: &str) -> Option<usize> {
    engine.policy.spec.rules.iter().position(|rule| rule.id == id)
}

/// Whether the rule of this id finds all that the example marks.
fn finds(engine: &Engine, rule: &Rule, example: &str) -> bool {
    let Some(content) = Marked::read(example) else { return true };
    let found = findings(&engine.rules, ChannelSet::ALL, &[&content.text]).unwrap_or_default();
    content.spans.iter().all(|span| {
        found.iter().any(|f| engine.rules.id(f.rule) == rule.id && (f.start, f.end) == *span)
    })
}
