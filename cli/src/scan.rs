//! `weir scan`: texts through the rules, as the module would see them in one channel.

use std::io::{self, Read, Write};

use serde_json::Value;
use weir_filter::Engine;
use weir_filter::tally::word;
use weir_rules::{Channel, Finding};

use crate::Exit;
use crate::args::{Format, Scan};
use crate::verdict::Verdict;
use crate::{caret, lines, policy};

/// A channel by its name.
///
/// # Errors
/// There is none of that name.
pub fn channel(name: &str) -> io::Result<Channel> {
    name.parse().map_err(|()| {
        let known: Vec<&str> = Channel::LIST.iter().map(|c| c.name()).collect();
        io::Error::other(format!("unknown channel `{name}`; one of {}", known.join(", ")))
    })
}

/// Scans a text, or a text a line.
pub fn run(scan: &Scan, out: &mut dyn Write) -> io::Result<Exit> {
    let channel = channel(&scan.channel)?;
    let Some(terms) = policy::terms(scan.policy.as_deref(), scan.caller.as_deref())? else {
        return Ok(Exit::Bad);
    };
    let engine = &terms.engine;
    if scan.jsonl {
        return lines::run(&terms, channel, out);
    }
    let text = match &scan.text {
        Some(text) => text.clone(),
        None => {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text)?;
            text
        }
    };
    let verdict = Verdict::of(&terms, channel, &text);
    match scan.format {
        Format::Json => writeln!(out, "{}", verdict.line(engine, &Value::Null))?,
        Format::Human => human(engine, channel, &text, &verdict, out)?,
    }
    Ok(Exit::Good)
}

fn human(
    engine: &Engine,
    channel: Channel,
    text: &str,
    verdict: &Verdict,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "{channel}: {}", verdict.word)?;
    if let Some(fault) = &verdict.fault {
        writeln!(out, "not inspected: {fault}")?;
    }
    let named: Vec<(Finding, String)> = verdict
        .findings
        .iter()
        .map(|(f, action)| (f.clone(), format!("{}: {}", engine.rules.id(f.rule), word(*action))))
        .collect();
    write!(out, "{}", caret::show(text, &named))?;
    if let Some(passed) = verdict.text.as_deref().filter(|passed| *passed != text) {
        writeln!(out, "passed on as:\n{}", caret::visible(passed.trim_end_matches('\n')))?;
    }
    Ok(())
}
