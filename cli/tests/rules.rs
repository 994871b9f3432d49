//! `weir rules` and `weir explain RULE`: which rules there are, and everything about one.

// Helpers of tests are not `#[test]` themselves, so clippy's `allow-*-in-tests` misses them.
#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::{Folder, policy};
use serde_json::Value;

const SPEC: &str = r#"
  packs:
    - {name: secrets, action: Mask, channels: [response.text]}
    - {name: injection, sensitivity: Low, action: Reject, mode: Shadow, channels: [request.user]}
  rules:
    - id: bird
      description: A codename
      keywords: [bluebird]
      regex: 'bluebird'
      maxLength: 8
      exposure: Nothing
      action: Mask
      channels: [response.text]
      examples: {match: ['a [[bluebird]]'], clean: ['a bird']}
"#;

fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.file("p.yaml", policy(SPEC));
    folder
}

fn listed(folder: &Folder, arguments: &str) -> BTreeMap<String, Value> {
    let ran = folder.run(&format!("rules --json {arguments}"), "");
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""), "{arguments}");
    let rows = ran.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.map(|row| (row["id"].as_str().unwrap().to_owned(), row)).collect()
}

#[test]
fn without_a_policy_all_built_in_rules_are_listed() {
    let folder = folder("rules-all");
    let all = listed(&folder, "");
    assert!(all.len() > 50 && !all.contains_key("bird"));
    let key = &all["secrets-openai-key"];
    assert_eq!((&key["pack"], &key["sensitivity"]), (&"secrets".into(), &"Low".into()));
    assert_eq!(key["acts"]["response.toolCall"]["action"], "Reject");
    assert_eq!(key["keywords"][0], "sk-");
    let secrets = listed(&folder, "--pack secrets");
    assert!(secrets.values().all(|rule| rule["pack"] == "secrets"));
    let count = all.values().filter(|rule| rule["pack"] == "secrets").count();
    assert_eq!(secrets.len(), count);
    let ran = folder.run("rules --pack none", "");
    assert_eq!((ran.exit, ran.err.as_str()), (2, "weir: there is no pack `none`\n"));
}

#[test]
fn under_a_policy_those_in_force_are() {
    let folder = folder("rules-policy");
    let all = listed(&folder, "--policy p.yaml");
    assert_eq!(all["bird"]["pack"], Value::Null);
    assert_eq!(all["bird"]["acts"]["response.text"]["action"], "Mask");
    let acts = all["secrets-openai-key"]["acts"].as_object().unwrap();
    assert_eq!(acts.keys().collect::<Vec<_>>(), ["response.text"]);
    let attack = &all["injection-override-instructions"]["acts"]["request.user"];
    assert_eq!((&attack["action"], &attack["mode"]), (&"Reject".into(), &"Shadow".into()));
    assert!(!all.keys().any(|id| id.starts_with("pii-")));
    let mut injection = all.values().filter(|rule| rule["pack"] == "injection");
    assert!(injection.all(|rule| rule["sensitivity"] != "Medium"), "the policy says Low");
    let ran = folder.run("rules --policy p.yaml", "");
    for part in [
        "secrets: ",
        "\n  bird\n    A codename\n    Mask: response.text\n",
        "Reject (Shadow): request.user",
    ] {
        assert!(ran.out.contains(part), "{part} in {}", ran.out);
    }
    assert!(
        ran.out.ends_with(&format!("\n{} rules are in force under `test`\n", all.len())),
        "{}",
        ran.out
    );
    folder.file("bad.yaml", policy("{mode: Bogus}"));
    let ran = folder.run("rules --policy bad.yaml", "");
    assert!(ran.exit == 1 && ran.err.starts_with("bad.yaml:4:8: "), "{}", ran.err);
}

#[test]
fn a_rule_is_explained() {
    let folder = folder("rules-explain");
    for (arguments, parts) in [
        (
            "explain bird --policy p.yaml",
            &[
                "bird\n\nA codename\n",
                "written in: p.yaml:9\n",
                "does: Mask: response.text\n",
                "may leave before it is certain: nothing\n",
                "text waits from where a match could begin, at most 8 characters\n",
                "a [[bluebird]]\n",
            ][..],
        ),
        (
            "explain secrets-openai-key",
            &[
                "Mask: everywhere but response.toolCall; Reject: response.toolCall\n",
                "checked by: Entropy of at least 3.5\n",
                "references\n  https://",
            ],
        ),
        ("explain pii-card --policy p.yaml", &["does: nothing: the policy does not bring it in\n"]),
    ] {
        let ran = folder.run(arguments, "");
        assert_eq!((ran.exit, ran.err.as_str()), (0, ""), "{arguments}");
        for part in parts {
            assert!(ran.out.contains(part), "{part} in {}", ran.out);
        }
    }
    let ran = folder.run("explain bird --policy p.yaml --json", "");
    let rule: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(rule["examples"]["clean"][0], "a bird");
}

#[test]
fn what_is_no_rule_is_told() {
    let folder = folder("rules-none");
    for (arguments, exit, words) in [
        ("explain bird", 1, "there is no rule `bird`; see `weir rules`"),
        ("explain openai-key", 1, "there is no rule `openai-key`; secrets-openai-key"),
        ("explain", 2, "a rule, --text or --id is needed"),
        ("explain bird --text x", 2, "cannot be used with"),
    ] {
        let ran = folder.run(arguments, "");
        assert_eq!(ran.exit, exit, "{arguments}");
        assert!(ran.err.contains(words), "{arguments}: {}", ran.err);
    }
}

fn pages(folder: &Path) -> BTreeMap<String, String> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap());
    let name = |file: &fs::DirEntry| file.file_name().into_string().unwrap();
    files.map(|file| (name(&file), fs::read_to_string(file.path()).unwrap())).collect()
}

#[test]
fn every_rule_has_its_page_and_none_is_stale() {
    let folder = folder("rules-docs");
    assert_eq!(folder.run("rules --docs pages", "").exit, 0);
    let written = pages(&folder.path("pages"));
    let kept = pages(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rules"));
    let names = |of: &BTreeMap<String, String>| of.keys().cloned().collect::<Vec<_>>();
    let cure = "write them anew: ./just weir rules --docs docs/rules";
    assert_eq!(names(&written), names(&kept), "{cure}");
    for (name, text) in &written {
        assert!(kept.get(name) == Some(text), "docs/rules/{name} is stale; {cure}");
    }
    for id in listed(&folder, "").keys() {
        assert!(
            written.contains_key(&format!("{id}.md")) && written["README.md"].contains(id.as_str()),
            "{id}"
        );
    }
}

#[test]
fn pages_of_rules_that_are_gone_go_and_others_stay() {
    let folder = folder("rules-gone");
    fs::create_dir(folder.path("pages")).unwrap();
    folder
        .file("pages/old-rule.md", "<!-- Written by `weir rules --docs` from x. -->\n# old-rule\n");
    folder.file("pages/notes.md", "# Notes\n");
    assert_eq!(folder.run("rules --docs pages", "").exit, 0);
    let written = pages(&folder.path("pages"));
    assert!(!written.contains_key("old-rule.md"));
    assert_eq!(written["notes.md"], "# Notes\n");
}
