//! `weir scan`: verdicts of lines and of single texts.

mod common;

use std::io::{BufRead, BufReader, Write};

use common::{Folder, policy};

/// One rule of each action in a user's text, and what must not be taken for Shadow.
const SPEC: &str = r#"
  mode: Shadow
  rules:
    - {id: b-mask, keywords: [bluebird], regex: 'bluebird', maxLength: 8, exposure: Nothing, action: Mask, channels: ["*"]}
    - {id: a-audit, keywords: [blue], regex: 'blue\w*', maxLength: 9, action: Audit, channels: ["*"]}
    - {id: note, keywords: [obey], regex: 'obey', maxLength: 4, action: Neutralize, channels: [request.toolResult]}
    - {id: stop, keywords: [halt], regex: 'halt', maxLength: 4, action: Reject, mode: Shadow, channels: ["*"]}
"#;

fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.file("p.yaml", policy(SPEC));
    folder
}

#[test]
fn a_line_in_a_line_out() {
    let folder = folder("scan-lines");
    for (line, expected) in [
        (
            r#"{"id":1,"text":"plain"}"#,
            r#"{"id":1,"verdict":"pass","score":null,"findings":[],"text":"plain"}"#,
        ),
        (
            r#"{"id":"x","text":"é bluebird\n"}"#,
            r#"{"id":"x","verdict":"mask","score":null,"findings":[{"rule":"a-audit","start":3,"end":11,"action":"audit"},{"rule":"b-mask","start":3,"end":11,"action":"mask"}],"text":"é [redacted:b-mask]\n"}"#,
        ),
        (
            r#"{"id":[2],"text":"blue halt","channel":"response.text"}"#,
            r#"{"id":[2],"verdict":"reject","score":null,"findings":[{"rule":"a-audit","start":0,"end":4,"action":"audit"},{"rule":"stop","start":5,"end":9,"action":"reject"}],"text":null}"#,
        ),
        (
            r#"{"id":3,"text":"obey"}"#,
            r#"{"id":3,"verdict":"pass","score":null,"findings":[],"text":"obey"}"#,
        ),
    ] {
        let ran = folder.run("scan --policy p.yaml --jsonl", line);
        assert_eq!((ran.exit, ran.out.trim_end(), ran.err.as_str()), (0, expected, ""));
    }
    let line = r#"{"id":4,"text":"obey","channel":"request.toolResult"}"#;
    let ran = folder.run("scan --policy p.yaml --jsonl", line);
    assert!(
        ran.out.contains(r#""verdict":"neutralize""#) && !ran.out.contains("obey"),
        "{}",
        ran.out
    );
}

#[test]
fn bad_lines_are_answered_and_remembered() {
    let folder = folder("scan-bad");
    let good = "{\"id\":9,\"text\":\"x\"}\n";
    for (line, why) in [
        ("nonsense", "not JSON"),
        ("{\"id\":1,\"text\":\"\\ud800\"}", "not JSON"),
        ("[1]", "`text`"),
        (r#"{"id":1,"text":5}"#, "`text`"),
        (r#"{"text":"x"}"#, "`id`"),
        (r#"{"id":1,"text":"x","channel":"request.nobody"}"#, "unknown channel"),
    ] {
        let ran = folder.run("scan --policy p.yaml --jsonl", format!("{good}{line}\r\n{good}"));
        assert_eq!(ran.exit, 2, "{line}");
        let lines: Vec<&str> = ran.out.lines().collect();
        let [first, bad, last] = lines[..] else { panic!("{line}: {lines:?}") };
        assert_eq!(first, last, "{line}");
        let bad: serde_json::Value = serde_json::from_str(bad).unwrap();
        assert!(bad["id"].is_null(), "{line}");
        let error = bad["error"].as_str().unwrap();
        assert!(error.starts_with("line 2: ") && error.contains(why), "{line}: {error}");
    }
}

#[test]
fn whoever_asks_line_by_line_is_answered_at_once() {
    let folder = folder("scan-talk");
    let mut child = folder.command("scan --policy p.yaml --jsonl").spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for id in 0..3 {
        writeln!(stdin, r#"{{"id":{id},"text":"x"}}"#).unwrap();
        let line = lines.next().unwrap().unwrap();
        assert!(line.starts_with(&format!(r#"{{"id":{id},"#)), "{line}");
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn what_cannot_be_inspected_is_rejected() {
    let folder = Folder::new("scan-fault");
    let text = format!("-----BEGIN RSA PRIVATE KEY-----{}", "A".repeat(70_000));
    let line = format!(r#"{{"id":1,"text":"{text}"}}"#);
    let ran = folder.run("scan --jsonl --channel response.text", line);
    assert_eq!(ran.exit, 0);
    let row: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&row["verdict"], &row["text"]), (&"reject".into(), &serde_json::Value::Null));
    assert!(row["fault"].is_string(), "{row}");
}

#[test]
fn a_single_text_is_shown_to_people() {
    let folder = folder("scan-human");
    let ran = folder.run("scan --policy p.yaml --channel response.text", "first\na bluebird\n");
    assert_eq!(
        (ran.exit, ran.out.as_str()),
        (
            0,
            "response.text: mask\na bluebird\n  ^^^^^^^^ a-audit: audit\n  ^^^^^^^^ b-mask: mask\n\
             passed on as:\nfirst\na [redacted:b-mask]\n"
        )
    );
    let ran = folder.run("scan --policy p.yaml --format json halt", "");
    assert!(ran.out.starts_with(r#"{"id":null,"verdict":"reject","#), "{}", ran.out);
}

#[test]
fn exit_codes() {
    let folder = folder("scan-exits");
    folder.file("bad.yaml", policy("{mode: Bogus}"));
    for (arguments, exit, words) in [
        ("scan --policy p.yaml halt", 0, ""),
        ("scan --policy bad.yaml x", 1, "bad.yaml:4:8: "),
        ("scan --policy missing.yaml x", 2, "weir: missing.yaml: "),
        ("scan --channel nobody x", 2, "weir: unknown channel `nobody`"),
        ("scan --jsonl x", 2, "error: "),
    ] {
        let ran = folder.run(arguments, "");
        assert_eq!(ran.exit, exit, "{arguments}: {}", ran.err);
        assert!(ran.err.starts_with(words), "{arguments}: {}", ran.err);
    }
}
