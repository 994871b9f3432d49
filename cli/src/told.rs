//! A replayed exchange in words: decision, findings, what was held how long.

use std::io::{self, Write};

use weir_filter::sim::{Message, Run};
use weir_rules::policy::Mode;

/// Explains `run`, whose upstream gave `answer`.
pub fn exchange(run: &Run, answer: &Message, out: &mut dyn Write) -> io::Result<()> {
    let tally = &run.tally;
    writeln!(out, "policy {}: {}", run.policy, tally.decision.word())?;
    if run.record.is_empty() {
        let why = "host and path are not the policy's traffic, or of no dialect that is read";
        writeln!(out, "  not read: {why}")?;
    }
    for row in &tally.rows {
        let channel = row.channel.map_or_else(String::new, |c| format!(" in {c}"));
        let shadow = if row.mode == Mode::Shadow { " (Shadow: nothing is changed)" } else { "" };
        writeln!(out, "  {}{channel}: {}, {} times{shadow}", row.rule, row.action, row.count)?;
    }
    if tally.more > 0 {
        writeln!(out, "  {} more findings", tally.more)?;
    }
    for fault in &tally.faults {
        writeln!(out, "  not inspected: {fault}")?;
    }
    let status = run.client.headers.iter().find(|(n, _)| n == ":status");
    let status = status.map_or("none", |(_, v)| v.as_str());
    let size = run.client.body.len();
    let Some(body) = &run.upstream.1 else {
        writeln!(out, "upstream: no byte of the body; the request was refused")?;
        writeln!(out, "client: status {status}, {size} bytes of body, from Weir")?;
        return record(run, out);
    };
    writeln!(out, "upstream: {} bytes of body", body.len())?;
    let came = answer.body.len();
    writeln!(out, "client: status {status}, {size} bytes of body ({came} came)")?;
    held(run, out)?;
    record(run, out)
}

fn held(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    let tally = &run.tally;
    // The last callback is the end of the body, which brings no bytes.
    let pieces = run.released.len().saturating_sub(1);
    if let Some(first) = run.released.iter().position(|bytes| *bytes > 0) {
        if first < pieces {
            writeln!(out, "first byte to the client: with piece {} of {pieces}", first + 1)?;
        } else {
            writeln!(out, "first byte to the client: at the end; the answer was held whole")?;
        }
    }
    if tally.events > 0 {
        let millis = tally.held_micros / 1000;
        writeln!(
            out,
            "held: {} of {} events, {millis} ms in all, at 1 ms a piece",
            tally.held_events, tally.events
        )?;
    }
    if tally.dropped_bytes > 0 {
        writeln!(out, "dropped: {} bytes that were still held at the end", tally.dropped_bytes)?;
    }
    Ok(())
}

fn record(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    if run.record.is_empty() {
        return Ok(());
    }
    writeln!(out, "record: {}", run.record)
}
