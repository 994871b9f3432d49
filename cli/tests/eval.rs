//! `weir eval`: figures over labelled texts, by hand-counted rows.

// Helpers of tests are not `#[test]` themselves, so clippy's `allow-*-in-tests` misses them.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use std::fs;

use common::{Folder, Ran, policy};
use serde_json::Value;

const SPEC: &str = r#"
  mode: Shadow
  rules:
    - {id: bird, keywords: [bluebird], regex: 'bluebird', maxLength: 8, action: Audit, channels: [request.user]}
    - {id: blue, keywords: [blue], regex: 'blue\w*', maxLength: 9, action: Audit, channels: [request.user]}
    - {id: stop, keywords: [halt], regex: 'halt', maxLength: 4, action: Reject, channels: ["*"]}
"#;

/// Five attacks, of which three are found and one refused, and one apart; four benign texts, of which one is flagged.
const ROWS: &str = r#"{"id":"a1","text":"one bluebird","label":"attack","kind":"direct","lang":"en","source":"s"}
{"id":"a2","text":"halt there","label":"attack","kind":"direct","lang":"en","source":"s"}
{"id":"a3","text":"nothing to see","label":"attack","kind":"leak","lang":"fr","source":"s","method":"hex"}
{"id":"a4","text":"blue sky","label":"attack","kind":"leak","lang":"fr","source":"t","method":"hex"}
{"id":"a5","text":"quiet bluebird","label":"attack","kind":"contextual","lang":"en","source":"t"}

{"id":"b1","text":"hello","label":"benign","kind":"chat","lang":"en","source":"u"}
{"id":"b2","text":"a blue car","label":"benign","kind":"chat","lang":"en","source":"u"}
{"id":3,"text":"good day","label":"benign","kind":"docs","lang":"fr","source":"u"}
{"id":"b4","text":"halting problem","label":"benign","kind":"docs","channel":"response.text"}
"#;

fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.file("p.yaml", policy(SPEC));
    folder.file("rows.jsonl", ROWS);
    folder
}

fn document(folder: &Folder, arguments: &str) -> (Ran, Value) {
    let ran = folder.run(&format!("eval --policy p.yaml --json - {arguments}"), "");
    let document = serde_json::from_str(&ran.out).unwrap_or_default();
    (ran, document)
}

/// A member by its JSON pointer.
fn at<'v>(of: &'v Value, pointer: &str) -> &'v Value {
    of.pointer(pointer).unwrap_or_else(|| panic!("{pointer} in {of:#}"))
}

#[test]
fn rows_are_counted() {
    let folder = folder("eval-counts");
    let (ran, document) = document(&folder, "--corpus rows.jsonl");
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""));
    let of = at(&document, "/policies/0");
    for (pointer, expected) in [
        ("/overall/attacks/texts", 4),
        ("/overall/attacks/flagged", 3),
        ("/overall/attacks/blocked", 1),
        ("/overall/benign/texts", 4),
        ("/overall/benign/bytes", 38),
        ("/overall/benign/flagged", 2),
        ("/overall/benign/blocked", 1),
        ("/apart/attacks/texts", 1),
        ("/apart/attacks/flagged", 1),
        ("/by/kind/direct/attacks/flagged", 2),
        ("/by/kind/contextual/attacks/flagged", 1),
        ("/by/language/fr/attacks/flagged", 1),
        ("/by/language/en/attacks/texts", 2),
        ("/by/source/t/attacks/texts", 1),
        ("/by/encoding/hex/attacks/texts", 2),
        ("/by/length/under 1 KB/benign/texts", 4),
        ("/by/corpus/rows/benign/texts", 4),
        ("/notInspected", 0),
    ] {
        assert_eq!(at(of, pointer), expected, "{pointer}");
    }
    let close = |pointer: &str, expected: f64| {
        let value = at(of, pointer).as_f64().unwrap();
        assert!((value - expected).abs() < 1e-3, "{pointer}: {value}");
    };
    close("/overall/flag/recall/value", 0.75);
    close("/overall/flag/recall/low", 0.3006);
    close("/overall/flag/recall/high", 0.9544);
    close("/overall/block/recall/value", 0.25);
    close("/overall/flag/precision/value", 0.6);
    close("/overall/flag/falseAlarmsPerThousand/value", 500.0);
    // Two texts of 38 bytes.
    close("/overall/flag/falseAlarmsPerMegabyte/value", 2.0 / 38e-6);
    close("/overall/benign/findingsPerMegabyte", 2.0 / 38e-6);
    assert!(at(of, "/curve").is_null() && at(of, "/spans").is_null());
    let rules: Vec<(&str, u64, u64, u64)> = at(of, "/rules")
        .as_array()
        .unwrap()
        .iter()
        .map(|r| {
            let count = |name: &str| r[name].as_u64().unwrap();
            (r["rule"].as_str().unwrap(), count("attacks"), count("attacksAlone"), count("benign"))
        })
        .collect();
    assert_eq!(rules, [("bird", 2, 0, 0), ("blue", 3, 1, 1), ("stop", 1, 1, 1)]);
}

