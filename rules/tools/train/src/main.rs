//! Trains the classifier: `weir-train DATA MODEL`, with the folder of the development corpora and the file to write.
//! `weir-train DATA` alone prints what cross-validation says.

use std::error::Error;
use std::path::Path;

use weir_rules::score::model::{KNOTS, MAGIC};
use weir_train::cross::{Apart, Judged, exceeding, judge, threshold};
use weir_train::fit::{Coded, Settings, fit};
use weir_train::joined::{Level, Rules};
use weir_train::rows::{self, Row};

const USAGE: &str = "weir-train DATA [MODEL]";
const SEED: u64 = 1;
/// The shares of ordinary texts that exceed the knots of the score in cross-validation, among texts like those that were
/// taught, and among texts of other sources: where points begin, and what High, Medium and Low flag. What is as far beyond
/// Low as Low is beyond Medium has all points.
const SHARES: [(f64, f64); KNOTS - 1] =
    [(0.03, 0.1), (0.005, 0.02), (0.001, 0.01), (0.0002, 0.001)];
/// What people send to assistants.
const ORDINARY: [&str; 8] = [
    "chat",
    "code",
    "long_prompt",
    "memory",
    "model_output",
    "roleplay_benign",
    "security_benign",
    "user_prompt",
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let data = args.next().ok_or(USAGE)?;
    let grammar = Path::new(env!("CARGO_MANIFEST_DIR")).join("grammar");
    let settings = Settings::default();
    let rows = rows::all(Path::new(&data), &grammar, SEED)?;
    let attacks = rows.iter().filter(|row| row.attack).count();
    println!("{} attacks and {} benign texts", attacks, rows.len() - attacks);

    let alike = judge(&rows, Apart::Rows, &settings, SEED);
    report("texts of the same sources", &alike);
    let other = judge(&rows, Apart::Sources, &settings, SEED);
    report("texts of sources that were not taught", &other);

    // The stricter of both, so that false alarms on new kinds of text stay rare.
    let shares = SHARES.map(|(of_alike, of_other)| {
        threshold(&alike, &ORDINARY, of_alike).max(threshold(&other, &ORDINARY, of_other))
    });
    let [_, _, medium, low] = shares;
    let knots: Vec<f32> = shares.into_iter().chain([low + (low - medium)]).collect();
    println!("\nknots at {knots:?}");
    if let Some(file) = args.next() {
        let all: Vec<&Row> = rows.iter().collect();
        let model = fit(&all, &settings, SEED);
        std::fs::write(&file, written(&model, &knots))?;
    }
    for level in [Level::Medium, Level::Low] {
        let rules = Rules::new(level)?;
        for (what, judged) in [("same sources", &alike), ("other sources", &other)] {
            println!("\n{level:?}, {what}: recall, then false alarms\n");
            println!("{}", rules.table(judged, &knots));
        }
    }
    Ok(())
}

fn report(what: &str, judged: &[Judged<'_>]) {
    println!("\n{what}");
    let attacks: Vec<_> = judged.iter().filter(|one| one.row.attack).collect();
    let documents: Vec<_> =
        judged.iter().filter(|one| !one.row.attack && one.row.text.len() > 3000).collect();
    let exceed = |rows: &[&Judged<'_>], value: f32| {
        rows.iter().filter(|one| one.value > value).count() as f64 / rows.len().max(1) as f64
    };
    for share in [0.01, 0.005, 0.003, 0.002, 0.001, 0.0005] {
        let value = threshold(judged, &ORDINARY, share);
        println!(
            "  {:.2}% of ordinary texts above {value:.3}: attacks {:.3}, documents over 3 KB {:.4}",
            100.0 * share,
            exceed(&attacks, value),
            exceed(&documents, value),
        );
    }
    let value = threshold(judged, &ORDINARY, 0.002);
    for attack in [true, false] {
        let rows = exceeding(judged, value, |row| &row.source);
        let cells: Vec<String> = rows
            .iter()
            .filter(|((side, _), (found, _))| *side == attack && (attack || *found > 0))
            .map(|((_, name), (found, all))| format!("{name} {found}/{all}"))
            .collect();
        println!("  {}: {}", if attack { "attacks" } else { "alarms" }, cells.join(", "));
    }
}

/// The model's file.
fn written(model: &Coded, knots: &[f32]) -> Vec<u8> {
    // As `Model::window` has it: the sum times the norm in 16 bits of fraction, of which 12 are cut.
    let scaled = |value: f32| ((value - model.bias()) / model.step * 16.0) as i32;
    let mut file = MAGIC.to_vec();
    for knot in knots {
        file.extend(scaled(*knot).to_le_bytes());
    }
    file.extend(&model.slots);
    file
}
