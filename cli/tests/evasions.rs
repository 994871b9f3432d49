//! `weir test --evasions`: disguised texts, and what is still found in them.

// Helpers of tests are not `#[test]` themselves, so clippy's `allow-*-in-tests` misses them.
#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;

use common::{Folder, policy};
use serde_json::Value;

/// A rule for requests, and one for answers whose examples are of no matter here.
const SPEC: &str = r#"
  mode: Shadow
  rules:
    - id: bird
      keywords: [bluebird]
      regex: 'bluebird'
      maxLength: 8
      action: Reject
      channels: [request.user]
      examples: {match: ['where is [[bluebird]]', '[[bluebird]] now'], clean: ['a nice bird']}
    - id: answer
      keywords: [redbird]
      regex: 'redbird'
      maxLength: 7
      exposure: Nothing
      action: Mask
      channels: [response.text]
      examples: {match: ['a [[redbird]]']}
"#;

const SUITE: &str = r#"apiVersion: guard.weir.dev/v1alpha1
kind: PolicyTest
metadata: {name: suite}
spec:
  policy: p.yaml
  cases:
    - {name: a, channel: request.user, text: 'say bluebird twice', expect: {verdict: reject}}
    - {name: b, channel: request.user, text: 'say a word twice', expect: {findings: []}}
    - {name: c, channel: request.user, text: 'missed anyway', expect: {verdict: reject}}
    - {name: d, channel: response.text, text: 'an answer', expect: {verdict: pass}}
    - {name: e, channel: request.user, text: 'says nothing', expect: {absent: [bird]}}
"#;

/// For each transformation: attacks, found, clean texts, flagged.
fn rows(out: &str) -> BTreeMap<String, [u64; 4]> {
    let document: Value = serde_json::from_str(out).unwrap();
    let row = |row: &Value| {
        let count = |name: &str| row[name].as_u64().unwrap();
        let name = row["transformation"].as_str().unwrap().to_owned();
        (name, ["attacks", "found", "clean", "flagged"].map(count))
    };
    document["rows"].as_array().unwrap().iter().map(row).collect()
}

#[test]
fn texts_of_rules_and_tests_are_disguised() {
    let folder = Folder::new("evasions-rows");
    folder.file("p.yaml", policy(SPEC));
    let ran = folder.run("test --evasions p.yaml --format json", "");
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""));
    let of = rows(&ran.out);
    assert_eq!(of["plain"], [2, 2, 1, 0]);
    for name in ["upper case", "full-width", "zero-width between letters", "one word a line"] {
        assert_eq!(of[name], [2, 2, 1, 0], "{name}");
    }
    // Decoded without any cue.
    for name in ["base64", "hex", "dotted letters", "spaced letters"] {
        assert_eq!(of[name], [2, 2, 1, 0], "{name}");
    }
    // Only next to words of the trade, which these texts have none of.
    for name in ["rot13", "reversed"] {
        assert_eq!(of[name], [2, 0, 1, 0], "{name}");
    }
    folder.file("t.yaml", SUITE);
    let ran = folder.run("test --evasions . --format json", "");
    assert_eq!((ran.exit, ran.out.lines().count()), (0, 1), "{}{}", ran.out, ran.err);
    let of = rows(&ran.out);
    // What is missed plain is told, and not held against a disguise.
    assert_eq!((of["plain"], of["upper case"]), ([4, 3, 2, 0], [3, 3, 2, 0]));
}

#[test]
fn it_is_the_same_at_every_run_and_another_with_another_seed() {
    let folder = Folder::new("evasions-seed");
    let words = ["alpha", "river", "stone", "cloud", "light", "green", "horse", "table"];
    let rule = |word: &&str| {
        format!(
            "{{id: {word}, keywords: [{word}], regex: {word}, maxLength: 5, action: Audit, channels: [request.user], examples: {{match: ['the [[{word}]] here']}}}}"
        )
    };
    let rules: Vec<String> = words.iter().map(rule).collect();
    folder.file("p.yaml", policy(&format!("{{rules: [{}]}}", rules.join(", "))));
    let run = |seed: u32| folder.run(&format!("test --evasions p.yaml --seed {seed}"), "").out;
    assert_eq!(run(1), run(1));
    assert!((2..10).any(|seed| run(seed) != run(1)), "typos stand elsewhere");
    assert!(run(1).contains("| transformation"), "{}", run(1));
}

#[test]
fn a_clean_text_that_becomes_a_finding_is_told() {
    let folder = Folder::new("evasions-clean");
    folder.file(
        "p.yaml",
        policy(
            "{rules: [{id: tib, keywords: [tib], regex: tib, maxLength: 3, action: Audit, channels: [request.user], examples: {match: ['[[tib]]'], clean: [a bit]}}]}",
        ),
    );
    let of = rows(&folder.run("test --evasions p.yaml --format json", "").out);
    assert_eq!(of["reversed"], [1, 0, 1, 1]);
}

#[test]
fn what_cannot_be_disguised() {
    let folder = Folder::new("evasions-exits");
    folder.file("p.yaml", policy("{packs: [{name: secrets}]}"));
    folder.file("bad.yaml", policy("{mode: Bogus}"));
    for (arguments, exit, words) in [
        ("test --evasions p.yaml", 2, "weir: no texts: "),
        ("test --evasions bad.yaml", 1, "bad.yaml:4:8: "),
        ("test --evasions none.yaml", 2, "weir: none.yaml: "),
        ("test --evasions p.yaml --junit x.xml", 2, "error: "),
        ("test p.yaml --seed 2", 2, "error: "),
    ] {
        let ran = folder.run(arguments, "");
        assert_eq!((ran.exit, ran.out.as_str()), (exit, ""), "{arguments}: {}", ran.err);
        assert!(ran.err.starts_with(words), "{arguments}: {}", ran.err);
    }
}
