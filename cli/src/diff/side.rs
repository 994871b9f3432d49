//! The two documents of a comparison as the policies that callers come under: a policy by itself, or those of a bundle,
//! each merged with the baseline.

use std::io;
use std::path::Path;
use std::rc::Rc;

use serde_json::Value;
use weir_filter::{Engine, Guard};
use weir_rules::policy::{self as format, Effective, Origin};

use super::change::{Change, Weight};
use super::fields::{self, How, Table};
use super::{effects, lists, proofs, tables};
use crate::policy::{self, Fault};

const APPLIES_TO: &str = "/spec/appliesTo";
/// What a bundle says beside its policies; sections in which no side is stronger are only shown.
const BASELINE: Table = &[
    ("overrides", How::Silent),
    ("defaults", How::Silent),
    ("unmatched", How::Words(&["Baseline", "Reject"], "Baseline")),
];

/// A policy that callers come under.
struct Part {
    name: String,
    spec: Value,
    engine: Rc<Engine>,
    effective: Option<Effective>,
}

impl Part {
    /// Where in the document a place of the policy is written.
    fn locate(&self, pointer: &str) -> String {
        let Some(effective) = &self.effective else { return pointer.to_owned() };
        let origin = effective.origins.iter().find(|(place, _)| place == pointer);
        let layer = match origin.map(|(_, origin)| *origin) {
            Some(Origin::Overrides) => "overrides",
            Some(Origin::Defaults) => "defaults",
            _ => return effective.locate(pointer),
        };
        if pointer.split('/').any(|step| step.parse::<usize>().is_ok()) {
            return effective.locate(pointer);
        }
        pointer.replacen("/spec", &format!("/spec/baseline/spec/{layer}"), 1)
    }
}

/// One document.
pub struct Side {
    /// The policies of a bundle.
    parts: Vec<Part>,
    /// What every other caller comes under: the baseline, or a policy that stands alone.
    others: Part,
    /// The baseline's own sections.
    baseline: Value,
    /// Callers without a policy are refused.
    rejects: bool,
    pub guard: Rc<Guard>,
}

impl Side {
    /// Reads a document. `None` if it has errors, which are then on standard error.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn load(path: &Path) -> io::Result<Option<Side>> {
        let text = policy::read_text(path)?;
        let name = path.display().to_string();
        let built = policy::parse(&text)
            .and_then(|document| policy::build(&document, false).map(|guard| (document, guard)));
        let (document, guard) = match built {
            Ok(built) => built,
            Err(faults) => {
                faults.iter().for_each(|fault| eprintln!("{}", fault.show(&name)));
                return Ok(None);
            }
        };
        let side = match document.json.get("kind").and_then(Value::as_str) {
            Some("Policy") => Side::alone(&document.json, guard),
            Some("Bundle") => Side::bundle(&document.json, guard),
            _ => None,
        };
        if side.is_none() {
            let (line, column) = document.locate("/kind");
            let (reason, cure) =
                ("it is no policy".into(), "compare two of kind Policy or Bundle".into());
            eprintln!("{}", Fault { line, column, reason, cure }.show(&name));
        }
        Ok(side)
    }

    fn alone(document: &Value, guard: Rc<Guard>) -> Option<Side> {
        let engine = guard.first()?.clone();
        let spec = document.get("spec").cloned().unwrap_or(Value::Null);
        let name = engine.policy.metadata.name.clone();
        let others = Part { name, spec, engine, effective: None };
        Some(Side { parts: Vec::new(), others, baseline: Value::Null, rejects: false, guard })
    }

    fn bundle(document: &Value, guard: Rc<Guard>) -> Option<Side> {
        let tree = format::tree(document.to_string().as_bytes()).ok()?;
        let resolved = format::resolve(&tree, policy::now()).ok()?;
        let part = |effective: Effective| {
            let name = effective.policy.metadata.name.clone();
            let engine = guard.engines().find(|e| e.policy.metadata.name == name)?.clone();
            let spec = serde_json::from_str(&effective.spec.to_string()).ok()?;
            Some(Part { name, spec, engine, effective: Some(effective) })
        };
        let parts = resolved.policies.into_iter().map(part).collect::<Option<Vec<Part>>>()?;
        let others = part(resolved.baseline)?;
        let baseline = document.pointer("/spec/baseline/spec").cloned().unwrap_or_default();
        let rejects = baseline.get("unmatched").is_some_and(|word| word == "Reject");
        Some(Side { parts, others, baseline, rejects, guard })
    }

    fn part(&self, name: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.name == name)
    }

    fn is_bundle(&self) -> bool {
        self.others.effective.is_some()
    }
}

