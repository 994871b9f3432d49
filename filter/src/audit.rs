//! The audit record: one JSON line an exchange, in rule ids and numbers. Never a byte of what a rule matched; names
//! that a client sent are cut to a safe set and scanned themselves. `docs/audit.md` describes it.

use std::fmt::Write;

use weir_rules::policy::Date;
use weir_rules::{Channel, ChannelSet, packs, scan_whole};

use crate::document::WITHHELD;
use crate::engine::Engine;
use crate::json::{Layers, escape_into};
use crate::tally::Tally;

/// The most characters of a client-sent name, such as the model, in a record.
const MAX_NAME: usize = 128;
/// The version of the record's form; it changes when a member changes its meaning or leaves.
const VERSION: u64 = 1;

/// What a record says beside the tally.
pub struct Context<'a> {
    /// Microseconds since the Unix epoch at the request's head.
    pub time: u64,
    pub id: &'a str,
    pub hash: &'a str,
    pub caller: Option<String>,
    pub user: Option<String>,
    pub host: &'a str,
    pub route: &'a str,
    pub request_id: &'a str,
    pub trace_id: &'a str,
    pub dialect: &'a str,
    pub model: &'a str,
    pub streamed: bool,
    pub status: &'a str,
    pub request_bytes: u64,
    /// Microseconds from the request's head to its verdict.
    pub judged: u64,
    pub micros: u64,
}

/// A client-sent name: cut to characters that no log format gives a meaning to, and withheld where a rule finds
/// something in it.
pub fn name(engine: &Engine, text: &str) -> String {
    let plain =
        |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/' | '@');
    let safe: String = text.chars().filter(plain).take(MAX_NAME).collect();
    if text == WITHHELD {
        return text.to_owned();
    }
    let scope = ChannelSet::from(Channel::RequestOther);
    let found = |text: &str| !scan_whole(&engine.rules, scope, text).is_ok_and(|f| f.is_empty());
    let start: String = text.chars().take(4 * MAX_NAME).collect();
    let withheld = !safe.is_empty() && (found(&start) || safe != start && found(&safe));
    if withheld { WITHHELD.to_owned() } else { safe }
}

/// A JSON object while it is written.
struct Object(String);

impl Object {
    fn new() -> Object {
        Object("{".to_owned())
    }

    fn key(&mut self, key: &str) {
        if !self.0.ends_with(['{', '[']) {
            self.0.push(',');
        }
        let _ = write!(self.0, "\"{key}\":");
    }

    fn text(&mut self, key: &str, text: &str) {
        self.key(key);
        self.0.push('"');
        let mut escaped = Vec::new();
        escape_into(text, Layers::Plain, &mut escaped);
        self.0.push_str(&String::from_utf8_lossy(&escaped));
        self.0.push('"');
    }

    fn raw(&mut self, key: &str, json: &str) {
        self.key(key);
        self.0.push_str(json);
    }

    fn numbers(&mut self, key: &str, numbers: &[(&str, u64)]) {
        let mut inner = Object::new();
        for (name, number) in numbers {
            inner.raw(name, &number.to_string());
        }
        self.raw(key, &inner.end());
    }

    fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// The record as one JSON object on one line.
pub fn record(engine: &Engine, context: &Context<'_>, tally: &Tally) -> String {
    let mut out = Object::new();
    let named = |text: &str| name(engine, text);
    out.raw("version", &VERSION.to_string());
    out.text("time", &Date(context.time).to_string());
    out.text("id", context.id);
    out.text("decision", tally.decision.word());
    if let Some(rule) = &tally.refused_by {
        out.text("by", rule);
    }
    out.text("policy", &engine.policy.metadata.name);
    out.text("policyHash", context.hash);
    out.text("packs", packs::VERSION);
    out.text("packsHash", &engine.packs_hash);
    out.text("mode", tally.mode().word());
    for (key, value) in [("caller", &context.caller), ("user", &context.user)] {
        if let Some(value) = value {
            out.text(key, &named(value));
        }
    }
    for (key, value) in [
        ("host", context.host),
        ("route", context.route),
        ("requestId", context.request_id),
        ("traceId", context.trace_id),
        ("status", context.status),
    ] {
        if !value.is_empty() {
            out.text(key, &named(value));
        }
    }
    out.text("dialect", context.dialect);
    out.text("model", &named(context.model));
    out.raw("streamed", if context.streamed { "true" } else { "false" });
    let rows: Vec<String> = tally.rows.iter().map(row).collect();
    out.raw("rules", &format!("[{}]", rows.join(",")));
    out.raw("more", &tally.more.to_string());
    if tally.lapsed > 0 {
        out.raw("exceptionsExpired", &tally.lapsed.to_string());
    }
    let faults: Vec<String> = tally.faults.iter().map(|f| format!("\"{f}\"")).collect();
    out.raw("notInspected", &format!("[{}]", faults.join(",")));
    out.numbers(
        "bytes",
        &[
            ("request", context.request_bytes),
            ("answer", tally.answer_bytes),
            ("media", tally.media_bytes),
            ("unread", tally.unread_bytes),
            ("dropped", tally.dropped_bytes),
        ],
    );
    out.numbers(
        "held",
        &[
            ("events", tally.held_events),
            ("of", tally.events),
            ("bytes", tally.held_bytes),
            ("micros", tally.held_micros),
        ],
    );
    let tokens = [("input", tally.tokens.input), ("output", tally.tokens.output)];
    let known: Vec<(&str, u64)> =
        tokens.iter().filter_map(|(name, tokens)| Some((*name, (*tokens)?))).collect();
    if !known.is_empty() {
        out.numbers("tokens", &known);
    }
    out.raw("judgedMicros", &context.judged.to_string());
    out.raw("micros", &context.micros.to_string());
    let labels = &engine.policy.spec.audit.labels;
    if !labels.is_empty() {
        let mut inner = Object::new();
        labels.iter().for_each(|(name, value)| inner.text(name, value));
        out.raw("labels", &inner.end());
    }
    out.end()
}

fn row(row: &crate::tally::Row) -> String {
    let mut out = Object::new();
    out.text("rule", &row.rule);
    if let Some(channel) = row.channel {
        out.text("channel", channel.name());
    }
    out.text("action", row.action);
    out.text("mode", row.mode.word());
    if let Some(exception) = &row.exception {
        out.text("exception", exception);
    }
    if !row.prints.is_empty() {
        let prints: Vec<String> = row.prints.iter().map(|p| format!("\"{p}\"")).collect();
        out.raw("fingerprints", &format!("[{}]", prints.join(",")));
    }
    out.raw("count", &row.count.to_string());
    out.end()
}
