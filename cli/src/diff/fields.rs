//! Two documents field by field: a table says for each field how its values compare.

use std::collections::BTreeSet;

use serde_json::Value;
use weir_rules::policy::{Limits, Period, Quantity};

use super::change::{Change, Weight, shorten};
use crate::shape::step;

/// The fields of a section.
pub type Table = &'static [(&'static str, How)];

/// How two values of a field compare.
pub enum How {
    /// Words, weakest first, and the one that stands where the field is left out.
    Words(&'static [&'static str], &'static str),
    /// `true` is stricter; `false` if left out.
    Switch,
    /// The smaller the stricter; what stands where the field is left out.
    Limit(fn(&Limits) -> u64),
    /// A list without order, and what one more element makes of the policy.
    Set(Weight),
    /// As `Set`, but to leave it out means everything.
    Scope(Weight),
    /// The values say which is stronger.
    Rank(fn(&Value, &Value) -> Weight),
    /// An object with fields of its own.
    Section(Table),
    /// A list of objects with an `id`, and what one more makes of the policy.
    Items(Weight, Table),
    /// It matters, but the documents do not tell which way.
    Unranked,
    /// Decides nothing, or is compared by what it comes to.
    Silent,
}

/// Compares the objects `old` and `new`, which stand at these pointers.
pub fn compare(table: Table, old: (&Value, &str), new: (&Value, &str), changes: &mut Vec<Change>) {
    let names = |of: &Value| of.as_object().into_iter().flat_map(|o| o.keys().cloned()).collect();
    let mut all: BTreeSet<String> = names(old.0);
    all.extend::<BTreeSet<String>>(names(new.0));
    for name in &all {
        let how =
            table.iter().find(|(field, _)| field == name).map_or(&How::Unranked, |(_, how)| how);
        let before = (old.0.get(name).unwrap_or(&Value::Null), step(old.1, name));
        let after = (new.0.get(name).unwrap_or(&Value::Null), step(new.1, name));
        if before.0 != after.0 {
            field(how, name, (before.0, &before.1), (after.0, &after.1), changes);
        }
    }
}

fn field(how: &How, name: &str, old: (&Value, &str), new: (&Value, &str), out: &mut Vec<Change>) {
    let mut say = |weight, what: String| {
        let place =
            |(value, pointer): (&Value, &str)| (!value.is_null()).then(|| pointer.to_owned());
        out.push(Change { weight, old: place(old), new: place(new), what });
    };
    let arrow = || format!("{name}: {} → {}", in_words(old.0), in_words(new.0));
    match how {
        How::Silent => {}
        How::Unranked => say(Weight::Changed, arrow()),
        How::Rank(rank) => say(rank(old.0, new.0), arrow()),
        How::Words(words, default) => {
            let word = |value: &Value| value.as_str().unwrap_or(default).to_owned();
            let rank = |value| words.iter().position(|one| *one == word(value));
            if word(old.0) != word(new.0) {
                let weight = Weight::of(&rank(old.0), &rank(new.0));
                say(weight, format!("{name}: {} → {}", word(old.0), word(new.0)));
            }
        }
        How::Switch => {
            let on = |value: &Value| value.as_bool().unwrap_or(false);
            if on(old.0) != on(new.0) {
                say(
                    Weight::of(&on(old.0), &on(new.0)),
                    format!("{name}: {} → {}", on(old.0), on(new.0)),
                );
            }
        }
        How::Limit(default) => {
            let amount = |value| amount(value).unwrap_or_else(|| default(&Limits::default()));
            if amount(old.0) != amount(new.0) {
                say(Weight::of(&amount(old.0), &amount(new.0)).reversed(), arrow());
            }
        }
        How::Set(more) => set(*more, name, (old.0, new.0), &mut say),
        How::Scope(more) => match (old.0.as_array(), new.0.as_array()) {
            (Some(_), None) => say(*more, format!("{name}: no limits any more")),
            (None, Some(_)) => say(more.reversed(), format!("{name}: only {}", in_words(new.0))),
            _ => set(*more, name, (old.0, new.0), &mut say),
        },
        How::Section(table) => compare(table, old, new, out),
        How::Items(more, table) => items(*more, table, name, old, new, out),
    }
}

