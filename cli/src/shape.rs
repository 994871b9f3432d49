//! Documents against their JSON Schema, so that the schema that editors get is the one that checks.
//!
//! Of draft 2020-12 it reads what our schemas use: `type`, `properties`, `required`, `additionalProperties: false`,
//! `items`, `enum`, `const`, the `min` and `max` words, `$ref` into the schema itself, `if` with `required`, and
//! `oneOf` where each branch requires one field.

use serde_json::{Map, Value};
use weir_rules::policy::PolicyError;

/// Everything in `document` that its schema does not allow, with place, reason and cure.
pub fn check(schema: &Value, document: &Value) -> Vec<PolicyError> {
    let mut checker = Checker { root: schema, errors: Vec::new() };
    checker.value(schema, document, "");
    checker.errors
}

/// A JSON pointer's next step.
pub fn step(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

struct Checker<'a> {
    root: &'a Value,
    errors: Vec<PolicyError>,
}

impl<'a> Checker<'a> {
    fn error(&mut self, at: &str, reason: impl Into<String>, cure: impl Into<String>) {
        self.errors.push(PolicyError {
            pointer: at.to_owned(),
            reason: reason.into(),
            cure: cure.into(),
        });
    }

    fn value(&mut self, schema: &'a Value, value: &Value, at: &str) {
        if let Some(inner) = schema.get("$ref").and_then(Value::as_str) {
            let target = inner.strip_prefix('#').and_then(|path| self.root.pointer(path));
            return target.into_iter().for_each(|inner| self.value(inner, value, at));
        }
        if let Some(test) = schema.get("if") {
            let branch = if holds(test, value) { "then" } else { "else" };
            return schema.get(branch).into_iter().for_each(|inner| self.value(inner, value, at));
        }
        if let Some(only) = schema.get("const").filter(|only| *only != value) {
            let only = only.as_str().unwrap_or_default();
            return self.error(at, "this is no value of the field", format!("write `{only}`"));
        }
        let words = list(schema, "enum");
        if !words.is_empty() && !words.contains(value) {
            let cure = format!("write one of {}", join(words));
            return self.error(at, "this is no value of the field", cure);
        }
        let types = match schema.get("type") {
            Some(Value::Array(types)) => types.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => return,
        };
        if !types.iter().any(|one| is(one, value)) {
            let names: Vec<&str> = types.iter().map(in_words).collect();
            let cure = format!("write {}", names.join(" or "));
            return self.error(at, "it is of another type", cure);
        }
        match value {
            Value::Object(object) => self.object(schema, object, at),
            Value::Array(items) => {
                self.least(schema, "minItems", items.len(), at);
                for (index, item) in items.iter().enumerate() {
                    let inner = schema.get("items");
                    inner.into_iter().for_each(|s| self.value(s, item, &format!("{at}/{index}")));
                }
            }
            Value::String(text) => self.least(schema, "minLength", text.chars().count(), at),
            Value::Number(number) => self.range(schema, number.as_i64(), at),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn object(&mut self, schema: &'a Value, object: &Map<String, Value>, at: &str) {
        let properties = schema.get("properties").and_then(Value::as_object);
        let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
        for (name, inner) in object {
            match properties.and_then(|p| p.get(name)) {
                Some(schema) => self.value(schema, inner, &step(at, name)),
                None if closed => {
                    let known = properties.into_iter().flat_map(Map::keys);
                    let known: Vec<&str> = known.map(String::as_str).collect();
                    let cure = format!("write one of {}", known.join(", "));
                    self.error(&step(at, name), format!("unknown field `{name}`"), cure);
                }
                None => {}
            }
        }
        for name in list(schema, "required").iter().filter_map(Value::as_str) {
            if !object.contains_key(name) {
                self.error(at, format!("missing field `{name}`"), format!("add `{name}`"));
            }
        }
        let choices: Vec<&Value> =
            list(schema, "oneOf").iter().flat_map(|one| list(one, "required")).collect();
        let chosen = choices.iter().filter(|c| c.as_str().is_some_and(|c| object.contains_key(c)));
        if !choices.is_empty() && chosen.count() != 1 {
            let names: Vec<&str> = choices.iter().filter_map(|c| c.as_str()).collect();
            let names = names.join("` or `");
            self.error(at, format!("it needs `{names}`, and only one"), "keep one of them");
        }
        self.least(schema, "minProperties", object.len(), at);
    }

    fn least(&mut self, schema: &Value, word: &str, length: usize, at: &str) {
        let least = schema.get(word).and_then(Value::as_u64).unwrap_or(0);
        if (length as u64) < least {
            self.error(at, "it is empty", "write something here");
        }
    }

    fn range(&mut self, schema: &Value, number: Option<i64>, at: &str) {
        let bound = |word| schema.get(word).and_then(Value::as_i64);
        let (from, to) = (bound("minimum"), bound("maximum"));
        let fits = number
            .is_some_and(|n| from.is_none_or(|from| n >= from) && to.is_none_or(|to| n <= to));
        if !fits {
            let from = from.map_or_else(String::new, |from| format!(" from {from}"));
            let to = to.map_or_else(String::new, |to| format!(" to {to}"));
            self.error(at, "it is out of range", format!("write a whole number{from}{to}"));
        }
    }
}

fn holds(test: &Value, value: &Value) -> bool {
    let has = |name: &Value| name.as_str().is_some_and(|name| value.get(name).is_some());
    let any = list(test, "anyOf");
    list(test, "required").iter().all(has)
        && (any.is_empty() || any.iter().any(|one| holds(one, value)))
}

fn list<'v>(schema: &'v Value, word: &str) -> &'v [Value] {
    schema.get(word).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn join(words: &[Value]) -> String {
    words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}

fn is(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap_or_default() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        _ => false,
    }
}

