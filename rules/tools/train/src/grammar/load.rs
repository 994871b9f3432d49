//! Reads the grammar's files, and refuses a slot that is missing, unused or inside itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use saphyr::{LoadableYamlNode, Scalar, Yaml};

use super::template::{Slots, Template};

/// Slots of this language are in every language.
const ANY: &str = "any";
/// The slot of an `around` template that holds the text to surround.
const TEXT: &str = "text";

pub type Families = BTreeMap<String, Vec<Template>>;

#[derive(Default)]
pub struct Language {
    pub slots: Slots,
    pub around: Vec<Template>,
    pub attack: Families,
    pub benign: Families,
}

/// All files under `dir`; those of one language belong together.
pub fn languages(dir: &Path) -> Result<BTreeMap<String, Language>, String> {
    let mut languages: BTreeMap<String, Language> = BTreeMap::new();
    for path in files(dir).map_err(|e| format!("{}: {e}", dir.display()))? {
        fs::read_to_string(&path)
            .map_err(|e| e.to_string())
            .and_then(|text| file(&text, &mut languages))
            .map_err(|e| format!("{}: {e}", path.display()))?;
    }
    finish(languages)
}

fn files(dir: &Path) -> Result<Vec<PathBuf>, std::io::Error> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(self::files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn file(text: &str, languages: &mut BTreeMap<String, Language>) -> Result<(), String> {
    let documents = Yaml::load_from_str(text).map_err(|e| e.to_string())?;
    let [document] = documents.as_slice() else {
        return Err("one document a file".to_owned());
    };
    let mut fields = mapping(document)?;
    let lang = fields.remove("lang").ok_or("no lang")?;
    let language = languages.entry(string(lang)?.to_owned()).or_default();
    for (key, value) in fields {
        match key {
            "slots" => add(&mut language.slots, value)?,
            "attack" => add(&mut language.attack, value)?,
            "benign" => add(&mut language.benign, value)?,
            "around" => language.around.extend(lines(value)?),
            other => return Err(format!("unknown field: {other}")),
        }
    }
    Ok(())
}

/// Adds slots or families; one that is there already is a mistake.
fn add(all: &mut BTreeMap<String, Vec<Template>>, value: &Yaml) -> Result<(), String> {
    for (name, value) in mapping(value)? {
        let templates = lines(value).map_err(|e| format!("{name}: {e}"))?;
        if all.insert(name.to_owned(), templates).is_some() {
            return Err(format!("{name} is there twice"));
        }
    }
    Ok(())
}

fn mapping<'a>(node: &'a Yaml) -> Result<BTreeMap<&'a str, &'a Yaml<'a>>, String> {
    let Yaml::Mapping(fields) = node else {
        return Err("not a mapping".to_owned());
    };
    fields.iter().map(|(key, value)| Ok((string(key)?, value))).collect()
}

fn string<'a>(node: &'a Yaml) -> Result<&'a str, String> {
    match node {
        Yaml::Value(Scalar::String(text)) => Ok(text),
        other => Err(format!("not a string: {other:?}")),
    }
}

/// An indented line continues the one before, by a space, or by nothing after a `|`.
fn lines(node: &Yaml) -> Result<Vec<Template>, String> {
    let mut whole: Vec<String> = Vec::new();
    for line in string(node)?.lines().filter(|line| !line.is_empty()) {
        match (whole.last_mut(), line.strip_prefix(' ')) {
            (Some(last), Some(rest)) => {
                if !last.ends_with('|') {
                    last.push(' ');
                }
                last.push_str(rest.trim_start());
            }
            _ => whole.push(line.to_owned()),
        }
    }
    let mut templates = Vec::new();
    for line in whole {
        templates.extend(Template::parse(&line)?);
    }
    Ok(templates)
}

/// Gives every language the common slots, and checks what is left.
fn finish(mut languages: BTreeMap<String, Language>) -> Result<BTreeMap<String, Language>, String> {
    let common = languages.remove(ANY).unwrap_or_default().slots;
    let mut used = BTreeSet::new();
    for (name, language) in &mut languages {
        let own: Vec<String> = language.slots.keys().cloned().collect();
        for (slot, alternatives) in &common {
            if language.slots.insert(slot.clone(), alternatives.clone()).is_some() {
                return Err(format!("{name}: {slot} is a common slot"));
            }
        }
        let reached = reached(language).map_err(|e| format!("{name}: {e}"))?;
        if let Some(slot) = own.iter().find(|slot| !reached.contains(*slot)) {
            return Err(format!("{name}: nothing uses {slot}"));
        }
        used.extend(reached);
    }
    match common.keys().find(|slot| !used.contains(*slot)) {
        Some(slot) => Err(format!("nothing uses {slot}")),
        None => Ok(languages),
    }
}

