//! `weir effective`: the policy that is in force for a caller, each field with where it comes from.

use std::io::{self, Write};

use weir_rules::policy::{self as format, Date, Effective, Node, Origin};

use crate::args::Effective as Arguments;
use crate::{Exit, in_force, policy};

/// What stands where no document says anything, as the documentation of the format names it.
const BUILT_IN: &str = r#"{"mode":"Enforce","failureMode":"FailClosed","requestMode":"Hold",
"inspection":{"unknownShape":"Reject","serverSideState":"Reject","remoteReferences":"Reject","media":"Audit"},
"refusal":{"as":"Error","status":403,"reveal":"Nothing"},
"limits":{"request":"8Mi","paused":"512Ki","held":"64Ki","event":"256Ki","toolCall":"1Mi","worker":"256Mi",
"hold":"10s","depth":64,"openChannels":256},
"onViolation":"Drain","holdHeaders":false,"audit":{"subject":"Plain","clean":"100%"}}"#;
/// Where the words about origins begin.
const COLUMN: usize = 56;

/// Prints the policy as YAML.
pub fn run(arguments: &Arguments, out: &mut dyn Write) -> io::Result<Exit> {
    let (caller, host) = (arguments.caller.as_deref(), arguments.host.as_deref());
    let Some(found) = in_force::load(arguments.policy.as_deref(), caller, host)? else {
        return Ok(Exit::Bad);
    };
    let name = &found.engine.policy.metadata.name;
    let caller = caller.unwrap_or("a caller that is not known");
    if !found.covered {
        writeln!(out, "# {caller}: no policy is for it, so its requests are refused")?;
        return Ok(Exit::Good);
    }
    writeln!(out, "# {caller} comes under `{name}`; document {}", found.guard.hash)?;
    let (spec, origins) = match found.effective {
        Some(Effective { spec, origins, shadow_until, .. }) => {
            if let Some(until) = shadow_until.filter(|until| policy::now() < *until) {
                writeln!(
                    out,
                    "# in Shadow until {}: decided and recorded, not carried out",
                    Date(until)
                )?;
            }
            (spec, origins)
        }
        None => {
            let spec = found.tree.get("spec").cloned().unwrap_or(Node::Map(Vec::new()));
            (spec, Vec::new())
        }
    };
    let origin = |place: &str| origins.iter().find(|(p, _)| p == place).map(|(_, o)| *o);
    for line in lines(&filled(spec), &origin) {
        writeln!(out, "{line}")?;
    }
    Ok(Exit::Good)
}

/// The spec with what is built in where it says nothing; those fields are marked by their place in the tree only.
fn filled(mut spec: Node) -> Vec<(String, Node, bool)> {
    let built_in = format::tree(BUILT_IN.as_bytes()).unwrap_or(Node::Null);
    for (section, value) in built_in.members() {
        if spec.get(section).is_none() {
            spec.set(section, Node::Map(Vec::new()));
            if value.members().is_empty() {
                spec.set(section, Node::Null);
            }
        }
    }
    let mut fields = Vec::new();
    for (section, value) in spec.members() {
        let default = built_in.get(section);
        if let (Node::Null, Some(default)) = (value, default) {
            fields.push((format!("/spec/{section}"), default.clone(), true));
            continue;
        }
        let inner = default.map(Node::members).unwrap_or_default();
        if inner.is_empty() {
            fields.push((format!("/spec/{section}"), value.clone(), false));
            continue;
        }
        for (member, own) in value.members() {
            fields.push((format!("/spec/{section}/{member}"), own.clone(), false));
        }
        for (member, default) in inner.iter().filter(|(m, _)| value.get(m).is_none()) {
            fields.push((format!("/spec/{section}/{member}"), default.clone(), true));
        }
    }
    fields
}

fn lines(fields: &[(String, Node, bool)], origin: &dyn Fn(&str) -> Option<Origin>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open = "";
    for (place, value, built_in) in fields {
        let words = |place: &str| match origin(place) {
            _ if *built_in => "built in",
            Some(origin) => origin.words(),
            None => "policy",
        };
        let mut line = |text: String, words: &str| lines.push(format!("{text:<COLUMN$} # {words}"));
        let path: Vec<&str> = place.split('/').skip(2).collect();
        match (path.as_slice(), value) {
            ([section], Node::List(items)) if !items.is_empty() => {
                lines.push(format!("{section}:"));
                for (at, item) in items.iter().enumerate() {
                    let words = words(&format!("{place}/{at}"));
                    lines.push(format!("{:<COLUMN$} # {words}", format!("  - {item}")));
                }
            }
            ([section], value) => line(format!("{section}: {value}"), words(place)),
            ([section, member], value) => {
                if open != *section {
                    open = section;
                    lines.push(format!("{section}:"));
                }
                lines.push(format!(
                    "{:<COLUMN$} # {}",
                    format!("  {member}: {value}"),
                    words(place)
                ));
            }
            _ => {}
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use weir_rules::policy::{Policy, Spec};

    #[test]
    fn what_is_called_built_in_is() {
        let of = |spec: &str| {
            let document = format!(
                r#"{{"apiVersion":"guard.weir.dev/v1alpha1","kind":"Policy","metadata":{{"name":"p"}},"spec":{spec}}}"#
            );
            Policy::from_json(document.as_bytes()).map(|p| p.spec)
        };
        assert_eq!(of(super::BUILT_IN), Ok(Spec::default()));
    }
}
