use super::*;

fn document(spec: &str) -> String {
    format!(
        r#"{{"apiVersion":"guard.weir.dev/v1alpha1","kind":"Policy","metadata":{{"name":"p"}},"spec":{spec}}}"#
    )
}

fn errors(json: &str) -> Vec<PolicyError> {
    Policy::from_json(json.as_bytes()).err().map(|e| e.0).unwrap_or_default()
}

#[test]
fn bad_documents_are_refused_with_place_reason_and_cure() {
    let rule = |fields: &str| format!(r#"{{"rules":[{{"id":"a",{fields}}}]}}"#);
    for (spec, pointer, reason, cure) in [
        ("{\"mod\":\"Shadow\"}".to_owned(), "/spec/mod", "unknown field `mod`", "did you mean `mode`?"),
        ("{\"mode\":\"shadow\"}".into(), "/spec/mode", "unknown value `shadow`", "did you mean `Shadow`?"),
        ("{\"mode\":true}".into(), "/spec/mode", "no value", "write one of"),
        ("{\"mode\":\"Enforce\",\"mode\":\"Shadow\"}".into(), "/spec/mode", "duplicate field `mode`", "keep one"),
        ("{\"approvals\":[]}".into(), "/spec/approvals", "not enforced by this version", "remove it"),
        ("{\"rollout\":{}}".into(), "/spec/rollout", "`rollout` is part of the format", "remove it"),
        ("{\"requestMode\":\"Progressive\",\"holdHeaders\":true}".into(), "/spec/holdHeaders", "sends heads on", "keep one"),
        ("{\"exceptions\":[{\"id\":\"E-1\",\"rules\":[\"x\"],\"owner\":\"o\",\"expires\":\"2026-12-31\"}]}".into(), "/spec/exceptions/0", "missing field `reason`", "add `reason`"),
        ("{\"exceptions\":[{\"id\":\"E-1\",\"rules\":[\"x\"],\"reason\":\"r\",\"owner\":\"o\",\"expires\":\"soon\"}]}".into(), "/spec/exceptions/0/expires", "no date", "2026-12-31"),
        ("{\"exceptions\":[{\"id\":\"E-1\",\"rules\":[\"x\"],\"reason\":\" \",\"owner\":\"o\",\"expires\":\"2026-12-31\"}]}".into(), "/spec/exceptions/0/reason", "it is empty", "say why"),
        ("{\"audit\":{\"subject\":\"Pseudonym\"}}".into(), "/spec/audit/subject", "needs a key", "keys"),
        ("{\"audit\":{\"clean\":\"1\"}}".into(), "/spec/audit/clean", "no share", "1%"),
        ("{\"keys\":[{\"name\":\"k1\",\"use\":\"Ticket\",\"env\":\"K\"}]}".into(), "/spec/keys/0/use", "not enforced", "Pseudonym"),
        ("{\"packs\":[{\"name\":\"piii\"}]}".into(), "/spec/packs/0/name", "unknown pack `piii`", "secrets"),
        ("{\"packs\":[{\"name\":\"pii\",\"action\":\"Tokenize\"}]}".into(), "/spec/packs/0/action", "not enforced", "Mask"),
        ("{\"packs\":[{\"name\":\"pii\",\"version\":\"1\"}]}".into(), "/spec/packs/0/version", "not in this module", "leave it out"),
        ("{\"packs\":[{\"name\":\"pii\"},{\"name\":\"pii\"}]}".into(), "/spec/packs/1", "listed twice", "without overlap"),
        ("{\"packs\":[{\"name\":\"pii\",\"newRules\":\"Shadow\"}]}".into(), "/spec/packs/0/newRules", "not enforced", "remove it"),
        (rule("\"keywords\":[\"x\"]"), "/spec/rules/0/action", "a rule acts", "action: Audit"),
        (rule("\"action\":\"Mask\""), "/spec/rules/0/keywords", "finds nothing", "add `keywords`"),
        (rule("\"keywords\":[\"x\"],\"action\":\"Mask\",\"score\":{\"family\":\"f\",\"weight\":3}"), "/spec/rules/0/score", "acts or adds", "remove it"),
        (rule("\"keywords\":[\"x\"],\"score\":{\"family\":\"f\",\"weight\":11}"), "/spec/rules/0/score/weight", "out of range", "1 to 10"),
        (rule("\"keywords\":[\"x\"],\"score\":{\"family\":\"\",\"weight\":1}"), "/spec/rules/0/score/family", "it is empty", "short name"),
        (rule("\"keywords\":[\"x\"],\"score\":{\"family\":\"f\",\"weight\":1},\"channels\":[\"response.text\"]"), "/spec/rules/0/channels", "requests are scored", "request channels"),
        (rule("\"trigger\":\"Score\",\"action\":\"Audit\""), "/spec/rules/0/trigger", "built-in", "sensitivity"),
        (rule("\"keyword\":[\"x\"],\"action\":\"Mask\""), "/spec/rules/0/keyword", "unknown field", "did you mean `keywords`?"),
        (rule("\"keywords\":\"x\",\"action\":\"Mask\""), "/spec/rules/0/keywords", "invalid type", "write a list"),
        (rule("\"keywords\":[true],\"action\":\"Mask\""), "/spec/rules/0/keywords/0", "invalid type", "quote it"),
        (rule("\"keywords\":[\"x\"],\"action\":\"Mask\",\"maxLength\":600"), "/spec/rules/0/maxLength", "out of range", "1 to 512"),
        (rule("\"keywords\":[\"x\"],\"action\":\"Neutralize\",\"channels\":[\"*\"]"), "/spec/rules/0/action", "Neutralize is for requests", "request channels only"),
        (rule("\"keywords\":[\"x\"],\"action\":\"Mask\",\"channels\":[\"request.usr\"]"), "/spec/rules/0/channels/0", "unknown channel", "request.user"),
        (rule("\"opens\":\"x\",\"keywords\":[\"x\"],\"action\":\"Mask\""), "/spec/rules/0/body", "needs a `body`", "add a class"),
        (rule("\"keywords\":[\"x\"],\"action\":\"Mask\",\"mask\":\"Star\""), "/spec/rules/0/mask", "no mask", "SameLength"),
        (rule("\"keywords\":[\"x\"],\"action\":\"Mask\",\"examples\":{\"match\":[\"no mark\"]}"), "/spec/rules/0/examples/match/0", "do not pair", "[["),
        ("{\"rules\":[{\"id\":\"A b\",\"keywords\":[\"x\"],\"action\":\"Mask\"}]}".into(), "/spec/rules/0/id", "no id", "lower-case"),
        ("{\"rules\":[{\"id\":\"pii-x\",\"keywords\":[\"x\"],\"action\":\"Mask\"}]}".into(), "/spec/rules/0/id", "built-in packs", "another word"),
        ("{\"limits\":{\"held\":\"1kb\"}}".into(), "/spec/limits/held", "no quantity", "64Ki"),
        ("{\"limits\":{\"hold\":\"10\"}}".into(), "/spec/limits/hold", "no duration", "10s"),
        ("{\"limits\":{\"depth\":1}}".into(), "/spec/limits/depth", "out of range", "4 to 512"),
        ("{\"limits\":{\"outputTokens\":1}}".into(), "/spec/limits/outputTokens", "not enforced", "remove it"),
        ("{\"refusal\":{\"status\":500}}".into(), "/spec/refusal/status", "out of range", "400 to 499"),
        ("{\"tools\":{\"defaultAction\":\"Approve\"}}".into(), "/spec/tools/defaultAction", "not enforced", "Deny"),
        ("{\"tools\":{\"rules\":[{\"id\":\"a\",\"tools\":[],\"action\":\"Deny\"}]}}".into(), "/spec/tools/rules/0/tools", "names no tool", "globs"),
        ("{\"tools\":{\"rules\":[{\"id\":\"a\",\"tools\":[\"x\"],\"action\":\"Deny\",\"args\":{}}]}}".into(), "/spec/tools/rules/0/args", "not enforced", "remove it"),
        (
            "{\"traffic\":[{\"hosts\":[\"localhost:11434\"]}]}".into(),
            "/spec/traffic/0/hosts/0",
            "no host",
            "without scheme or port",
        ),
        ("{\"traffic\":[{\"hosts\":[\"https://x\"]}]}".into(), "/spec/traffic/0/hosts/0", "no host", "without scheme"),
        ("{\"traffic\":[{\"hosts\":[\"x\"],\"paths\":[\"v1\"]}]}".into(), "/spec/traffic/0/paths/0", "no path", "begin it"),
    ] {
        let found = errors(&document(&spec));
        let fits = |e: &PolicyError| {
            e.pointer == pointer && e.reason.contains(reason) && e.cure.contains(cure)
        };
        assert!(found.iter().any(fits), "{spec}: {found:#?}");
    }
}

#[test]
fn documents_that_are_none() {
    for (json, reason) in [
        ("", "empty"),
        ("  ", "empty"),
        ("null", "invalid type"),
        ("{", "EOF"),
        ("{}", "missing field `apiVersion`"),
    ] {
        let found = errors(json);
        assert!(found.iter().any(|e| e.reason.contains(reason)), "{json}: {found:?}");
    }
    let twice = document("{}") + "{}";
    assert_eq!(
        errors(&twice).first().map(|e| e.reason.as_str()),
        Some("text follows the document")
    );
    for (kind, reason) in [("Baseline", "unknown kind"), ("Pod", "unknown kind")] {
        let json = document("{}").replace("\"Policy\"", &format!("\"{kind}\""));
        assert!(errors(&json).iter().any(|e| e.pointer == "/kind" && e.reason.contains(reason)));
    }
}

#[test]
fn all_that_makes_no_sense_is_reported_at_once() {
    let found = errors(&document(
        r#"{"rules":[{"id":"A","keywords":[],"action":"Mask"}],"limits":{"depth":0}}"#,
    ));
    let places: Vec<&str> = found.iter().map(|e| e.pointer.as_str()).collect();
    assert_eq!(places, ["/spec/rules/0/id", "/spec/rules/0/keywords", "/spec/limits/depth"]);
}
