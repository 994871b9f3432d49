//! Every rule of the built-in packs is documented and proves itself: its examples are found, whole and at every cut,
//! and its clean texts are not.

#![cfg(not(target_arch = "wasm32"))]
// Helpers of tests may fail loudly, like the tests themselves.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::panic
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value};
use weir_rules::finding::{Finding, Found};
use weir_rules::policy::{Policy, Rule};
use weir_rules::scan::{closed, scan_whole};
use weir_rules::{ChannelSet, Keys, Ruleset, Scanner};

/// The fewest examples of either kind that a rule has.
const LEAST_EXAMPLES: usize = 3;

const POLICY: &str = r#"{
    "apiVersion": "guard.weir.dev/v1alpha1",
    "kind": "Policy",
    "metadata": {"name": "packs"},
    "spec": {"mode": "Enforce", "packs": [
        {"name": "injection", "sensitivity": "High"},
        {"name": "jailbreak", "sensitivity": "High"},
        {"name": "secrets", "sensitivity": "High"},
        {"name": "pii", "sensitivity": "High"}
    ]}
}"#;

struct File {
    family: String,
    name: String,
    rule: Rule,
}

fn json(node: &Yaml) -> Value {
    match node {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(b)) => Value::Bool(*b),
        Yaml::Value(Scalar::Integer(n)) => Value::from(*n),
        Yaml::Value(Scalar::FloatingPoint(n)) => Value::from(n.into_inner()),
        Yaml::Value(Scalar::String(s)) => Value::from(s.as_ref()),
        Yaml::Sequence(items) => items.iter().map(json).collect(),
        Yaml::Mapping(fields) => {
            let field =
                |(key, value): (&Yaml, &Yaml)| Some((key.as_str()?.to_owned(), json(value)));
            Value::Object(fields.iter().filter_map(field).collect::<Map<_, _>>())
        }
        other => panic!("{other:?} is no value of a rule"),
    }
}

fn files() -> Vec<File> {
    let mut files = Vec::new();
    for family in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("packs")).unwrap() {
        let family = family.unwrap().path();
        for file in fs::read_dir(&family).unwrap() {
            let file = file.unwrap().path();
            let text = fs::read_to_string(&file).unwrap();
            let documents = Yaml::load_from_str(&text).unwrap_or_else(|e| panic!("{file:?}: {e}"));
            assert_eq!(documents.len(), 1, "{file:?} has one document");
            let rule = Rule::from_json(json(&documents[0]).to_string().as_bytes());
            files.push(File {
                family: family.file_name().unwrap().to_string_lossy().into_owned(),
                name: file.file_stem().unwrap().to_string_lossy().into_owned(),
                rule: rule.unwrap_or_else(|e| panic!("{file:?}: {e}")),
            });
        }
    }
    files.sort_by(|a, b| a.rule.id.cmp(&b.rule.id));
    assert!(files.len() > 40, "the packs were found");
    files
}

fn ruleset() -> Ruleset {
    let policy = Policy::from_json(POLICY.as_bytes()).unwrap();
    Ruleset::compile(&policy, Keys::default()).unwrap()
}

/// An example without its marks, and the byte ranges that they enclose.
fn marked(example: &str) -> (String, Vec<(u64, u64)>) {
    let (mut text, mut spans, mut rest) = (String::new(), Vec::new(), example);
    while let Some((before, after)) = rest.split_once("[[") {
        let (found, behind) = after.split_once("]]").expect("marks come in pairs");
        text.push_str(before);
        let start = text.len() as u64;
        text.push_str(found);
        spans.push((start, text.len() as u64));
        rest = behind;
    }
    text.push_str(rest);
    (text, spans)
}

fn scan<'a>(rules: &Ruleset, pieces: impl IntoIterator<Item = &'a str>) -> Vec<Finding> {
    let (mut scanner, mut found) = (Scanner::default(), Vec::<Found>::new());
    for piece in pieces {
        scanner.push(rules, ChannelSet::ALL, piece, &mut found).expect("within every limit");
    }
    scanner.end(rules, &mut found).expect("within every limit");
    closed(found)
}

/// What the rule `id` found.
fn spans(rules: &Ruleset, id: &str, found: &[Finding]) -> Vec<(u64, u64)> {
    found.iter().filter(|f| rules.id(f.rule) == id).map(|f| (f.start, f.end)).collect()
}

