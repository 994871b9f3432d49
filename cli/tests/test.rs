//! `weir test`: what passes, what fails and where, in every output.

mod common;

use std::path::Path;
use std::process::Command;

use common::{Folder, Ran, policy};

const SPEC: &str = r#"
  traffic: [{hosts: [api.openai.com], paths: ["/v1/*"]}]
  rules:
    - {id: bird, keywords: [bluebird], regex: 'bluebird-?\d{0,2}', maxLength: 11, exposure: Nothing, action: Mask, channels: ["*"]}
    - {id: stop, keywords: [halt], regex: 'halt', maxLength: 4, action: Reject, mode: Shadow, channels: [request.user, response.text]}
  tools: {rules: [{id: no-shell, tools: ["shell*"], action: Deny}]}
"#;

const HEAD: &str =
    "POST /v1/chat/completions HTTP/1.1\nHost: api.openai.com\nContent-Type: application/json";

/// A policy test of the policy `p.yaml` with these cases, which begin in line 6.
fn suite(cases: &str) -> String {
    format!(
        "apiVersion: guard.weir.dev/v1alpha1\nkind: PolicyTest\nmetadata: {{name: suite}}\nspec:\n  policy: p.yaml\n{cases}\n"
    )
}

fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.file("p.yaml", policy(SPEC));
    let ask = |text: &str| {
        format!(
            r#"{{"model":"m","stream":true,"messages":[{{"role":"user","content":"{text}"}}]}}"#
        )
    };
    folder.file("ask.req", format!("{HEAD}\n\n{}", ask("the bluebird")));
    folder.file("halt.req", format!("{HEAD}\n\n{}", ask("please halt")));
    let events = ["a blue", "bird", "-7", " flew"].map(|text| {
        format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":null}}]}}\n\n")
    });
    let body = events.concat();
    let head = "HTTP/1.1 200 OK\nContent-Type: text/event-stream";
    folder.file("ask.resp", format!("{head}\n\n{body}data: [DONE]\n\n"));
    folder
}

/// Runs one case with these fields after its name.
fn case(folder: &Folder, fields: &str) -> Ran {
    folder.file("t.yaml", suite(&format!("  cases:\n    - name: n\n      {fields}")));
    folder.run("test t.yaml", "")
}

#[test]
fn text_cases() {
    let folder = folder("test-texts");
    let text = |rest: &str| format!("channel: response.text\n      {rest}");
    for (rest, wrong) in [
        (
            "text: 'a [[bluebird-7]] b'\n      expect: {verdict: mask, findings: [{rule: bird}], output: 'a [redacted:bird] b'}",
            "",
        ),
        (
            "text: bluebird bluebird-1\n      expect: {findings: [{rule: bird}, {rule: bird, text: bluebird-1}]}",
            "",
        ),
        (
            "text: bluebird bluebird\n      expect: {findings: [{rule: bird, count: 2}], absent: [stop]}",
            "",
        ),
        ("text: halt\n      expect: {verdict: reject}", ""),
        ("text: halt\n      asWritten: true\n      expect: {verdict: audit, output: halt}", ""),
        ("text: plain\n      expect: {verdict: pass, findings: []}", ""),
        (
            "text: bluebird\n      expect: {verdict: pass}",
            "10:16: verdict: expected pass, got mask",
        ),
        (
            "text: bluebird\n      expect: {findings: []}",
            "10:16: findings: bird also found bytes 0 to 8",
        ),
        (
            "text: plain\n      expect: {findings: [{rule: bird}]}",
            "10:27: findings: expected 1 of bird, got 0",
        ),
        (
            "text: bluebird\n      expect: {findings: [{rule: bird, text: blue}]}",
            "10:27: findings: expected 1 of bird of this text, got 0",
        ),
        (
            "text: bluebird\n      expect: {output: bluebird}",
            "10:16: output: another text is passed on",
        ),
        ("text: halt\n      expect: {output: halt}", "10:16: output: nothing is passed on"),
        (
            "text: bluebird\n      expect: {absent: [bird]}",
            "10:25: absent: bird must find nothing, got 1",
        ),
        ("text: plain\n      expect: {absent: [brid]}", "10:25: rule: the policy has no rule brid"),
        (
            "text: '[[blue]]bird'\n      expect: {verdict: mask}",
            "9:7: marks: bird found bytes 0 to 8, which are not marked",
        ),
        (
            "text: '[[plain]]'\n      expect: {verdict: pass}",
            "9:7: marks: bytes 0 to 5 are marked, but not found",
        ),
    ] {
        let ran = case(&folder, &text(rest));
        assert_eq!(ran.err, "", "{rest}");
        if wrong.is_empty() {
            assert_eq!(ran.exit, 0, "{rest}: {}", ran.out);
            assert!(ran.out.starts_with("pass  t.yaml:7:7: n ("), "{}", ran.out);
        } else {
            assert_eq!(ran.exit, 1, "{rest}: {}", ran.out);
            assert!(ran.out.contains(&format!("\n      t.yaml:{wrong}")), "{rest}: {}", ran.out);
            assert!(ran.out.ends_with(" runs\n") && ran.out.contains("1 failed"), "{}", ran.out);
        }
    }
}

