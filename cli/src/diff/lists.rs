//! Tools and traffic: lists whose entries count by what they let pass.

use serde_json::Value;
use weir_filter::Engine;
use weir_rules::glob;
use weir_rules::policy::{Mode, Policy, ToolAction};

use super::change::{Change, Weight, shorten};

/// A pattern with the JSON pointer of where it stands.
type Placed = (String, String);

/// Which tools are denied and allowed by name, and what becomes of the others.
pub fn tools(old: &Engine, new: &Engine, changes: &mut Vec<Change>) {
    let (before, after) = (default_action(&old.policy), default_action(&new.policy));
    if before != after {
        let denies = |action: ToolAction| action == ToolAction::Deny;
        let word = |action| if denies(action) { "denied" } else { "allowed" };
        let place = |p: &Policy| p.spec.tools.is_some().then(|| "/spec/tools".to_owned());
        changes.push(Change {
            weight: Weight::of(&denies(before), &denies(after)),
            old: place(&old.policy),
            new: place(&new.policy),
            what: format!("tools that no rule names: {} → {}", word(before), word(after)),
        });
    }
    for (action, word, more) in [
        (ToolAction::Deny, "denied", Weight::Stronger),
        (ToolAction::Allow, "allowed", Weight::Weaker),
    ] {
        // Where others are allowed anyway, to allow some by name changes nothing.
        let counts = [before, after].iter().all(|default| *default == ToolAction::Deny);
        if action == ToolAction::Allow && !counts {
            continue;
        }
        let (old, new) = (patterns(&old.policy, action), patterns(&new.policy, action));
        differences(
            &old,
            &new,
            |gone, pattern| {
                let still = if gone { "no longer" } else { "now" };
                let what = format!("tools {}: {still} {word}", shorten(pattern));
                (if gone { more.reversed() } else { more }, what)
            },
            changes,
        );
    }
}

/// What becomes of tools that no rule names; in Shadow they are allowed.
fn default_action(policy: &Policy) -> ToolAction {
    match &policy.spec.tools {
        Some(tools) if policy.spec.mode == Mode::Enforce => tools.default_action,
        _ => ToolAction::Allow,
    }
}

/// The patterns of enforced rules with this action.
fn patterns(policy: &Policy, action: ToolAction) -> Vec<Placed> {
    let mut all = Vec::new();
    if policy.spec.mode == Mode::Shadow {
        return all;
    }
    let rules = policy.spec.tools.iter().flat_map(|tools| tools.rules.iter().enumerate());
    for (at, rule) in rules.filter(|(_, r)| r.action == action && r.mode != Some(Mode::Shadow)) {
        let place = |i: usize| format!("/spec/tools/rules/{at}/tools/{i}");
        all.extend(rule.tools.iter().enumerate().map(|(i, glob)| (glob.clone(), place(i))));
    }
    all
}

fn differences(
    old: &[Placed],
    new: &[Placed],
    say: impl Fn(bool, &str) -> (Weight, String),
    changes: &mut Vec<Change>,
) {
    let lacks = |list: &[Placed], one: &str| !list.iter().any(|(other, _)| other == one);
    for (pattern, place) in old.iter().filter(|(one, _)| lacks(new, one)) {
        let (weight, what) = say(true, pattern);
        changes.push(Change { weight, old: Some(place.clone()), new: None, what });
    }
    for (pattern, place) in new.iter().filter(|(one, _)| lacks(old, one)) {
        let (weight, what) = say(false, pattern);
        changes.push(Change { weight, old: None, new: Some(place.clone()), what });
    }
}

/// A host and a path of `traffic`, and where the entry stands.
struct Read {
    host: String,
    path: String,
    dialect: String,
    place: String,
}

