//! `weir check`: what is wrong with a policy, and what a good one costs.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use weir_filter::{Engine, Guard};
use weir_rules::{Action, ChannelSet};

use crate::Exit;
use crate::args::{Check, Format};
use crate::policy::{self, Fault};

/// Rules that a line names; more are only counted.
const NAMED: usize = 8;

/// Checks all files and says what each costs.
pub fn run(check: &Check, out: &mut dyn Write) -> io::Result<Exit> {
    let (mut bad, mut unreadable) = (false, false);
    for file in &check.files {
        let name = file.display().to_string();
        let text = match policy::read_text(file) {
            Ok(text) => text,
            Err(error) => {
                eprintln!("weir: {error}");
                unreadable = true;
                continue;
            }
        };
        let document = policy::parse(&text);
        let began = Instant::now();
        let compiled = document.and_then(|document| policy::build(&document, false));
        let took = began.elapsed();
        bad |= compiled.is_err();
        match (compiled, check.format) {
            (Err(faults), Format::Human) => {
                for fault in faults {
                    writeln!(out, "{}", fault.show(&name))?;
                }
            }
            (Err(faults), Format::Json) => {
                let errors: Vec<Value> = faults.iter().map(error).collect();
                writeln!(out, "{}", json!({"file": name, "errors": errors}))?;
            }
            (Ok(guard), format) => {
                for engine in guard.engines() {
                    match format {
                        Format::Human => human(&name, &guard, engine, took, out)?,
                        Format::Json => writeln!(out, "{}", cost(&name, &guard, engine, took))?,
                    }
                }
            }
        }
    }
    Ok(match (unreadable, bad) {
        (true, _) => Exit::Unreadable,
        (_, true) => Exit::Bad,
        _ => Exit::Good,
    })
}

/// How many rules, and the first of them.
fn some(ids: &[String]) -> String {
    let first: Vec<&str> = ids.iter().take(NAMED).map(String::as_str).collect();
    let first = first.join(", ");
    match ids.len().saturating_sub(NAMED) {
        0 => format!("{} rules: {first}", ids.len()),
        more => format!("{} rules: {first} and {more} more", ids.len()),
    }
}

fn error(fault: &Fault) -> Value {
    let Fault { line, column, reason, cure } = fault;
    json!({"line": line, "column": column, "reason": reason, "cure": cure})
}

fn cost(name: &str, guard: &Guard, engine: &Engine, took: Duration) -> Value {
    let held: Map<String, Value> = ChannelSet::RESPONSE
        .iter()
        .map(|channel| (channel.to_string(), json!(engine.rules.holding(channel))))
        .collect();
    let characters: Map<String, Value> = ChannelSet::RESPONSE
        .iter()
        .map(|channel| (channel.to_string(), json!(engine.rules.held_characters(channel))))
        .collect();
    json!({
        "file": name,
        "errors": [],
        "policy": engine.policy.metadata.name,
        "hash": guard.hash,
        "rules": engine.rules.len(),
        "bytes": engine.rules.memory(),
        "compileMicros": took.as_micros() as u64,
        "holds": held,
        "heldCharacters": characters,
        "holdsAnswers": engine.rejects_answers,
        "holdsCalls": engine.holds_calls,
    })
}

fn human(
    name: &str,
    guard: &Guard,
    engine: &Engine,
    took: Duration,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (rules, kib) = (engine.rules.len(), engine.rules.memory().div_ceil(1024));
    let millis = took.as_secs_f64() * 1000.0;
    writeln!(out, "{name}: good, {rules} rules, {kib} KiB a worker")?;
    let policy = &engine.policy.metadata.name;
    writeln!(out, "  policy {policy} of document {}, as records name it", guard.hash)?;
    writeln!(out, "  compiled in {millis:.1} ms, measured here, natively")?;
    for channel in ChannelSet::RESPONSE.iter() {
        let rules = engine.rules.holding(channel);
        let acts = [Action::Neutralize, Action::Mask, Action::Reject];
        let enforces = acts.iter().any(|a| engine.rules.can(*a, ChannelSet::from(channel)));
        let most = engine.rules.held_characters(channel);
        let held = match (rules.is_empty(), enforces) {
            (false, _) => format!("{most} characters, from the first on for {}", some(&rules)),
            (true, true) => format!("nothing until an anchor is complete, then {most} characters"),
            (true, false) => "nothing".to_owned(),
        };
        writeln!(out, "  {channel} may hold: {held}")?;
    }
    if engine.rejects_answers {
        writeln!(
            out,
            "  JSON answers are held whole: a rule or the tool policy could still refuse them"
        )?;
    }
    if engine.holds_calls {
        writeln!(out, "  streamed tool calls are held whole")?;
    }
    Ok(())
}