#[test]
fn exchange_cases() {
    let folder = folder("test-exchanges");
    let both = |request: &str, expect: &str| {
        format!("request: {request}\n      response: ask.resp\n      expect: {expect}")
    };
    for (request, expect, wrong) in [
        (
            "ask.req",
            "{decision: mask, rules: [bird], status: 200, upstreamSees: Body, upstreamContains: ['the [redacted:bird]'], clientContains: ['a [redacted:bird] flew'], clientNotContains: [bluebird]}",
            "",
        ),
        (
            "halt.req",
            "{decision: reject, rules: [stop], status: 403, upstreamSees: Nothing, absent: [bird], upstreamNotContains: [halt]}",
            "",
        ),
        ("halt.req\n      asWritten: true", "{decision: mask, rules: [stop, bird]}", ""),
        ("ask.req", "{decision: pass}", "10:16: decision: expected pass, got mask"),
        ("ask.req", "{rules: []}", "10:16: rules: bird also found something"),
        ("ask.req", "{rules: [bird, stop]}", "10:30: rules: stop found nothing"),
        ("ask.req", "{status: 403}", "10:16: status: expected 403, got 200"),
        ("ask.req", "{upstreamSees: Nothing}", "10:16: upstreamSees: expected Nothing, got Body"),
        ("ask.req", "{clientContains: [bluebird]}", "10:33: clientContains: it is not there"),
        ("ask.req", "{clientNotContains: [flew]}", "10:36: clientNotContains: it is there"),
        ("ask.req", "{absent: [bird]}", "10:25: absent: bird must find nothing"),
        ("ask.req", "{absent: [no-shel]}", "10:25: rule: the policy has no rule no-shel"),
    ] {
        let ran = case(&folder, &both(request, expect));
        let exit = if wrong.is_empty() { 0 } else { 1 };
        assert_eq!((ran.exit, ran.err.as_str()), (exit, ""), "{expect}: {}", ran.out);
        assert!(ran.out.contains(wrong), "{expect}: {}", ran.out);
        assert!(!ran.out.contains("bluebird"), "traffic is never shown: {}", ran.out);
    }
    folder.file("other.req", HEAD.replace("api.openai.com", "other.example") + "\n\n{}");
    let ran = case(&folder, &both("other.req", "{decision: mask}"));
    assert!(ran.out.contains("got pass (not read: host and path"), "{}", ran.out);
}

#[test]
fn a_caller_has_its_exceptions() {
    let folder = folder("test-callers");
    let exception = "exceptions: [{id: E, rules: [bird], match: {callers: ['spiffe://d/*']}, action: Audit, reason: r, owner: o, expires: 2999-12-31}]";
    folder.file("p.yaml", policy(&format!("{SPEC}  {exception}")));
    for (caller, verdict) in [
        ("", "mask"),
        ("caller: spiffe://d/x\n      ", "audit"),
        ("caller: spiffe://e/x\n      ", "mask"),
    ] {
        let text = format!(
            "{caller}channel: request.user\n      text: bluebird\n      expect: {{verdict: {verdict}}}"
        );
        assert_eq!(case(&folder, &text).exit, 0, "{text}");
        let exchange = format!(
            "{caller}request: ask.req\n      response: ask.resp\n      expect: {{decision: {verdict}}}"
        );
        assert_eq!(case(&folder, &exchange).exit, 0, "{exchange}");
    }
}