#[test]
fn every_rule_is_documented_and_named_like_its_file() {
    for File { family, name, rule } in files() {
        let id = &rule.id;
        assert_eq!(*id, format!("{family}-{name}"));
        let prose = |text: &Option<String>| text.as_ref().is_some_and(|t| !t.trim().is_empty());
        assert!(prose(&rule.description), "{id} says what it finds");
        assert!(prose(&rule.why), "{id} says why it matters");
        assert!(!rule.references.is_empty(), "{id} has references");
        assert!(rule.references.iter().all(|r| r.starts_with("https://")), "{id} links to them");
        assert!(rule.tags.iter().any(|t| t.starts_with("owasp-llm-2025/LLM")), "{id} has a tag");
        assert!(rule.examples.matches.len() >= LEAST_EXAMPLES, "{id} has examples that match");
        assert!(rule.examples.clean.len() >= LEAST_EXAMPLES, "{id} has examples that are clean");
        assert!(
            rule.action.is_none() && rule.mode.is_none(),
            "{id} leaves what it does to the policy"
        );
    }
}

#[test]
fn the_module_carries_every_rule_once() {
    let files = files();
    let mut built: Vec<String> = weir_rules::packs::rules().into_iter().map(|r| r.id).collect();
    built.sort();
    assert_eq!(built, files.iter().map(|f| f.rule.id.clone()).collect::<Vec<_>>());
    assert!(built.windows(2).all(|two| two[0] != two[1]), "ids are unique");
    assert_eq!(ruleset().len(), built.len());
}

#[test]
fn no_example_stands_twice() {
    let mut first: BTreeMap<String, String> = BTreeMap::new();
    for File { rule, .. } in files() {
        for example in rule.examples.matches.iter().chain(&rule.examples.clean) {
            if let Some(other) = first.insert(marked(example).0, rule.id.clone()) {
                panic!("an example of {} is also one of {other}: {example}", rule.id);
            }
        }
    }
}

#[test]
fn matching_examples_are_found_exactly_at_every_cut() {
    let rules = ruleset();
    for File { rule, .. } in files() {
        for example in &rule.examples.matches {
            let (text, expected) = marked(example);
            assert!(!expected.is_empty(), "{}: nothing is marked in {example}", rule.id);
            let whole = scan_whole(&rules, ChannelSet::ALL, &text).expect("within every limit");
            assert_eq!(spans(&rules, &rule.id, &whole), expected, "{}: {example}", rule.id);
            for (cut, _) in text.char_indices() {
                let (head, tail) = text.split_at(cut);
                assert_eq!(
                    scan(&rules, [head, tail]),
                    whole,
                    "{}: {example} cut at {cut}",
                    rule.id
                );
            }
            let characters = text.split("").filter(|piece| !piece.is_empty());
            assert_eq!(scan(&rules, characters), whole, "{}: {example} by character", rule.id);
        }
    }
}

#[test]
fn clean_examples_are_clean_for_their_rule() {
    let rules = ruleset();
    for File { rule, .. } in files() {
        for text in &rule.examples.clean {
            let found = scan(&rules, [text.as_str()]);
            assert_eq!(spans(&rules, &rule.id, &found), [], "{}: {text}", rule.id);
            for other in &found {
                println!(
                    "a clean text of {} is found by {}: {text}",
                    rule.id,
                    rules.id(other.rule)
                );
            }
        }
    }
}

/// Texts of one side are skipped where they are clean; those of both are read whole.
#[test]
fn examples_amid_clean_text_are_found_as_if_all_were_read() {
    let rules = ruleset();
    let around = "Nothing of note here, 2024 was fine: x=1; the water flows. ";
    for File { rule, .. } in files() {
        for example in rule.examples.matches.iter().chain(&rule.examples.clean) {
            let (example, _) = marked(example);
            for before in 0..20 {
                let lead = around.get(..before).unwrap_or_default();
                let text = format!("{lead} {example} {around}{around}");
                let whole = scan_whole(&rules, ChannelSet::ALL, &text).expect("within every limit");
                for side in [ChannelSet::REQUEST, ChannelSet::RESPONSE] {
                    let reads = |finding: &Finding| {
                        side.iter().any(|channel| rules.action(finding.rule, channel).is_some())
                    };
                    let expected: Vec<Finding> =
                        whole.iter().filter(|f| reads(f)).cloned().collect();
                    let found = scan_whole(&rules, side, &text).expect("within every limit");
                    assert_eq!(found, expected, "{}: {text} in {side:?}", rule.id);
                }
            }
        }
    }
}