#[test]
fn what_counts_and_where_texts_stand_can_be_said() {
    let folder = folder("eval-channels");
    let (_, document) = document(
        &folder,
        "--corpus rows.jsonl --as block --channel response.text --channel direct=request.user",
    );
    let of = at(&document, "/policies/0");
    assert_eq!(
        (&document["as"], &document["channels"]["direct"]),
        (&"block".into(), &"request.user".into())
    );
    assert_eq!(at(of, "/overall/attacks/flagged"), 2, "only direct ones stand where blue is read");
    for (arguments, words) in
        [("--channel nobody", "unknown channel"), ("--channel a=b", "unknown channel")]
    {
        let ran = folder.run(&format!("eval --policy p.yaml --corpus rows.jsonl {arguments}"), "");
        assert!(ran.exit == 2 && ran.err.contains(words), "{}", ran.err);
    }
}

#[test]
fn places_are_compared() {
    let folder = folder("eval-spans");
    folder.file(
        "places.jsonl",
        r#"{"id":1,"text":"é a bluebird, halt","spans":[[4,12,"bird"],[0,1,"letter"]]}
{"id":2,"text":"blue","spans":[]}
{"id":3,"text":"grey","spans":[]}
"#,
    );
    let (ran, document) = document(&folder, "--corpus places.jsonl --misses misses.jsonl");
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""));
    let spans = at(&document, "/policies/0/spans");
    for (pointer, expected) in [
        ("/texts", 3),
        ("/places", 2),
        ("/findings", 4),
        ("/falseFindings", 2),
        ("/textsWithoutPlaces", 2),
        ("/flaggedOfThose", 1),
    ] {
        assert_eq!(at(spans, pointer), expected, "{pointer}");
    }
    assert_eq!(at(spans, "/byType/bird/recall/value"), 1.0);
    assert_eq!(at(spans, "/byType/letter/recall/value"), 0.0);
    let misses = fs::read_to_string(folder.path("misses.jsonl")).unwrap();
    let lines: Vec<Value> =
        misses.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let short: Vec<(&str, &str)> = lines
        .iter()
        .map(|l| (l["id"].as_str().unwrap(), l["kind"].as_str().or(l["rule"].as_str()).unwrap()))
        .collect();
    assert_eq!(short, [("1", "letter"), ("1", "stop"), ("2", "blue")]);
}