#[test]
fn cuts_are_run_and_a_text_from_a_file_is_taken_as_it_is() {
    let folder = folder("test-cuts");
    folder.file("text", format!("{}[[bluebird]] é", "word ".repeat(1000)));
    let ran = case(
        &folder,
        "channel: response.text\n      textFile: text\n      expect: {findings: [{rule: bird}]}",
    );
    // Whole, 512 cuts of what is longer than 2 KiB, by characters.
    assert!(ran.out.starts_with("pass  t.yaml:7:7: n (514 runs)\n"), "{}", ran.out);
    let ran = case(
        &folder,
        "channel: response.text\n      text: 'é bluebird'\n      expect: {verdict: mask}",
    );
    assert!(ran.out.starts_with("pass  t.yaml:7:7: n (11 runs)\n"), "{}", ran.out);
}

#[test]
fn the_examples_of_a_policy_are_tests() {
    let folder = Folder::new("test-examples");
    let rule = |examples: &str| {
        policy(&format!(
            "\n  rules:\n    - {{id: bird, keywords: [bluebird], regex: 'bluebird', maxLength: 8, action: Audit, channels: [request.user],\n       examples: {examples}}}"
        ))
    };
    for (examples, wrong) in [
        ("{match: ['a [[bluebird]]'], clean: [a bird]}", ""),
        (
            "{match: ['[[a bluebird]]']}",
            "p.yaml:7:27: marks: bird found bytes 2 to 10, which are not marked",
        ),
        (
            "{match: ['[[bluebird]]', 'a [[bird]]']}",
            "p.yaml:7:43: marks: bytes 2 to 6 are marked, but not found",
        ),
        (
            "{clean: [a bluebird]}",
            "p.yaml:7:27: marks: bird found bytes 2 to 10, which are not marked",
        ),
    ] {
        folder.file("p.yaml", rule(examples));
        let ran = folder.run("test p.yaml", "");
        assert_eq!(ran.exit, i32::from(!wrong.is_empty()), "{}", ran.out);
        assert!(
            ran.out.contains("p.yaml:6:7: examples of bird (") && ran.out.contains(wrong),
            "{}",
            ran.out
        );
    }
}

#[test]
fn what_cannot_be_run() {
    let folder = folder("test-errors");
    folder.file("bad.yaml", policy("{mode: Bogus}"));
    let good = "      channel: request.user\n      text: x\n      expect: {verdict: pass}";
    for (text, exit, words) in [
        (
            suite("  cases: [{name: n, txt: x}]"),
            1,
            "t.yaml:6:21: document: unknown field `txt` (write one of ",
        ),
        (suite("  cases: []"), 1, "t.yaml:6:3: document: it is empty"),
        (
            suite(&format!("  cases:\n    - name: n\n{good}"))
                .replace("p.yaml", "[p.yaml, bad.yaml]"),
            1,
            "bad.yaml:4:8: document: unknown value `Bogus`",
        ),
        (
            suite(&format!("  cases:\n    - name: n\n{good}")).replace("p.yaml", "none.yaml"),
            2,
            "none.yaml:1:1: file: none.yaml: ",
        ),
        (
            suite(
                "  cases:\n    - {name: n, request: no.req, response: ask.resp, expect: {decision: pass}}",
            ),
            2,
            "t.yaml:7:7: file: no.req: ",
        ),
        (
            suite("  cases: []").replace("PolicyTest", "Policytest"),
            1,
            "t.yaml:2:1: document: `weir test` does not know this kind",
        ),
        ("a: [".to_owned(), 1, "t.yaml:"),
    ] {
        folder.file("t.yaml", &text);
        let ran = folder.run("test t.yaml --junit junit.xml", "");
        assert_eq!(ran.exit, exit, "{text}: {}", ran.out);
        assert!(ran.out.contains(words), "{text}: {}", ran.out);
        let junit = std::fs::read_to_string(folder.path("junit.xml")).unwrap();
        assert!(junit.contains("<error type="), "{junit}");
    }
    for (arguments, words) in
        [("test none", "none: "), ("test .", "weir: no tests"), ("test", "error: ")]
    {
        let empty = Folder::new("test-empty");
        let ran = empty.run(arguments, "");
        assert_eq!(ran.exit, 2, "{arguments}: {}", ran.err);
        assert!(
            ran.err.contains(words) || ran.out.contains(words),
            "{arguments}: {} {}",
            ran.err,
            ran.out
        );
    }
}

