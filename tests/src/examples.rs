//! The built-in rules' own examples, read from the packs as they are written.

use std::path::Path;

use saphyr::{LoadableYamlNode, Yaml};

/// What each built-in rule finds: the rule's id and the text, without the marks around the finding.
pub fn matching() -> Vec<(String, String)> {
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/packs");
    let mut all = Vec::new();
    for family in std::fs::read_dir(packs).unwrap() {
        for file in std::fs::read_dir(family.unwrap().path()).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let documents = Yaml::load_from_str(&text).unwrap();
            let id = documents[0]["id"].as_str().unwrap();
            let found = &documents[0]["examples"]["match"];
            let texts = found.as_vec().unwrap().iter().filter_map(|e| e.as_str());
            all.extend(texts.map(|t| (id.to_owned(), t.replace("[[", "").replace("]]", ""))));
        }
    }
    all
}
