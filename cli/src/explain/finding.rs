//! A finding, reproduced from its text or read from its record, and the exception that would accept it.

use std::io::{self, BufRead, BufReader, Write};

use serde_json::Value;
use weir_filter::tally::word;
use weir_rules::keys::hex;
use weir_rules::{Channel, Finding};

use crate::Exit;
use crate::args::Explain;
use crate::policy::{self, Terms};
use crate::verdict::Verdict;
use crate::{caret, scan};

/// How far ahead a suggested exception expires, in microseconds: thirty days.
const TERM: u64 = 30 * 86_400 * 1_000_000;

/// Explains the findings of a text.
///
/// # Errors
/// The policy cannot be read, or there is no such channel.
pub fn text(text: &str, explain: &Explain, out: &mut dyn Write) -> io::Result<Exit> {
    let channel = scan::channel(&explain.channel)?;
    let terms = policy::terms(explain.policy.as_deref(), explain.caller.as_deref())?;
    let Some(terms) = terms else { return Ok(Exit::Bad) };
    let verdict = Verdict::of(&terms, channel, text);
    writeln!(out, "{channel}: {}", verdict.word)?;
    if let Some(fault) = &verdict.fault {
        writeln!(out, "not inspected: {fault}")?;
    }
    for (finding, action) in &verdict.findings {
        let rule = terms.engine.rules.id(finding.rule);
        let label = format!("{rule}: {}", word(*action));
        write!(out, "\n{}", caret::show(text, &[(finding.clone(), label)]))?;
        why(&terms, finding, channel, out)?;
        let print = print(&terms, finding);
        if print.is_none() {
            writeln!(out, "  fingerprint: none; add a key with `use: Fingerprint` to `keys`")?;
        }
        exception(rule, channel.name(), print.as_deref().as_slice(), out)?;
    }
    Ok(Exit::Good)
}

fn print(terms: &Terms, finding: &Finding) -> Option<String> {
    let key = terms.engine.rules.keys().fingerprint_key()?;
    Some(format!("{key}:{}", hex(&finding.print?)))
}

/// What the rule says of itself, and the exception that counts already.
fn why(terms: &Terms, finding: &Finding, channel: Channel, out: &mut dyn Write) -> io::Result<()> {
    let rules = &terms.engine.rules;
    let id = rules.id(finding.rule);
    let own = terms.engine.policy.spec.rules.iter().find(|rule| rule.id == id);
    if let Some(description) = own.and_then(|rule| rule.description.as_deref()) {
        writeln!(out, "  {description}")?;
    }
    if let Some(decided) = rules.decide(finding, channel, &terms.granted) {
        if let Some(exception) = decided.exception {
            writeln!(out, "  accepted by exception {exception}")?;
        }
        if decided.lapsed {
            writeln!(out, "  an exception for it has expired")?;
        }
    }
    Ok(())
}

/// A ready exception, to be given a reason and an owner.
fn exception(rule: &str, channel: &str, prints: &[&str], out: &mut dyn Write) -> io::Result<()> {
    let until = weir_rules::policy::Date(policy::now() + TERM).to_string();
    let day = until.split('T').next().unwrap_or_default();
    let narrowed = match prints {
        [] => String::new(),
        prints => format!(", fingerprints: [\"{}\"]", prints.join("\", \"")),
    };
    writeln!(
        out,
        "  to accept it:
    exceptions:
      - id: EXC-…
        rules: [{rule}]
        match: {{channels: [{channel}]{narrowed}}}
        action: Audit
        reason: …
        owner: …
        expires: {day}"
    )
}

/// Finds the record of a decision in lines of a log: the module's own, or an access log's, be it text or JSON.
///
/// # Errors
/// The log cannot be read.
pub fn record(id: &str, explain: &Explain, out: &mut dyn Write) -> io::Result<Exit> {
    let input: Box<dyn BufRead> = match explain.records.as_deref() {
        Some(path) if path.as_os_str() != "-" => {
            Box::new(BufReader::new(std::fs::File::open(path)?))
        }
        _ => Box::new(BufReader::new(io::stdin())),
    };
    for line in input.lines() {
        let line = line?;
        if !line.contains(id) {
            continue;
        }
        if let Some(record) = objects(&line).iter().find_map(|value| nested(value, id)) {
            return told(&record, out).map(|()| Exit::Good);
        }
    }
    eprintln!("weir: no record of decision {id}");
    Ok(Exit::Bad)
}

/// The JSON objects of a text, whatever stands between them: of several Weirs each leaves a record.
fn objects(text: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        rest = rest.get(start..).unwrap_or_default();
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let read = stream.next();
        let end = if matches!(read, Some(Ok(_))) { stream.byte_offset() } else { 1 };
        found.extend(read.and_then(Result::ok));
        rest = rest.get(end..).unwrap_or_default();
    }
    found
}

/// The record of that id: the value itself, a member, or an object inside a text member.
fn nested(value: &Value, id: &str) -> Option<Value> {
    match value {
        Value::Object(members) => {
            if members.get("id").and_then(Value::as_str) == Some(id)
                && members.contains_key("decision")
            {
                return Some(value.clone());
            }
            members.values().find_map(|member| nested(member, id))
        }
        Value::String(text) => objects(text).iter().find_map(|inner| nested(inner, id)),
        _ => None,
    }
}

fn told(record: &Value, out: &mut dyn Write) -> io::Result<()> {
    let text = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or("-");
    writeln!(out, "decision {}: {} at {}", text("id"), text("decision"), text("time"))?;
    writeln!(
        out,
        "policy {} ({}, packs {}), {} for {}",
        text("policy"),
        text("policyHash"),
        text("packs"),
        text("mode"),
        text("caller"),
    )?;
    for reason in list(record, "notInspected") {
        writeln!(out, "not inspected: {}", reason.as_str().unwrap_or("-"))?;
    }
    for row in list(record, "rules") {
        let of = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or("-");
        let count = row.get("count").and_then(Value::as_u64).unwrap_or(0);
        writeln!(
            out,
            "\n{} in {}: {}, {count} times ({})",
            of("rule"),
            of("channel"),
            of("action"),
            of("mode")
        )?;
        let prints: Vec<&str> =
            list(row, "fingerprints").iter().filter_map(Value::as_str).collect();
        exception(of("rule"), of("channel"), &prints, out)?;
    }
    Ok(())
}

fn list<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_found_in_any_log() {
        let two = r#"{"id":"a","decision":"pass"} {"id":"b","decision":"mask"}"#;
        let member = serde_json::json!({ "path": "/", "weir": two }).to_string();
        for line in
            [format!("[2026-11-24] \"GET /{{x}}\" 200 {two}"), member, format!("weir_audit {two}")]
        {
            for (id, decision) in [("a", "pass"), ("b", "mask")] {
                let found = objects(&line).iter().find_map(|value| nested(value, id));
                assert_eq!(
                    found.map(|record| record["decision"].clone()),
                    Some(decision.into()),
                    "{line}"
                );
            }
            assert!(objects(&line).iter().all(|value| nested(value, "c").is_none()));
        }
    }
}
