//! `weir check`, `schema`, `default-policy` and the help: places, costs, exit codes.

mod common;

use common::{Folder, policy};

#[test]
fn errors_have_a_place_a_reason_and_a_cure() {
    let folder = Folder::new("check-errors");
    for (text, place) in [
        ("a: [1\n".to_owned(), "bad.yaml:"),
        (policy("{mode: Enforced}"), "bad.yaml:4:8: "),
        (policy("\n  packs:\n    - {name: pii, actoin: Mask}"), "bad.yaml:6:19: "),
    ] {
        folder.file("bad.yaml", &text);
        let ran = folder.run("check bad.yaml", "");
        assert_eq!(ran.exit, 1, "{text}");
        assert!(ran.out.starts_with(place), "{text}: {}", ran.out);
        assert!(ran.out.trim_end().ends_with(')'), "no cure in {}", ran.out);
        assert_eq!(ran.err, "");

        let ran = folder.run("check --format json bad.yaml", "");
        assert_eq!(ran.exit, 1);
        let row: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        let error = &row["errors"][0];
        assert!(error["line"].is_u64() && error["column"].is_u64(), "{}", ran.out);
        assert!(error["reason"].is_string() && error["cure"].is_string(), "{}", ran.out);
    }
}

#[test]
fn exit_codes() {
    let folder = Folder::new("check-exits");
    folder.file("good.yaml", policy("{packs: [{name: secrets, action: Mask}]}"));
    folder.file("bad.yaml", policy("{mode: Enforced}"));
    folder.file("binary.yaml", [0xff, 0xfe]);
    for (files, exit) in [
        ("good.yaml", 0),
        ("good.yaml bad.yaml", 1),
        ("bad.yaml good.yaml", 1),
        ("missing.yaml", 2),
        ("binary.yaml", 2),
        ("missing.yaml bad.yaml good.yaml", 2),
        ("", 2),
    ] {
        assert_eq!(folder.run(&format!("check {files}"), "").exit, exit, "{files}");
    }
}

#[test]
fn a_good_policy_tells_what_it_costs_and_may_hold() {
    let folder = Folder::new("check-costs");
    folder.file(
        "good.yaml",
        policy("{packs: [{name: pii, action: Mask, channels: [response.text]}, {name: secrets, action: Mask, channels: [response.reasoning]}]}"),
    );
    let ran = folder.run("check good.yaml", "");
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""));
    let line = |start: &str| {
        let start = format!("  {start} may hold: ");
        ran.out.lines().find_map(|l| l.strip_prefix(start.as_str())).unwrap().to_owned()
    };
    let held = line("response.text");
    assert!(held.contains(" characters, from the first on for ") && held.contains("pii-address"));
    assert!(line("response.reasoning").starts_with("nothing until an anchor is complete, then "));
    assert_eq!(line("response.toolCall"), "nothing");

    let ran = folder.run("check --format json good.yaml", "");
    let row: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert!(row["rules"].as_u64().unwrap() > 6 && row["bytes"].as_u64().unwrap() > 1000, "{row}");
}

#[test]
fn what_is_printed_can_be_used() {
    let folder = Folder::new("check-printed");
    let default = folder.run("default-policy", "");
    assert_eq!(default.exit, 0);
    assert_eq!(folder.run("check -", &default.out).exit, 0);
    let schema = folder.run("schema", "");
    let schema: serde_json::Value = serde_json::from_str(&schema.out).unwrap();
    assert!(schema["properties"]["spec"].is_object());
    for command in ["", "check ", "scan ", "replay "] {
        let help = folder.run(&format!("{command}--help"), "");
        assert_eq!(help.exit, 0);
        for part in ["Exit codes:", "  weir "] {
            assert!(help.out.contains(part), "{command}: {}", help.out);
        }
    }
}
