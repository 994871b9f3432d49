//! A host that keeps nothing: bodies come from iterators and go nowhere, so that what is in memory is the pipeline's.

use std::rc::Rc;

use weir_filter::head::Head;
use weir_filter::host::{Flow, Host, HostError, Labels, Level, Refusal, Side};
use weir_filter::sim::Headers;
use weir_filter::tally::Decision;
use weir_filter::{Exchange, Guard};

/// The host of one exchange.
#[derive(Default)]
pub struct Sink {
    pub request: Headers,
    pub answer: Headers,
    /// What is buffered now.
    pub buffer: Vec<u8>,
    /// Bytes that went on.
    pub released: u64,
    pub status: Option<u32>,
    pub record: String,
    pub records: usize,
    pub reset: bool,
    pub now: u64,
}

impl Host for Sink {
    fn headers(&self, side: Side) -> Head {
        Head::from(match side {
            Side::Request => self.request.as_slice(),
            Side::Answer => self.answer.as_slice(),
        })
    }

    fn set_header(&mut self, _: Side, _: &str, _: Option<&str>) {}

    fn body(&self, _: Side, start: usize, len: usize) -> Result<Vec<u8>, HostError> {
        let rest = self.buffer.get(start..).ok_or(HostError(1))?;
        Ok(rest.iter().take(len).copied().collect())
    }

    fn set_body(&mut self, _: Side, _: usize, bytes: &[u8]) -> Result<(), HostError> {
        self.buffer = bytes.to_vec();
        Ok(())
    }

    fn reply(&mut self, status: u32, _: &[(&str, &str)], _: &[u8], _: &str) {
        self.status.get_or_insert(status);
    }

    fn reset(&mut self, _: Side) {
        self.reset = true;
    }

    fn count(&mut self, _: &'static str, _: Labels<'_>, _: u64) {}

    fn observe(&mut self, _: &'static str, _: u64) {}

    fn log(&mut self, _: Level, _: &dyn Fn() -> String) {}

    fn refused(&mut self, _: Refusal<'_>) {}

    fn set_state(&mut self, _: &str, value: &str) {
        self.records += 1;
        value.clone_into(&mut self.record);
    }

    fn property(&self, _: &[&str]) -> Option<String> {
        None
    }

    fn number(&self, _: &[&str]) -> Option<u64> {
        None
    }

    fn now(&self) -> u64 {
        self.now
    }
}

impl Sink {
    /// Hands one callback's bytes over and lets go what the pipeline lets go; `true` if the exchange goes on.
    pub fn step(&mut self, piece: &[u8], callback: impl FnOnce(&mut Sink, usize) -> Flow) -> bool {
        self.now += 1000;
        self.buffer.extend_from_slice(piece);
        let size = self.buffer.len();
        if callback(self, size) == Flow::Continue {
            self.released += self.buffer.len() as u64;
            self.buffer = Vec::new();
        }
        self.status.is_none() && !self.reset
    }
}

/// Pieces of a body, made as they are asked for.
pub type Body<'a> = Box<dyn Iterator<Item = Vec<u8>> + 'a>;

/// Runs an exchange whose bodies are never in memory whole. Returns its decision and the host.
pub fn run(
    guard: &Rc<Guard>,
    request: (Headers, Body<'_>),
    answer: (Headers, Body<'_>),
) -> (Decision, Sink) {
    let mut host = Sink { request: request.0, answer: answer.0, ..Sink::default() };
    let mut exchange = Exchange::new(guard.clone(), "0".to_owned());
    exchange.request_headers(&mut host, false);
    let mut goes_on = host.status.is_none();
    for piece in request.1 {
        goes_on =
            goes_on && host.step(&piece, |host, size| exchange.request_body(host, size, false));
        if !goes_on {
            break;
        }
    }
    goes_on = goes_on && host.step(&[], |host, size| exchange.request_body(host, size, true));
    if goes_on {
        host.buffer = Vec::new();
        exchange.answer_headers(&mut host, false);
        goes_on = host.status.is_none();
        for piece in answer.1 {
            goes_on =
                goes_on && host.step(&piece, |host, size| exchange.answer_body(host, size, false));
            if !goes_on {
                break;
            }
        }
        if goes_on {
            host.step(&[], |host, size| exchange.answer_body(host, size, true));
        }
    }
    exchange.done(&mut host);
    (exchange.tally().decision, host)
}
