//! Lists of risks and controls, as files beside this one have them.

use std::io;

use serde_json::Value;
use weir_rules::{Channel, ChannelSet};

use super::settings::Setting;
use crate::args;
use crate::doctor::Topic;
use crate::document::Document;

/// What the entries of a list are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Risks, which a policy covers or leaves open.
    Risks,
    /// Controls, to which a policy is evidence.
    Controls,
}

/// A list.
pub struct Framework {
    pub word: &'static str,
    pub title: String,
    pub source: String,
    pub kind: Kind,
    /// How tags of rules begin that name one of its entries.
    pub tags: Option<String>,
    /// What of the whole is not listed, and why.
    pub outside: String,
    pub entries: Vec<Entry>,
}

/// A risk or a control.
pub struct Entry {
    pub id: String,
    pub name: String,
    pub about: String,
    pub parts: Vec<Part>,
    pub instead: Vec<Instead>,
}

/// What a policy can cover of an entry.
pub struct Part {
    pub what: String,
    pub by: By,
    /// Worth knowing, but no reason to call the entry covered.
    pub aside: bool,
}

/// By what it can cover it.
pub enum By {
    /// Rules with a tag, or all, of some packs, or any, on some channels.
    Rules { tag: Option<String>, packs: Vec<String>, channels: ChannelSet },
    /// A setting, and why it counts.
    Setting { setting: Setting, why: String },
}

/// What no policy covers, and what does.
pub struct Instead {
    pub what: String,
    pub by: String,
    /// What manifests say of it.
    pub mesh: Option<Topic>,
}

const FILES: [(args::Framework, &str, &str); 5] = [
    (args::Framework::Owasp, "owasp", include_str!("frameworks/owasp.yaml")),
    (args::Framework::Atlas, "atlas", include_str!("frameworks/atlas.yaml")),
    (args::Framework::NistAiRmf, "nist-ai-rmf", include_str!("frameworks/nist-ai-rmf.yaml")),
    (args::Framework::Iso42001, "iso-42001", include_str!("frameworks/iso-42001.yaml")),
    (args::Framework::EuAiAct, "eu-ai-act", include_str!("frameworks/eu-ai-act.yaml")),
];

impl Framework {
    /// The list that was asked for.
    ///
    /// # Errors
    /// Its file is none; the tests see to it that all are.
    pub fn load(which: args::Framework) -> io::Result<Framework> {
        let file = FILES.iter().find(|(name, ..)| *name == which);
        let (_, word, text) = file.ok_or_else(|| io::Error::other("no such framework"))?;
        let broken = |reason: &str| io::Error::other(format!("frameworks/{word}.yaml: {reason}"));
        let json = Document::parse(text).map_err(|e| broken(&e.reason))?.json;
        read(word, &json).map_err(|reason| broken(&reason))
    }
}

fn read(word: &'static str, json: &Value) -> Result<Framework, String> {
    known(json, &["title", "source", "tags", "kind", "outside", "entries"])?;
    let tags = json.get("tags").and_then(Value::as_str).map(str::to_owned);
    let kind = match text(json, "kind")?.as_str() {
        "Risks" => Kind::Risks,
        "Controls" => Kind::Controls,
        other => return Err(format!("kind {other}")),
    };
    let entries = list(json, "entries").iter().map(|one| entry(one, tags.as_deref()));
    Ok(Framework {
        word,
        title: text(json, "title")?,
        source: text(json, "source")?,
        kind,
        outside: text(json, "outside")?.trim().to_owned(),
        entries: entries.collect::<Result<_, _>>()?,
        tags,
    })
}

fn entry(json: &Value, tags: Option<&str>) -> Result<Entry, String> {
    known(json, &["id", "name", "about", "parts", "instead"])?;
    let id = text(json, "id")?;
    let own = tags.map(|tags| format!("{tags}{id}"));
    let parts = list(json, "parts").iter().map(|one| part(one, own.as_deref()));
    let instead = list(json, "instead").iter().map(instead);
    Ok(Entry {
        name: text(json, "name")?,
        about: text(json, "about")?,
        parts: parts.collect::<Result<_, _>>()?,
        instead: instead.collect::<Result<_, _>>()?,
        id,
    })
}

