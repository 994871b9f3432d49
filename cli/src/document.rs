//! Policy files: YAML, or JSON as a part of it, with the place of every node.

use std::collections::BTreeMap;

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};
use serde_json::{Map, Value};

use crate::shape::step;

/// A document as the module gets it, and where its parts stand in the file.
pub struct Document {
    pub json: Value,
    places: BTreeMap<String, (usize, usize)>,
}

/// Why a file is no document. Line and column count from 1.
pub struct DocumentError {
    pub line: usize,
    pub column: usize,
    pub reason: String,
    pub cure: String,
}

impl Document {
    /// Reads one YAML or JSON document.
    ///
    /// # Errors
    /// The place at which it is none, or uses what a policy cannot.
    pub fn parse(text: &str) -> Result<Document, DocumentError> {
        match load(text)?.as_slice() {
            [node] => Document::of(node),
            [] => Err(at(1, 1, "the file is empty", "write a policy; see `weir default-policy`")),
            [_, second, ..] => {
                let (line, column) = place(second);
                Err(at(line, column, "a second document begins", "write one policy a file"))
            }
        }
    }

    /// Reads a stream of documents.
    ///
    /// # Errors
    /// As [`Document::parse`], but for their number.
    pub fn all(text: &str) -> Result<Vec<Document>, DocumentError> {
        load(text)?.iter().map(Document::of).collect()
    }

    fn of(node: &MarkedYaml) -> Result<Document, DocumentError> {
        let mut places = BTreeMap::new();
        let json = convert(node, "", &mut places)?;
        Ok(Document { json, places })
    }

    /// Line and column of a JSON pointer, or of the nearest part around it.
    pub fn locate(&self, pointer: &str) -> (usize, usize) {
        let mut pointer = pointer;
        loop {
            if let Some(place) = self.places.get(pointer) {
                return *place;
            }
            match pointer.rsplit_once('/') {
                Some((outer, _)) => pointer = outer,
                None => return (1, 1),
            }
        }
    }
}

fn load(text: &str) -> Result<Vec<MarkedYaml<'_>>, DocumentError> {
    MarkedYaml::load_from_str(text).map_err(|error| DocumentError {
        line: error.marker().line(),
        column: error.marker().col() + 1,
        reason: error.info().to_owned(),
        cure: "correct the YAML".to_owned(),
    })
}

fn at(line: usize, column: usize, reason: &str, cure: &str) -> DocumentError {
    DocumentError { line, column, reason: reason.to_owned(), cure: cure.to_owned() }
}

fn place(node: &MarkedYaml) -> (usize, usize) {
    (node.span.start.line(), node.span.start.col() + 1)
}

fn convert(
    node: &MarkedYaml,
    pointer: &str,
    places: &mut BTreeMap<String, (usize, usize)>,
) -> Result<Value, DocumentError> {
    let (line, column) = place(node);
    places.entry(pointer.to_owned()).or_insert((line, column));
    Ok(match &node.data {
        YamlData::Value(Scalar::Null) => Value::Null,
        YamlData::Value(Scalar::Boolean(value)) => Value::Bool(*value),
        YamlData::Value(Scalar::Integer(value)) => Value::from(*value),
        YamlData::Value(Scalar::FloatingPoint(value)) => Value::from(value.into_inner()),
        YamlData::Value(Scalar::String(value)) => Value::from(value.as_ref()),
        YamlData::Sequence(items) => {
            let mut list = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                list.push(convert(item, &format!("{pointer}/{index}"), places)?);
            }
            Value::Array(list)
        }
        YamlData::Mapping(members) => {
            let mut object = Map::new();
            for (key, value) in members {
                let (line, column) = place(key);
                let YamlData::Value(Scalar::String(name)) = &key.data else {
                    return Err(at(line, column, "a key is no string", "quote it"));
                };
                if name == "<<" {
                    return Err(at(line, column, "merge keys are not read", "write it out"));
                }
                let inner = step(pointer, name);
                places.insert(inner.clone(), (line, column));
                object.insert(name.to_string(), convert(value, &inner, places)?);
            }
            Value::Object(object)
        }
        YamlData::Alias(_) => {
            return Err(at(line, column, "aliases are not read", "write it out"));
        }
        _ => return Err(at(line, column, "this YAML is not read", "write plain values")),
    })
}

#[cfg(test)]
mod tests {
    use super::Document;

    #[test]
    fn places() {
        let text = "a: 1\nb:\n  - x\n  - {c: y}\n";
        let document = Document::parse(text).ok().unwrap();
        for (pointer, expected) in [
            ("", (1, 1)),
            ("/a", (1, 1)),
            ("/b/0", (3, 5)),
            ("/b/1/c", (4, 6)),
            ("/b/1/missing", (4, 5)),
            ("/z", (1, 1)),
        ] {
            assert_eq!(document.locate(pointer), expected, "{pointer}");
        }
    }

    #[test]
    fn what_is_no_document() {
        for (text, line, reason) in [
            ("", 1, "empty"),
            ("a: 1\na: 2\n", 2, "duplicated"),
            ("a: 1\n---\nb: 2\n", 3, "second document"),
            ("a: [1\n", 2, ""),
            ("1: x\n", 1, "no string"),
        ] {
            let error = Document::parse(text).err().unwrap();
            assert!(error.reason.contains(reason), "{text:?}: {}", error.reason);
            assert_eq!(error.line, line, "{text:?}: {}", error.reason);
        }
    }
}
