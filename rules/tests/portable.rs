//! The engine with its built-in packs finds the same natively, as a module and in a browser, at every cut.
//!
//! `./just test-wasm` runs this in JavaScript, where an ordinary test harness does not exist.

// Helpers of tests may fail loudly, like the tests themselves.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::panic
)]

use weir_rules::finding::Finding;
use weir_rules::policy::Policy;
use weir_rules::scan::closed;
use weir_rules::{Channel, ChannelSet, Keys, Ruleset, Scanner};

#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
use wasm_bindgen_test::wasm_bindgen_test as test;

const POLICY: &str = r#"{
    "apiVersion": "guard.weir.dev/v1alpha1",
    "kind": "Policy",
    "metadata": {"name": "portable"},
    "spec": {"packs": [{"name": "secrets", "action": "Mask"}, {"name": "pii", "action": "Mask"}]}
}"#;

fn rules() -> Ruleset {
    let policy = Policy::from_json(POLICY.as_bytes()).expect("the policy parses");
    Ruleset::compile(&policy, Keys::default()).expect("the policy compiles")
}

/// What the rules find in these pieces of one answer, in order.
fn scan(rules: &Ruleset, pieces: &[&str]) -> Vec<Finding> {
    let (mut scanner, mut found) = (Scanner::default(), Vec::new());
    for piece in pieces {
        let scope = ChannelSet::from(Channel::ResponseText);
        scanner.push(rules, scope, piece, &mut found).expect("within every limit");
    }
    scanner.end(rules, &mut found).expect("within every limit");
    closed(found)
}

/// Checks that exactly `rule` is found in `text`, where it stands between brackets, at every cut into two.
fn check(rules: &Ruleset, text: &str, rule: &str) {
    let (start, end) = (text.find("[[").expect("marked"), text.find("]]").expect("marked") - 2);
    let text = text.replace("[[", "").replace("]]", "");
    for cut in (0..=text.len()).filter(|cut| text.is_char_boundary(*cut)) {
        let (head, tail) = text.split_at(cut);
        let found: Vec<_> = scan(rules, &[head, tail])
            .iter()
            .map(|f| (rules.id(f.rule).to_owned(), f.start, f.end))
            .collect();
        assert_eq!(found, [(rule.to_owned(), start as u64, end as u64)], "cut at {cut}");
    }
}

#[test]
fn what_the_packs_know_is_found_at_every_cut() {
    let rules = rules();
    check(&rules, "paid with [[4111 1111 1111 1111]] today", "pii-card");
    check(&rules, "the account is [[DE89 3704 0044 0532 0130 00]], thanks", "pii-iban");
}

#[test]
fn a_clean_text_has_no_findings() {
    assert_eq!(scan(&rules(), &["the ship date ", "is the 4th of May"]), []);
}