#[test]
fn outputs_agree() {
    let folder = folder("test-outputs");
    let cases = "  cases:\n    - {name: good, channel: request.user, text: x, expect: {verdict: pass}}\n    - {name: '<bad & \"odd\">', channel: request.user, text: bluebird, expect: {verdict: pass, findings: []}}";
    std::fs::create_dir_all(folder.path("more/.hidden")).unwrap();
    folder.file("more/t.yml", suite(cases).replace("p.yaml", "../p.yaml"));
    folder.file("more/.hidden/t.yaml", "apiVersion: guard.weir.dev/v1alpha1\n[");
    folder.file("more/other.yaml", "apiVersion: v1\nkind: ConfigMap\n---\nkind: Other\n");
    let ran = folder.run("test . --junit out.xml", "");
    assert_eq!(ran.exit, 1, "{}", ran.out);
    assert!(ran.out.ends_with("2 cases: 1 passed, 1 failed, 0 errors; 11 runs\n"), "{}", ran.out);
    assert!(!ran.out.contains("bluebird"), "{}", ran.out);
    let shown = folder.run("test . --show-texts", "");
    assert!(shown.out.contains("      | bluebird\n      | ^^^^^^^^ bird: mask\n"), "{}", shown.out);

    let rows = folder.run("test . --format json", "");
    let rows: Vec<serde_json::Value> =
        rows.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [good, bad, sum] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((&good["result"], &good["line"]), (&"pass".into(), &7.into()));
    assert_eq!((&bad["result"], &bad["suite"]), (&"fail".into(), &"suite".into()));
    let kinds: Vec<&serde_json::Value> =
        bad["failures"].as_array().unwrap().iter().map(|f| &f["kind"]).collect();
    assert_eq!(kinds, ["verdict", "findings"]);
    assert_eq!(sum["failed"], 1);

    let junit = std::fs::read_to_string(folder.path("out.xml")).unwrap();
    for part in [
        "<testsuites name=\"weir test\" tests=\"2\" failures=\"1\" errors=\"0\"",
        "<testsuite name=\"suite\" file=\"./more/t.yml\" tests=\"2\"",
        "<testcase name=\"good\" classname=\"suite\" file=\"./more/t.yml\" line=\"7\"",
        "name=\"&lt;bad &amp; &quot;odd&quot;&gt;\"",
        "<failure type=\"verdict\" message=\"expected pass, got mask\">./more/t.yml:8:",
    ] {
        assert!(junit.contains(part), "{part} in {junit}");
    }
}

#[test]
fn the_documented_example_passes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let ran = Command::new(env!("CARGO_BIN_EXE_weir"))
        .current_dir(root)
        .args(["test", "docs/examples/policy"])
        .output()
        .unwrap();
    let out = String::from_utf8(ran.stdout).unwrap();
    assert!(ran.status.success(), "{out}");
    assert!(out.contains(" 0 failed, 0 errors") && out.contains("exchanges.yaml"), "{out}");
}

#[test]
fn the_schema_is_printed() {
    let folder = Folder::new("test-schema");
    for (arguments, title) in [
        ("schema", "Policy"),
        ("schema --kind Policy", "Policy"),
        ("schema --kind policytest", "PolicyTest"),
    ] {
        let ran = folder.run(arguments, "");
        let schema: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!((ran.exit, &schema["title"]), (0, &title.into()), "{arguments}");
    }
    assert_eq!(folder.run("schema --kind Other", "").exit, 2);
}
