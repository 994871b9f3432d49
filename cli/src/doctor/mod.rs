//! `weir doctor`: where traffic could walk around the filter, as far as manifests tell.

mod envoyfilters;
mod manifests;
mod plugins;
mod traffic;
mod workloads;

use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::json;

use crate::Exit;
use crate::args::{Doctor, Format};
use crate::policy::{self, Fault};
use manifests::{Manifests, Resource};

/// What is wrong, at a place of a resource.
pub struct Finding<'a> {
    resource: &'a Resource,
    /// JSON pointer within it.
    pointer: String,
    reason: String,
    cure: String,
}

impl<'a> Finding<'a> {
    fn new(
        resource: &'a Resource,
        pointer: impl Into<String>,
        reason: impl Into<String>,
        cure: impl Into<String>,
    ) -> Finding<'a> {
        Finding { resource, pointer: pointer.into(), reason: reason.into(), cure: cure.into() }
    }
}

/// Reads manifests and prints what it finds.
///
/// # Errors
/// Where the output cannot be written.
pub fn run(arguments: &Doctor, out: &mut dyn Write) -> io::Result<Exit> {
    let mut manifests = Manifests::default();
    let mut readable = true;
    let input = [PathBuf::from("-")];
    let files = if arguments.files.is_empty() { &input[..] } else { &arguments.files };
    for file in files {
        let text = policy::read_text(file).map_err(|error| error.to_string());
        let added = text.and_then(|text| manifests.add(&file.display().to_string(), &text));
        if let Err(error) = added {
            eprintln!("weir: {error}");
            readable = false;
        }
    }
    if !readable {
        return Ok(Exit::Unreadable);
    }
    let mut findings = plugins::findings(&manifests);
    findings.extend(envoyfilters::findings(&manifests));
    findings.extend(workloads::findings(&manifests));
    findings.extend(traffic::findings(&manifests));
    for finding in &findings {
        print(finding, arguments.format, out)?;
    }
    if findings.is_empty() {
        eprintln!("weir: nothing found in {} resources", manifests.all().len());
        return Ok(Exit::Good);
    }
    Ok(Exit::Bad)
}

fn print(finding: &Finding<'_>, format: Format, out: &mut dyn Write) -> io::Result<()> {
    let resource = finding.resource;
    let (line, column) = resource.locate(&finding.pointer);
    match format {
        Format::Human => {
            let reason = format!("{}: {}", resource.title(), finding.reason);
            let fault = Fault { line, column, reason, cure: finding.cure.clone() };
            writeln!(out, "{}", fault.show(&resource.file))
        }
        Format::Json => {
            let row = json!({
                "file": resource.file,
                "line": line,
                "column": column,
                "kind": resource.kind(),
                "namespace": resource.namespace(),
                "name": resource.name(),
                "pointer": finding.pointer,
                "reason": finding.reason,
                "cure": finding.cure,
            });
            writeln!(out, "{row}")
        }
    }
}