#[test]
fn misses_are_named_by_id() {
    let folder = folder("eval-misses");
    folder.run("eval --policy p.yaml --corpus rows.jsonl --misses misses.jsonl", "");
    let misses = fs::read_to_string(folder.path("misses.jsonl")).unwrap();
    let expected = [
        r#"{"corpus":"rows","id":"a3","kind":"leak","policy":"p","what":"miss"}"#,
        r#"{"corpus":"rows","id":"b2","policy":"p","rule":"blue","what":"false alarm"}"#,
        r#"{"corpus":"rows","id":"b4","policy":"p","rule":"stop","what":"false alarm"}"#,
    ];
    assert_eq!(misses.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn bad_lines_are_told_and_the_others_counted() {
    let folder = folder("eval-bad");
    folder.file("bad.jsonl", format!("{ROWS}{{\"id\":1,\"text\":\"bluebird\"}}\nbluebird\n{ROWS}"));
    let (ran, document) = document(&folder, "--corpus bad.jsonl");
    assert_eq!(ran.exit, 2);
    assert_eq!(
        ran.err,
        "bad.jsonl:11: neither `spans`, nor a `label` attack or benign\nbad.jsonl:12: not JSON at column 1\n"
    );
    assert_eq!(
        (&document["badLines"], at(&document, "/policies/0/overall/attacks/texts")),
        (&2.into(), &8.into())
    );
}

#[test]
fn a_line_without_end_is_bad_and_the_next_is_read() {
    let folder = folder("eval-long");
    folder.file("long.jsonl", format!("{}\n{ROWS}", "x".repeat(17 << 20)));
    let (ran, document) = document(&folder, "--corpus long.jsonl");
    assert_eq!((ran.exit, ran.err.as_str()), (2, "long.jsonl:1: longer than 16 MiB\n"));
    assert_eq!(at(&document, "/corpora/0/rows"), 9);
}

/// A gzip file whose text is stored, not deflated.
fn gzip(text: &str) -> Vec<u8> {
    let mut crc = !0u32;
    for byte in text.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    let length = u16::try_from(text.len()).unwrap();
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    file.extend(length.to_le_bytes());
    file.extend((!length).to_le_bytes());
    file.extend(text.bytes());
    file.extend((!crc).to_le_bytes());
    file.extend(u32::from(length).to_le_bytes());
    file
}

#[test]
fn gzip_is_read_and_a_broken_file_is_not() {
    let folder = folder("eval-gzip");
    let packed = gzip(ROWS);
    folder.file("packed.jsonl.gz", &packed);
    folder.file("cut.jsonl.gz", &packed[..packed.len() - 5]);
    let (plain, packed) = (
        document(&folder, "--corpus rows.jsonl").1,
        document(&folder, "--corpus packed.jsonl.gz").1,
    );
    for pointer in ["/policies/0/overall", "/policies/0/apart", "/policies/0/rules"] {
        assert_eq!(at(&plain, pointer), at(&packed, pointer), "{pointer}");
    }
    let ran = folder.run("eval --policy p.yaml --corpus cut.jsonl.gz", "");
    assert_eq!((ran.exit, ran.out.as_str()), (2, ""));
    assert!(ran.err.starts_with("weir: cut.jsonl.gz: not gzip"), "{}", ran.err);
}

#[test]
fn policies_stand_side_by_side_and_no_text_is_shown() {
    let folder = folder("eval-reports");
    folder.file("q.yaml", policy("{rules: []}"));
    let ran = folder.run(
        "eval --policy p.yaml --policy q.yaml --corpus rows.jsonl --html page.html --json out.json",
        "",
    );
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""));
    assert!(ran.out.starts_with("9 rows of rows (9), "), "{}", ran.out);
    for part in [
        "| p, flag  |       4 | 0.750 [0.301, 0.954] |      4 |       500 [150, 850] |",
        "| p, block |",
        "| q, flag  |       4 | 0.000 [0.000, 0.490] |",
        "p: recall |",
        "Attacks that a text alone hardly shows",
        "Texts with a finding, by rule: p",
    ] {
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(squeezed(&ran.out).contains(&squeezed(part)), "{part} in\n{}", ran.out);
    }
    let page = fs::read_to_string(folder.path("page.html")).unwrap();
    for part in [
        "Recall by kind of attack",
        "False alarms by rule: p",
        "<circle",
        "prefers-color-scheme: dark",
    ] {
        assert!(page.contains(part), "{part}");
    }
    for part in ["<script", "http:", "https:", "url(", "@import", "src="] {
        assert!(!page.contains(part), "the page asks for nothing: {part}");
    }
    let json = fs::read_to_string(folder.path("out.json")).unwrap();
    for (name, report) in [("text", &ran.out), ("page", &page), ("json", &json)] {
        for text in ["bluebird", "nothing to see", "a blue car"] {
            assert!(!report.contains(text), "{text} in {name}");
        }
    }
}

