//! The texts that the classifier learns from: the development corpora, and what the grammar makes.

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::Value;
use weir_rules::fold::{Folded, fold};
use weir_rules::score::features::{Features, Seen};

use crate::grammar;

/// What text alone hardly shows: nothing is learned from it, and it is reported apart.
const HARDLY_SHOWN: [&str; 4] = ["contextual", "indirect_plain", "adv_suffix", "encoded"];
/// A developer's own prompt is no channel that the classifier reads.
const UNREAD: &str = "system_prompt";
/// Texts about attacks, or made to look like them: learned from, and no part of ordinary text.
const HARD: [&str; 2] = ["security_edu", "hard_negative"];
/// The most rows that the grammar makes of a family in a language.
const PER_FAMILY: usize = 400;
/// The least and the most words of a benign text of which a part hides an attack.
const EMBEDDED: f32 = 1.0;

/// A text as the trainer needs it.
pub struct Row {
    pub id: String,
    pub attack: bool,
    pub kind: String,
    pub lang: String,
    pub source: String,
    pub text: String,
    /// Counts when recall and false alarms are measured.
    pub measured: bool,
    pub weight: f32,
    /// The features of all words, one behind the other.
    pub features: Vec<u32>,
    /// Where each word's features end.
    pub words: Vec<u32>,
}

#[derive(Default)]
struct Words {
    features: Vec<u32>,
    words: Vec<u32>,
    shift: u32,
}

impl Seen for Words {
    fn feature(&mut self, hash: u32) {
        self.features.push(hash >> self.shift);
    }

    fn word(&mut self, _: bool) {
        self.words.push(self.features.len() as u32);
    }
}

/// The buckets of a text's features, and where its words end among them.
pub fn words(text: &str, bits: u32) -> (Vec<u32>, Vec<u32>) {
    let mut seen = Words { shift: 32 - bits, ..Words::default() };
    let mut features = Features::default();
    for c in text.chars() {
        match fold(c) {
            Folded::Drop => {}
            Folded::Space => features.push(' ', &mut seen),
            Folded::Chars(chars) => chars.as_str().chars().for_each(|c| features.push(c, &mut seen)),
        }
    }
    features.end(&mut seen);
    (seen.features, seen.words)
}

/// All rows: the corpora in the folder `data`, and the grammar in the folder `grammar`.
///
/// # Errors
/// A file cannot be read, or is not what it should be.
pub fn all(data: &Path, grammar: &Path, seed: u64, bits: u32) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut rows = Vec::new();
    for (file, weight) in
        [("inj_attack.jsonl.gz", 1.0), ("inj_benign.jsonl.gz", 1.0), ("inj_embedded.jsonl.gz", EMBEDDED)]
    {
        for line in BufReader::new(GzDecoder::new(File::open(data.join(file))?)).lines() {
            let value: Value = serde_json::from_str(&line?)?;
            let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
            let kind = text("kind");
            if HARDLY_SHOWN.contains(&kind) || kind == UNREAD {
                continue;
            }
            let (features, words) = words(text("text"), bits);
            rows.push(Row {
                id: text("id").to_owned(),
                attack: text("label") == "attack",
                kind: kind.to_owned(),
                lang: text("lang").to_owned(),
                source: text("source").to_owned(),
                text: text("text").to_owned(),
                measured: !HARD.contains(&kind) && text("source") != "synthetic_grammar" && kind != "embedded",
                weight,
                features,
                words,
            });
        }
    }
    for (at, made) in grammar::expand(grammar, seed, PER_FAMILY)?.into_iter().enumerate() {
        let (features, words) = words(&made.text, bits);
        rows.push(Row {
            id: format!("grammar-{at}"),
            attack: made.attack,
            kind: made.family,
            lang: made.lang,
            source: "weir_grammar".to_owned(),
            text: made.text,
            measured: false,
            weight: 0.5,
            features,
            words,
        });
    }
    Ok(rows)
}
