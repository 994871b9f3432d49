//! The audit record is what its schema, its documentation and its mappings say.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use weir_filter::dialect::Dialect;
use weir_filter::sim::{self, Around, Pieces};
use weir_tests::{exchange, policies};

const SPEC: &str = r#"{
"keys":[{"name":"k1","use":"Fingerprint","env":"K"}],
"identity":{"user":{"claim":"sub"}},
"audit":{"labels":{"assistant":"bot"}},
"rules":[
  {"id":"code","keywords":["blue-"],"regex":"blue-\\d","maxLength":8,"action":"Mask","exposure":"Nothing"},
  {"id":"no","keywords":["forbidden"],"action":"Reject"}],
"exceptions":[
  {"id":"E-1","rules":["code"],"match":{"channels":["request.user"]},"reason":"r","owner":"o","expires":"2999-12-31"},
  {"id":"E-2","rules":["no"],"reason":"r","owner":"o","expires":"2020-12-31"}]}"#;

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)).unwrap()
}

fn record(said: &str, model: &str) -> Value {
    let body = format!(
        r#"{{"model":"{model}","stream":true,"messages":[{{"role":"user","content":"{said} blue-7"}}]}}"#
    );
    let mut request = exchange::request(Dialect::OpenAIChat, body.as_bytes());
    for (name, value) in [
        ("x-request-id", "5a0c9d7e-0000-4000-8000-000000000001"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ] {
        request.headers.push((name.to_owned(), value.to_owned()));
    }
    let answer = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"blue\"}}]}\n\n\
data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"-8 ok\"},\"finish_reason\":\"stop\"}]}\n\n\
data: {\"choices\":[],\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":34}}\n\ndata: [DONE]\n\n";
    let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let around = Around {
        caller: Some("spiffe://t/a".to_owned()),
        properties: vec![
            own("metadata.filter_metadata.envoy.filters.http.jwt_authn.payload.sub", "user-1"),
            own("xds.route_name", "llm"),
        ],
        ..Around::default()
    };
    let guard = policies::guard(SPEC);
    let answer = exchange::answer(true, answer.as_bytes());
    let run = sim::run_as(&guard, &request, &answer, (Pieces::Whole, Pieces::Every(60)), &around);
    serde_json::from_str(&run.record).unwrap()
}

/// Checks what the schema uses of JSON Schema: types, required and closed members, enums, constants, items.
fn check(value: &Value, schema: &Value, place: &str, seen: &mut BTreeSet<String>) {
    if let Some(words) = schema["enum"].as_array() {
        assert!(words.contains(value), "{place}: {value}");
    }
    if let Some(constant) = schema.get("const") {
        assert_eq!(value, constant, "{place}");
    }
    let fits = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_u64(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    assert!(fits, "{place}: {value}");
    for required in schema["required"].as_array().into_iter().flatten() {
        assert!(value.get(required.as_str().unwrap()).is_some(), "{place} lacks {required}");
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        let own = &schema["properties"][name];
        let open = schema["additionalProperties"].is_object();
        assert!(own.is_object() || open, "{place}/{name} is in no schema");
        seen.insert(format!("{place}/{name}"));
        check(member, own, &format!("{place}/{name}"), seen);
    }
    for item in value.as_array().into_iter().flatten() {
        check(item, &schema["items"], place, seen);
    }
}

#[test]
fn records_are_what_the_schema_says_and_use_all_of_it() {
    let schema: Value = serde_json::from_str(&read("audit.schema.json")).unwrap();
    let mut seen = BTreeSet::new();
    for (said, model) in [("hello", "gpt-4o"), ("forbidden", "gpt-4o")] {
        check(&record(said, model), &schema, "", &mut seen);
    }
    for name in schema["properties"].as_object().unwrap().keys() {
        // The sequence is of log lines, not of the record.
        assert!(
            name == "sequence" || seen.contains(&format!("/{name}")),
            "{name} was never written"
        );
    }
}

#[test]
fn every_member_is_mapped_or_said_not_to_be() {
    let schema: Value = serde_json::from_str(&read("audit.schema.json")).unwrap();
    for mapping in ["mappings/ocsf.yaml", "mappings/ecs.yaml"] {
        let text = read(mapping);
        let fields = text.split_once("\nfields:\n").unwrap().1.split_once("\nvalues:").unwrap().0;
        let unmapped = text.split_once("\nunmapped: [").unwrap().1.split_once(']').unwrap().0;
        let mapped: BTreeSet<&str> =
            fields.lines().filter_map(|l| Some(l.trim().split_once(": ")?.0)).collect();
        let left: BTreeSet<&str> = unmapped.split(", ").collect();
        for name in schema["properties"].as_object().unwrap().keys() {
            let own = mapped.iter().any(|m| *m == name || m.starts_with(&format!("{name}.")));
            assert!(own || left.contains(name.as_str()), "{mapping}: {name}");
        }
        for name in mapped.iter().chain(&left) {
            let top = name.split('.').next().unwrap();
            assert!(schema["properties"][top].is_object(), "{mapping}: {name} is no member");
        }
    }
}

#[test]
fn a_name_in_which_something_is_found_is_withheld() {
    let found = record("hello", "gpt-blue-9");
    assert_eq!(found["model"], "[withheld]");
    let odd = record("hello", "a\\u0000b\\\"<c>");
    assert_eq!(odd["model"], "abc");
    let long = record("hello", &"m".repeat(1000));
    assert_eq!(long["model"].as_str().map(str::len), Some(128));
}
