//! Resources as files and `kubectl get` have them, and what labels select.

use std::rc::Rc;

use serde_json::{Map, Value};

use crate::document::Document;
use crate::policy::Fault;
use crate::shape::step;

/// The namespace whose resources of Istio's apply everywhere.
pub const ROOT: &str = "istio-system";

/// One resource, and where it stands.
pub struct Resource {
    pub file: String,
    document: Rc<Document>,
    /// JSON pointer of the resource in its document.
    prefix: String,
    pub value: Value,
}

impl Resource {
    /// Its kind.
    pub fn kind(&self) -> &str {
        self.text("/kind")
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    /// Its namespace; `default` where it states none.
    pub fn namespace(&self) -> &str {
        let stated = self.text("/metadata/namespace");
        if stated.is_empty() { "default" } else { stated }
    }

    /// Kind, namespace and name.
    pub fn title(&self) -> String {
        format!("{} {}/{}", self.kind(), self.namespace(), self.name())
    }

    /// What is at a pointer.
    pub fn get(&self, pointer: &str) -> Option<&Value> {
        self.value.pointer(pointer)
    }

    /// The text at a pointer; empty where there is none.
    pub fn text(&self, pointer: &str) -> &str {
        text(&self.value, pointer)
    }

    /// The list at a pointer; empty where there is none.
    pub fn list(&self, pointer: &str) -> &[Value] {
        self.get(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Line and column of a pointer within it.
    pub fn locate(&self, pointer: &str) -> (usize, usize) {
        self.document.locate(&format!("{}{pointer}", self.prefix))
    }

    /// Where a workload's pods are described; none of others.
    pub fn pod(&self) -> Option<&'static str> {
        match self.kind() {
            "Pod" => Some(""),
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => {
                Some("/spec/template")
            }
            "CronJob" => Some("/spec/jobTemplate/spec/template"),
            _ => None,
        }
    }

    /// Labels of a workload's pods.
    pub fn pod_labels(&self) -> Option<&Map<String, Value>> {
        match (self.pod(), self.kind()) {
            (Some(pod), _) => self.get(&format!("{pod}/metadata/labels"))?.as_object(),
            (None, "WorkloadEntry") => self.get("/spec/labels")?.as_object(),
            _ => None,
        }
    }

    /// A label or annotation of a workload's pods.
    pub fn pod_mark(&self, name: &str) -> &str {
        let Some(pod) = self.pod() else { return "" };
        let of = |kind| self.text(&step(&format!("{pod}/metadata/{kind}"), name));
        let label = of("labels");
        if label.is_empty() { of("annotations") } else { label }
    }

    /// Whether it is a gateway: Istio's template makes it one.
    pub fn is_gateway(&self) -> bool {
        self.pod_mark("inject.istio.io/templates").contains("gateway")
            || matches!(self.pod_mark("istio"), "ingressgateway" | "egressgateway")
    }
}

/// Everything that was given.
#[derive(Default)]
pub struct Manifests(Vec<Resource>);

impl Manifests {
    /// Reads a file; a `List` is what is in it.
    ///
    /// # Errors
    /// Where it is no YAML.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), String> {
        let documents = Document::all(text).map_err(|error| Fault::from(error).show(file))?;
        for document in documents.into_iter().map(Rc::new) {
            let items = document.json.get("items").and_then(Value::as_array);
            let mut add = |prefix: String, value: &Value| {
                if value.get("kind").is_some() {
                    let (file, value) = (file.to_owned(), value.clone());
                    self.0.push(Resource { file, document: document.clone(), prefix, value });
                }
            };
            match items {
                Some(items) => {
                    for (at, item) in items.iter().enumerate() {
                        add(format!("/items/{at}"), item);
                    }
                }
                None => add(String::new(), &document.json),
            }
        }
        Ok(())
    }

    /// All resources.
    pub fn all(&self) -> &[Resource] {
        &self.0
    }

    /// Those of a kind.
    pub fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Resource> {
        self.0.iter().filter(move |resource| resource.kind() == kind)
    }

    /// Whatever has pods, or stands for one.
    pub fn workloads(&self) -> impl Iterator<Item = &Resource> {
        self.0.iter().filter(|resource| resource.pod_labels().is_some())
    }

    /// The workloads of `namespace`, or of all in the root's, with these labels.
    pub fn selected<'a>(
        &'a self,
        namespace: &'a str,
        labels: &'a Map<String, Value>,
    ) -> impl Iterator<Item = &'a Resource> {
        let everywhere = namespace == ROOT;
        self.workloads().filter(move |workload| {
            (everywhere || workload.namespace() == namespace)
                && workload.pod_labels().is_some_and(|own| has(own, labels))
        })
    }
}

/// The text at a pointer; empty where there is none.
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Whether some labels have all of those that are wanted.
pub fn has(own: &Map<String, Value>, wanted: &Map<String, Value>) -> bool {
    wanted.iter().all(|(name, value)| own.get(name) == Some(value))
}
