//! `weir test --evasions`: what a policy still finds when its texts are disguised.

mod dice;
mod encode;
mod letters;
mod samples;
mod spread;

use std::io::{self, Write};

use serde_json::{Value, json};

use super::find;
use crate::args::{As, Format, Test};
use crate::eval::judge::judge;
use crate::eval::measure::flagged;
use crate::eval::rate::Rate;
use crate::eval::table::{Table, interval, whole};
use crate::policy::Terms;
use crate::{Exit, policy};
use dice::Dice;
use samples::{Sample, Subjects};

/// A way to disguise a text.
type Transformation = fn(&str, &mut Dice) -> String;

/// All of them, by name.
const ALL: [(&str, Transformation); 23] = [
    ("base64", encode::base64),
    ("hex", encode::hex),
    ("percent, every byte", encode::percent),
    ("percent, as in an address", encode::address),
    ("HTML entities", encode::entities),
    ("\\u escapes", encode::escapes),
    ("tag characters", encode::tags),
    ("leet", letters::leet),
    ("spaced letters", spread::spaced),
    ("dotted letters", spread::dotted),
    ("hyphens in words", spread::hyphens),
    ("one word a line", spread::lines),
    ("rot13", encode::rot13),
    ("rot13, named", encode::rot13_named),
    ("reversed", encode::reversed),
    ("reversed, named", encode::reversed_named),
    ("full-width", letters::full_width),
    ("mathematical bold", letters::bold),
    ("combining marks", letters::combining),
    ("zero-width between letters", spread::zero_width),
    ("look-alikes", letters::look_alikes),
    ("upper case", letters::upper),
    ("typos", letters::typos),
];

/// What became of texts.
struct Row {
    name: &'static str,
    found: Rate,
    flagged: Rate,
}

/// Disguises the texts of all policies and prints what is found.
pub fn run(test: &Test, out: &mut dyn Write) -> io::Result<Exit> {
    let Some(subjects) = samples::gather(&find::files(&test.paths)?)? else {
        return Ok(Exit::Bad);
    };
    if subjects.iter().all(|of| of.samples.is_empty()) {
        return Err(io::Error::other(
            "no texts: no policy with rules that read requests only, no cases about requests",
        ));
    }
    for Subjects { policy, samples } in subjects {
        let Some(terms) = policy::terms(Some(&policy), None)? else { return Ok(Exit::Bad) };
        let rows = rows(&terms, &samples, test.seed);
        let name = policy.display().to_string();
        match test.format {
            Format::Human => table(&rows).print(&name, out)?,
            Format::Json => writeln!(out, "{}", document(&name, test.seed, &rows))?,
        }
    }
    Ok(Exit::Good)
}

/// The texts as they are, then under each transformation: attacks that are found plain, and clean texts that are clean
/// plain, where the transformation changes them.
fn rows(terms: &Terms, samples: &[Sample], seed: u64) -> Vec<Row> {
    let finds =
        |sample: &Sample, text: &str| flagged(&judge(terms, sample.channel, text), As::Flag);
    let mut plain = Row { name: "plain", found: Rate::default(), flagged: Rate::default() };
    let mut known = Vec::new();
    for sample in samples {
        let hit = finds(sample, &sample.text);
        plain.count(sample, hit);
        if hit == sample.attack {
            known.push(sample);
        }
    }
    let mut rows = vec![plain];
    for (name, transformation) in ALL {
        let mut row = Row { name, found: Rate::default(), flagged: Rate::default() };
        for sample in &known {
            let text = transformation(&sample.text, &mut Dice::new(seed, &sample.text));
            if text != sample.text {
                row.count(sample, finds(sample, &text));
            }
        }
        rows.push(row);
    }
    rows
}

impl Row {
    fn count(&mut self, sample: &Sample, hit: bool) {
        let rate = if sample.attack { &mut self.found } else { &mut self.flagged };
        rate.of += 1;
        rate.hits += u64::from(hit);
    }
}

fn table(rows: &[Row]) -> Table {
    let head = ["transformation", "attacks", "found", "recall", "clean", "flagged"];
    let mut table = Table::new(head.map(str::to_owned));
    for row in rows {
        table.row([
            row.name.to_owned(),
            whole(row.found.of),
            whole(row.found.hits),
            interval(row.found),
            whole(row.flagged.of),
            whole(row.flagged.hits),
        ]);
    }
    table
}

fn document(policy: &str, seed: u64, rows: &[Row]) -> Value {
    let row = |row: &Row| {
        json!({
            "transformation": row.name,
            "attacks": row.found.of,
            "found": row.found.hits,
            "recall": row.found.value(),
            "clean": row.flagged.of,
            "flagged": row.flagged.hits,
        })
    };
    json!({"policy": policy, "seed": seed, "rows": rows.iter().map(row).collect::<Vec<_>>()})
}
