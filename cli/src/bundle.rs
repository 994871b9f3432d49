//! `weir bundle`: a baseline and policies, each in a file of its own, as the one document that a module is given.

use std::io::{self, Write};

use serde_json::{Value, json};
use weir_rules::policy::PolicyError;

use crate::Exit;
use crate::args::Bundle;
use crate::document::Document;
use crate::policy;

/// Joins the files, checks what they come to, and prints it as JSON.
pub fn run(bundle: &Bundle, out: &mut dyn Write) -> io::Result<Exit> {
    let mut files = Vec::new();
    let mut bad = false;
    for path in std::iter::once(&bundle.baseline).chain(&bundle.policies) {
        let name = path.display().to_string();
        match policy::parse(&policy::read_text(path)?) {
            Ok(document) => files.push((name, document)),
            Err(faults) => {
                bad = true;
                faults.iter().for_each(|fault| eprintln!("{}", fault.show(&name)));
            }
        }
    }
    let Some(((_, baseline), policies)) = files.split_first().filter(|_| !bad) else {
        return Ok(Exit::Bad);
    };
    let part = |document: &Document| {
        let mut json = document.json.clone();
        if let Some(members) = json.as_object_mut() {
            members.retain(|name, _| name == "metadata" || name == "spec");
        }
        json
    };
    let policies: Vec<Value> = policies.iter().map(|(_, document)| part(document)).collect();
    let whole = json!({
        "apiVersion": weir_rules::policy::API_VERSION,
        "kind": "Bundle",
        "metadata": {"name": bundle.name},
        "spec": {"baseline": part(baseline), "policies": policies},
    });
    match policy::guard(&whole) {
        Ok(_) => {
            writeln!(out, "{whole:#}")?;
            Ok(Exit::Good)
        }
        Err(errors) => {
            errors.iter().for_each(|error| eprintln!("{}", show(error, &files)));
            Ok(Exit::Bad)
        }
    }
}

/// An error of the whole with its place in the file that it comes from.
fn show(error: &PolicyError, files: &[(String, Document)]) -> String {
    let pointer = error.pointer.as_str();
    let (at, rest) = match pointer.strip_prefix("/spec/policies/") {
        Some(rest) => {
            let (index, rest) = rest.split_once('/').unwrap_or((rest, ""));
            (index.parse::<usize>().map_or(0, |index| index + 1), format!("/{rest}"))
        }
        None => (0, pointer.strip_prefix("/spec/baseline").unwrap_or(pointer).to_owned()),
    };
    match files.get(at) {
        Some((name, document)) => {
            let (line, column) = document.locate(&rest);
            format!("{name}:{line}:{column}: {} ({})", error.reason, error.cure)
        }
        None => error.to_string(),
    }
}
