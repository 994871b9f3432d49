//! `weir diff`: what became weaker, by the documents and on recorded traffic.

// Helpers of tests are not `#[test]` themselves, so clippy's `allow-*-in-tests` misses them.
#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use common::{Folder, policy};

const SPEC: &str = r#"
  traffic: [{hosts: [api.openai.com]}]
  packs:
    - {name: pii, action: Mask, channels: [response.text]}
  rules:
    - {id: bird, keywords: [bluebird], regex: 'bluebird-?\d{0,2}', maxLength: 11, exposure: Nothing, action: Mask, channels: [request.user, response.text], examples: {match: ['[[bluebird-7]]']}}
    - {id: stop, keywords: [halt], regex: 'halt', maxLength: 4, action: Reject, channels: [request.user]}
  tools: {rules: [{id: no-shell, tools: ["shell*"], action: Deny}]}
  limits: {held: 64Ki}
"#;

fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.file("old.yaml", policy(SPEC));
    folder
}

/// The changes of a document in which `from` stands as `to`, and what the command ended with.
fn changes(folder: &Folder, from: &str, to: &str) -> (i32, Vec<String>) {
    let new = SPEC.replacen(from, to, 1);
    assert_ne!(new, SPEC, "{from} is in the policy");
    folder.file("new.yaml", policy(&new));
    let ran = folder.run("diff old.yaml new.yaml --format json", "");
    assert_eq!(ran.err, "", "{from} → {to}");
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["weaker"], ran.exit == 1);
    (ran.exit, told(&ran.out))
}

/// The changes of a report, each as `WEIGHT OLD NEW WHAT`.
fn told(report: &str) -> Vec<String> {
    let report: serde_json::Value = serde_json::from_str(report).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
    let show = |change: &serde_json::Value| {
        let [weight, old, new, what] =
            ["weight", "old", "new", "what"].map(|key| text(&change[key]));
        format!("{weight} {old} {new} {what}")
    };
    report["changes"].as_array().unwrap().iter().map(show).collect()
}

