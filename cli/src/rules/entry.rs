//! A rule with what was written about it, and what it does under a policy.

use std::io;
use std::path::Path;

use serde_json::{Map, Value, json};
use weir_filter::{Engine, Guard};
use weir_rules::policy::{Mode, Rule};
use weir_rules::{Action, Channel, ChannelSet};

use crate::document::Document;
use crate::policy;

/// Pack, file and text of every built-in rule, sorted.
const FILES: &[(&str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/packs.rs"));

/// A rule.
pub struct Entry {
    /// Of a built-in rule.
    pub pack: Option<&'static str>,
    /// Where it is written.
    pub file: String,
    pub rule: Rule,
    /// The rule as it is written.
    pub source: Value,
    /// What it does where; nothing where the policy does not bring it in.
    pub acts: Vec<(Channel, Action, Mode)>,
}

/// Rules and the policy that they were seen under.
pub struct Entries {
    pub entries: Vec<Entry>,
    /// The policy's name; none where packs are shown as they are by themselves.
    pub policy: Option<String>,
}

impl Entries {
    /// All built-in rules, with what their packs do where a policy says nothing else; or under the policy at `path`,
    /// its own rules too. `None` if the policy has errors, which are then on standard error.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn load(path: Option<&Path>) -> io::Result<Option<Entries>> {
        let mut entries = built_in()?;
        let Some(path) = path else {
            let guard = policy::guard(&all_packs(&entries)).map_err(|errors| {
                let reasons: Vec<String> = errors.into_iter().map(|e| e.reason).collect();
                io::Error::other(reasons.join("; "))
            })?;
            return Ok(Some(Entries::under(entries, &guard, None)));
        };
        let Some((guard, document)) = policy::load_document(Some(path), false)? else {
            return Ok(None);
        };
        for (at, source) in own(&document.json).iter().enumerate() {
            // The policy has been compiled, so its rules are good.
            if let Ok(rule) = Rule::from_json(source.to_string().as_bytes()) {
                let (line, _) = document.locate(&format!("/spec/rules/{at}"));
                let file = format!("{}:{line}", path.display());
                let (source, acts) = (source.clone(), Vec::new());
                entries.push(Entry { pack: None, file, rule, source, acts });
            }
        }
        let engine = guard.first();
        let name = engine.map(|engine| engine.policy.metadata.name.clone());
        Ok(Some(Entries::under(entries, &guard, Some(name.unwrap_or_default()))))
    }

    fn under(mut entries: Vec<Entry>, guard: &Guard, policy: Option<String>) -> Entries {
        if let Some(engine) = guard.first() {
            act(&mut entries, engine);
        }
        Entries { entries, policy }
    }
}

/// All built-in rules and the policy's own, each with what it does under an engine.
///
/// # Errors
/// A built-in rule is none.
pub fn under(engine: &Engine) -> io::Result<Vec<Entry>> {
    let mut entries = built_in()?;
    let own = engine.policy.spec.rules.iter().enumerate().map(|(at, rule)| Entry {
        pack: None,
        file: format!("/spec/rules/{at}"),
        rule: rule.clone(),
        source: Value::Null,
        acts: Vec::new(),
    });
    entries.extend(own);
    act(&mut entries, engine);
    Ok(entries)
}

/// Writes into the entries what the engine does by them; a score with several thresholds is a rule of the engine for each.
fn act(entries: &mut [Entry], engine: &Engine) {
    for rule in (0u16..).take(engine.rules.len()) {
        let id = engine.rules.id(rule);
        if let Some(entry) = entries.iter_mut().find(|e| e.rule.id == id) {
            let act = |channel: Channel| {
                let (action, mode) = engine.rules.action(rule, channel)?;
                Some((channel, action, mode))
            };
            entry.acts.extend(ChannelSet::ALL.iter().filter_map(act));
        }
    }
}

impl Entry {
    /// The level from which it is active, of a built-in rule.
    pub fn sensitivity(&self) -> Option<&'static str> {
        self.pack.map(|_| self.rule.sensitivity.map_or("Low", |level| level.word()))
    }

    /// What it does where, such as `Reject: request.user; Mask: everywhere but request.user`.
    pub fn deeds(&self) -> String {
        let mut parts: Vec<(String, Vec<&str>)> = Vec::new();
        for (channel, action, mode) in &self.acts {
            let shadow = if *mode == Mode::Shadow { " (Shadow)" } else { "" };
            let deed = format!("{}{shadow}", action.word());
            match parts.iter_mut().find(|(known, _)| *known == deed) {
                Some((_, channels)) => channels.push(channel.name()),
                None => parts.push((deed, vec![channel.name()])),
            }
        }
        let show = |(deed, channels): &(String, Vec<&str>)| {
            let others = Channel::LIST.iter().map(|c| c.name()).filter(|c| !channels.contains(c));
            let others: Vec<&str> = others.collect();
            match others.len() {
                0 => format!("{deed}: everywhere"),
                few if few < channels.len() => {
                    format!("{deed}: everywhere but {}", others.join(", "))
                }
                _ => format!("{deed}: {}", channels.join(", ")),
            }
        };
        parts.iter().map(show).collect::<Vec<_>>().join("; ")
    }

    /// The rule as it is written, with its pack and what it does.
    pub fn json(&self) -> Value {
        let mut json = self.source.as_object().cloned().unwrap_or_default();
        let acts = |(channel, action, mode): &(Channel, Action, Mode)| {
            let act = json!({"action": action.word(), "mode": mode.word()});
            (channel.name().to_owned(), act)
        };
        let acts: Map<String, Value> = self.acts.iter().map(acts).collect();
        json.insert("pack".to_owned(), json!(self.pack));
        json.insert("sensitivity".to_owned(), json!(self.sensitivity()));
        json.insert("acts".to_owned(), Value::Object(acts));
        Value::Object(json)
    }
}

