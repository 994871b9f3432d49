//! Policy tests as files: their kind, their cases, what they expect.

use serde_json::Value;
use weir_rules::Channel;
use weir_rules::policy::PolicyError;

use super::marks::Marked;
use crate::document::Document;
use crate::policy::{self, Fault};
use crate::shape;

/// The JSON Schema of the kind; it also checks the files.
const SCHEMA: &str = include_str!("schema.json");

/// A file of policy tests.
pub struct Suite {
    pub name: String,
    /// Policy files, relative to the test file.
    pub policies: Vec<String>,
    pub cases: Vec<Case>,
}

/// One test.
pub struct Case {
    pub name: String,
    /// JSON pointer of the case.
    pub pointer: String,
    /// Who speaks, if it is known.
    pub caller: Option<String>,
    /// Shadow stays Shadow.
    pub as_written: bool,
    pub subject: Subject,
    /// Rules that must find nothing.
    pub absent: Vec<String>,
}

/// What a case is about.
pub enum Subject {
    Text(Text, TextExpect),
    Exchange(Messages, ExchangeExpect),
}

/// A text in one channel.
pub struct Text {
    pub channel: Channel,
    pub source: Source,
}

/// Where a text comes from.
pub enum Source {
    Inline(Marked),
    /// A file, relative to the test file.
    File(String),
}

/// The files of an exchange, relative to the test file.
pub struct Messages {
    pub request: String,
    pub response: String,
}

/// What a text must come to; what is left out may be anything.
#[derive(Default)]
pub struct TextExpect {
    pub verdict: Option<String>,
    pub findings: Option<Vec<Finding>>,
    pub output: Option<String>,
}

/// Findings of one rule.
pub struct Finding {
    pub rule: String,
    pub text: Option<String>,
    pub count: usize,
}

/// What an exchange must come to; what is left out may be anything.
#[derive(Default)]
pub struct ExchangeExpect {
    pub decision: Option<String>,
    pub rules: Option<Vec<String>>,
    pub status: Option<String>,
    /// Whether any of the request's body goes upstream.
    pub upstream_sees: Option<bool>,
    /// Field, side, whether it must be there, and what is looked for.
    pub parts: Vec<Parts>,
}

/// Parts of a body that must be there, or must not.
pub struct Parts {
    pub field: &'static str,
    pub side: Side,
    pub wanted: bool,
    pub texts: Vec<String>,
}

/// Whose body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Upstream,
    Client,
}

const PARTS: [(&str, Side, bool); 4] = [
    ("upstreamContains", Side::Upstream, true),
    ("upstreamNotContains", Side::Upstream, false),
    ("clientContains", Side::Client, true),
    ("clientNotContains", Side::Client, false),
];

/// The JSON Schema of a PolicyTest, draft 2020-12.
pub fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap_or_default()
}

