//! Searches the dearest text of every built-in rule: `./just dearest`. Beginnings of what a rule finds are repeated,
//! then changed again and again, and what costs the most goes on. A figure is the cost of a byte beyond the first
//! 4 KiB, as a multiple of what a byte of this project's own documents costs on the same side: answers for secrets and
//! personal data, requests for injection.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use weir_filter::Guard;
use weir_rules::{ChannelSet, Ruleset, scan_whole};
use weir_tests::exchange::Random;
use weir_tests::{examples, policies};

const KIB: usize = 1024;
/// Where the cost of a byte begins to count.
const START: usize = 4 * KIB;
/// The text that decides the figure of a rule, and the shorter one that is searched with.
const LONG: usize = 32 * KIB;
const SHORT: usize = 8 * KIB;
/// How often the dearest texts of a rule are changed, and how many of them go on.
const CHANGES: usize = 120;
const KEPT: usize = 4;
/// The longest text that is repeated.
const MOST: usize = 80;
/// What changes put in beside letters: what rules count, views drop and lexers know.
const ALPHABET: &[&str] = &[
    "a",
    "Z",
    "0",
    "9",
    " ",
    "-",
    ".",
    "@",
    "+",
    "_",
    "/",
    ":",
    "=",
    "\"",
    "\\",
    "\n",
    "\t",
    "\u{200b}",
    "\u{ad}",
    "\u{e9}",
    "\u{6c34}",
    "\u{1d41a}",
    "\u{ff21}",
    "\u{1f600}",
];
const SPEC: &str = r#"{"traffic":[{"hosts":["api.example.com"]}],
"packs":[{"name":"injection","sensitivity":"High"},{"name":"jailbreak","sensitivity":"High"},{"name":"secrets","action":"Mask"},{"name":"pii"}]}"#;

/// Nanoseconds of one scan, the least of some; and whether it was refused for its cost.
fn time(rules: &Ruleset, side: ChannelSet, text: &str, runs: usize) -> (f64, bool) {
    let mut least = f64::MAX;
    let mut refused = false;
    for _ in 0..runs {
        let began = Instant::now();
        refused = scan_whole(rules, side, text).is_err();
        least = least.min(began.elapsed().as_nanos() as f64);
    }
    (least, refused)
}

fn repeated(unit: &str, size: usize) -> String {
    unit.repeat(size.div_ceil(unit.len().max(1)))
}

/// Nanoseconds of a byte beyond the first 4 KiB.
fn cost(rules: &Ruleset, side: ChannelSet, unit: &str, size: usize, runs: usize) -> (f64, bool) {
    let (start, _) = time(rules, side, &repeated(unit, START), runs);
    let (whole, refused) = time(rules, side, &repeated(unit, size), runs);
    ((whole - start).max(0.0) / (size - START) as f64, refused)
}

/// The project's documents, as text that people write.
fn prose() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let files = ["README.md", "ARCHITECTURE.md", "docs/audit.md", "docs/runbook.md"];
    files.iter().filter_map(|file| std::fs::read_to_string(root.join(file)).ok()).collect()
}

/// Texts that each rule finds or nearly finds.
fn seeds() -> BTreeMap<String, Vec<String>> {
    let mut seeds: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for rule in weir_rules::packs::rules() {
        seeds.entry(rule.id.clone()).or_default().extend(rule.keywords);
    }
    for (rule, text) in examples::matching() {
        let ends = text.char_indices().map(|(at, _)| at).filter(|at| *at > 0).take(MOST);
        seeds.entry(rule).or_default().extend(ends.step_by(3).map(|at| text[..at].to_owned()));
    }
    seeds
}

/// One change of a text, with another text of the same rule at hand.
fn changed(text: &str, other: &str, random: &mut Random) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let at = random.below(chars.len().max(1));
    match random.below(6) {
        0 if chars.len() > 1 => drop(chars.remove(at)),
        1 => chars.truncate(at.max(1)),
        2 => chars.extend(other.chars()),
        3 => chars.splice(at..at, other.chars()).for_each(drop),
        4 => {
            let same = chars[at..].to_vec();
            chars.extend(same);
        }
        _ => {
            let more = ALPHABET[random.below(ALPHABET.len())];
            chars.splice(at..at, more.chars()).for_each(drop);
        }
    }
    chars.into_iter().take(MOST).collect()
}

fn dearest(rules: &Ruleset, side: ChannelSet, seeds: &[String], random: &mut Random) -> String {
    let mut best: Vec<(f64, String)> = Vec::new();
    let mut keep = |text: String| {
        let (cost, _) = cost(rules, side, &text, SHORT, 1);
        best.push((cost, text));
        best.sort_by(|a, b| b.0.total_cmp(&a.0));
        best.dedup_by(|a, b| a.1 == b.1);
        best.truncate(KEPT);
        best.iter().map(|(_, text)| text.clone()).collect::<Vec<_>>()
    };
    let mut kept = Vec::new();
    for seed in seeds {
        kept = keep(seed.clone());
    }
    for _ in 0..CHANGES {
        let text = &kept[random.below(kept.len())];
        let text = changed(text, &seeds[random.below(seeds.len())], random);
        if !text.is_empty() {
            kept = keep(text);
        }
    }
    kept.swap_remove(0)
}

fn main() {
    let guard: std::rc::Rc<Guard> = policies::guard(SPEC);
    let rules = &guard.first().unwrap().rules;
    let plain = prose();
    let unit = |side: ChannelSet| time(rules, side, &plain, 9).0 / plain.len() as f64;
    let (requests, answers) = (unit(ChannelSet::REQUEST), unit(ChannelSet::RESPONSE));
    let mut random = Random(0x5eed_1234_abcd_0001);
    let mut rows = Vec::new();
    for (rule, seeds) in seeds() {
        let seeds: Vec<String> = seeds.into_iter().filter(|s| !s.is_empty()).collect();
        if seeds.is_empty() {
            continue;
        }
        let (side, unit) =
            match ["injection-", "jailbreak-"].iter().any(|pack| rule.starts_with(pack)) {
                true => (ChannelSet::REQUEST, requests),
                false => (ChannelSet::RESPONSE, answers),
            };
        let text = dearest(rules, side, &seeds, &mut random);
        let (cost, refused) = cost(rules, side, &text, LONG, 5);
        rows.push((cost / unit, cost, rule, refused, text));
    }
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    println!(
        "A byte of plain text costs {requests:.1} ns in requests and {answers:.1} ns in answers. The dearest found for each of {} rules:\n",
        rows.len()
    );
    println!("| times | ns | rule | ends | repeated |\n| --: | --: | --- | --- | --- |");
    for (times, cost, rule, refused, text) in rows.iter().take(25) {
        let end = if *refused { "refused" } else { "scanned" };
        println!("| {times:.1} | {cost:.0} | {rule} | {end} | `{}` |", text.escape_debug());
    }
    let over = rows.iter().filter(|row| row.0 > 20.0).count();
    println!(
        "\n{over} of {} rules have a text that costs more than 20 times plain text.",
        rows.len()
    );
}
