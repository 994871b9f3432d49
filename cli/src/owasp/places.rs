//! Where in the document a field of the policy in force is written.

use serde_json::Value;
use weir_rules::policy::{Effective, Origin};

/// A JSON pointer in the document, or of a field that it leaves to what is built in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub pointer: String,
    pub written: bool,
}

/// The document and what it comes to.
pub struct Places {
    pub json: Value,
    pub effective: Option<Effective>,
    /// The document is a baseline alone, so pointers begin at it.
    pub alone: bool,
}

impl Places {
    /// Where a field of the effective policy, such as `/spec/mode` or `/spec/packs/0`, is written.
    pub fn of(&self, pointer: &str) -> Place {
        let located = match &self.effective {
            Some(effective) => layered(effective, pointer),
            None => pointer.to_owned(),
        };
        self.of_document(&located)
    }

    /// A place of the document itself.
    pub fn of_document(&self, pointer: &str) -> Place {
        let written = self.json.pointer(pointer).is_some();
        let pointer = match pointer.strip_prefix("/spec/baseline") {
            Some(rest) if self.alone => rest.to_owned(),
            _ => pointer.to_owned(),
        };
        Place { pointer, written }
    }
}

/// In the layer of the bundle that it comes from.
fn layered(effective: &Effective, pointer: &str) -> String {
    let mut origin = effective.origins.iter().filter(|(known, _)| {
        known == pointer || known.starts_with(&format!("{pointer}/")) || under(pointer, known)
    });
    let located = effective.locate(pointer);
    let field = match located.find("/spec/baseline/spec/overrides/") {
        Some(_) => return located,
        None => located.rsplit_once("/spec/").map_or("", |(_, field)| field),
    };
    match origin.next_back().map(|(_, origin)| *origin) {
        Some(Origin::Overrides) => {
            let field = field
                .strip_prefix("baselineTools")
                .map_or_else(|| field.to_owned(), |rest| format!("tools{rest}"));
            format!("/spec/baseline/spec/overrides/{field}")
        }
        Some(Origin::Defaults) => format!("/spec/baseline/spec/defaults/{field}"),
        Some(Origin::Policy) | None => located,
    }
}

fn under(pointer: &str, known: &str) -> bool {
    pointer.strip_prefix(known).is_some_and(|rest| rest.starts_with('/'))
}
