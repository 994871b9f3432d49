//! A host in memory that behaves like Envoy 1.36 to 1.40 for one exchange: buffers, pauses, the empty end call, the
//! missing end call where trailers follow. The command line and the tests run the pipeline in it.

mod memory;

pub use memory::Memory;

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::guard::Guard;
use crate::host::{Flow, Side};
use crate::phase::Exchange;
use crate::tally::Tally;

/// Microseconds between two callbacks.
pub const TICK: u64 = 1000;
/// The clock at the first callback: a round date, so that output is the same every time.
pub const START: u64 = 1_700_000_000_000_000;

/// Headers in order, pseudo-headers included.
pub type Headers = Vec<(String, String)>;

/// One HTTP message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    pub headers: Headers,
    pub body: Vec<u8>,
}

/// How a body is cut into callbacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pieces {
    Whole,
    /// Pieces of so many bytes.
    Every(usize),
    /// In two at this offset.
    At(usize),
}

impl Pieces {
    fn of(self, body: &[u8]) -> Vec<&[u8]> {
        match self {
            Pieces::Whole | Pieces::Every(0) if body.is_empty() => Vec::new(),
            Pieces::Whole | Pieces::Every(0) => vec![body],
            Pieces::Every(size) => body.chunks(size).collect(),
            Pieces::At(at) => {
                let (first, second) = body.split_at_checked(at).unwrap_or((body, &[]));
                [first, second].into_iter().filter(|p| !p.is_empty()).collect()
            }
        }
    }
}

/// What an exchange came to.
pub struct Run {
    /// What the upstream saw; the body is `None` when the request was refused.
    pub upstream: (Headers, Option<Vec<u8>>),
    /// What had gone up of a refused request's body.
    pub sent: Vec<u8>,
    /// The stream was reset before its end.
    pub reset: bool,
    /// What the client saw.
    pub client: Message,
    pub tally: Tally,
    /// Name of the policy that it came under.
    pub policy: String,
    /// The audit record, as JSON.
    pub record: String,
    pub logs: Vec<String>,
    /// Counters by name and labels.
    pub counters: BTreeMap<String, u64>,
    /// Bytes that had left after each answer callback.
    pub released: Vec<usize>,
}

/// What the proxy knows around an exchange.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// Trailers follow both bodies, so that no end of them is announced.
    pub trailers: bool,
    /// The caller's verified identity.
    pub caller: Option<String>,
    /// Properties by their path, joined by dots.
    pub properties: Vec<(String, String)>,
    /// Microseconds since the Unix epoch at the beginning; a fixed date if left out.
    pub now: Option<u64>,
}

/// Runs one exchange through the pipeline, the same code as the module.
pub fn run(
    guard: &Rc<Guard>,
    request: &Message,
    answer: &Message,
    pieces: (Pieces, Pieces),
    trailers: bool,
) -> Run {
    run_as(guard, request, answer, pieces, &Around { trailers, ..Around::default() })
}

/// Runs one exchange of a caller, or with anything else that the proxy knows.
pub fn run_as(
    guard: &Rc<Guard>,
    request: &Message,
    answer: &Message,
    pieces: (Pieces, Pieces),
    around: &Around,
) -> Run {
    let trailers = around.trailers;
    let mut host = Memory { now: around.now.unwrap_or(START), ..Memory::default() };
    host.properties.clone_from(&around.properties);
    host.properties.push(("request.protocol".to_owned(), "HTTP/2".to_owned()));
    if let Some(caller) = &around.caller {
        let name = "connection.uri_san_peer_certificate".to_owned();
        host.properties.push((name, caller.clone()));
    }
    host.headers.insert(Side::Request, request.headers.clone());
    host.headers.insert(Side::Answer, answer.headers.clone());
    let mut exchange = Exchange::new(guard.clone(), "0000000000000000".to_owned());
    let bodiless = request.body.is_empty();
    let head_waits = exchange.request_headers(&mut host, bodiless) == Flow::Pause;
    let mut run = Run {
        upstream: (Vec::new(), None),
        sent: Vec::new(),
        reset: false,
        client: Message::default(),
        tally: Tally::default(),
        policy: String::new(),
        record: String::new(),
        logs: Vec::new(),
        counters: BTreeMap::new(),
        released: Vec::new(),
    };
    let mut released = Vec::new();
    let sent = if host.reply.is_some() || bodiless {
        Vec::new()
    } else {
        let mut call = |host: &mut Memory, call: Call| match call {
            Call::Body(size, end) => exchange.request_body(host, size, end),
            Call::Trailers => exchange.request_trailers(host),
        };
        drive(&mut host, &mut call, &pieces.0.of(&request.body), trailers, &mut released)
    };
    if !(head_waits && host.reply.is_some()) {
        run.upstream.0 = host.headers.get(&Side::Request).cloned().unwrap_or_default();
    }
    if let Some(reply) = host.reply.take() {
        exchange.done(&mut host);
        run.sent = sent;
        run.client = reply;
        return finish(run, &exchange, host);
    }
    run.upstream.1 = Some(sent);
    let bodiless = answer.body.is_empty();
    exchange.answer_headers(&mut host, bodiless);
    let mut body = Vec::new();
    if host.reply.is_none() && !bodiless {
        let mut call = |host: &mut Memory, call: Call| match call {
            Call::Body(size, end) => exchange.answer_body(host, size, end),
            Call::Trailers => exchange.answer_trailers(host),
        };
        let pieces = pieces.1.of(&answer.body);
        body = drive(&mut host, &mut call, &pieces, trailers, &mut run.released);
    }
    exchange.done(&mut host);
    let headers = host.headers.get(&Side::Answer).cloned().unwrap_or_default();
    run.client = host.reply.take().unwrap_or(Message { headers, body });
    finish(run, &exchange, host)
}

fn finish(mut run: Run, exchange: &Exchange, mut host: Memory) -> Run {
    run.tally = exchange.tally().clone();
    run.policy = exchange.policy().to_owned();
    run.record = host.state.remove("weir").unwrap_or_default();
    run.reset = host.reset;
    run.logs = host.logs;
    run.counters = host.counters;
    run
}

enum Call {
    Body(usize, bool),
    Trailers,
}

/// Hands a body over piece by piece and returns what went on.
fn drive(
    host: &mut Memory,
    call: &mut dyn FnMut(&mut Memory, Call) -> Flow,
    pieces: &[&[u8]],
    trailers: bool,
    released: &mut Vec<usize>,
) -> Vec<u8> {
    let mut out = Vec::new();
    let mut paused = false;
    host.buffer.clear();
    for piece in pieces {
        host.now += TICK;
        host.buffer.extend_from_slice(piece);
        host.writable = true;
        let size = host.buffer.len();
        paused = call(host, Call::Body(size, false)) == Flow::Pause;
        if host.reply.is_some() || host.reset {
            return out;
        }
        if !paused {
            out.append(&mut host.buffer);
        }
        released.push(out.len());
    }
    host.now += TICK;
    // A body without bytes has no buffer that trailers could find.
    host.writable = !trailers || paused;
    let last = if trailers { Call::Trailers } else { Call::Body(host.buffer.len(), true) };
    // Whoever pauses at the end lets nothing go: in the proxy the stream would hang.
    if call(host, last) == Flow::Continue && host.reply.is_none() && !host.reset {
        out.append(&mut host.buffer);
    }
    released.push(out.len());
    out
}