fn built_in() -> io::Result<Vec<Entry>> {
    let read = |(pack, name, text): &(&'static str, &'static str, &'static str)| {
        let file = format!("rules/packs/{pack}/{name}.yaml");
        let broken = |reason: String| io::Error::other(format!("{file}: {reason}"));
        let source = Document::parse(text).map_err(|e| broken(e.reason))?.json;
        let rule = Rule::from_json(source.to_string().as_bytes());
        let rule = rule.map_err(|errors| broken(errors.to_string()))?;
        Ok(Entry { pack: Some(*pack), file, rule, source, acts: Vec::new() })
    };
    FILES.iter().map(read).collect()
}

/// A policy that brings in every pack whole, with its own actions.
fn all_packs(entries: &[Entry]) -> Value {
    let mut names: Vec<&str> = entries.iter().filter_map(|entry| entry.pack).collect();
    names.dedup();
    let packs: Vec<Value> =
        names.iter().map(|name| json!({"name": name, "sensitivity": "High"})).collect();
    json!({
        "apiVersion": "guard.weir.dev/v1alpha1",
        "kind": "Policy",
        "metadata": {"name": "packs"},
        "spec": {"packs": packs},
    })
}

/// The rules that a policy writes itself; those of a bundle are shown where they are files of their own.
fn own(document: &Value) -> &[Value] {
    let rules = document.pointer("/spec/rules").and_then(Value::as_array);
    rules.map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_rule_has_its_text_and_acts_somewhere() {
        let entries = Entries::load(None).unwrap().unwrap().entries;
        let mut ids: Vec<&str> = entries.iter().map(|e| e.rule.id.as_str()).collect();
        let table = weir_rules::packs::rules();
        let mut known: Vec<&str> = table.iter().map(|rule| rule.id.as_str()).collect();
        ids.sort_unstable();
        known.sort_unstable();
        assert_eq!(ids, known);
        for entry in &entries {
            let id = &entry.rule.id;
            assert!(!entry.acts.is_empty() && !entry.deeds().is_empty(), "{id}");
            assert!(id.starts_with(&format!("{}-", entry.pack.unwrap())), "{id}");
            assert!(entry.rule.description.is_some() && entry.rule.why.is_some(), "{id}");
        }
    }

    #[test]
    fn a_score_with_two_thresholds_acts_by_both() {
        let policy = r#"{"apiVersion":"guard.weir.dev/v1alpha1","kind":"Policy","metadata":{"name":"p"},"spec":{"packs":[
            {"name":"injection","action":"Reject","channels":["request.user"]},
            {"name":"injection","action":"Neutralize","channels":["request.toolResult"]}]}}"#;
        let guard = policy::guard(&serde_json::from_str(policy).unwrap()).unwrap();
        let entries = under(guard.first().unwrap()).unwrap();
        let score = entries.iter().find(|e| e.rule.id == "injection-score").unwrap();
        let acts: Vec<(Channel, Action)> = score.acts.iter().map(|(c, a, _)| (*c, *a)).collect();
        let both = [
            (Channel::RequestUser, Action::Reject),
            (Channel::RequestToolResult, Action::Neutralize),
        ];
        assert_eq!(acts, both);
    }
}
