//! `weir scan --jsonl`: a JSON object a line in, one out, in order.

use std::io::{self, BufRead, BufReader, IsTerminal, Write};

use serde_json::{Value, json};
use weir_rules::Channel;

use crate::Exit;
use crate::policy::Terms;
use crate::verdict::Verdict;

/// Bytes of standard input that are read at once.
const READ: usize = 64 * 1024;
/// Lines between two words about progress.
const PROGRESS: usize = 10_000;

/// Answers every line of standard input; blank lines are skipped.
pub fn run(terms: &Terms, channel: Channel, out: &mut dyn Write) -> io::Result<Exit> {
    let mut exit = Exit::Good;
    let tells = io::stderr().is_terminal();
    let mut input = BufReader::with_capacity(READ, io::stdin());
    let mut line = Vec::new();
    for number in 1usize.. {
        // Whoever asks line by line must have all answers before this waits for more.
        if !input.buffer().contains(&b'\n') {
            out.flush()?;
        }
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match answer(terms, channel, &line) {
            Ok(answer) => writeln!(out, "{answer}")?,
            Err(error) => {
                exit = Exit::Unreadable;
                let error = json!(format!("line {number}: {error}"));
                writeln!(out, r#"{{"id":null,"error":{error}}}"#)?;
            }
        }
        if tells && number.is_multiple_of(PROGRESS) {
            eprintln!("weir: {number} texts scanned");
        }
    }
    Ok(exit)
}

fn answer(terms: &Terms, channel: Channel, line: &[u8]) -> Result<String, String> {
    let row: Value = serde_json::from_slice(line).map_err(|e| {
        let why = e.to_string();
        let why = why.split(" at line ").next().unwrap_or_default();
        format!("not JSON at column {}: {why}", e.column())
    })?;
    let text = row.get("text").and_then(Value::as_str).ok_or("`text` is no string")?;
    let id = row.get("id").ok_or("`id` is missing")?;
    let channel = match row.get("channel") {
        None | Some(Value::Null) => channel,
        Some(name) => name
            .as_str()
            .and_then(|n| n.parse().ok())
            .ok_or_else(|| format!("unknown channel {name}"))?,
    };
    Ok(Verdict::of(terms, channel, text).line(&terms.engine, id))
}