/// The slots that a language's templates come to.
fn reached(language: &Language) -> Result<BTreeSet<String>, String> {
    let mut reached = BTreeSet::new();
    let families = language.attack.values().chain(language.benign.values());
    if families.clone().flatten().chain(&language.around).any(Template::is_empty) {
        return Err("an empty template".to_owned());
    }
    for template in families.flatten() {
        visit(template, &language.slots, &mut Vec::new(), &mut reached)?;
    }
    for template in &language.around {
        let mut slots = language.slots.clone();
        slots.insert(TEXT.to_owned(), Vec::new());
        visit(template, &slots, &mut Vec::new(), &mut reached)?;
    }
    Ok(reached)
}

fn visit(
    template: &Template,
    slots: &Slots,
    path: &mut Vec<String>,
    reached: &mut BTreeSet<String>,
) -> Result<(), String> {
    // Nobody writes an underscore but in the name of a slot.
    if let Some(name) =
        template.words().into_iter().find(|word| word.contains('_') && slots.contains_key(*word))
    {
        return Err(format!("{name} without braces"));
    }
    for name in template.slots() {
        if path.iter().any(|slot| slot == name) {
            return Err(format!("{name} is inside itself"));
        }
        let alternatives = slots.get(name).ok_or_else(|| format!("no slot {name}"))?;
        if reached.insert(name.to_owned()) {
            path.push(name.to_owned());
            for alternative in alternatives {
                visit(alternative, slots, path, reached)?;
            }
            path.pop();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(files: &[&str]) -> Result<BTreeMap<String, Language>, String> {
        let mut languages = BTreeMap::new();
        for text in files {
            file(text, &mut languages)?;
        }
        finish(languages)
    }

    #[test]
    fn files_of_a_language_share_slots_and_all_share_the_common_ones() {
        let common = "lang: any\nslots:\n  name: |\n    Ann\n    Bo|Cy\n";
        let one = "lang: en\nslots:\n  verb: go\nattack:\n  a: |\n    {verb} {name}\n";
        let two = "lang: en\nbenign:\n  b: |\n    {verb}\n    and {verb}\naround: so {text}\n";
        let languages = load(&[common, one, two]).unwrap();
        let english = &languages["en"];
        assert_eq!(languages.len(), 1);
        assert_eq!((english.slots.len(), english.slots["name"].len()), (2, 3));
        assert_eq!((english.attack["a"].len(), english.benign["b"].len()), (1, 2));
    }

    #[test]
    fn an_indented_line_continues() {
        let text = "lang: en\nattack:\n  a: |\n    go {on|\n      back}\n      now\n    stop\n";
        let parts = "lang: en\nattack:\n  a: |\n    go {on|back} now\n    stop\n";
        let (text, parts) = (load(&[text]).unwrap(), load(&[parts]).unwrap());
        assert_eq!(text["en"].attack, parts["en"].attack);
    }

    #[test]
    fn mistakes_are_refused() {
        let cases = [
            ("lang: en\nattack:\n  a: '{verb}'\n", "en: no slot verb"),
            ("lang: en\nslots:\n  verb: go\n", "en: nothing uses verb"),
            (
                "lang: en\nslots:\n  x: 'a {y}'\n  y: 'b {x}'\nattack:\n  a: '{x}'\n",
                "en: x is inside itself",
            ),
            (
                "lang: en\nslots:\n  a_b: x\nattack:\n  a: '{a_b} {go|a_b}'\n",
                "en: a_b without braces",
            ),
            ("lang: en\nattack:\n  a: 'x|'\n", "en: an empty template"),
            ("lang: en\nrules: x\n", "unknown field: rules"),
            ("attack:\n  a: x\n", "no lang"),
            ("lang: en\nattack:\n  a: '{x'\n", "a: a brace is not closed"),
        ];
        for (text, error) in cases {
            assert_eq!(load(&[text]).err().as_deref(), Some(error), "{text}");
        }
        let twice = "lang: en\nattack:\n  a: x\n";
        assert_eq!(load(&[twice, twice]).err().as_deref(), Some("a is there twice"));
    }
}