/// Which traffic is read.
pub fn traffic(old: &Value, new: &Value, changes: &mut Vec<Change>) {
    let (before, after) = (reads(old), reads(new));
    let place = Some("/spec/traffic".to_owned());
    match (before.is_empty(), after.is_empty()) {
        (true, true) => return,
        (true, false) => {
            let what = "traffic: only named hosts are read, and no others any more".to_owned();
            changes.push(Change { weight: Weight::Weaker, old: None, new: place, what });
            return;
        }
        (false, true) => {
            let what = "traffic: every host is read by its paths, but none is refused any more \
                        for what is in no known dialect";
            let what = what.to_owned();
            changes.push(Change { weight: Weight::Weaker, old: place, new: None, what });
            return;
        }
        (false, false) => {}
    }
    for (one, all, weight, word) in [
        (&before, &after, Weight::Weaker, "not read any more"),
        (&after, &before, Weight::Stronger, "read now"),
    ] {
        for read in one.iter().filter(|read| !all.iter().any(|other| covers(other, read))) {
            let what = format!("traffic {}{}: {word}", shorten(&read.host), shorten(&read.path));
            let place = Some(read.place.clone());
            let gone = weight == Weight::Weaker;
            let (old, new) = if gone { (place, None) } else { (None, place) };
            changes.push(Change { weight, old, new, what });
        }
    }
    for read in &after {
        let same = |other: &&Read| other.host == read.host && other.path == read.path;
        if let Some(other) = before.iter().find(same).filter(|o| o.dialect != read.dialect) {
            let (from, to) = (&other.dialect, &read.dialect);
            let what = format!(
                "traffic {}{}: dialect {from} → {to}",
                shorten(&read.host),
                shorten(&read.path)
            );
            let (old, new) = (Some(other.place.clone()), Some(read.place.clone()));
            changes.push(Change { weight: Weight::Changed, old, new, what });
        }
    }
}

fn reads(spec: &Value) -> Vec<Read> {
    let list = |of: &Value, name: &str, default: &[&str]| -> Vec<String> {
        let given = of.get(name).and_then(Value::as_array);
        let texts =
            |all: &Vec<Value>| all.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        given.map_or_else(|| default.iter().map(|d| (*d).to_owned()).collect(), texts)
    };
    let entries = spec.get("traffic").and_then(Value::as_array);
    let mut all = Vec::new();
    for (at, entry) in entries.into_iter().flatten().enumerate() {
        let dialect = entry.get("dialect").and_then(Value::as_str).unwrap_or("Auto").to_owned();
        let place = format!("/spec/traffic/{at}");
        for host in list(entry, "hosts", &[]) {
            for path in list(entry, "paths", &["/*"]) {
                let (host, dialect, place) = (host.clone(), dialect.clone(), place.clone());
                all.push(Read { host, path, dialect, place });
            }
        }
    }
    all
}

/// Whether whatever `other` names, `one` names too.
fn covers(one: &Read, other: &Read) -> bool {
    let host = match one.host.strip_prefix("*.") {
        Some(suffix) => other.host.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.')),
        None => one.host == "*" || one.host.eq_ignore_ascii_case(&other.host),
    };
    // A pattern as a text is matched by what matches everything that it matches.
    (host || one.host == other.host) && glob(&one.path, &other.path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn traffic_that_is_still_read_is_no_change() {
        let spec = |entries: Value| json!({"traffic": entries});
        let a = json!({"hosts": ["a.example"], "paths": ["/v1/*"]});
        let all = json!({"hosts": ["*.example", "b.test"]});
        for (old, new, expected) in [
            (json!([]), json!([]), vec![]),
            (json!([a]), json!([a]), vec![]),
            (
                json!([a]),
                json!([{"hosts": ["*"], "paths": ["/*"]}]),
                vec!["stronger traffic */*: read now"],
            ),
            (
                json!([a]),
                json!([all]),
                vec![
                    "stronger traffic *.example/*: read now",
                    "stronger traffic b.test/*: read now",
                ],
            ),
            (
                json!([all]),
                json!([a]),
                vec![
                    "weaker traffic *.example/*: not read any more",
                    "weaker traffic b.test/*: not read any more",
                ],
            ),
            (
                json!([]),
                json!([a]),
                vec!["weaker traffic: only named hosts are read, and no others any more"],
            ),
            (
                json!([a]),
                json!([{"hosts": ["a.example"], "paths": ["/v1/*"], "dialect": "OpenAIChat"}]),
                vec!["changed traffic a.example/v1/*: dialect Auto → OpenAIChat"],
            ),
        ] {
            let mut changes = Vec::new();
            traffic(&spec(old.clone()), &spec(new.clone()), &mut changes);
            let shown: Vec<String> =
                changes.iter().map(|c| format!("{} {}", c.weight.word(), c.what)).collect();
            assert_eq!(shown, expected, "{old} {new}");
        }
    }
}