fn in_words(name: &Value) -> &'static str {
    match name.as_str().unwrap_or_default() {
        "object" => "an object",
        "array" => "a list",
        "string" => "a string",
        "boolean" => "true or false",
        _ => "a whole number",
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use serde_json::json;

    #[test]
    fn what_a_schema_does_not_allow() {
        let schema = json!({
            "type": "object", "additionalProperties": false, "required": ["kind"], "minProperties": 2,
            "oneOf": [{"required": ["text"]}, {"required": ["file"]}],
            "properties": {
                "kind": {"const": "Test"}, "word": {"enum": ["one", "two"]},
                "text": {"type": "string", "minLength": 1}, "file": {"$ref": "#/$defs/Name"},
                "many": {"type": ["string", "array"], "items": {"type": "boolean"}, "minItems": 1},
                "count": {"type": "integer", "minimum": 1, "maximum": 9},
                "either": {
                    "if": {"required": ["a"]}, "then": {"type": "object", "required": ["b"]},
                    "else": {"type": "object", "required": ["c"]}
                }
            },
            "$defs": {"Name": {"type": "string"}}
        });
        for (document, errors) in [
            (json!({"kind": "Test", "text": "x"}), vec![]),
            (json!({"kind": "Test", "file": "x", "many": "x", "count": 9, "word": "two"}), vec![]),
            (json!({"kind": "Test", "text": "x", "many": [true, false]}), vec![]),
            (json!({"kind": "Test", "text": "x", "either": {"a": 1, "b": 1}}), vec![]),
            (json!([]), vec![("", "another type")]),
            (json!({"kind": "Test"}), vec![("", "only one"), ("", "empty")]),
            (json!({"kind": "Test", "text": "x", "file": "y"}), vec![("", "only one")]),
            (json!({"kind": "Tests", "text": "x"}), vec![("/kind", "no value")]),
            (json!({"text": "x", "word": "one"}), vec![("", "missing field `kind`")]),
            (json!({"kind": "Test", "text": ""}), vec![("/text", "empty")]),
            (json!({"kind": "Test", "file": 1}), vec![("/file", "another type")]),
            (json!({"kind": "Test", "text": "x", "word": "three"}), vec![("/word", "no value")]),
            (json!({"kind": "Test", "text": "x", "a/b": 1}), vec![("/a~1b", "unknown field")]),
            (json!({"kind": "Test", "text": "x", "many": []}), vec![("/many", "empty")]),
            (json!({"kind": "Test", "text": "x", "many": [1]}), vec![("/many/0", "another type")]),
            (json!({"kind": "Test", "text": "x", "count": 10}), vec![("/count", "range")]),
            (json!({"kind": "Test", "text": "x", "count": 1.5}), vec![("/count", "another type")]),
            (json!({"kind": "Test", "text": "x", "either": {"a": 1}}), vec![("/either", "`b`")]),
            (json!({"kind": "Test", "text": "x", "either": {}}), vec![("/either", "`c`")]),
        ] {
            let found = check(&schema, &document);
            assert_eq!(found.len(), errors.len(), "{document}: {found:?}");
            for (error, (pointer, reason)) in found.iter().zip(errors) {
                assert_eq!(error.pointer, pointer, "{document}: {found:?}");
                assert!(error.reason.contains(reason), "{document}: {found:?}");
            }
        }
    }
}
