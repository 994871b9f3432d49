//! Loading a policy for a command.

use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

use serde_json::Value;
use weir_filter::Engine;

use crate::document::Document;

/// The default policy, annotated.
pub const DEFAULT: &str = include_str!("../../rules/default-policy.yaml");

/// Reads a file; `-` is standard input.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let named = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", path.display()));
    if path.as_os_str() == "-" {
        io::stdin().read_to_end(&mut bytes)?;
    } else {
        bytes = std::fs::read(path).map_err(named)?;
    }
    Ok(bytes)
}

/// Reads a text file.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?)
        .map_err(|_| io::Error::other(format!("{}: it is not UTF-8", path.display())))
}

/// Every error of a policy text as `FILE:LINE:COLUMN: reason (cure)`, or the compiled policy.
pub fn compile(name: &str, text: &str, enforce: bool) -> Result<Rc<Engine>, Vec<String>> {
    let mut document = Document::parse(text).map_err(|e| {
        vec![format!("{name}:{}:{}: {} ({})", e.line, e.column, e.reason, e.cure)]
    })?;
    if enforce {
        enforced(&mut document.json);
    }
    Engine::new(document.json.to_string().as_bytes()).map_err(|errors| {
        let line = |error: &weir_rules::policy::PolicyError| {
            let (line, column) = document.locate(&error.pointer);
            format!("{name}:{line}:{column}: {} ({})", error.reason, error.cure)
        };
        errors.0.iter().map(line).collect()
    })
}

/// The policy at `path`, or the default one.
pub fn load(path: Option<&Path>, enforce: bool) -> io::Result<Rc<Engine>> {
    let (name, text) = match path {
        Some(path) => (path.display().to_string(), read_text(path)?),
        None => ("default policy".to_owned(), DEFAULT.to_owned()),
    };
    compile(&name, &text, enforce).map_err(|errors| io::Error::other(errors.join("\n")))
}

/// Takes Shadow away wherever it stands: on the policy, packs, rules, overrides and tool rules.
fn enforced(policy: &mut Value) {
    let spec = policy.get_mut("spec");
    let Some(Value::Object(spec)) = spec else { return };
    spec.remove("mode");
    let drop_mode = |one: &mut Value| {
        if let Value::Object(fields) = one {
            fields.remove("mode");
            if let Some(Value::Array(overrides)) = fields.get_mut("overrides") {
                for one in overrides {
                    if let Value::Object(fields) = one {
                        fields.remove("mode");
                    }
                }
            }
        }
    };
    for list in ["packs", "rules"] {
        if let Some(Value::Array(items)) = spec.get_mut(list) {
            items.iter_mut().for_each(drop_mode);
        }
    }
}
