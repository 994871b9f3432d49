//! What `weir check` says of held characters bounds what the scanner really holds.

// Helpers of tests are not `#[test]` themselves, so clippy's `allow-*-in-tests` misses them.
#![allow(clippy::string_slice, clippy::unwrap_used)]

use serde_json::json;
use weir_rules::policy::Policy;
use weir_rules::{Channel, ChannelSet, Keys, Ruleset, Scanner};

const CHANNEL: Channel = Channel::ResponseText;

fn ruleset(spec: &serde_json::Value) -> Ruleset {
    let policy = json!({
        "apiVersion": "guard.weir.dev/v1alpha1", "kind": "Policy", "metadata": {"name": "held"}, "spec": spec,
    });
    let policy = Policy::from_json(policy.to_string().as_bytes()).unwrap();
    Ruleset::compile(&policy, Keys::default()).unwrap()
}

/// The most characters behind the horizon while `text` comes character by character.
fn held(rules: &Ruleset, text: &str) -> usize {
    let (mut scanner, mut found, mut most) = (Scanner::default(), Vec::new(), 0);
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        scanner.push(rules, ChannelSet::from(CHANNEL), &text[at..end], &mut found).unwrap();
        let horizon = usize::try_from(scanner.horizon(rules, CHANNEL)).unwrap_or(usize::MAX);
        most = most.max(text[horizon.min(end)..end].chars().count());
    }
    most
}

#[test]
fn a_rule_holds_what_it_hides() {
    let rule = |fields: serde_json::Value| {
        let mut rule = json!({"id": "r", "action": "Mask", "channels": ["response.text"]});
        rule.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        ruleset(&json!({"rules": [rule]}))
    };
    for (fields, text, bound, real) in [
        // A keyword alone is held until its last character decides.
        (json!({"keywords": ["bluebird"]}), "a bluebird, a bluebir", 8, 7),
        (json!({"keywords": ["bluebird"], "regex": "bluebird-[0-9]{4}"}), "bluebird-123x", 5, 4),
        (
            json!({"keywords": ["bluebird"], "regex": "bluebird-[0-9]{4}", "exposure": "Nothing"}),
            "bluebird-123x",
            13,
            12,
        ),
        (
            json!({"keywords": ["bluebird"], "regex": "bluebird-[0-9]{4}", "exposure": {"characters": 3}}),
            "bluebird-123x",
            10,
            9,
        ),
        (
            json!({"keywords": ["@"], "regex": "[a-z]{1,9}@[a-z]{1,5}", "before": 9, "view": "Raw"}),
            "abcdefghijklm@abcdef",
            15,
            14,
        ),
        // A match without end is cut at maxLength.
        (
            json!({"keywords": ["key-"], "regex": "key-[a-z]+", "maxLength": 20}),
            "key-abcdefghijklmnopqrstuvwxyz",
            16,
            16,
        ),
        (json!({"keywords": ["key-"], "regex": "key-[a-z]{4}", "action": "Audit"}), "key-ab", 0, 0),
        (
            json!({"keywords": ["key-"], "regex": "key-[a-z]{4}", "channels": ["request.user"]}),
            "key-ab",
            0,
            0,
        ),
    ] {
        let rules = rule(fields.clone());
        assert_eq!((rules.held_characters(CHANNEL), held(&rules, text)), (bound, real), "{fields}");
    }
}

#[test]
fn the_packs_hold_no_more_than_is_said() {
    let packs = ["injection", "jailbreak", "secrets", "pii"].map(|name| {
        let channels = ["response.text"];
        json!({"name": name, "action": "Reject", "sensitivity": "High", "channels": channels})
    });
    let rules = ruleset(&json!({"packs": packs}));
    let bound = rules.held_characters(CHANNEL);
    assert!((64..=640).contains(&bound), "{bound}");
    let mut most = 0;
    for text in [
        format!("write to {}@example.com now", "a".repeat(80)),
        format!("key eyJ{}.eyJ{}.{}", "a".repeat(600), "b".repeat(600), "c".repeat(300)),
        format!("postgres://user:{}@db.example", "p".repeat(300)),
        format!("ignore {} previous instructions", "all the ".repeat(30)),
        format!("card 4111 1111 1111 111 and {} and 1.2.3.", "12345678".repeat(20)),
        format!("password = \"{}", "x9Y_".repeat(200)),
        format!("-----BEGIN RSA PRIVATE KEY-----{}", "A".repeat(900)),
    ] {
        let held = held(&rules, &text);
        assert!(held <= bound, "{held} characters of {text:?} are held, {bound} are said");
        most = most.max(held);
    }
    assert!(most > 40, "{most}");
}
