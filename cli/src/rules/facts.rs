//! What there is to say of a rule, for the terminal and for its page.

use serde_json::{Value, json};
use weir_rules::policy::{Exposure, Mask, Mode, View};
use weir_rules::{Action, ChannelSet};

use super::entry::Entry;
use crate::policy;

/// The channel that a rule is tried in alone.
const TRIED: &str = "response.text";

/// Fields that have words of their own here, or a part of the page.
const TOLD: [&str; 23] = [
    "id",
    "description",
    "why",
    "references",
    "tags",
    "keywords",
    "regex",
    "opens",
    "body",
    "until",
    "maxSpan",
    "view",
    "maxLength",
    "before",
    "exposure",
    "validate",
    "trigger",
    "channels",
    "action",
    "mode",
    "mask",
    "sensitivity",
    "examples",
];

/// Names and values, in the order in which they are shown; nothing that the rule does not say.
pub fn facts(entry: &Entry) -> Vec<(&str, String)> {
    let rule = &entry.rule;
    let mut facts = Vec::new();
    match (entry.pack, entry.sensitivity()) {
        (Some(pack), Some(level)) => {
            facts.push(("pack", pack.to_owned()));
            facts.push(("active from sensitivity", level.to_owned()));
        }
        _ => facts.push(("written in", entry.file.clone())),
    }
    let deeds = entry.deeds();
    let nowhere = "nothing: the policy does not bring it in".to_owned();
    facts.push(("does", if deeds.is_empty() { nowhere } else { deeds }));
    facts.push(("view", view(rule.view).to_owned()));
    if let Some(length) = rule.max_length {
        facts.push(("longest match", format!("{length} characters")));
    }
    if let Some(span) = &rule.max_span {
        let until = rule.until.as_deref().map_or_else(String::new, |u| format!(", or `{u}`"));
        facts.push((
            "goes on",
            format!("to the first other character{until}, at most {} bytes", span.bytes()),
        ));
    }
    if rule.before > 0 {
        let before = format!("up to {} characters before a keyword", rule.before);
        facts.push(("may begin", before));
    }
    if !rule.validate.is_empty() {
        let checks = rule.validate.iter().map(|check| {
            let least = check.min.map_or_else(String::new, |min| format!(" of at least {min}"));
            format!("{}{least}", check.kind.word())
        });
        facts.push(("checked by", checks.collect::<Vec<_>>().join(", ")));
    }
    if acts_on_answers(entry) {
        facts.push(("may leave before it is certain", exposure(rule.exposure)));
    }
    if let Some(mask) = &rule.mask {
        facts.push(("masked as", masked(mask)));
    }
    facts.push(("on a streamed answer", on_streams(entry)));
    // Whatever else the format has, or will have.
    for (name, value) in entry.source.as_object().into_iter().flatten() {
        if !TOLD.contains(&name.as_str()) {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            facts.push((name, text));
        }
    }
    if !rule.tags.is_empty() {
        facts.push(("tags", rule.tags.join(", ")));
    }
    facts
}

fn view(view: View) -> &'static str {
    match view {
        View::Raw => "Raw: as it came",
        View::Folded => {
            "Folded: case, width, accents and look-alikes folded, invisible characters dropped, white space collapsed"
        }
        View::Squashed => "Squashed: Folded, without separators and with digits read as letters",
    }
}

fn exposure(exposure: Option<Exposure>) -> String {
    match exposure {
        None | Some(Exposure::Anchor) => "its anchor".to_owned(),
        Some(Exposure::Nothing) => "nothing".to_owned(),
        Some(Exposure::Characters(count)) => format!("the first {count} characters"),
    }
}

fn masked(mask: &Mask) -> String {
    match mask {
        Mask::Label(Some(label)) => label.clone(),
        Mask::Label(None) => "a label with its id".to_owned(),
        Mask::KeepLast(count) => format!("stars and its last {count} characters"),
        Mask::SameLength => "a star for each character".to_owned(),
    }
}

/// Whether it changes or refuses an answer somewhere.
fn acts_on_answers(entry: &Entry) -> bool {
    entry.acts.iter().any(|(channel, action, mode)| {
        ChannelSet::RESPONSE.contains(*channel) && *action > Action::Audit && *mode == Mode::Enforce
    })
}

/// What waits on a stream because of this rule alone.
fn on_streams(entry: &Entry) -> String {
    if !acts_on_answers(entry) {
        return "nothing waits: it changes no answer; requests wait whole for their verdict"
            .to_owned();
    }
    let shown = exposure(entry.rule.exposure);
    match alone(&entry.source) {
        Some((true, most)) => {
            format!("text waits from where a match could begin, at most {most} characters")
        }
        Some((false, most)) => format!("{shown} may leave at once, at most {most} characters wait"),
        None => "it depends on the policy".to_owned(),
    }
}

/// Whether the rule alone holds text from the first character on, and how much at most.
fn alone(source: &Value) -> Option<(bool, usize)> {
    let mut rule = source.clone();
    let members = rule.as_object_mut()?;
    members.retain(|name, _| !matches!(name.as_str(), "sensitivity" | "examples" | "mode"));
    members.insert("id".to_owned(), json!("alone"));
    members.insert("action".to_owned(), json!("Mask"));
    members.insert("channels".to_owned(), json!([TRIED]));
    let guard = policy::guard(&json!({
        "apiVersion": "guard.weir.dev/v1alpha1",
        "kind": "Policy",
        "metadata": {"name": "alone"},
        "spec": {"rules": [rule]},
    }));
    let guard = guard.ok()?;
    let rules = &guard.first()?.rules;
    let channel = TRIED.parse().ok()?;
    Some((!rules.holding(channel).is_empty(), rules.held_characters(channel)))
}

#[cfg(test)]
mod tests {
    use super::super::entry::Entries;
    use super::*;

    #[test]
    fn a_field_without_words_of_its_own_is_shown_as_it_is() {
        let mut entry = Entries::load(None).unwrap().unwrap().entries.remove(0);
        let before = facts(&entry).len();
        entry.source["weight"] = json!({"user": 3});
        let facts = facts(&entry);
        assert_eq!(facts.len(), before + 1);
        assert!(facts.contains(&("weight", r#"{"user":3}"#.to_owned())));
    }

    #[test]
    fn what_waits_is_what_the_engine_holds() {
        let entries = Entries::load(None).unwrap().unwrap().entries;
        let of = |id: &str| {
            let entry = entries.iter().find(|e| e.rule.id == id).unwrap();
            on_streams(entry)
        };
        assert!(of("pii-email").starts_with("text waits from where a match could begin"));
        assert!(of("secrets-openai-key").starts_with("its anchor may leave at once, at most "));
        assert_eq!(
            of("pii-card"),
            "the first 6 characters may leave at once, at most 17 characters wait"
        );
        for entry in &entries {
            let said = on_streams(entry);
            assert_ne!(said, "it depends on the policy", "{}", entry.rule.id);
        }
    }
}
