//! For each field of a policy: how its values compare.

use serde_json::Value;

use super::change::Weight;
use super::fields::{How, Table};

/// The sections of a policy. Fields that are in no table are `Unranked`, so that none is overlooked. What `packs` and
/// `rules` do by channel, `tools` and `traffic` are compared by what they come to.
pub const SPEC: Table = &[
    ("owner", How::Silent),
    ("mode", How::Words(&["Shadow", "Enforce"], "Enforce")),
    ("failureMode", How::Words(&["FailOpen", "FailClosed"], "FailClosed")),
    ("requestMode", How::Words(&["Progressive", "Hold"], "Hold")),
    ("holdHeaders", How::Switch),
    ("traffic", How::Silent),
    ("inspection", How::Section(INSPECTION)),
    ("packs", How::Silent),
    ("rules", How::Items(Weight::Stronger, RULE)),
    ("tools", How::Section(TOOLS)),
    ("refusal", How::Section(REFUSAL)),
    ("limits", How::Section(LIMITS)),
    ("appliesTo", How::Section(APPLIES_TO)),
    ("exceptions", How::Items(Weight::Weaker, EXCEPTION)),
];

const DECISIONS: &[&str] = &["Allow", "Audit", "Reject"];

const INSPECTION: Table = &[
    ("unknownShape", How::Words(DECISIONS, "Reject")),
    ("serverSideState", How::Words(DECISIONS, "Reject")),
    ("remoteReferences", How::Words(DECISIONS, "Reject")),
    ("media", How::Words(DECISIONS, "Audit")),
];

const RULE: Table = &[
    ("id", How::Silent),
    ("description", How::Silent),
    ("why", How::Silent),
    ("references", How::Silent),
    ("tags", How::Silent),
    ("examples", How::Silent),
    ("action", How::Silent),
    ("mode", How::Silent),
    ("channels", How::Silent),
    ("keywords", How::Rank(keywords)),
    ("validate", How::Set(Weight::Weaker)),
    ("exposure", How::Rank(exposure)),
    ("mask", How::Rank(mask)),
];

const TOOLS: Table = &[("defaultAction", How::Silent), ("rules", How::Silent)];

const REFUSAL: Table = &[("reveal", How::Words(&["Rule", "Nothing"], "Nothing"))];

const LIMITS: Table = &[
    ("request", How::Limit(|l| l.request.bytes())),
    ("paused", How::Limit(|l| l.paused.bytes())),
    ("held", How::Limit(|l| l.held.bytes())),
    ("event", How::Limit(|l| l.event.bytes())),
    ("toolCall", How::Limit(|l| l.tool_call.bytes())),
    ("worker", How::Limit(|l| l.worker.bytes())),
    ("hold", How::Limit(|l| l.hold.millis())),
    ("depth", How::Limit(|l| l.depth.into())),
    ("openChannels", How::Limit(|l| l.open_channels.into())),
    ("channels", How::Limit(|l| l.open_channels.into())),
];

const APPLIES_TO: Table =
    &[("callers", How::Scope(Weight::Stronger)), ("hosts", How::Scope(Weight::Stronger))];

const EXCEPTION: Table = &[
    ("id", How::Silent),
    ("reason", How::Silent),
    ("owner", How::Silent),
    ("ticket", How::Silent),
    ("rules", How::Set(Weight::Weaker)),
    ("match", How::Section(MATCH)),
    ("action", How::Words(&["Audit", "Neutralize", "Mask", "Reject"], "Audit")),
    ("expires", How::Rank(|old, new| Weight::of(&moment(old), &moment(new)).reversed())),
];

const MATCH: Table = &[
    ("channels", How::Scope(Weight::Weaker)),
    ("callers", How::Scope(Weight::Weaker)),
    ("fingerprints", How::Scope(Weight::Weaker)),
];

/// A date as text that sorts by time: a day stands for its end.
fn moment(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    if text.contains('T') { text.to_owned() } else { format!("{text}T24") }
}

/// More keywords find more, but a rule that has none begins anywhere.
fn keywords(old: &Value, new: &Value) -> Weight {
    let list = |of: &Value| of.as_array().cloned().unwrap_or_default();
    let (old, new) = (list(old), list(new));
    let within = |all: &[Value], some: &[Value]| some.iter().all(|one| all.contains(one));
    match (old.is_empty() || new.is_empty(), within(&old, &new), within(&new, &old)) {
        (false, true, false) => Weight::Weaker,
        (false, false, true) => Weight::Stronger,
        _ => Weight::Changed,
    }
}

/// The fewer characters are shown the stricter; an anchor's length is the rule's own.
fn exposure(old: &Value, new: &Value) -> Weight {
    let shown = |value: &Value| match value.as_str() {
        Some("Nothing") => Some(0),
        _ => value.get("characters").and_then(Value::as_u64),
    };
    match (shown(old), shown(new)) {
        (Some(old), Some(new)) => Weight::of(&old, &new).reversed(),
        (Some(0), None) => Weight::Weaker,
        (None, Some(0)) => Weight::Stronger,
        _ => Weight::Changed,
    }
}

/// The fewer characters are kept the stricter.
fn mask(old: &Value, new: &Value) -> Weight {
    let kept = |value: &Value| value.get("keepLast").and_then(Value::as_u64).unwrap_or(0);
    Weight::of(&kept(old), &kept(new)).reversed()
}
