//! The audit record: one JSON line an exchange, in rule ids and numbers. Never a byte of the traffic but names that
//! were cut to a safe set.

use weir_rules::policy::Mode;

use crate::tally::Tally;

/// The most characters of a client-sent name, such as the model, in a record.
const MAX_NAME: usize = 128;

/// What a record says beside the tally.
pub struct Context<'a> {
    pub id: &'a str,
    pub policy: &'a str,
    pub fingerprint: u64,
    pub mode: Mode,
    pub dialect: &'a str,
    pub model: &'a str,
    pub streamed: bool,
    pub request_bytes: u64,
    pub micros: u64,
}

/// A client-sent string, cut to characters that no log format gives a meaning to.
pub fn safe(text: &str) -> String {
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/' | '@');
    text.chars().filter(|c| plain(*c)).take(MAX_NAME).collect()
}

/// The record as one JSON object on one line.
pub fn record(context: &Context<'_>, tally: &Tally) -> String {
    let mode = |mode| if mode == Mode::Shadow { "Shadow" } else { "Enforce" };
    let rows: Vec<String> = tally
        .rows
        .iter()
        .map(|row| {
            let channel = row.channel.map_or_else(String::new, |c| format!("\"channel\":\"{c}\","));
            format!(
                "{{\"rule\":\"{}\",{channel}\"action\":\"{}\",\"mode\":\"{}\",\"count\":{}}}",
                safe(&row.rule),
                row.action,
                mode(row.mode),
                row.count
            )
        })
        .collect();
    let faults: Vec<String> = tally.faults.iter().map(|f| format!("\"{f}\"")).collect();
    format!(
        "{{\"id\":\"{}\",\"decision\":\"{}\",\"policy\":\"{}\",\"policyHash\":\"{:016x}\",\"mode\":\"{}\",\
\"packs\":\"{}\",\"dialect\":\"{}\",\"model\":\"{}\",\"streamed\":{},\"rules\":[{}],\"more\":{},\"notInspected\":[{}],\
\"bytes\":{{\"request\":{},\"answer\":{},\"media\":{},\"dropped\":{}}},\
\"held\":{{\"events\":{},\"of\":{},\"micros\":{}}},\"micros\":{}}}",
        context.id,
        tally.decision.word(),
        safe(context.policy),
        context.fingerprint,
        mode(context.mode),
        weir_rules::packs::VERSION,
        context.dialect,
        safe(context.model),
        context.streamed,
        rows.join(","),
        tally.more,
        faults.join(","),
        context.request_bytes,
        tally.passed_bytes,
        tally.media_bytes,
        tally.dropped_bytes,
        tally.held_events,
        tally.events,
        tally.held_micros,
        context.micros,
    )
}
