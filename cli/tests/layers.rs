//! `weir bundle`, `weir effective`, `weir explain`: from files to what is in force, and why.

mod common;

use common::{Folder, policy};

const BASELINE: &str = "apiVersion: guard.weir.dev/v1alpha1
kind: Baseline
metadata: {name: bank}
spec:
  overrides:
    failureMode: FailClosed
    limits: {request: 1Mi}
    packs: [{name: secrets, action: Mask}]
  defaults:
    refusal: {reveal: Nothing}
";
const POLICY: &str = "apiVersion: guard.weir.dev/v1alpha1
kind: Policy
metadata: {name: retail}
spec:
  appliesTo: {callers: [\"spiffe://bank/ns/retail/*\"]}
  keys: [{name: k1, use: Fingerprint, env: WEIR_TEST_KEY}]
  limits: {depth: 32}
  rules:
    - {id: code, keywords: [bluebird], channels: [response.text], action: Mask, exposure: Nothing}
";

#[test]
fn files_become_a_bundle_and_a_caller_its_policy() {
    let folder = Folder::new("layers-bundle");
    folder.file("base.yaml", BASELINE);
    folder.file("retail.yaml", POLICY);
    let bundle = folder.run("bundle base.yaml retail.yaml", "");
    assert_eq!(bundle.exit, 0, "{}", bundle.err);
    folder.file("bundle.json", &bundle.out);
    assert_eq!(folder.run("check bundle.json base.yaml", "").exit, 0);
    let effective = "effective --policy bundle.json --caller spiffe://bank/ns";
    let own = folder.run(&format!("{effective}/retail/sa/bot"), "");
    for (field, origin) in [
        ("failureMode: \"FailClosed\"", "baseline overrides"),
        ("  request: \"1Mi\"", "baseline overrides"),
        ("  depth: 32", "policy"),
        ("  hold: \"10s\"", "built in"),
        ("  reveal: \"Nothing\"", "baseline defaults"),
        ("  - {\"action\":\"Mask\",\"name\":\"secrets\"}", "baseline overrides"),
        ("mode: \"Enforce\"", "built in"),
    ] {
        let line = own.out.lines().find(|line| line.starts_with(field));
        let line = line.unwrap_or_else(|| panic!("no {field} in\n{}", own.out));
        assert!(line.ends_with(&format!("# {origin}")), "{line}");
    }
    assert!(own.out.contains("\"id\":\"retail/code\""), "{}", own.out);
    let other = folder.run(&format!("{effective}/hr/sa/x"), "");
    assert!(
        other.out.contains("comes under `bank`") && !other.out.contains("retail"),
        "{}",
        other.out
    );
}

#[test]
fn what_is_weaker_is_shown_in_its_own_file() {
    let folder = Folder::new("layers-weak");
    folder.file("base.yaml", BASELINE);
    folder.file("retail.yaml", POLICY.replace("limits: {depth: 32}", "failureMode: FailOpen"));
    let ran = folder.run("bundle base.yaml retail.yaml", "");
    assert_eq!(ran.exit, 1);
    assert!(ran.err.contains("retail.yaml:7:3: "), "{}", ran.err);
    assert!(ran.err.contains("is weaker than the baseline's"), "{}", ran.err);
}

#[test]
fn a_finding_is_explained_and_its_exception_fits() {
    let folder = Folder::new("layers-explain");
    let free = POLICY.replace("  appliesTo: {callers: [\"spiffe://bank/ns/retail/*\"]}\n", "");
    folder.file("p.yaml", &free);
    let explain = |policy: &str| {
        let command = format!("explain --policy {policy} --channel response.text --text bluebird");
        folder.run(&command, "")
    };
    let ran = explain("p.yaml");
    assert!(ran.out.starts_with("response.text: mask\n"), "{}{}", ran.out, ran.err);
    let ready = ran.out.split_once("    exceptions:\n").unwrap().1;
    assert!(ready.contains("fingerprints: [\"k1:"), "{ready}");
    let filled = ready
        .replacen('…', "1", 1)
        .replace("reason: …", "reason: ours")
        .replace("owner: …", "owner: me");
    let indented = filled.replace("      ", "    ");
    folder.file("q.yaml", format!("{free}  exceptions:\n{indented}"));
    let accepted = explain("q.yaml");
    assert!(accepted.out.starts_with("response.text: audit\n"), "{}{}", accepted.out, accepted.err);
    assert!(accepted.out.contains("accepted by exception EXC-1"), "{}", accepted.out);
}

#[test]
fn without_layers_everything_is_the_policys() {
    let folder = Folder::new("layers-single");
    folder.file("p.yaml", policy("{failureMode: FailOpen}"));
    let ran = folder.run("effective --policy p.yaml", "");
    let line = ran.out.lines().find(|line| line.starts_with("failureMode: ")).unwrap();
    assert!(line.contains("\"FailOpen\"") && line.ends_with("# policy"), "{}", ran.out);
}

#[test]
fn a_decision_is_found_in_lines_of_any_log() {
    let folder = Folder::new("layers-record");
    let record = r#"{"version":1,"id":"0a1b","decision":"mask","policy":"p","policyHash":"h","rules":[{"rule":"pii-card","channel":"response.text","action":"mask","mode":"Enforce","fingerprints":["k1:00"],"count":2}],"notInspected":["media"]}"#;
    let other = record.replace("0a1b", "ffff");
    let quoted = serde_json::to_string(&format!("{other}\n{record}")).unwrap();
    for lines in [
        format!("noise\nweir_audit {record}\n"),
        format!("[2026][warning] weir_audit {other}\nx: weir_audit {record}\n"),
        format!("{{\"status\":200,\"weir\":{quoted}}}\n"),
    ] {
        let ran = folder.run("explain --id 0a1b", &lines);
        assert_eq!(ran.exit, 0, "{lines}\n{}", ran.err);
        assert!(ran.out.starts_with("decision 0a1b: mask"), "{}", ran.out);
        assert!(ran.out.contains("pii-card in response.text: mask, 2 times"), "{}", ran.out);
        assert!(ran.out.contains("fingerprints: [\"k1:00\"]"), "{}", ran.out);
    }
    assert_eq!(folder.run("explain --id none", "{}\n").exit, 1);
}