fn part(json: &Value, own: Option<&str>) -> Result<Part, String> {
    let what = text(json, "what")?;
    let aside = json.get("aside") == Some(&Value::Bool(true));
    if json.get("setting").is_some() {
        known(json, &["what", "setting", "why", "aside"])?;
        let name = text(json, "setting")?;
        let setting = Setting::named(&name).ok_or_else(|| format!("no setting {name}"))?;
        let by = By::Setting { setting, why: text(json, "why")? };
        return Ok(Part { what, by, aside });
    }
    known(json, &["what", "tag", "packs", "channels", "aside"])?;
    let words = |name: &str| {
        let words = list(json, name).iter().filter_map(Value::as_str);
        words.map(str::to_owned).collect::<Vec<String>>()
    };
    let mut channels = ChannelSet::EMPTY;
    for name in words("channels") {
        channels = channels.union(match name.as_str() {
            "request.*" => ChannelSet::REQUEST,
            "response.*" => ChannelSet::RESPONSE,
            one => one.parse::<Channel>().map_err(|()| format!("no channel {one}"))?.into(),
        });
    }
    let tag = json.get("tag").and_then(Value::as_str).or(own).map(str::to_owned);
    let by = By::Rules { tag, packs: words("packs"), channels };
    Ok(Part { what, by, aside })
}

fn instead(json: &Value) -> Result<Instead, String> {
    known(json, &["what", "by", "mesh"])?;
    let mesh = match json.get("mesh").and_then(Value::as_str) {
        None => None,
        Some("Around") => Some(Topic::Around),
        Some("Module") => Some(Topic::Module),
        Some(other) => return Err(format!("mesh {other}")),
    };
    Ok(Instead { what: text(json, "what")?, by: text(json, "by")?, mesh })
}

fn text(json: &Value, name: &str) -> Result<String, String> {
    let text = json.get(name).and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| format!("{name} is missing in {json}"))
}

fn list<'a>(json: &'a Value, name: &str) -> &'a [Value] {
    json.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn known(json: &Value, names: &[&str]) -> Result<(), String> {
    let mut members = json.as_object().into_iter().flatten();
    match members.find(|(name, _)| !names.contains(&name.as_str())) {
        Some((name, _)) => Err(format!("unknown field {name}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::rules::entry::Entries;

    fn all() -> Vec<Framework> {
        FILES.iter().map(|(which, ..)| Framework::load(*which).unwrap()).collect()
    }

    #[test]
    fn every_list_says_what_is_left_to_others() {
        for framework in all() {
            let ids: BTreeSet<&str> = framework.entries.iter().map(|e| e.id.as_str()).collect();
            assert_eq!(ids.len(), framework.entries.len(), "{}", framework.title);
            assert!(framework.source.starts_with("https://"), "{}", framework.title);
            for entry in &framework.entries {
                assert!(!entry.instead.is_empty(), "{}", entry.id);
            }
        }
    }

    #[test]
    fn the_ten_risks_of_owasp_are_all_there() {
        let owasp = Framework::load(args::Framework::Owasp).unwrap();
        let ids: Vec<&str> = owasp.entries.iter().map(|e| e.id.as_str()).collect();
        let expected: Vec<String> = (1..=10).map(|n| format!("LLM{n:02}")).collect();
        assert_eq!(ids, expected);
    }

    #[test]
    fn every_tag_of_a_built_in_rule_names_an_entry() {
        let named: BTreeSet<String> = all()
            .iter()
            .flat_map(|f| {
                let tags = f.tags.clone();
                f.entries.iter().filter_map(move |e| Some(format!("{}{}", tags.as_ref()?, e.id)))
            })
            .collect();
        for entry in Entries::load(None).unwrap().unwrap().entries {
            assert!(!entry.rule.tags.is_empty(), "{} has no tag", entry.rule.id);
            for tag in &entry.rule.tags {
                assert!(named.contains(tag), "{}: {tag} is in no framework", entry.rule.id);
            }
        }
    }

    #[test]
    fn every_part_by_rules_names_rules_that_there_are() {
        let entries = Entries::load(None).unwrap().unwrap().entries;
        for framework in all() {
            for entry in &framework.entries {
                for part in &entry.parts {
                    let By::Rules { tag, packs, channels } = &part.by else { continue };
                    assert!(!channels.is_empty(), "{}", part.what);
                    assert!(tag.is_some() || !packs.is_empty(), "{}", part.what);
                    for pack in packs {
                        let carries = |e: &&crate::rules::entry::Entry| {
                            e.pack == Some(pack.as_str())
                                && tag.as_ref().is_none_or(|tag| e.rule.tags.contains(tag))
                        };
                        assert!(
                            entries.iter().any(|e| carries(&e)),
                            "{}: {}: no rule of {pack} has the tag {tag:?}",
                            entry.id,
                            part.what
                        );
                    }
                }
            }
        }
    }
}