fn set(
    more: Weight,
    name: &str,
    (old, new): (&Value, &Value),
    say: &mut dyn FnMut(Weight, String),
) {
    let list = |of: &Value| of.as_array().cloned().unwrap_or_default();
    let (old, new) = (list(old), list(new));
    for gone in old.iter().filter(|one| !new.contains(one)) {
        say(more.reversed(), format!("{name}: {} removed", in_words(gone)));
    }
    for came in new.iter().filter(|one| !old.contains(one)) {
        say(more, format!("{name}: {} added", in_words(came)));
    }
}

/// Objects by their `id`, whatever their order. Rules that came or went are told by what they do.
fn items(
    more: Weight,
    table: Table,
    name: &str,
    old: (&Value, &str),
    new: (&Value, &str),
    out: &mut Vec<Change>,
) {
    let all = |(list, pointer): (&Value, &str)| -> Vec<(String, Value, String)> {
        let items = list.as_array().map(Vec::as_slice).unwrap_or_default().iter().enumerate();
        let id =
            |item: &Value| item.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        items.map(|(at, item)| (id(item), item.clone(), format!("{pointer}/{at}"))).collect()
    };
    let (old, new) = (all(old), all(new));
    let told = name != "rules";
    for (id, item, pointer) in &old {
        match new.iter().find(|(other, _, _)| other == id) {
            Some((_, other, place)) => {
                let first = out.len();
                compare(table, (item, pointer), (other, place), out);
                for change in out.iter_mut().skip(first) {
                    change.what.insert_str(0, &format!("{id}: "));
                }
            }
            None if told => {
                let what = format!("{name}: {id} removed");
                let old = Some(pointer.clone());
                out.push(Change { weight: more.reversed(), old, new: None, what });
            }
            None => {}
        }
    }
    for (id, _, pointer) in
        new.iter().filter(|(id, _, _)| !old.iter().any(|(other, _, _)| other == id))
    {
        if told {
            let what = format!("{name}: {id} added");
            out.push(Change { weight: more, old: None, new: Some(pointer.clone()), what });
        }
    }
}

/// Bytes, milliseconds or a plain number.
fn amount(value: &Value) -> Option<u64> {
    let text =
        |text| Quantity::parse(text).map(|q| q.bytes()).or(Period::parse(text).map(|p| p.millis()));
    value.as_u64().or_else(|| value.as_str().and_then(text))
}

