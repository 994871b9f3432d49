//! Loading a policy for a command.

use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use weir_filter::{Engine, Guard};
use weir_rules::Granted;
use weir_rules::policy::PolicyError;

use crate::document::{Document, DocumentError};

/// The default policy, annotated.
pub const DEFAULT: &str = include_str!("../../rules/default-policy.yaml");

/// One error of a policy file. Line and column count from 1.
pub struct Fault {
    pub line: usize,
    pub column: usize,
    pub reason: String,
    pub cure: String,
}

impl From<DocumentError> for Fault {
    fn from(error: DocumentError) -> Fault {
        let DocumentError { line, column, reason, cure } = error;
        Fault { line, column, reason, cure }
    }
}

impl Fault {
    /// `FILE:LINE:COLUMN: reason (cure)`.
    pub fn show(&self, file: &str) -> String {
        format!("{file}:{}:{}: {} ({})", self.line, self.column, self.reason, self.cure)
    }
}

/// Reads a file; `-` is standard input.
///
/// # Errors
/// As the operating system says, with the file's name.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let named = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", path.display()));
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes).map_err(named)?;
        return Ok(bytes);
    }
    std::fs::read(path).map_err(named)
}

/// Reads a text file.
///
/// # Errors
/// As [`read`], and for a file that is not UTF-8.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?)
        .map_err(|_| io::Error::other(format!("{}: it is not UTF-8", path.display())))
}

/// Reads a document with the places of its parts.
///
/// # Errors
/// Where it is none.
pub fn parse(text: &str) -> Result<Document, Vec<Fault>> {
    Document::parse(text).map_err(|error| vec![error.into()])
}

/// Compiles a document; with `enforce`, as if nothing in it were in Shadow.
///
/// # Errors
/// Everything that is wrong with it.
pub fn build(document: &Document, enforce: bool) -> Result<Rc<Guard>, Vec<Fault>> {
    let mut json = document.json.clone();
    if enforce {
        enforced(&mut json);
    }
    let alone = is_baseline(&json);
    guard(&whole(json)).map_err(|mut errors| {
        for error in errors.iter_mut().filter(|_| alone) {
            if let Some(rest) = error.pointer.strip_prefix("/spec/baseline") {
                error.pointer = rest.to_owned();
            }
        }
        located(document, errors)
    })
}

/// Whether a document is a baseline by itself.
pub fn is_baseline(json: &Value) -> bool {
    json.get("kind") == Some(&Value::from("Baseline"))
}

/// The document that a module would be given: a baseline by itself is a bundle without policies.
pub fn whole(json: Value) -> Value {
    if !is_baseline(&json) {
        return json;
    }
    json!({
        "apiVersion": json.get("apiVersion"),
        "kind": "Bundle",
        "metadata": {"name": json.pointer("/metadata/name").cloned().unwrap_or_default()},
        "spec": {"baseline": json},
    })
}

/// Compiles a document as the module does, with keys of this environment.
///
/// # Errors
/// Everything that is wrong with it.
pub fn guard(json: &Value) -> Result<Rc<Guard>, Vec<PolicyError>> {
    Guard::new(json.to_string().as_bytes(), &key, now()).map_err(|errors| errors.0)
}

/// Errors with their places in the file.
pub fn located(document: &Document, errors: Vec<PolicyError>) -> Vec<Fault> {
    let fault = |error: PolicyError| {
        let (line, column) = document.locate(&error.pointer);
        Fault { line, column, reason: error.reason, cure: error.cure }
    };
    errors.into_iter().map(fault).collect()
}

/// A key of the policy. Where the environment has none, a fixed one stands in for it: what a policy finds and
/// refuses does not depend on keys.
fn key(variable: &str) -> Option<String> {
    std::env::var(variable).ok().or_else(|| Some("no key in this environment".to_owned()))
}

/// The policy at `path`, or the default one. `None` if it has errors, which are then on standard error.
///
/// # Errors
/// The file cannot be read.
pub fn load(path: Option<&Path>, enforce: bool) -> io::Result<Option<Rc<Guard>>> {
    Ok(load_document(path, enforce)?.map(|(guard, _)| guard))
}

/// The same with the document that it is compiled from.
///
/// # Errors
/// As [`load`].
pub fn load_document(
    path: Option<&Path>,
    enforce: bool,
) -> io::Result<Option<(Rc<Guard>, Document)>> {
    let (name, text) = match path {
        Some(path) => (path.display().to_string(), read_text(path)?),
        None => ("default policy".to_owned(), DEFAULT.to_owned()),
    };
    let built = parse(&text).and_then(|document| Ok((build(&document, enforce)?, document)));
    Ok(built
        .map_err(|faults| faults.iter().for_each(|fault| eprintln!("{}", fault.show(&name))))
        .ok())
}

