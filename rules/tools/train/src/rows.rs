//! The texts that the classifier learns from: the development corpora, and what the grammar makes.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::Value;
use weir_rules::fold::{Folded, fold};
use weir_rules::score::features::{Features, Seen};
use weir_rules::score::model::{OWNER_BITS, SLOT_BITS};

use crate::grammar;

const FILES: [&str; 4] =
    ["inj_attack.jsonl.gz", "inj_benign.jsonl.gz", "inj_embedded.jsonl.gz", "inj_encoded.jsonl.gz"];
/// What text alone hardly shows, and what must be decoded first: nothing is learned from it. Benign text that is encoded
/// is learned from, so that no encoding by itself looks like an attack.
const HARDLY_SHOWN: [&str; 4] = ["contextual", "indirect_plain", "adv_suffix", "encoded"];
/// A developer's own prompt is no channel that the classifier reads.
const UNREAD: &str = "system_prompt";
/// Texts about attacks, made to look like them or made of them: learned from, and no part of what is measured.
const TAUGHT_ONLY: [&str; 4] = ["security_edu", "hard_negative", "embedded", "encoded_benign"];
/// The most rows that the grammar makes of a family in English, and in another language.
const PER_FAMILY: (usize, usize) = (300, 30);
/// What a row of the grammar counts, of what a row of the corpora does.
const MADE: f32 = 0.3;

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
    /// Where the features of the word that is being read begin.
    singles: usize,
}

impl Seen for Words {
    fn single(&mut self, hash: u32) {
        self.joined(hash);
    }

    fn singles(&mut self, again: bool) {
        if again {
            self.features.truncate(self.singles);
        }
    }

    fn joined(&mut self, hash: u32) {
        self.features.push(hash >> (32 - SLOT_BITS - OWNER_BITS));
    }

    fn word(&mut self, _: bool) {
        self.singles = self.features.len();
        self.words.push(self.features.len() as u32);
    }
}

/// A text's features, by slot and owner, and where its words end among them.
pub fn words(text: &str) -> (Vec<u32>, Vec<u32>) {
    let mut seen = Words::default();
    let mut features = Features::default();
    for c in text.chars() {
        match fold(c) {
            Folded::Drop => {}
            Folded::Space => features.push(' ', &mut seen),
            Folded::Chars(chars) => {
                chars.as_str().chars().for_each(|c| features.push(c, &mut seen))
            }
        }
    }
    features.end(&mut seen);
    (seen.features, seen.words)
}

/// All rows: the corpora in the folder `data`, and the grammar in the folder `grammar`.
///
/// # Errors
/// A file cannot be read, or is not what it should be.
pub fn all(data: &Path, grammar: &Path, seed: u64) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut rows = Vec::new();
    for file in FILES {
        for line in BufReader::new(GzDecoder::new(File::open(data.join(file))?)).lines() {
            let value: Value = serde_json::from_str(&line?)?;
            let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
            let kind = text("kind");
            if HARDLY_SHOWN.contains(&kind) || kind == UNREAD {
                continue;
            }
            let (features, words) = words(text("text"));
            rows.push(Row {
                id: text("id").to_owned(),
                attack: text("label") == "attack",
                kind: kind.to_owned(),
                lang: text("lang").to_owned(),
                source: text("source").to_owned(),
                text: text("text").to_owned(),
                measured: !TAUGHT_ONLY.contains(&kind) && text("source") != "synthetic_grammar",
                weight: 1.0,
                features,
                words,
            });
        }
    }
    let mut counts = BTreeMap::new();
    for made in grammar::expand(grammar, seed, PER_FAMILY.0)? {
        let count: &mut usize =
            counts.entry((made.lang.clone(), made.family.clone(), made.attack)).or_default();
        *count += 1;
        if made.lang != "en" && *count > PER_FAMILY.1 {
            continue;
        }
        let (features, words) = words(&made.text);
        rows.push(Row {
            id: format!("{}-{}-{count}", made.lang, made.family),
            attack: made.attack,
            kind: made.family,
            lang: made.lang,
            source: "weir_grammar".to_owned(),
            text: made.text,
            measured: false,
            weight: MADE,
            features,
            words,
        });
    }
    Ok(rows)
}
