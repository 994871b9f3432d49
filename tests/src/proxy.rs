//! A hostile host: it cuts bodies anywhere, refuses its own calls, lies in heads, lets clients leave and upstreams
//! answer early. What the filter does in it must be safe, whatever Envoy really does; `weir_filter::sim` is the
//! friendly one.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use weir_filter::head::Head;
use weir_filter::host::{Flow, Host, HostError, Labels, Level, Refusal, Side};
use weir_filter::sim::{Headers, Memory, Message, START, TICK};
use weir_filter::tally::{Decision, Tally};
use weir_filter::{Exchange, Guard};

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

/// The simulated host, some of whose calls fail.
struct Proxy {
    memory: Memory,
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
    fn headers(&self, side: Side) -> Head {
        // A request without a head has no policy: the proxy hands one over or does not call at all.
        if side == Side::Answer && self.fails() {
            Head::default()
        } else {
            self.memory.headers(side)
        }
    }

    fn set_header(&mut self, side: Side, name: &str, value: Option<&str>) {
        self.memory.set_header(side, name, value);
    }

    fn body(&self, side: Side, start: usize, len: usize) -> Result<Vec<u8>, HostError> {
        if self.fails() { Err(HostError(1)) } else { self.memory.body(side, start, len) }
    }

    fn set_body(&mut self, side: Side, size: usize, bytes: &[u8]) -> Result<(), HostError> {
        if self.memory.writable && self.fails() {
            return Err(HostError(2));
        }
        self.memory.set_body(side, size, bytes)
    }

    fn reply(&mut self, status: u32, headers: &[(&str, &str)], body: &[u8], details: &str) {
        self.memory.reply(status, headers, body, details);
    }

    fn reset(&mut self, side: Side) {
        self.memory.reset(side);
    }

    fn count(&mut self, name: &'static str, labels: Labels<'_>, by: u64) {
        self.memory.count(name, labels, by);
    }

    fn observe(&mut self, name: &'static str, value: u64) {
        self.memory.observe(name, value);
    }

    fn refused(&mut self, refusal: Refusal<'_>) {
        self.memory.refused(refusal);
    }

    fn log(&mut self, level: Level, line: &dyn Fn() -> String) {
        self.memory.log(level, line);
    }

    fn set_state(&mut self, key: &str, value: &str) {
        self.memory.set_state(key, value);
    }

    fn property(&self, path: &[&str]) -> Option<String> {
        if self.fails() { None } else { self.memory.property(path) }
    }

    fn number(&self, path: &[&str]) -> Option<u64> {
        if self.fails() { None } else { self.memory.number(path) }
    }

    fn now(&self) -> u64 {
        self.memory.now
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
        let mut memory = Memory { now: START, ..Memory::default() };
        memory.properties.clone_from(&script.properties);
        memory.headers.insert(Side::Request, script.request.headers.clone());
        memory.headers.insert(Side::Answer, script.answer.headers.clone());
        let proxy = Proxy { memory, failing: script.failing, calls: Cell::new(0) };
        let exchange = Exchange::new(guard.clone(), "0000000000000000".to_owned());
        let outcome = Outcome::default();
        Stream { proxy, exchange, script, callbacks: 0, answered: false, outcome }
    }

    fn open(&mut self) {
        let bodiless = self.script.request.body.is_empty();
        let flow = self.exchange.request_headers(&mut self.proxy, bodiless);
        self.outcome.hangs = flow == Flow::Pause && bodiless && self.proxy.memory.reply.is_none();
    }

    /// Whether the filter has replied or reset.
    fn is_over(&self) -> bool {
        self.proxy.memory.reply.is_some() || self.proxy.memory.reset
    }

    /// The stream is over; what came of it.
    fn close(mut self) -> Outcome {
        self.exchange.done(&mut self.proxy);
        // However often the host says so, there is one record.
        self.exchange.done(&mut self.proxy);
        let Stream { proxy: Proxy { memory: proxy, .. }, exchange, mut outcome, answered, .. } =
            self;
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
        let record = |line: &String| line.strip_prefix("weir_audit ").map(str::to_owned);
        outcome.records = proxy.logs.iter().filter_map(record).collect();
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
        let own = self.proxy.memory.headers.remove(&Side::Answer).unwrap_or_default();
        let hints = vec![(":status".to_owned(), "103".to_owned())];
        self.proxy.memory.headers.insert(Side::Answer, hints);
        self.exchange.answer_headers(&mut self.proxy, false);
        self.proxy.memory.headers.insert(Side::Answer, own);
    }

    fn message(&mut self, side: Side, body: &[u8]) -> Next {
        if self.is_over() {
            return Next::Over;
        }
        if body.is_empty() {
            self.outcome.complete |= side == Side::Request;
            return Next::On;
        }
        self.proxy.memory.buffer.clear();
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
        self.proxy.memory.now += TICK;
        self.proxy.memory.buffer.extend_from_slice(piece);
        self.proxy.memory.writable = true;
        let size = self.proxy.memory.buffer.len();
        let refused = self.has_refused();
        let flow = match side {
            Side::Request => self.exchange.request_body(&mut self.proxy, size, end),
            Side::Answer => self.exchange.answer_body(&mut self.proxy, size, end),
        };
        self.pass(side, flow, refused)
    }

    fn trailers(&mut self, side: Side, paused: bool) -> Flow {
        self.proxy.memory.now += TICK;
        // A body without bytes has no buffer that trailers could find.
        self.proxy.memory.writable = paused;
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
            let mut passed = std::mem::take(&mut self.proxy.memory.buffer);
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
        self.proxy.memory.now += STALL;
        if self.exchange.is_stalled(self.proxy.memory.now)
            && let Some(side) = self.exchange.expire(&mut self.proxy)
        {
            self.proxy.reset(side);
        }
        self.is_over()
    }
}
