//! The rules and the classifier together, each judging texts that the classifier was not taught.

use std::collections::BTreeMap;
use std::error::Error;

use weir_rules::policy::Policy;
use weir_rules::score::model::POINTS;
use weir_rules::score::threshold;
use weir_rules::{Channel, ChannelSet, Keys, Ruleset, Scanner};

use crate::cross::Judged;

/// How a policy uses the packs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Low,
    Medium,
}

/// What the rules alone make of a text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ruled {
    /// A rule acts.
    pub acts: bool,
    /// What others hint.
    pub hinted: u16,
}

/// The packs' rules without the classifier.
pub struct Rules {
    set: Ruleset,
    points: u16,
}

impl Rules {
    /// # Errors
    /// The packs do not compile, which a test rules out.
    pub fn new(level: Level) -> Result<Rules, Box<dyn Error>> {
        let (word, points) = match level {
            Level::Low => ("Low", threshold::LOW),
            Level::Medium => ("Medium", threshold::MEDIUM),
        };
        let packs: Vec<String> = ["injection", "jailbreak"]
            .into_iter()
            .filter(|pack| weir_rules::packs::rules().iter().any(|rule| rule.id.starts_with(pack)))
            .map(|pack| {
                format!(r#"{{"name":"{pack}","action":"Audit","sensitivity":"{word}","classifier":"Disabled"}}"#)
            })
            .collect();
        let json = format!(
            r#"{{"apiVersion":"guard.weir.dev/v1alpha1","kind":"Policy","metadata":{{"name":"eval"}},"spec":{{"packs":[{}]}}}}"#,
            packs.join(",")
        );
        let set = Ruleset::compile(&Policy::from_json(json.as_bytes())?, Keys::default())?;
        Ok(Rules { set, points })
    }

    /// What the rules make of a user's text.
    pub fn judge(&self, text: &str) -> Ruled {
        let (mut scanner, mut found) = (Scanner::default(), Vec::new());
        let scope = ChannelSet::from(Channel::RequestUser);
        if scanner.push(&self.set, scope, text, &mut found).is_err() {
            return Ruled { acts: true, hinted: 0 };
        }
        if scanner.end(&self.set, &mut found).is_err() {
            return Ruled { acts: true, hinted: 0 };
        }
        Ruled { acts: !found.is_empty(), hinted: scanner.score().unwrap_or(0) }
    }

    /// Whether rules alone, the classifier alone, either, or both with what is hinted, flag a text.
    fn flags(&self, ruled: Ruled, classified: u16) -> [bool; 4] {
        let rules = ruled.acts || ruled.hinted >= self.points;
        let classifier = classified >= self.points;
        let joined = ruled.acts || classified.saturating_add(ruled.hinted) >= self.points;
        [rules, classifier, rules || classifier, joined]
    }

    /// The shares of attacks, and then of benign texts, that are flagged, by kind.
    pub fn table(&self, judged: &[Judged<'_>], knots: &[f32]) -> String {
        let mut rows: BTreeMap<(bool, &str), ([usize; 4], usize)> = BTreeMap::new();
        for one in judged {
            let flags = self.flags(self.judge(&one.row.text), points(knots, one.value));
            let benign = !one.row.attack;
            for name in [one.row.kind.as_str(), "all"] {
                let (counts, all) = rows.entry((benign, name)).or_default();
                *all += 1;
                counts.iter_mut().zip(flags).for_each(|(count, flag)| *count += usize::from(flag));
            }
        }
        let mut text = String::from(
            "| | texts | rules | classifier | either | joined |\n|---|--:|--:|--:|--:|--:|\n",
        );
        for ((benign, name), (counts, all)) in rows {
            let cells = counts.map(|count| format!("{:.4}", count as f64 / all as f64)).join(" | ");
            let side = if benign { "benign" } else { "attack" };
            text.push_str(&format!("| {side}: {name} | {all} | {cells} |\n"));
        }
        text
    }
}

/// The points of a value, as the model has them.
fn points(knots: &[f32], value: f32) -> u16 {
    let at = knots.iter().filter(|knot| **knot <= value).count();
    match (at.checked_sub(1), knots.get(at)) {
        (None, _) => 0,
        (Some(_), None) => 1000,
        (Some(below), Some(high)) => {
            let (low, from, to) = (knots[below], POINTS[below], POINTS[below + 1]);
            from + (f32::from(to - from) * (value - low) / (high - low)) as u16
        }
    }
}