/// Microseconds since the Unix epoch.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros() as u64)
}

/// What a single text is judged by: an engine that enforces, and the exceptions that count now.
pub struct Terms {
    pub engine: Rc<Engine>,
    pub granted: Granted,
}

/// The terms of the policy at `path`, or of the default one, for a caller.
///
/// # Errors
/// As [`load`].
pub fn terms(path: Option<&Path>, caller: Option<&str>) -> io::Result<Option<Terms>> {
    let Some(guard) = load(path, true)? else { return Ok(None) };
    Ok(terms_of(&guard, caller, now()))
}

/// The terms of a compiled document for a caller at `now`, in microseconds since the Unix epoch.
pub fn terms_of(guard: &Guard, caller: Option<&str>, now: u64) -> Option<Terms> {
    let selected = guard.select(caller, "").map(|s| s.engine.clone());
    let granted = |engine: Rc<Engine>| Terms { granted: engine.rules.granted(caller, now), engine };
    selected.map(granted)
}

/// Writes Enforce where Shadow stands, in a policy or in all parts of a bundle, and closes the break-glass window. Any
/// other value stays, for the compiler to refuse.
fn enforced(document: &mut Value) {
    let Some(spec) = document.get_mut("spec") else { return };
    enforce_spec(spec);
    items(spec, "policies").iter_mut().for_each(enforced);
    if let Some(floor) = spec.get_mut("baseline").and_then(|baseline| baseline.get_mut("spec")) {
        for part in ["overrides", "defaults"] {
            floor.get_mut(part).into_iter().for_each(enforce_spec);
        }
        if let Some(members) = floor.as_object_mut() {
            members.remove("breakGlass");
        }
    }
}

/// On the whole, the packs, their overrides, the rules, and those of tools.
fn enforce_spec(spec: &mut Value) {
    enforce_mode(spec);
    for list in ["packs", "rules"] {
        for one in items(spec, list) {
            enforce_mode(one);
            items(one, "overrides").iter_mut().for_each(enforce_mode);
        }
    }
    if let Some(tools) = spec.get_mut("tools") {
        items(tools, "rules").iter_mut().for_each(enforce_mode);
    }
}

fn enforce_mode(of: &mut Value) {
    if let Some(mode) = of.get_mut("mode").filter(|mode| *mode == "Shadow") {
        *mode = Value::from("Enforce");
    }
}

fn items<'a>(of: &'a mut Value, list: &str) -> &'a mut [Value] {
    of.get_mut(list).and_then(Value::as_array_mut).map_or(&mut [], Vec::as_mut_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shadow_becomes_enforce_and_nothing_else_changes() {
        for (before, after) in [
            (json!({}), json!({})),
            (json!({"mode": "Shadow"}), json!({"mode": "Enforce"})),
            (json!({"mode": "Bogus"}), json!({"mode": "Bogus"})),
            (json!({"rules": [{"id": "Shadow"}]}), json!({"rules": [{"id": "Shadow"}]})),
            (json!({"rules": [{"mode": "Shadow"}]}), json!({"rules": [{"mode": "Enforce"}]})),
            (
                json!({"packs": [{"overrides": [{"mode": "Shadow"}, 1]}, "x"]}),
                json!({"packs": [{"overrides": [{"mode": "Enforce"}, 1]}, "x"]}),
            ),
            (json!({"packs": 3}), json!({"packs": 3})),
            (
                json!({"tools": {"rules": [{"mode": "Shadow"}]}}),
                json!({"tools": {"rules": [{"mode": "Enforce"}]}}),
            ),
            (
                json!({"policies": [{"spec": {"mode": "Shadow"}}]}),
                json!({"policies": [{"spec": {"mode": "Enforce"}}]}),
            ),
            (
                json!({"baseline": {"spec": {"overrides": {"mode": "Shadow"}, "breakGlass": {}}}}),
                json!({"baseline": {"spec": {"overrides": {"mode": "Enforce"}}}}),
            ),
        ] {
            let mut policy = json!({"spec": before});
            enforced(&mut policy);
            assert_eq!(policy, json!({"spec": after}));
        }
    }

    #[test]
    fn the_default_policy_is_good() {
        assert!(load(None, false).unwrap().is_some());
    }
}
