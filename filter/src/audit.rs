//! The audit record: one JSON line an exchange, in rule ids and numbers. Never a byte of what a rule matched; names
//! that a client sent are cut to a safe set and scanned themselves. `docs/audit.md` describes it.

use std::borrow::Cow;

use weir_rules::policy::Date;
use weir_rules::{Channel, ChannelSet, packs, scan_whole};

use crate::document::WITHHELD;
use crate::engine::Engine;
use crate::json::{Layers, escape_into};
use crate::tally::{Row, Tally};

/// The most characters of a client-sent name, such as the model, in a record.
const MAX_NAME: usize = 128;
/// Bytes of a record without findings; a longer one grows.
const TYPICAL: usize = 1024;
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
fn name<'a>(engine: &Engine, text: &'a str) -> Cow<'a, str> {
    let plain =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':' | b'/' | b'@');
    if text.len() <= MAX_NAME && text.bytes().all(plain) {
        let clean = text.is_empty() || is_clean(engine, text);
        return Cow::Borrowed(if clean { text } else { WITHHELD });
    }
    if text == WITHHELD {
        return Cow::Borrowed(WITHHELD);
    }
    let is_plain = |c: &char| u8::try_from(*c).is_ok_and(plain);
    let safe: String = text.chars().filter(is_plain).take(MAX_NAME).collect();
    let start: String = text.chars().take(4 * MAX_NAME).collect();
    let clean = safe.is_empty() || is_clean(engine, &start) && is_clean(engine, &safe);
    if clean { Cow::Owned(safe) } else { Cow::Borrowed(WITHHELD) }
}

fn is_clean(engine: &Engine, text: &str) -> bool {
    let scope = ChannelSet::from(Channel::RequestOther);
    scan_whole(&engine.rules, scope, text).is_ok_and(|found| found.is_empty())
}

/// A JSON object while it is written, and those in it.
struct Object(String);

impl Object {
    fn new(capacity: usize) -> Object {
        let mut out = String::with_capacity(capacity);
        out.push('{');
        Object(out)
    }

    fn comma(&mut self) {
        if !self.0.ends_with(['{', '[']) {
            self.0.push(',');
        }
    }

    fn key(&mut self, key: &str) {
        self.comma();
        self.0.push('"');
        self.0.push_str(key);
        self.0.push_str("\":");
    }

    fn string(&mut self, text: &str) {
        self.0.push('"');
        if text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\') {
            self.0.push_str(text);
        } else {
            let mut escaped = Vec::new();
            escape_into(text, Layers::Plain, &mut escaped);
            self.0.push_str(&String::from_utf8_lossy(&escaped));
        }
        self.0.push('"');
    }

    fn text(&mut self, key: &str, text: &str) {
        self.key(key);
        self.string(text);
    }

    fn raw(&mut self, key: &str, json: &str) {
        self.key(key);
        self.0.push_str(json);
    }

    fn number(&mut self, key: &str, number: u64) {
        self.raw(key, itoa::Buffer::new().format(number));
    }

    fn list<T>(&mut self, key: &str, items: &[T], write: impl Fn(&mut Object, &T)) {
        self.raw(key, "[");
        for item in items {
            self.comma();
            write(self, item);
        }
        self.0.push(']');
    }

    fn numbers(&mut self, key: &str, numbers: &[(&str, u64)]) {
        self.raw(key, "{");
        numbers.iter().for_each(|(name, number)| self.number(name, *number));
        self.close();
    }

    fn close(&mut self) {
        self.0.push('}');
    }
}

/// The record as one JSON object on one line.
pub fn record(engine: &Engine, context: &Context<'_>, tally: &Tally) -> String {
    let mut out = Object::new(TYPICAL);
    out.number("version", VERSION);
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
    for (key, value) in [
        ("caller", context.caller.as_deref().unwrap_or_default()),
        ("user", context.user.as_deref().unwrap_or_default()),
        ("host", context.host),
        ("route", context.route),
        ("requestId", context.request_id),
        ("traceId", context.trace_id),
        ("status", context.status),
    ] {
        if !value.is_empty() {
            out.text(key, &name(engine, value));
        }
    }
    out.text("dialect", context.dialect);
    out.text("model", &name(engine, context.model));
    out.raw("streamed", if context.streamed { "true" } else { "false" });
    out.list("rules", &tally.rows, row);
    out.number("more", u64::from(tally.more));
    if tally.lapsed > 0 {
        out.number("exceptionsExpired", u64::from(tally.lapsed));
    }
    out.list("notInspected", &tally.faults, |out, fault| out.string(fault));
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
    if tokens.iter().any(|(_, tokens)| tokens.is_some()) {
        out.raw("tokens", "{");
        for (name, tokens) in tokens {
            tokens.into_iter().for_each(|tokens| out.number(name, tokens));
        }
        out.close();
    }
    out.number("judgedMicros", context.judged);
    out.number("micros", context.micros);
    let labels = &engine.policy.spec.audit.labels;
    if !labels.is_empty() {
        out.raw("labels", "{");
        labels.iter().for_each(|(name, value)| out.text(name, value));
        out.close();
    }
    out.close();
    out.0
}

fn row(out: &mut Object, row: &Row) {
    out.0.push('{');
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
        out.list("fingerprints", &row.prints, |out, print| out.string(print));
    }
    out.number("count", u64::from(row.count));
    out.close();
}
