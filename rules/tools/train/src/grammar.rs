//! Expands the grammar to training texts: the same seed gives the same texts. The format is in
//! `grammar/README.md`.

mod load;
mod noise;
mod random;
mod template;

use std::collections::BTreeSet;
use std::path::Path;

use load::Language;
pub use random::Random;
use template::{Slots, Template, write};

/// One training text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub text: String,
    pub attack: bool,
    pub family: String,
    pub lang: String,
}

/// More texts of one template teach its frame, not its slots.
const PER_TEMPLATE: usize = 40;
/// Draws from one template in search of a text that is new.
const TRIES: usize = 6;

/// At most `per_family` different texts of each family in each language.
pub fn expand(dir: &Path, seed: u64, per_family: usize) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    let mut seen = BTreeSet::new();
    for (name, language) in load::languages(dir)? {
        for (attack, families) in [(true, &language.attack), (false, &language.benign)] {
            for (family, templates) in families {
                // A family's texts hardly change when another is added.
                let mut random = Random::new(seed, &format!("{name}/{attack}/{family}"));
                let texts = texts(templates, &language, &mut random, per_family, &mut seen);
                rows.extend(texts.into_iter().map(|text| Row {
                    text,
                    attack,
                    family: family.clone(),
                    lang: name.clone(),
                }));
            }
        }
    }
    Ok(rows)
}

/// Goes round the templates, so that each gives as many texts as the others while it can.
fn texts(
    templates: &[Template],
    language: &Language,
    random: &mut Random,
    limit: usize,
    seen: &mut BTreeSet<String>,
) -> Vec<String> {
    let mut texts = Vec::new();
    let mut fresh: Vec<&Template> = templates.iter().collect();
    for _ in 0..PER_TEMPLATE {
        random.shuffle(&mut fresh);
        fresh.retain(|template| {
            if texts.len() == limit {
                return false;
            }
            let found = (0..TRIES)
                .map(|_| text(template, language, random))
                .find(|text| seen.insert(text.clone()));
            let new = found.is_some();
            texts.extend(found);
            new
        });
    }
    texts
}

/// One text. Attacks and benign texts get the same surroundings and the same noise, so that
/// neither tells them apart.
fn text(template: &Template, language: &Language, random: &mut Random) -> String {
    let mut text = write(template, &language.slots, random);
    if random.one_in(4)
        && let Some(around) = random.pick(&language.around)
    {
        let inner = Slots::from([("text".to_owned(), vec![Template::literal(&text)])]);
        text = template::write_with(around, &language.slots, &inner, random);
    }
    noise::add(text, random)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn grammar() -> &'static Path {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/grammar"))
    }

    #[test]
    fn a_seed_decides_the_texts() {
        let rows = expand(grammar(), 1, 20).unwrap();
        assert_eq!(rows, expand(grammar(), 1, 20).unwrap());
        assert_ne!(rows, expand(grammar(), 2, 20).unwrap());
    }

    #[test]
    fn no_text_comes_twice_and_none_is_left_unwritten() {
        let rows = expand(grammar(), 1, 200).unwrap();
        let mut seen = BTreeSet::new();
        for row in &rows {
            assert!(seen.insert(&row.text), "twice: {}", row.text);
            assert!(row.text.chars().count() >= 3, "too short: {:?}", row.text);
            assert_eq!(row.text.trim(), row.text);
        }
    }

    #[test]
    fn each_language_has_both_sides_and_no_family_is_larger_than_asked() {
        let mut counts: BTreeMap<(String, bool, String), usize> = BTreeMap::new();
        for row in expand(grammar(), 1, 30).unwrap() {
            *counts.entry((row.lang, row.attack, row.family)).or_default() += 1;
        }
        assert!(counts.values().all(|count| *count <= 30));
        let sides = |attack| -> BTreeSet<_> {
            counts.keys().filter(|(_, side, _)| *side == attack).map(|(lang, ..)| lang).collect()
        };
        assert_eq!(sides(true), sides(false));
        assert!(sides(true).len() > 1);
    }
}