#[test]
fn documents() {
    let folder = folder("diff-documents");
    for (from, to, exit, expected) in [
        (
            "limits: {held: 64Ki}",
            "limits: {held: 128Ki}",
            1,
            vec!["weaker /spec/limits/held /spec/limits/held held: 64Ki → 128Ki"],
        ),
        (
            "limits: {held: 64Ki}",
            "failureMode: FailOpen",
            1,
            vec!["weaker - /spec/failureMode failureMode: FailClosed → FailOpen"],
        ),
        (
            "limits: {held: 64Ki}",
            "inspection: {media: Reject}",
            0,
            vec!["stronger - /spec/inspection/media media: Audit → Reject"],
        ),
        (
            "action: Reject",
            "action: Reject, mode: Shadow",
            1,
            vec![
                "weaker /spec/rules/1 /spec/rules/1 stop: request.user: reject → reject in Shadow",
            ],
        ),
        (
            "channels: [request.user, response.text]",
            "channels: [request.user]",
            1,
            vec!["weaker /spec/rules/0 /spec/rules/0 bird: response.text: mask → not read"],
        ),
        (
            "id: stop",
            "id: halt",
            1,
            vec![
                "weaker /spec/rules/1 - stop: removed; request.user: reject → not read",
                "stronger - /spec/rules/1 halt: added; request.user: not read → reject",
            ],
        ),
        (
            "action: Mask, channels: [response.text]",
            "action: Audit, channels: [response.text], overrides: [{rule: pii-card, action: Mask}, {rule: pii-ip, action: Mask}]",
            1,
            vec![
                "weaker /spec/packs/0 /spec/packs/0 39 rules (pii-address, pii-birth-date, pii-birth-date-written, pii-br-cnpj, pii-br-cnpj-named and 34 more): response.text: mask → audit",
            ],
        ),
        (
            "{name: pii, action: Mask, channels: [response.text]}",
            "{name: pii, action: Mask, channels: [response.text], overrides: [{rule: pii-ip, mode: Shadow}]}",
            1,
            vec!["weaker /spec/packs/0 /spec/packs/0 pii-ip: response.text: mask → mask in Shadow"],
        ),
        (
            "\"shell*\"",
            "\"shell_exec\"",
            1,
            vec![
                "weaker /spec/tools/rules/0/tools/0 - tools shell*: no longer denied",
                "stronger - /spec/tools/rules/0/tools/0 tools shell_exec: now denied",
            ],
        ),
        (
            "tools: {rules",
            "tools: {defaultAction: Deny, rules",
            0,
            vec!["stronger /spec/tools /spec/tools tools that no rule names: allowed → denied"],
        ),
        (
            "hosts: [api.openai.com]",
            "hosts: [api.example.com]",
            1,
            vec![
                "weaker /spec/traffic/0 - traffic api.openai.com/*: not read any more",
                "stronger - /spec/traffic/0 traffic api.example.com/*: read now",
            ],
        ),
        (
            r"'bluebird-?\d{0,2}'",
            "'bluebird'",
            1,
            vec![
                "weaker /spec/rules/0 /spec/rules/0 bird: 1 of its examples found before, not any more",
                r"changed /spec/rules/0/regex /spec/rules/0/regex bird: regex: bluebird-?\d{0,2} → bluebird",
            ],
        ),
        (
            "exposure: Nothing",
            "exposure: {characters: 4}",
            1,
            vec![
                "weaker /spec/rules/0/exposure /spec/rules/0/exposure bird: exposure: Nothing → {\"characters\":4}",
            ],
        ),
        (
            "limits: {held: 64Ki}",
            "exceptions: [{id: E, rules: [bird], reason: r, owner: o, expires: 2999-12-31}]",
            1,
            vec!["weaker - /spec/exceptions/0 exceptions: E added"],
        ),
    ] {
        let (ended, mut found) = changes(&folder, from, to);
        found.retain(|change| !change.contains("held: 64Ki → left out"));
        assert_eq!(
            (ended, found),
            (exit, expected.into_iter().map(str::to_owned).collect()),
            "{from} → {to}"
        );
    }
}

#[test]
fn allowed_tools_count_where_others_are_denied() {
    let folder = Folder::new("diff-tools");
    let tools = |default: &str, tools: &str| {
        policy(&format!(
            "{{tools: {{defaultAction: {default}, rules: [{{id: some, tools: {tools}, action: Allow}}]}}}}"
        ))
    };
    for (default, exit) in [("Deny", 1), ("Allow", 0)] {
        folder.file("old.yaml", tools(default, "[read]"));
        folder.file("new.yaml", tools(default, "[read, 'write*']"));
        let ran = folder.run("diff old.yaml new.yaml", "");
        assert_eq!(ran.exit, exit, "{}", ran.out);
        let told = "Weaker: 1\n  tools write*: now allowed (new /spec/tools/rules/0/tools/1)\n";
        assert_eq!(ran.out.contains(told), exit == 1, "{}", ran.out);
    }
}

#[test]
fn what_means_the_same_is_no_change() {
    let folder = folder("diff-same");
    for (from, to) in [
        ("limits: {held: 64Ki}", "mode: Enforce"),
        ("held: 64Ki", "held: 65536"),
        (
            "channels: [response.text]}\n  rules",
            "channels: [response.text], sensitivity: Medium}\n  rules",
        ),
        ("maxLength: 4, action", "maxLength: 4, description: Stops, action"),
    ] {
        assert_eq!(changes(&folder, from, to), (0, vec![]), "{from} → {to}");
    }
    let ran = folder.run("diff old.yaml old.yaml", "");
    assert_eq!((ran.exit, ran.out.as_str()), (0, "The policies do the same.\n"));
}