impl Suite {
    /// Reads a test file.
    ///
    /// # Errors
    /// Every place that is not as the schema says, that this version does not run, or that makes no sense.
    pub fn read(document: &Document) -> Result<Suite, Vec<Fault>> {
        let mut errors = shape::check(&schema(), &document.json);
        if !errors.is_empty() {
            return Err(policy::located(document, errors));
        }
        let spec = member(&document.json, "spec");
        let mut cases = Vec::new();
        for (at, case) in items(member(spec, "cases")).iter().enumerate() {
            match read_case(case, format!("/spec/cases/{at}")) {
                Ok(case) => cases.push(case),
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(policy::located(document, errors));
        }
        let policies = match member(spec, "policy") {
            Value::String(one) => vec![one.clone()],
            many => texts(many),
        };
        let name = text(member(&document.json, "metadata"), "name");
        Ok(Suite { name, policies, cases })
    }
}

fn read_case(case: &Value, pointer: String) -> Result<Case, PolicyError> {
    let expect = member(case, "expect");
    let subject = if case.get("request").is_some() {
        let messages =
            Messages { request: text(case, "request"), response: text(case, "response") };
        Subject::Exchange(messages, exchange_expect(expect))
    } else {
        let source = match case.get("textFile").and_then(Value::as_str) {
            Some(file) => Source::File(file.to_owned()),
            None => Source::Inline(Marked::read(&text(case, "text")).ok_or_else(|| {
                PolicyError {
                    pointer: format!("{pointer}/text"),
                    reason: "its marks do not pair".to_owned(),
                    cure: "write `[[` … `]]` around what is found, or take it from a `textFile`"
                        .to_owned(),
                }
            })?),
        };
        let channel = text(case, "channel").parse().map_err(|()| PolicyError {
            pointer: format!("{pointer}/channel"),
            reason: "unknown channel".to_owned(),
            cure: "name one, such as request.user".to_owned(),
        })?;
        Subject::Text(Text { channel, source }, text_expect(expect))
    };
    Ok(Case {
        name: text(case, "name"),
        pointer,
        caller: optional(case, "caller"),
        as_written: member(case, "asWritten") == &Value::Bool(true),
        subject,
        absent: texts(member(expect, "absent")),
    })
}

fn text_expect(expect: &Value) -> TextExpect {
    let finding = |one: &Value| Finding {
        rule: text(one, "rule"),
        text: optional(one, "text"),
        count: member(one, "count")
            .as_u64()
            .map_or(1, |n| usize::try_from(n).unwrap_or(usize::MAX)),
    };
    TextExpect {
        verdict: optional(expect, "verdict"),
        findings: expect.get("findings").map(|all| items(all).iter().map(finding).collect()),
        output: optional(expect, "output"),
    }
}

fn exchange_expect(expect: &Value) -> ExchangeExpect {
    let parts = PARTS.iter().map(|(field, side, wanted)| Parts {
        field,
        side: *side,
        wanted: *wanted,
        texts: texts(member(expect, field)),
    });
    ExchangeExpect {
        decision: optional(expect, "decision"),
        rules: expect.get("rules").map(texts),
        status: expect.get("status").map(Value::to_string),
        upstream_sees: optional(expect, "upstreamSees").map(|sees| sees == "Body"),
        parts: parts.collect(),
    }
}

impl Case {
    /// The rules that its expectations name, each with its JSON pointer.
    pub fn named_rules(&self) -> Vec<(String, &str)> {
        let expect = format!("{}/expect", self.pointer);
        let place = |field: &str, at: usize| format!("{expect}/{field}/{at}");
        let absent = self.absent.iter().enumerate();
        let mut named: Vec<(String, &str)> =
            absent.map(|(at, rule)| (place("absent", at), rule.as_str())).collect();
        match &self.subject {
            Subject::Text(_, wanted) => {
                let findings = wanted.findings.iter().flatten().enumerate();
                named.extend(findings.map(|(at, one)| (place("findings", at), one.rule.as_str())));
            }
            Subject::Exchange(_, wanted) => {
                let rules = wanted.rules.iter().flatten().enumerate();
                named.extend(rules.map(|(at, rule)| (place("rules", at), rule.as_str())));
            }
        }
        named
    }
}

fn member<'v>(of: &'v Value, name: &str) -> &'v Value {
    of.get(name).unwrap_or(&Value::Null)
}

fn items(of: &Value) -> &[Value] {
    of.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn optional(of: &Value, name: &str) -> Option<String> {
    of.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn text(of: &Value, name: &str) -> String {
    optional(of, name).unwrap_or_default()
}

fn texts(of: &Value) -> Vec<String> {
    items(of).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_knows_the_channels() {
        let schema = schema();
        let listed = texts(schema.pointer("/$defs/Channel/enum").unwrap());
        assert_eq!(listed, Channel::LIST.iter().map(|c| c.name()).collect::<Vec<_>>());
        let known = schema.pointer("/$defs/ExchangeExpect/properties").unwrap();
        assert!(PARTS.iter().all(|(field, _, _)| known.get(field).is_some()));
    }

    #[test]
    fn every_error_has_its_place() {
        let head = "apiVersion: guard.weir.dev/v1alpha1\nkind: PolicyTest\nmetadata: {name: t}\n";
        for (spec, line, column, reason) in [
            ("{policy: p, cases: []}", 4, 19, "empty"),
            ("{polcy: p, cases: []}", 4, 8, "unknown field `polcy`"),
            (
                "\n  policy: p\n  cases: [{name: n, text: x, expect: {verdict: pass}}]",
                6,
                11,
                "`channel`",
            ),
            (
                "\n  policy: p\n  cases:\n  - {name: n, channel: c, text: x, expect: {verdict: pass}}",
                7,
                15,
                "no value",
            ),
            (
                "\n  policy: p\n  cases:\n  - {name: n, channel: request.user, text: 'a [[b', expect: {verdict: pass}}",
                7,
                38,
                "do not pair",
            ),
            (
                "\n  policy: p\n  cases:\n  - {name: n, request: a, expect: {decision: pass}}",
                7,
                5,
                "`response`",
            ),
            (
                "\n  policy: p\n  cases:\n  - {name: n, request: a, response: b, expect: {verdict: pass}}",
                7,
                49,
                "unknown field `verdict`",
            ),
        ] {
            let document = Document::parse(&format!("{head}spec: {spec}\n")).ok().unwrap();
            let faults = Suite::read(&document).err().unwrap();
            let found = faults.iter().any(|f| {
                (f.line, f.column) == (line, column)
                    && f.reason.contains(reason)
                    && !f.cure.is_empty()
            });
            let shown: Vec<String> = faults.iter().map(|f| f.show("t")).collect();
            assert!(found, "{spec}: {shown:?}");
        }
    }
}