#[test]
fn policies_are_measured_together() {
    let folder = folder("eval-together");
    let one = |word: &str| {
        policy(&format!(
            "{{rules: [{{id: {word}, keywords: [{word}], regex: {word}, maxLength: 4, action: Audit}}]}}"
        ))
    };
    folder.file("p.yaml", one("blue"));
    folder.file("q.yaml", one("bird"));
    let (ran, document) = document(&folder, "--policy q.yaml --combine --corpus rows.jsonl");
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""));
    let policies = document["policies"].as_array().unwrap();
    let found: Vec<(&str, u64, u64)> = policies
        .iter()
        .map(|of| {
            let flagged =
                |side: &str| at(of, &format!("/overall/{side}/flagged")).as_u64().unwrap();
            (of["policy"].as_str().unwrap(), flagged("attacks"), flagged("benign"))
        })
        .collect();
    // `bluebird` holds both words, `blue` one of them.
    let expected = [("p", 2, 1), ("q", 1, 0), ("any of them", 2, 1), ("all of them", 1, 0)];
    assert_eq!(found, expected);
}

#[test]
fn what_cannot_be_measured() {
    let folder = folder("eval-exits");
    folder.file("wrong.yaml", policy("{mode: Bogus}"));
    for (arguments, exit, words) in [
        ("eval --policy wrong.yaml --corpus rows.jsonl", 1, "wrong.yaml:4:8: "),
        ("eval --policy none.yaml --corpus rows.jsonl", 2, "weir: none.yaml: "),
        ("eval --policy p.yaml --corpus none.jsonl", 2, "weir: none.jsonl: "),
        ("eval --policy p.yaml --corpus rows.jsonl --misses no/where", 2, "weir: no/where: "),
        ("eval --corpus rows.jsonl", 2, "error: "),
    ] {
        let ran = folder.run(arguments, "");
        assert_eq!((ran.exit, ran.out.as_str()), (exit, ""), "{arguments}: {}", ran.err);
        assert!(ran.err.starts_with(words), "{arguments}: {}", ran.err);
    }
}

/// The project's own policies on its own samples: few rows, so what is asked is little, and holds at every change.
#[test]
fn the_samples_are_measured() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/eval");
    let measured = |policy: &str, corpus: &str| -> Value {
        let folder = Folder::new(&format!("eval-{policy}-{corpus}"));
        let mut command = folder.command("eval --json - --policy");
        command.arg(root.join(policy)).arg("--corpus").arg(root.join(corpus));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        at(&document, "/policies/0").clone()
    };
    let count = |of: &Value, pointer: &str| at(of, pointer).as_u64().unwrap();
    let flag = measured("flag.yaml", "sample.jsonl");
    let block = measured("block.yaml", "sample.jsonl");
    for of in [&flag, &block] {
        assert!(count(of, "/overall/attacks/texts") >= 50);
        assert!(count(of, "/overall/benign/texts") >= 40);
        assert!(at(of, "/by/language").as_object().unwrap().len() >= 13);
        assert!(count(of, "/overall/attacks/flagged") >= 45);
        assert!(count(of, "/overall/benign/flagged") <= 2);
        assert_eq!(count(of, "/notInspected"), 0);
    }
    assert_eq!(count(&flag, "/overall/attacks/blocked"), 0, "FLAG only counts");
    assert_eq!(at(&block, "/overall/attacks/blocked"), at(&block, "/overall/attacks/flagged"));
    let places = measured("dlp.yaml", "sample-dlp.jsonl");
    assert_eq!(at(&places, "/spans/recall/value"), 1.0);
    assert_eq!(count(&places, "/spans/falseFindings"), 0);
}
