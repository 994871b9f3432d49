//! What manifests say: ways around the filter, and whether it carries this document.

use serde_json::{Value, json};

use crate::doctor::manifests::Manifests;
use crate::doctor::{self, Finding, Topic, plugins};

/// What `weir doctor` finds, and what Weir's plugins carry.
pub struct Mesh<'a> {
    pub resources: usize,
    pub findings: Vec<Finding<'a>>,
    /// Each plugin, and whether it carries the document that the page is about.
    pub carried: Vec<(String, Carried)>,
}

/// What a plugin carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried {
    This,
    /// Another document, of this hash.
    Other(String),
    /// None, or one that is refused.
    Nothing,
}

impl<'a> Mesh<'a> {
    /// Looks at manifests for a document of this hash.
    pub fn of(manifests: &'a Manifests, hash: &str) -> Mesh<'a> {
        let carried = plugins::carried(manifests).into_iter().map(|(resource, theirs)| {
            let carried = match theirs {
                Some(theirs) if theirs == hash => Carried::This,
                Some(theirs) => Carried::Other(theirs),
                None => Carried::Nothing,
            };
            (resource.title(), carried)
        });
        Mesh {
            resources: manifests.all().len(),
            carried: carried.collect(),
            findings: doctor::findings(manifests),
        }
    }

    /// How many findings are about something.
    pub fn count(&self, topic: Topic) -> usize {
        self.findings.iter().filter(|finding| finding.topic == topic).count()
    }

    /// What manifests say of something that no policy covers.
    pub fn says(&self, topic: Topic) -> String {
        let resources = self.resources;
        match (self.count(topic), self.carried.is_empty()) {
            (0, true) => format!("`weir doctor`: no plugin of Weir's among {resources} resources"),
            (0, false) => format!("`weir doctor`: nothing found in {resources} resources"),
            (1, _) => "`weir doctor`: 1 finding, below".to_owned(),
            (count, _) => format!("`weir doctor`: {count} findings, below"),
        }
    }

    /// As an object.
    pub fn json(&self) -> Value {
        let plugin = |(title, carried): &(String, Carried)| {
            let document = match carried {
                Carried::This => json!({"same": true}),
                Carried::Other(hash) => json!({"same": false, "document": hash}),
                Carried::Nothing => json!({"same": false}),
            };
            json!({"plugin": title, "carries": document})
        };
        json!({
            "resources": self.resources,
            "plugins": self.carried.iter().map(plugin).collect::<Vec<_>>(),
            "findings": self.findings.iter().map(Finding::json).collect::<Vec<_>>(),
        })
    }
}
