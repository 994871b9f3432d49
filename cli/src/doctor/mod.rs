//! `weir doctor`: where traffic could walk around the filter, as far as manifests tell.

mod envoyfilters;
pub mod manifests;
pub mod plugins;
mod traffic;
mod workloads;

use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::Exit;
use crate::args::{Doctor, Format};
use crate::policy::{self, Fault};
use manifests::{Manifests, Resource};

/// Why a module that is named by a tag alone is a finding.
const UNPINNED: &str =
    "the module is not pinned: whoever can write to the registry decides what runs";

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Weir's place in the proxy, and what may change it.
    Filter,
    /// Which build of the module runs.
    Module,
    /// Traffic that does not come to the filter, or that it cannot read.
    Around,
}

impl Topic {
    /// The word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Topic::Filter => "Filter",
            Topic::Module => "Module",
            Topic::Around => "Around",
        }
    }
}

/// What is wrong, at a place of a resource.
pub struct Finding<'a> {
    pub topic: Topic,
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
        let reason = reason.into();
        let topic = if reason == UNPINNED { Topic::Module } else { Topic::Filter };
        Finding { topic, resource, pointer: pointer.into(), reason, cure: cure.into() }
    }

    /// In a line, with its place in the file.
    pub fn show(&self) -> String {
        let resource = self.resource;
        let (line, column) = resource.locate(&self.pointer);
        let reason = format!("{}: {}", resource.title(), self.reason);
        Fault { line, column, reason, cure: self.cure.clone() }.show(&resource.file)
    }

    /// As an object.
    pub fn json(&self) -> Value {
        let resource = self.resource;
        let (line, column) = resource.locate(&self.pointer);
        json!({
            "topic": self.topic.word(),
            "file": resource.file,
            "line": line,
            "column": column,
            "kind": resource.kind(),
            "namespace": resource.namespace(),
            "name": resource.name(),
            "pointer": self.pointer,
            "reason": self.reason,
            "cure": self.cure,
        })
    }
}

/// Reads manifests. `None` if some cannot be read, which is then on standard error.
pub fn read(files: &[PathBuf]) -> Option<Manifests> {
    let mut manifests = Manifests::default();
    let mut readable = true;
    for file in files {
        let text = policy::read_text(file).map_err(|error| error.to_string());
        let added = text.and_then(|text| manifests.add(&file.display().to_string(), &text));
        if let Err(error) = added {
            eprintln!("weir: {error}");
            readable = false;
        }
    }
    readable.then_some(manifests)
}

/// Everything that is wrong in the manifests.
pub fn findings(manifests: &Manifests) -> Vec<Finding<'_>> {
    let mut findings = plugins::findings(manifests);
    findings.extend(envoyfilters::findings(manifests));
    let around = workloads::findings(manifests).into_iter().chain(traffic::findings(manifests));
    findings.extend(around.map(|finding| Finding { topic: Topic::Around, ..finding }));
    findings
}

/// Reads manifests and prints what it finds.
///
/// # Errors
/// Where the output cannot be written.
pub fn run(arguments: &Doctor, out: &mut dyn Write) -> io::Result<Exit> {
    let input = [PathBuf::from("-")];
    let files = if arguments.files.is_empty() { &input[..] } else { &arguments.files };
    let Some(manifests) = read(files) else { return Ok(Exit::Unreadable) };
    let findings = findings(&manifests);
    for finding in &findings {
        match arguments.format {
            Format::Human => writeln!(out, "{}", finding.show())?,
            Format::Json => writeln!(out, "{}", finding.json())?,
        }
    }
    if findings.is_empty() {
        eprintln!("weir: nothing found in {} resources", manifests.all().len());
        return Ok(Exit::Good);
    }
    Ok(Exit::Bad)
}
