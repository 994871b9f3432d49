//! A hostile host: it cuts bodies anywhere, refuses its own calls, lies in heads, lets clients leave and upstreams
//! answer early. What the filter does in it must be safe, whatever Envoy really does; `weir_filter::sim` is the
//! friendly one.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use weir_filter::host::{Flow, Host, HostError, Labels, Level, Refusal, Side};
use weir_filter::sim::{Headers, Message};
use weir_filter::tally::{Decision, Tally};
use weir_filter::{Exchange, Guard};

/// Microseconds since the Unix epoch at the first callback, as in the simulated host.
const START: u64 = 1_700_000_000_000_000;
/// Microseconds between two callbacks.
const STEP: u64 = 1000;
/// Microseconds after which every held stream is stalled.
const STALL: u64 = 3_600_000_000;

/// How a stream goes.
#[derive(Clone, Debug, Default)]
pub struct Script {
    pub request: Message,
    pub answer: Message,
    /// Sizes of the pieces of each body, used over and over; none or 0 stand for the rest at once.
    pub pieces: (Vec<usize>, Vec<usize>),
    pub trailers: (bool, bool),
    /// The last piece says that it is the last; otherwise an empty one follows it.
    pub end_with_last: bool,
    /// The client goes away after so many body callbacks.
    pub reset_after: Option<usize>,
    /// Time stands still for the stream after so many body callbacks, and the ticks see it.
    pub stall_after: Option<usize>,
    /// The upstream answers before the request is complete.
    pub early_answer: bool,
    /// Which of the host's calls fail: call `n` if bit `n % 16` is set.
    pub failing: u16,
    pub properties: Vec<(String, String)>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What the upstream saw of the request's body; complete or not.
    pub sent: Vec<u8>,
    /// The request went up whole.
    pub complete: bool,
    pub upstream: Headers,
    /// What the client saw: a reply of the filter's own, or the answer.
    pub client: Message,
    /// The filter answered in the upstream's place.
    pub replied: bool,
    /// It did so after bytes of the upstream's answer had left.
    pub mixed: bool,
    /// The filter reset the stream.
    pub reset: bool,
    /// The stream waits for something that never comes.
    pub hangs: bool,
    /// Bytes reached the client after the filter had refused.
    pub after_refusal: usize,
    pub tally: Tally,
    pub record: String,
    /// Audit records.
    pub records: Vec<String>,
    pub counters: BTreeMap<String, u64>,
}

#[derive(Default)]
struct Proxy {
    headers: BTreeMap<Side, Headers>,
    buffer: Vec<u8>,
    writable: bool,
    reply: Option<Message>,
    reset: bool,
    records: Vec<String>,
    state: BTreeMap<String, String>,
    counters: BTreeMap<String, u64>,
    properties: Vec<(String, String)>,
    now: u64,
    failing: u16,
    calls: Cell<u32>,
}

impl Proxy {
    fn fails(&self) -> bool {
        let call = self.calls.get();
        self.calls.set(call.wrapping_add(1));
        self.failing >> (call % 16) & 1 == 1
    }
}

impl Host for Proxy {
    fn headers(&self, side: Side) -> Headers {
        // A request without a head has no policy: the proxy hands one over or does not call at all.
        if side == Side::Answer && self.fails() {
            return Headers::new();
        }
        self.headers.get(&side).cloned().unwrap_or_default()
    }

    fn set_header(&mut self, side: Side, name: &str, value: Option<&str>) {
        let headers = self.headers.entry(side).or_default();
        headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        headers.extend(value.map(|v| (name.to_owned(), v.to_owned())));
    }

    fn body(&self, _: Side, start: usize, len: usize) -> Result<Vec<u8>, HostError> {
        if self.fails() {
            return Err(HostError(1));
        }
        let rest = self.buffer.get(start..).filter(|r| !r.is_empty()).ok_or(HostError(1))?;
        Ok(rest.iter().take(len).copied().collect())
    }