fn exchanges(folder: &Folder) {
    std::fs::create_dir_all(folder.path("raw")).unwrap();
    std::fs::create_dir_all(folder.path("bodies")).unwrap();
    let mut manifest = String::new();
    for (name, text) in [("attack", "please halt"), ("bird", "the bluebird"), ("plain", "hello")] {
        let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"{text}"}}]}}"#);
        let answer = r#"{"choices":[{"index":0,"message":{"content":"bluebird bluebird"},"finish_reason":"stop"}]}"#;
        let head = "POST /v1/chat/completions HTTP/1.1\nHost: api.openai.com\nContent-Type: application/json";
        folder.file(&format!("raw/{name}.req"), format!("{head}\n\n{body}"));
        folder.file(
            &format!("raw/{name}.resp"),
            format!("HTTP/1.1 200 OK\nContent-Type: application/json\n\n{answer}"),
        );
        folder.file(&format!("bodies/{name}.req"), &body);
        folder.file(&format!("bodies/{name}.resp"), answer);
        manifest.push_str(&format!(
            "{{\"id\":\"{name}\",\"host\":\"api.openai.com\",\"path\":\"/v1/chat/completions\",\"status\":200,\"format\":\"json\"}}\n"
        ));
    }
    folder.file("bodies/manifest.jsonl", manifest);
}

#[test]
fn recorded_traffic() {
    let folder = folder("diff-traffic");
    exchanges(&folder);
    let weaker = SPEC
        .replace("action: Reject", "action: Reject, mode: Shadow")
        .replace("[request.user, response.text]", "[response.text]");
    folder.file("new.yaml", policy(&weaker));
    for dir in ["raw", "bodies"] {
        let ran = folder.run(&format!("diff old.yaml new.yaml --exchanges {dir}"), "");
        assert_eq!((ran.exit, ran.err.as_str()), (1, ""), "{}", ran.out);
        let traffic = ran.out.split_once("Recorded traffic: ").unwrap().1;
        assert_eq!(
            traffic,
            "3 exchanges, 2 weaker, 0 changed, 0 stronger\n\
             \x20 weaker: attack: reject before the provider → mask (stop reject in request.user: 1 → 0; bird mask in response.text: 0 → 2; stop reject in Shadow in request.user: 0 → 1)\n\
             \x20 weaker: bird: mask → mask (bird mask in request.user: 1 → 0)\n\
             \x20 decision reject: 1 → 0 exchanges\n\
             \x20 decision mask: 2 → 3 exchanges\n\
             \x20 rule bird: 5 → 6 findings\n"
        );
        let ran =
            folder.run(&format!("diff new.yaml old.yaml --exchanges {dir} --format json"), "");
        let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!((ran.exit, &report["weaker"]), (0, &false.into()), "{report}");
        assert_eq!(report["traffic"]["stronger"], 2);
        assert_eq!(report["traffic"]["shifts"][0]["new"]["decision"], "mask");
    }
    let ran =
        folder.run("diff old.yaml new.yaml --exchanges raw --allow-weaker --format markdown", "");
    assert_eq!(ran.exit, 0);
    assert!(ran.out.starts_with("## Weir: the policy becomes weaker\n\n`old.yaml` → `new.yaml`\n\n### Weaker: 2\n\n- `bird: request.user: mask → not read` (`/spec/rules/0`)\n"), "{}", ran.out);
    assert!(
        ran.out.contains("\n- weaker: `attack`: reject before the provider → mask ("),
        "{}",
        ran.out
    );
    assert!(!ran.out.contains("bluebird"), "{}", ran.out);
}

