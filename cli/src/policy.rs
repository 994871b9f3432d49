//! Loading a policy for a command.

use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use weir_filter::{Engine, Guard};
use weir_rules::Granted;

use crate::document::Document;

/// The default policy, annotated.
pub const DEFAULT: &str = include_str!("../../rules/default-policy.yaml");

/// One error of a policy file. Line and column count from 1.
pub struct Fault {
    pub line: usize,
    pub column: usize,
    pub reason: String,
    pub cure: String,
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

/// Compiles a policy text; with `enforce`, as if nothing in it were in Shadow.
///
/// # Errors
/// Everything that is wrong with it.
pub fn compile(text: &str, enforce: bool) -> Result<Rc<Guard>, Vec<Fault>> {
    let mut document = Document::parse(text).map_err(|e| {
        vec![Fault { line: e.line, column: e.column, reason: e.reason, cure: e.cure }]
    })?;
    if enforce {
        enforced(&mut document.json);
    }
    Guard::new(document.json.to_string().as_bytes(), &key).map_err(|errors| {
        let fault = |error: weir_rules::policy::PolicyError| {
            let (line, column) = document.locate(&error.pointer);
            Fault { line, column, reason: error.reason, cure: error.cure }
        };
        errors.0.into_iter().map(fault).collect()
    })
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
    let (name, text) = match path {
        Some(path) => (path.display().to_string(), read_text(path)?),
        None => ("default policy".to_owned(), DEFAULT.to_owned()),
    };
    Ok(compile(&text, enforce)
        .map_err(|faults| faults.iter().for_each(|fault| eprintln!("{}", fault.show(&name))))
        .ok())
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
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros() as u64);
    let selected = guard.select(caller, "").map(|s| s.engine.clone());
    let granted = |engine: Rc<Engine>| Terms { granted: engine.rules.granted(caller, now), engine };
    Ok(selected.map(granted))
}

/// Writes Enforce where Shadow stands: on the policy, its packs, their overrides, and its rules. Any other value
/// stays, for the compiler to refuse.
fn enforced(policy: &mut Value) {
    let Some(spec) = policy.get_mut("spec") else { return };
    enforce_mode(spec);
    for list in ["packs", "rules"] {
        for one in items(spec, list) {
            enforce_mode(one);
            items(one, "overrides").iter_mut().for_each(enforce_mode);
        }
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
    use serde_json::json;

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
        ] {
            let mut policy = json!({"spec": before});
            enforced(&mut policy);
            assert_eq!(policy, json!({"spec": after}));
        }
    }

    #[test]
    fn the_default_policy_is_good() {
        assert!(compile(DEFAULT, false).is_ok());
    }
}
