//! What a mask leaves visible: the exposed prefix, and never a whole match.

#![allow(clippy::unwrap_used)]

use weir_rules::policy::Policy;
use weir_rules::{Channel, ChannelSet, Keys, Ruleset, edits, scan_whole};

/// What `text` becomes under one masking rule.
fn masked(rule: &str, text: &str) -> String {
    let policy = format!(
        r#"{{"apiVersion":"guard.weir.dev/v1alpha1","kind":"Policy","metadata":{{"name":"p"}},"spec":{{"rules":[{{"id":"r","action":"Mask",{rule}}}]}}}}"#
    );
    let rules =
        Ruleset::compile(&Policy::from_json(policy.as_bytes()).unwrap(), Keys::default()).unwrap();
    let channel = Channel::RequestUser;
    let found = scan_whole(&rules, ChannelSet::from(channel), text).unwrap();
    let acting: Vec<_> = found
        .into_iter()
        .filter_map(|f| Some((f.clone(), rules.action(f.rule, channel)?.0)))
        .collect();
    let mut out = text.to_owned();
    for edit in edits(&acting).into_iter().rev() {
        out.replace_range(edit.start as usize..edit.end as usize, "#");
    }
    out
}

#[test]
fn a_mask_never_leaves_a_whole_match() {
    let codename = r#""keywords":["project bluebird"],"regex":"project\\s+bluebird(-\\d{1,3})?","maxLength":32"#;
    let key = r#""keywords":["key-"],"regex":"key-\\d{4}","maxLength":8,"view":"Raw""#;
    for (rule, text, expected) in [
        (codename, "the Project  Bluebird ships", "the # ships"),
        (codename, "the Project Bluebird-7 ships", "the # ships"),
        (&format!("{codename},\"exposure\":\"Anchor\""), "project bluebird", "#"),
        (r#""keywords":["redkite"],"regex":"redkite","maxLength":8"#, "a redkite", "a #"),
        (r#""keywords":["redkite"]"#, "a redkite", "a #"),
        (key, "a key-1234 b", "a key-# b"),
        (&format!("{key},\"exposure\":\"Nothing\""), "a key-1234 b", "a # b"),
        (&format!("{key},\"exposure\":{{\"characters\":6}}"), "a key-1234 b", "a key-12# b"),
    ] {
        assert_eq!(masked(rule, text), expected, "{rule}");
    }
}