#[test]
fn bad_input() {
    let folder = folder("diff-bad");
    exchanges(&folder);
    folder.file("bad.yaml", policy("{mode: Bogus}"));
    std::fs::create_dir_all(folder.path("empty")).unwrap();
    for (arguments, words) in [
        ("bad.yaml old.yaml", "bad.yaml:4:8: "),
        ("old.yaml bad.yaml", "bad.yaml:4:8: "),
        ("old.yaml none.yaml", "weir: none.yaml: "),
        ("old.yaml", "error: "),
        ("old.yaml old.yaml --exchanges none", "weir: none: "),
        ("old.yaml old.yaml --exchanges empty", "weir: empty: no recorded exchange"),
    ] {
        let ran = folder.run(&format!("diff {arguments}"), "");
        assert_eq!((ran.exit, ran.out.as_str()), (2, ""), "{arguments}");
        assert!(ran.err.starts_with(words), "{arguments}: {}", ran.err);
    }
    std::fs::remove_file(folder.path("raw/bird.resp")).unwrap();
    let ran = folder.run("diff old.yaml old.yaml --exchanges raw", "");
    assert_eq!(ran.exit, 2, "what cannot be compared is not called the same");
    assert!(
        ran.err.contains("bird.resp") && ran.out.contains("Recorded traffic: 2 exchanges"),
        "{}",
        ran.err
    );
}

const BUNDLE: &str = r#"apiVersion: guard.weir.dev/v1alpha1
kind: Bundle
metadata: {name: all}
spec:
  baseline:
    metadata: {name: bank}
    spec:
      overrides:
        limits: {request: 1Mi}
        packs: [{name: secrets, action: Mask}]
      unmatched: Baseline
  policies:
    - metadata: {name: retail}
      spec:
        appliesTo: {callers: ["spiffe://bank/ns/retail/*"]}
        rules:
          - {id: code, keywords: [bluebird], channels: [response.text], action: Mask, exposure: Nothing}
    - metadata: {name: hr}
      spec:
        appliesTo: {callers: ["spiffe://bank/ns/hr/*"]}
        limits: {held: 32Ki}
"#;

#[test]
fn bundles_by_what_callers_come_under() {
    let folder = Folder::new("diff-bundles");
    folder.file("old.yaml", BUNDLE);
    let (without_hr, _) = BUNDLE.split_once("    - metadata: {name: hr}").unwrap();
    let rule = "/spec/policies/0/spec/rules/0";
    for (new, exit, expected) in [
        (BUNDLE.to_owned(), 0, vec![]),
        (
            BUNDLE.replace("1Mi", "2Mi"),
            1,
            vec![
                "weaker /spec/baseline/spec/overrides/limits/request /spec/baseline/spec/overrides/limits/request other callers, retail, hr: request: 1Mi → 2Mi".to_owned(),
            ],
        ),
        (
            BUNDLE.replace("action: Mask, exposure", "action: Audit, exposure"),
            1,
            vec![format!("weaker {rule} {rule} retail: retail/code: response.text: mask → audit")],
        ),
        (
            BUNDLE.replace("unmatched: Baseline", "unmatched: Reject"),
            0,
            vec![
                "stronger /spec/baseline/spec/unmatched /spec/baseline/spec/unmatched unmatched: Baseline → Reject".to_owned(),
            ],
        ),
        (
            without_hr.to_owned(),
            1,
            vec![
                "weaker /spec/policies/1/spec/limits/held - hr: held: 32Ki → left out".to_owned(),
                "changed /spec/policies/1 - hr: policy removed".to_owned(),
            ],
        ),
    ] {
        folder.file("new.yaml", &new);
        let ran = folder.run("diff old.yaml new.yaml --format json", "");
        assert_eq!((ran.exit, ran.err.as_str()), (exit, ""), "{}", ran.out);
        assert_eq!(told(&ran.out), expected);
    }
}

#[test]
fn a_policy_becomes_a_bundle() {
    let folder = Folder::new("diff-policy-to-bundle");
    folder.file("old.yaml", policy("\n  limits: {request: 2Mi}\n"));
    folder.file("new.yaml", BUNDLE);
    let ran = folder.run("diff old.yaml new.yaml --format json", "");
    let told = told(&ran.out);
    let request = "stronger /spec/limits/request /spec/baseline/spec/overrides/limits/request other callers, retail, hr: request: 2Mi → 1Mi";
    assert!(told.iter().any(|line| line == request), "{told:#?}");
    assert!(told.iter().any(|line| line.ends_with("hr: policy added")), "{told:#?}");
}