fn in_words(value: &Value) -> String {
    match value {
        Value::Null => "left out".to_owned(),
        Value::String(text) => shorten(text),
        other => shorten(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tables::SPEC;
    use super::*;
    use serde_json::json;

    /// The changes from one spec to another, as `weight old new what`.
    fn changes(old: Value, new: Value) -> Vec<String> {
        let mut changes = Vec::new();
        compare(SPEC, (&old, ""), (&new, ""), &mut changes);
        let place = |pointer: &Option<String>| pointer.clone().unwrap_or_else(|| "-".to_owned());
        let show = |c: &Change| {
            format!("{} {} {} {}", c.weight.word(), place(&c.old), place(&c.new), c.what)
        };
        changes.iter().map(show).collect()
    }

    #[test]
    fn every_kind_of_field() {
        for (old, new, expected) in [
            (json!({"mode": "Enforce"}), json!({}), vec![]),
            (json!({}), json!({"mode": "Shadow"}), vec!["weaker - /mode mode: Enforce → Shadow"]),
            (
                json!({"failureMode": "FailOpen"}),
                json!({}),
                vec!["stronger /failureMode - failureMode: FailOpen → FailClosed"],
            ),
            (
                json!({"inspection": {"media": "Reject"}}),
                json!({}),
                vec!["weaker /inspection/media - media: Reject → Audit"],
            ),
            (json!({"limits": {"held": "64Ki"}}), json!({"limits": {"held": 65536}}), vec![]),
            (
                json!({}),
                json!({"limits": {"hold": "1m"}}),
                vec!["weaker - /limits/hold hold: left out → 1m"],
            ),
            (
                json!({"limits": {"depth": 64}}),
                json!({"limits": {"depth": 32}}),
                vec!["stronger /limits/depth /limits/depth depth: 64 → 32"],
            ),
            (
                json!({"refusal": {"status": 403}}),
                json!({"refusal": {"status": 400}}),
                vec!["changed /refusal/status /refusal/status status: 403 → 400"],
            ),
            (
                json!({"refusal": {"reveal": "Rule"}}),
                json!({}),
                vec!["stronger /refusal/reveal - reveal: Rule → Nothing"],
            ),
            (
                json!({"holdHeaders": true}),
                json!({}),
                vec!["weaker /holdHeaders - holdHeaders: true → false"],
            ),
            (json!({"owner": {"team": "a"}}), json!({"owner": {"team": "b"}}), vec![]),
            (
                json!({}),
                json!({"newSection": 1}),
                vec!["changed - /newSection newSection: left out → 1"],
            ),
            (
                json!({"appliesTo": {"callers": ["a", "b"]}}),
                json!({"appliesTo": {"callers": ["a"]}}),
                vec!["weaker /appliesTo/callers /appliesTo/callers callers: b removed"],
            ),
            (
                json!({"appliesTo": {"callers": ["a"]}}),
                json!({}),
                vec!["stronger /appliesTo/callers - callers: no limits any more"],
            ),
        ] {
            assert_eq!(changes(old.clone(), new.clone()), expected, "{old} {new}");
        }
    }

    #[test]
    fn rules_and_exceptions_by_id() {
        let rule = |fields: Value| {
            let mut rule = json!({"id": "r", "keywords": ["a"], "exposure": {"characters": 4}});
            rule.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            json!({"rules": [rule]})
        };
        let at = "/rules/0";
        for (fields, expected) in [
            (json!({"description": "d", "tags": ["t"], "examples": {}, "action": "Mask"}), vec![]),
            (
                json!({"keywords": ["a", "b"]}),
                vec![format!(
                    "stronger {at}/keywords {at}/keywords r: keywords: [\"a\"] → [\"a\",\"b\"]"
                )],
            ),
            (
                json!({"keywords": []}),
                vec![format!("changed {at}/keywords {at}/keywords r: keywords: [\"a\"] → []")],
            ),
            (json!({"regex": "x"}), vec![format!("changed - {at}/regex r: regex: left out → x")]),
            (
                json!({"exposure": "Nothing"}),
                vec![format!(
                    "stronger {at}/exposure {at}/exposure r: exposure: {{\"characters\":4}} → Nothing"
                )],
            ),
            (
                json!({"exposure": {"characters": 6}}),
                vec![format!(
                    "weaker {at}/exposure {at}/exposure r: exposure: {{\"characters\":4}} → {{\"characters\":6}}"
                )],
            ),
            (
                json!({"exposure": "Anchor"}),
                vec![format!(
                    "changed {at}/exposure {at}/exposure r: exposure: {{\"characters\":4}} → Anchor"
                )],
            ),
            (
                json!({"mask": {"keepLast": 4}}),
                vec![format!("weaker - {at}/mask r: mask: left out → {{\"keepLast\":4}}")],
            ),
            (
                json!({"validate": [{"type": "Luhn"}]}),
                vec![format!("weaker - {at}/validate r: validate: {{\"type\":\"Luhn\"}} added")],
            ),
        ] {
            assert_eq!(changes(rule(json!({})), rule(fields.clone())), expected, "{fields}");
        }
        let one = |expires: &str| json!({"id": "E", "rules": ["r"], "expires": expires});
        let moved = changes(
            json!({"exceptions": [one("2026-12-31T18:00:00Z"), {"id": "F"}]}),
            json!({"exceptions": [{"id": "G"}, one("2026-12-31")]}),
        );
        assert_eq!(
            moved,
            [
                "weaker /exceptions/0/expires /exceptions/1/expires E: expires: 2026-12-31T18:00:00Z → 2026-12-31",
                "stronger /exceptions/1 - exceptions: F removed",
                "weaker - /exceptions/0 exceptions: G added",
            ]
        );
    }
}
