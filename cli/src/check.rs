//! `weir check`: what is wrong with a policy, and what a good one costs.

use std::io::{self, Write};

use serde_json::json;
use weir_filter::Engine;
use weir_rules::ChannelSet;

use crate::Exit;
use crate::args::{Check, Format};
use crate::policy;

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
        match (policy::compile(&name, &text, false), check.format) {
            (Err(errors), Format::Human) => {
                bad = true;
                for error in errors {
                    writeln!(out, "{error}")?;
                }
            }
            (Err(errors), Format::Json) => {
                bad = true;
                writeln!(out, "{}", json!({"file": name, "errors": errors}))?;
            }
            (Ok(engine), Format::Human) => human(&name, &engine, out)?,
            (Ok(engine), Format::Json) => {
                let held: serde_json::Map<_, _> = holding(&engine)
                    .into_iter()
                    .map(|(channel, rules)| (channel, json!(rules)))
                    .collect();
                let rules = engine.rules.len();
                let memory = engine.rules.memory();
                let line = json!({"file": name, "errors": [], "rules": rules, "bytes": memory, "holds": held});
                writeln!(out, "{line}")?;
            }
        }
    }
    Ok(match (unreadable, bad) {
        (true, _) => Exit::Unreadable,
        (_, true) => Exit::Bad,
        _ => Exit::Good,
    })
}

fn human(name: &str, engine: &Engine, out: &mut dyn Write) -> io::Result<()> {
    let kib = engine.rules.memory().div_ceil(1024);
    writeln!(out, "{name}: good, {} rules, {kib} KiB a worker", engine.rules.len())?;
    for (channel, rules) in holding(engine) {
        let list = if rules.is_empty() {
            "nothing before a match is certain".to_owned()
        } else {
            rules.join(", ")
        };
        writeln!(out, "  {channel} may hold: {list}")?;
    }
    if engine.rejects_answers {
        writeln!(out, "  JSON answers are held whole: a rule or the tool policy could still refuse them")?;
    }
    if engine.holds_calls {
        writeln!(out, "  streamed tool calls are held whole")?;
    }
    Ok(())
}

/// By answer channel: the rules of exposure Nothing or with `before`, which hold text back.
fn holding(engine: &Engine) -> Vec<(String, Vec<String>)> {
    ChannelSet::RESPONSE
        .iter()
        .map(|channel| (channel.to_string(), engine.rules.holding(channel)))
        .collect()
}