    fn set_body(&mut self, _: Side, size: usize, bytes: &[u8]) -> Result<(), HostError> {
        if !self.writable || self.fails() {
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
        self.records.push(refusal.record.to_owned());
    }

    fn log(&mut self, _: Level, line: &str) {
        self.records.extend(line.strip_prefix("weir_audit ").map(str::to_owned));
    }

    fn set_state(&mut self, key: &str, value: &str) {
        self.state.insert(key.to_owned(), value.to_owned());
    }

    fn property(&self, path: &[&str]) -> Option<String> {
        if self.fails() {
            return None;
        }
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

/// Runs one stream.
pub fn run(guard: &Rc<Guard>, script: Script) -> Outcome {
    Stream::new(guard, script).run()
}

struct Stream {
    proxy: Proxy,
    exchange: Exchange,
    script: Script,
    callbacks: usize,
    /// The answer's head has arrived.
    answered: bool,
    outcome: Outcome,
}

/// Whether a stream goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    On,
    Over,
}

impl Stream {
    fn new(guard: &Rc<Guard>, script: Script) -> Stream {
        let mut proxy = Proxy { now: START, failing: script.failing, ..Proxy::default() };
        proxy.properties.clone_from(&script.properties);
        proxy.headers.insert(Side::Request, script.request.headers.clone());
        proxy.headers.insert(Side::Answer, script.answer.headers.clone());
        let exchange = Exchange::new(guard.clone(), "0000000000000000".to_owned());
        let outcome = Outcome::default();
        Stream { proxy, exchange, script, callbacks: 0, answered: false, outcome }
    }

    fn open(&mut self) {
        let bodiless = self.script.request.body.is_empty();
        let flow = self.exchange.request_headers(&mut self.proxy, bodiless);
        self.outcome.hangs = flow == Flow::Pause && bodiless && self.proxy.reply.is_none();
    }

    /// Whether the filter has replied or reset.
    fn is_over(&self) -> bool {
        self.proxy.reply.is_some() || self.proxy.reset
    }

    /// The stream is over; what came of it.
    fn close(mut self) -> Outcome {
        self.exchange.done(&mut self.proxy);
        // However often the host says so, there is one record.
        self.exchange.done(&mut self.proxy);
        let Stream { proxy, exchange, mut outcome, answered, .. } = self;
        outcome.replied = proxy.reply.is_some();
        outcome.reset = proxy.reset;
        outcome.upstream = proxy.headers.get(&Side::Request).cloned().unwrap_or_default();
        let headers = proxy.headers.get(&Side::Answer).cloned().unwrap_or_default();
        let headers = if answered { headers } else { Headers::new() };
        match proxy.reply {
            Some(reply) => {
                outcome.mixed = !outcome.client.body.is_empty();
                outcome.client = reply;
            }
            None => outcome.client.headers = headers,
        }
        outcome.tally = exchange.tally().clone();
        outcome.record = proxy.state.get("weir").cloned().unwrap_or_default();
        outcome.records = proxy.records;
        outcome.counters = proxy.counters;
        outcome
    }

    /// Goes through the script.
    fn run(mut self) -> Outcome {
        self.open();
        let request = std::mem::take(&mut self.script.request.body);
        let answer = std::mem::take(&mut self.script.answer.body);
        let on = self.message(Side::Request, &request);
        if on == Next::Over || self.outcome.hangs {
            return self.close();
        }
        let bodiless = answer.is_empty();
        if self.script.answer.headers.iter().any(|(n, v)| n == "x-early" && v == "hints") {
            self.early_hints();
        }
        self.answered = true;
        let flow = self.exchange.answer_headers(&mut self.proxy, bodiless);
        self.outcome.hangs |= flow == Flow::Pause && bodiless && !self.is_over();
        if !self.is_over() && !self.outcome.hangs {
            self.message(Side::Answer, &answer);
        }
        self.close()
    }

    /// A head with a status of its own before the answer's.
    fn early_hints(&mut self) {
        let own = self.proxy.headers.remove(&Side::Answer).unwrap_or_default();
        let hints = vec![(":status".to_owned(), "103".to_owned())];
        self.proxy.headers.insert(Side::Answer, hints);
        self.exchange.answer_headers(&mut self.proxy, false);
        self.proxy.headers.insert(Side::Answer, own);
    }

    fn message(&mut self, side: Side, body: &[u8]) -> Next {
        if self.is_over() {
            return Next::Over;
        }
        if body.is_empty() {
            self.outcome.complete |= side == Side::Request;
            return Next::On;
        }
        self.proxy.buffer.clear();
        let sizes = match side {
            Side::Request => self.script.pieces.0.clone(),
            Side::Answer => self.script.pieces.1.clone(),
        };
        let trailers = match side {
            Side::Request => self.script.trailers.0,
            Side::Answer => self.script.trailers.1,
        };
        let early = side == Side::Request && self.script.early_answer;
        let mut rest = body;
        let mut paused = false;
        for turn in 0.. {
            let size = sizes.get(turn % sizes.len().max(1)).copied().filter(|s| *s > 0);
            let (piece, after) = rest.split_at(size.unwrap_or(rest.len()).min(rest.len()));
            rest = after;
            let end = rest.is_empty() && self.script.end_with_last && !trailers && !early;
            paused = self.body(side, piece, end) == Flow::Pause;
            if self.is_over() || self.goes_wrong() {
                return Next::Over;
            }
            if end {
                return self.ended(side, paused);
            }
            if rest.is_empty() || (early && turn > 0) {
                break;
            }
        }
        if early {
            return Next::On;
        }
        if trailers {
            paused = self.trailers(side, paused) == Flow::Pause;
        } else {
            paused = self.body(side, b"", true) == Flow::Pause;
        }
        self.ended(side, paused)
    }

    fn ended(&mut self, side: Side, paused: bool) -> Next {
        if self.is_over() {
            return Next::Over;
        }
        if paused {
            self.outcome.hangs = !self.tick();
            return Next::Over;
        }
        self.outcome.complete |= side == Side::Request;
        Next::On
    }

    fn body(&mut self, side: Side, piece: &[u8], end: bool) -> Flow {
        self.proxy.now += STEP;
        self.proxy.buffer.extend_from_slice(piece);
        self.proxy.writable = true;
        let size = self.proxy.buffer.len();
        let refused = self.has_refused();
        let flow = match side {
            Side::Request => self.exchange.request_body(&mut self.proxy, size, end),
            Side::Answer => self.exchange.answer_body(&mut self.proxy, size, end),
        };
        self.pass(side, flow, refused)
    }

    fn trailers(&mut self, side: Side, paused: bool) -> Flow {
        self.proxy.now += STEP;
        // A body without bytes has no buffer that trailers could find.
        self.proxy.writable = paused;
        let refused = self.has_refused();
        let flow = match side {
            Side::Request => self.exchange.request_trailers(&mut self.proxy),
            Side::Answer => self.exchange.answer_trailers(&mut self.proxy),
        };
        self.pass(side, flow, refused)
    }

    fn has_refused(&self) -> bool {
        self.exchange.tally().decision >= Decision::Reject
    }

    /// What a callback lets go reaches its reader.
    fn pass(&mut self, side: Side, flow: Flow, refused: bool) -> Flow {
        if flow == Flow::Continue && !self.is_over() {
            let mut passed = std::mem::take(&mut self.proxy.buffer);
            if refused {
                self.outcome.after_refusal += passed.len();
            }
            match side {
                Side::Request => self.outcome.sent.append(&mut passed),
                Side::Answer => self.outcome.client.body.append(&mut passed),
            }
        }
        flow
    }

    /// Whether the stream ends here for a reason of its own.
    fn goes_wrong(&mut self) -> bool {
        self.callbacks += 1;
        if self.script.reset_after == Some(self.callbacks) {
            return true;
        }
        if self.script.stall_after == Some(self.callbacks) {
            self.tick();
        }
        self.is_over()
    }

    /// Time passes; whether the filter has ended the stream.
    fn tick(&mut self) -> bool {
        self.proxy.now += STALL;
        if self.exchange.is_stalled(self.proxy.now)
            && let Some(side) = self.exchange.expire(&mut self.proxy)
        {
            self.proxy.reset(side);
        }
        self.is_over()
    }
}
