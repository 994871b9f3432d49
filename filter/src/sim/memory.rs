//! The simulated host itself: it does whatever it is asked for.

use std::collections::BTreeMap;

use super::{Headers, Message};
use crate::head::Head;
use crate::host::{Host, HostError, Labels, Level, Refusal, Side};

/// What a proxy keeps of one exchange.
#[derive(Default)]
pub struct Memory {
    pub headers: BTreeMap<Side, Headers>,
    pub buffer: Vec<u8>,
    /// Whether the buffer may be written: it exists in body callbacks and while paused.
    pub writable: bool,
    /// The filter's own answer: the first one counts.
    pub reply: Option<Message>,
    pub reset: bool,
    /// Lines, audit records among them.
    pub logs: Vec<String>,
    /// Filter state.
    pub state: BTreeMap<String, String>,
    /// By name and labels.
    pub counters: BTreeMap<String, u64>,
    /// By their path, joined by dots.
    pub properties: Vec<(String, String)>,
    /// Microseconds since the Unix epoch.
    pub now: u64,
}

impl Host for Memory {
    fn headers(&self, side: Side) -> Head {
        self.headers.get(&side).map(|own| Head::from(own.as_slice())).unwrap_or_default()
    }

    fn set_header(&mut self, side: Side, name: &str, value: Option<&str>) {
        let headers = self.headers.entry(side).or_default();
        headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        headers.extend(value.map(|v| (name.to_owned(), v.to_owned())));
    }

    fn body(&self, _: Side, start: usize, len: usize) -> Result<Vec<u8>, HostError> {
        let rest = self.buffer.get(start..).filter(|r| !r.is_empty()).ok_or(HostError(1))?;
        Ok(rest.iter().take(len).copied().collect())
    }

    fn set_body(&mut self, _: Side, size: usize, bytes: &[u8]) -> Result<(), HostError> {
        if !self.writable {
            return Err(HostError(2));
        }
        let size = size.min(self.buffer.len());
        self.buffer.splice(..size, bytes.iter().copied());
        Ok(())
    }

    fn reply(&mut self, status: u32, headers: &[(&str, &str)], body: &[u8], _: &str) {
        if self.reply.is_some() {
            return;
        }
        let mut all = vec![(":status".to_owned(), status.to_string())];
        all.extend(headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
        self.reply = Some(Message { headers: all, body: body.to_vec() });
    }

    fn reset(&mut self, _: Side) {
        self.reset = true;
    }

    fn count(&mut self, name: &'static str, labels: Labels<'_>, by: u64) {
        let labels: Vec<String> = labels.iter().map(|(n, v)| format!("{n}={v}")).collect();
        *self.counters.entry(format!("{name}{{{}}}", labels.join(","))).or_default() += by;
    }

    fn observe(&mut self, _: &'static str, _: u64) {}

    fn refused(&mut self, refusal: Refusal<'_>) {
        self.logs.push(format!("weir_audit {}", refusal.record));
    }

    fn log(&mut self, _: Level, line: &dyn Fn() -> String) {
        self.logs.push(line());
    }

    fn set_state(&mut self, key: &str, value: &str) {
        self.state.insert(key.to_owned(), value.to_owned());
    }

    fn property(&self, path: &[&str]) -> Option<String> {
        let path = path.join(".");
        self.properties.iter().find(|(name, _)| *name == path).map(|(_, value)| value.clone())
    }

    fn number(&self, path: &[&str]) -> Option<u64> {
        self.property(path)?.parse().ok()
    }

    fn now(&self) -> u64 {
        self.now
    }
}
