//! Bundles: what is refused and where it says so, who comes under which policy, and what ends by itself.

use weir_rules::policy::{Date, Mode};
use weir_tests::policies::{bundle, try_document, whole_bundle};

fn errors(json: &str) -> Vec<(String, String)> {
    try_document(json).err().map_or_else(Vec::new, |errors| {
        errors.0.into_iter().map(|e| (e.pointer, e.reason)).collect()
    })
}

#[test]
fn what_is_weaker_is_refused_with_its_place() {
    let exception = r#"{"id":"E-1","rules":["secrets-aws-access-key"],"reason":"r","owner":"o","expires":"2023-12-31"}"#;
    for (overrides, own, place, reason) in [
        (
            r#"{"failureMode":"FailClosed"}"#,
            r#"{"failureMode":"FailOpen"}"#,
            "failureMode",
            "weaker",
        ),
        (
            r#"{"inspection":{"media":"Reject"}}"#,
            r#"{"inspection":{"media":"Audit"}}"#,
            "inspection/media",
            "weaker",
        ),
        (
            r#"{"limits":{"request":"1Mi"}}"#,
            r#"{"limits":{"request":"2Mi"}}"#,
            "limits/request",
            "weaker",
        ),
        (r#"{"limits":{"hold":"2s"}}"#, r#"{"limits":{"hold":"1m"}}"#, "limits/hold", "weaker"),
        (r#"{"requestMode":"Hold"}"#, r#"{"requestMode":"Progressive"}"#, "requestMode", "weaker"),
        ("{}", r#"{"mode":"Shadow"}"#, "mode", "Shadow"),
        (
            r#"{"packs":[{"name":"secrets","action":"Reject"}]}"#,
            r#"{"packs":[{"name":"secrets","action":"Mask"}]}"#,
            "packs/0",
            "demands Reject",
        ),
        (
            r#"{"packs":[{"name":"secrets"}]}"#,
            r#"{"packs":[{"name":"secrets","overrides":[{"rule":"secrets-aws-access-key","mode":"Shadow"}]}]}"#,
            "packs/0",
            "demands",
        ),
        (
            r#"{"packs":[{"name":"injection","action":"Audit","sensitivity":"High"}]}"#,
            r#"{"packs":[{"name":"injection","action":"Audit","sensitivity":"Low"}]}"#,
            "packs/0",
            "sensitivity: High",
        ),
        (
            r#"{"rules":[{"id":"x","keywords":["a"],"action":"Audit"}]}"#,
            r#"{"rules":[{"id":"x","keywords":["b"],"action":"Audit"}]}"#,
            "rules/0/id",
            "baseline has a rule",
        ),
        (
            r#"{"packs":[{"name":"secrets"}]}"#,
            &format!(r#"{{"exceptions":[{exception}]}}"#),
            "exceptions/0/rules/0",
            "platform only",
        ),
        (
            "{}",
            r#"{"rules":[{"id":"x","keywords":["a"],"regex":"(","action":"Audit"}]}"#,
            "rules/0/regex",
            "character",
        ),
    ] {
        let found = errors(&bundle(overrides, own));
        let place = format!("/spec/policies/0/spec/{place}");
        let fits = |(p, r): &(String, String)| *p == place && r.contains(reason);
        assert!(found.iter().any(fits), "{overrides} {own}: {found:?}");
    }
}

#[test]
fn stricter_policies_and_bare_parts_are_good() {
    for (overrides, own) in [
        ("{}", "{}"),
        (r#"{"failureMode":"FailOpen"}"#, r#"{"failureMode":"FailClosed"}"#),
        (r#"{"limits":{"request":"2Mi"}}"#, r#"{"limits":{"request":"1Mi"}}"#),
        (
            r#"{"packs":[{"name":"secrets","action":"Mask"}]}"#,
            r#"{"packs":[{"name":"secrets","action":"Reject"}]}"#,
        ),
        (
            r#"{"packs":[{"name":"pii","channels":["response.text"]}]}"#,
            r#"{"packs":[{"name":"pii","channels":["request.user"],"action":"Audit"}]}"#,
        ),
    ] {
        assert_eq!(errors(&bundle(overrides, own)), [], "{overrides} {own}");
    }
}

#[test]
fn what_is_wrong_in_the_baseline_is_told_once_and_there() {
    let overrides = r#"{"rules":[{"id":"x","keywords":["a"],"regex":"(","action":"Audit"}]}"#;
    let found = errors(&bundle(overrides, "{}"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "/spec/baseline/spec/overrides/rules/0/regex");
}

#[test]
fn a_caller_comes_under_the_policy_that_names_it_most_closely() {
    let part = |name: &str, applies: &str| {
        format!(r#"{{"metadata":{{"name":"{name}"}},"spec":{{"appliesTo":{applies}}}}}"#)
    };
    let parts = [
        part("all", r#"{"callers":["spiffe://t/*"]}"#),
        part("retail", r#"{"callers":["spiffe://t/ns/retail/*"]}"#),
        part("bot", r#"{"callers":["spiffe://t/ns/retail/sa/bot"]}"#),
        part("host", r#"{"hosts":["api.special.com"]}"#),
    ];
    let guard = try_document(&whole_bundle("{}", &parts.join(","), "")).unwrap();
    for (caller, host, expected) in [
        (Some("spiffe://t/ns/retail/sa/bot"), "h", "bot"),
        (Some("spiffe://t/ns/retail/sa/other"), "h", "retail"),
        (Some("spiffe://t/ns/hr/sa/x"), "api.special.com", "all"),
        (Some("spiffe://u/x"), "api.special.com", "host"),
        (None, "api.special.com", "host"),
        (None, "h", "bank"),
        (Some("spiffe://u/x"), "h", "bank"),
    ] {
        let selected = guard.select(caller, host).unwrap();
        assert_eq!(selected.engine.policy.metadata.name, expected, "{caller:?} {host}");
        assert!(selected.covered);
    }
    let strict = whole_bundle("{}", &parts.join(","), r#","unmatched":"Reject""#);
    assert!(!try_document(&strict).unwrap().select(None, "h").unwrap().covered);
}

#[test]
fn a_tie_is_refused() {
    let part = |name: &str, caller: &str| {
        format!(
            r#"{{"metadata":{{"name":"{name}"}},"spec":{{"appliesTo":{{"callers":["{caller}"]}}}}}}"#
        )
    };
    for (one, other, ties) in [
        ("spiffe://t/a*", "spiffe://t/*a", true),
        ("spiffe://t/a", "spiffe://t/a", true),
        ("spiffe://t/a", "spiffe://t/b", false),
        ("spiffe://t/a*", "spiffe://t/b*", false),
    ] {
        let parts = [part("one", one), part("other", other)].join(",");
        let found = errors(&whole_bundle("{}", &parts, ""));
        assert_eq!(
            found.iter().any(|(p, _)| p == "/spec/policies/1/spec/appliesTo"),
            ties,
            "{one} {other}: {found:?}"
        );
    }
}

#[test]
fn a_new_policy_begins_in_shadow_and_is_enforced_by_itself() {
    let part = |annotations: &str| {
        format!(
            r#"{{"metadata":{{"name":"own","annotations":{{{annotations}}}}},"spec":{{"mode":"Shadow"}}}}"#
        )
    };
    let delegate = r#","delegate":{"shadow":{"maxDuration":"30d"}}"#;
    let found = errors(&whole_bundle("{}", &part(""), delegate));
    assert_eq!(found[0].0, "/spec/policies/0/metadata/annotations");
    let since = r#""guard.weir.dev/shadow-since":"2023-11-01T00:00:00Z""#;
    let guard = try_document(&whole_bundle("{}", &part(since), delegate)).unwrap();
    let engine = guard.select(None, "h").unwrap().engine.clone();
    for (day, shadow) in [("2023-11-29", true), ("2023-12-02", false)] {
        assert_eq!(engine.granted(None, Date::parse(day).unwrap().0).shadow, shadow, "{day}");
    }
    assert_eq!(engine.policy.spec.mode, Mode::Enforce);
}

#[test]
fn broken_glass_mends_itself() {
    let part = r#"{"metadata":{"name":"own"},"spec":{}}"#;
    let glass = |until: &str| {
        format!(
            r#","delegate":{{"breakGlass":{{"maxDuration":"4h"}}}},"breakGlass":{{"until":"{until}","policies":["own"],"ticket":"INC-9"}}"#
        )
    };
    // Documents of these tests are compiled at 2023-11-14T22:13:20Z.
    let late = errors(&whole_bundle("{}", part, &glass("2023-11-15T03:00:00Z")));
    assert_eq!(late[0].0, "/spec/baseline/spec/breakGlass/until");
    let guard = try_document(&whole_bundle("{}", part, &glass("2023-11-15T01:00:00Z"))).unwrap();
    let engine = guard.select(None, "h").unwrap().engine.clone();
    for (moment, shadow) in [("2023-11-15T00:59:59Z", true), ("2023-11-15T01:00:00Z", false)] {
        assert_eq!(engine.granted(None, Date::parse(moment).unwrap().0).shadow, shadow, "{moment}");
    }
}

/// What a policy said before, it says again: one in Shadow of its own is not enforced when the glass is mended.
#[test]
fn broken_glass_leaves_a_policy_in_shadow_as_it_was() {
    let part = r#"{"metadata":{"name":"own"},"spec":{"mode":"Shadow"}}"#;
    let glass = r#","delegate":{"breakGlass":{"maxDuration":"4h"}},"breakGlass":{"until":"2023-11-15T01:00:00Z","policies":["*"],"ticket":"INC-9"}"#;
    let guard = try_document(&whole_bundle(r#"{"mode":"Shadow"}"#, part, glass)).unwrap();
    let engine = guard.select(None, "h").unwrap().engine.clone();
    for moment in ["2023-11-15T00:59:59Z", "2023-11-15T01:00:00Z"] {
        assert!(engine.granted(None, Date::parse(moment).unwrap().0).shadow, "{moment}");
    }
}
