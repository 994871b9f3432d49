//! `weir scan`: texts through the rules, as the module would see them in one channel.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use serde_json::{Value, json};
use weir_filter::{Engine, splice};
use weir_rules::{Action, Channel, ChannelSet, Finding, edits, scan_whole};

use crate::Exit;
use crate::args::{Format, Scan};
use crate::{caret, policy};

/// Lines between two words about progress.
const PROGRESS: usize = 10_000;

/// Scans a text, or a text a line.
pub fn run(scan: &Scan, out: &mut dyn Write) -> io::Result<Exit> {
    let engine = policy::load(scan.policy.as_deref(), true)?;
    let channel: Channel = scan.channel.parse().map_err(|()| {
        let known: Vec<&str> = Channel::LIST.iter().map(|c| c.name()).collect();
        io::Error::other(format!("unknown channel `{}`; one of {}", scan.channel, known.join(", ")))
    })?;
    if scan.jsonl {
        return lines(&engine, channel, out);
    }
    let text = match &scan.text {
        Some(text) => text.clone(),
        None => {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text)?;
            text
        }
    };
    let verdict = verdict(&engine, channel, &text);
    match scan.format {
        Format::Json => writeln!(out, "{}", verdict.json(&engine, &Value::Null))?,
        Format::Human => human(&engine, channel, &text, &verdict, out)?,
    }
    Ok(Exit::Good)
}

/// What a text comes to.
struct Verdict {
    word: &'static str,
    findings: Vec<(Finding, Action)>,
    text: Option<String>,
    fault: Option<String>,
}

impl Verdict {
    fn json(&self, engine: &Engine, id: &Value) -> Value {
        let findings: Vec<Value> = self
            .findings
            .iter()
            .map(|(f, action)| {
                json!({"rule": engine.rules.id(f.rule), "start": f.start, "end": f.end,
                    "action": weir_filter::tally::word(*action)})
            })
            .collect();
        let mut line = json!({"id": id, "verdict": self.word, "score": null, "findings": findings, "text": self.text});
        if let (Some(fault), Value::Object(fields)) = (&self.fault, &mut line) {
            fields.insert("fault".to_owned(), json!(fault));
        }
        line
    }
}

fn verdict(engine: &Engine, channel: Channel, text: &str) -> Verdict {
    let found = match scan_whole(&engine.rules, ChannelSet::from(channel), text) {
        Ok(found) => found,
        Err(error) => {
            let fault = Some(error.to_string());
            return Verdict { word: "reject", findings: Vec::new(), text: None, fault };
        }
    };
    let findings: Vec<(Finding, Action)> = found
        .into_iter()
        .filter_map(|f| engine.rules.action(f.rule, channel).map(|(action, _)| (f, action)))
        .collect();
    let worst = findings.iter().map(|(_, action)| *action).max();
    let word = worst.map_or("pass", weir_filter::tally::word);
    let text = (worst != Some(Action::Reject)).then(|| {
        let mut out = String::with_capacity(text.len());
        let mut at = 0usize;
        for edit in edits(&findings) {
            out.push_str(text.get(at..edit.start as usize).unwrap_or_default());
            if let Some(label) = &edit.label {
                out.push_str(splice::label(&engine.rules, label));
            }
            at = edit.end as usize;
        }
        out.push_str(text.get(at..).unwrap_or_default());
        out
    });
    Verdict { word, findings, text, fault: None }
}

fn lines(engine: &Engine, channel: Channel, out: &mut dyn Write) -> io::Result<Exit> {
    let mut exit = Exit::Good;
    let tells = io::stderr().is_terminal();
    for (number, line) in io::stdin().lock().split(b'\n').enumerate() {
        let line = line?;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let answer = one_line(engine, channel, &line).unwrap_or_else(|error| {
            exit = Exit::Unreadable;
            json!({"id": null, "error": format!("line {}: {error}", number + 1)})
        });
        writeln!(out, "{answer}")?;
        if tells && (number + 1) % PROGRESS == 0 {
            eprintln!("weir: {} texts scanned", number + 1);
        }
    }
    Ok(exit)
}

fn one_line(engine: &Engine, channel: Channel, line: &[u8]) -> Result<Value, String> {
    let row: Value = serde_json::from_slice(line).map_err(|e| format!("not JSON: {e}"))?;
    let text = row.get("text").and_then(Value::as_str).ok_or("`text` is no string")?;
    let id = row.get("id").ok_or("`id` is missing")?;
    let channel = match row.get("channel") {
        None | Some(Value::Null) => channel,
        Some(name) => name
            .as_str()
            .and_then(|n| n.parse().ok())
            .ok_or_else(|| format!("unknown channel {name}"))?,
    };
    Ok(verdict(engine, channel, text).json(engine, id))
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
        writeln!(out, "{fault}")?;
    }
    let named: Vec<(Finding, String)> = verdict
        .findings
        .iter()
        .map(|(f, action)| {
            let word = weir_filter::tally::word(*action);
            (f.clone(), format!("{}: {word}", engine.rules.id(f.rule)))
        })
        .collect();
    write!(out, "{}", caret::show(text, &named))?;
    if let Some(passed) = verdict.text.as_deref().filter(|passed| *passed != text) {
        writeln!(out, "passed on as:\n{}", passed.trim_end_matches('\n'))?;
    }
    Ok(())
}
