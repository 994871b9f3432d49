//! `weir check`: what is wrong with a policy, and what a good one costs.

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use weir_filter::Engine;
use weir_rules::{Action, ChannelSet};

use crate::Exit;
use crate::args::{Check, Format};
use crate::policy::{self, Fault};

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
        let compiled = policy::compile(&text, false);
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
                        Format::Human => human(&name, engine, out)?,
                        Format::Json => writeln!(out, "{}", cost(&name, engine))?,
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

fn error(fault: &Fault) -> Value {
    let Fault { line, column, reason, cure } = fault;
    json!({"line": line, "column": column, "reason": reason, "cure": cure})
}

fn cost(name: &str, engine: &Engine) -> Value {
    let held: Map<String, Value> = ChannelSet::RESPONSE
        .iter()
        .map(|channel| (channel.to_string(), json!(engine.rules.holding(channel))))
        .collect();
    json!({
        "file": name,
        "errors": [],
        "rules": engine.rules.len(),
        "bytes": engine.rules.memory(),
        "holds": held,
        "holdsAnswers": engine.rejects_answers,
        "holdsCalls": engine.holds_calls,
    })
}

fn human(name: &str, engine: &Engine, out: &mut dyn Write) -> io::Result<()> {
    let kib = engine.rules.memory().div_ceil(1024);
    writeln!(out, "{name}: good, {} rules, {kib} KiB a worker", engine.rules.len())?;
    for channel in ChannelSet::RESPONSE.iter() {
        let rules = engine.rules.holding(channel);
        let acts = [Action::Neutralize, Action::Mask, Action::Reject];
        let enforces = acts.iter().any(|a| engine.rules.can(*a, ChannelSet::from(channel)));
        let held = match (rules.is_empty(), enforces) {
            (false, _) => rules.join(", "),
            (true, true) => "nothing until an anchor is complete".to_owned(),
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