/// What is different for whom, weaker first. A policy that only one side has is compared with what its callers come
/// under on the other.
pub fn changes(old: &Side, new: &Side) -> Vec<Change> {
    let mut told: Vec<(Vec<String>, Change)> = Vec::new();
    let mut tell =
        |name: &str, change: Change| match told.iter_mut().find(|(_, known)| *known == change) {
            Some((names, _)) => names.push(name.to_owned()),
            None => told.push((vec![name.to_owned()], change)),
        };
    if !(old.rejects && new.rejects) {
        for change in pair(&old.others, &new.others) {
            tell("other callers", change);
        }
    }
    let fresh = new.parts.iter().filter(|part| old.part(&part.name).is_none());
    for Part { name, .. } in old.parts.iter().chain(fresh) {
        let (before, after) = (old.part(name), new.part(name));
        let place = |side: Option<&Part>| side.map(|part| part.locate(""));
        let mut only = |weight, what: &str| {
            let (old, new) = (place(before), place(after));
            tell(name, Change { weight, old, new, what: what.to_owned() });
        };
        match (before, after) {
            (Some(_), None) if new.rejects => {
                only(Weight::Stronger, "policy removed, its callers are refused now");
                continue;
            }
            (None, Some(_)) if old.rejects => {
                only(Weight::Weaker, "policy added, its callers were refused before");
                continue;
            }
            (Some(_), None) => only(Weight::Changed, "policy removed"),
            (None, Some(_)) => only(Weight::Changed, "policy added"),
            _ => {}
        }
        // Whom it is for is no difference to those whom it is for.
        let picks = |place: &Option<String>| place.as_ref().is_some_and(|p| p.contains(APPLIES_TO));
        let moved = before.is_none() || after.is_none();
        let all = pair(before.unwrap_or(&old.others), after.unwrap_or(&new.others)).into_iter();
        for change in all.filter(|c| !moved || !(picks(&c.old) || picks(&c.new))) {
            tell(name, change);
        }
    }
    let several = old.is_bundle() || new.is_bundle();
    let mut changes = baseline(old, new);
    changes.extend(told.into_iter().map(|(names, mut change)| {
        if several {
            change.what.insert_str(0, &format!("{}: ", names.join(", ")));
        }
        change
    }));
    changes.sort_by_key(|change| change.weight);
    changes
}

/// The baseline's own sections: what teams may loosen, and what callers without a policy get.
fn baseline(old: &Side, new: &Side) -> Vec<Change> {
    let mut changes = Vec::new();
    if old.is_bundle() && new.is_bundle() {
        let place = "/spec/baseline/spec";
        fields::compare(BASELINE, (&old.baseline, place), (&new.baseline, place), &mut changes);
    } else if new.rejects {
        let what = "callers without a policy are refused".to_owned();
        let place = Some("/spec/baseline/spec/unmatched".to_owned());
        changes.push(Change { weight: Weight::Stronger, old: None, new: place, what });
    }
    changes
}

/// Two policies.
fn pair(old: &Part, new: &Part) -> Vec<Change> {
    let mut changes = Vec::new();
    fields::compare(tables::SPEC, (&old.spec, "/spec"), (&new.spec, "/spec"), &mut changes);
    lists::traffic(&old.spec, &new.spec, &mut changes);
    lists::tools(&old.engine, &new.engine, &mut changes);
    effects::compare(&old.engine, &new.engine, &mut changes);
    proofs::compare(&old.engine, &new.engine, &mut changes);
    for change in &mut changes {
        change.old = change.old.take().map(|place| old.locate(&place));
        change.new = change.new.take().map(|place| new.locate(&place));
    }
    changes
}
