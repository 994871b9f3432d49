//! What the pipeline needs of its host. One real implementation over host calls, others for tests and the command
//! line. Every call may fail, none may panic.

use crate::head::Head;

/// Which message a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    Request,
    Answer,
}

/// A host call was refused; the number is the host's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostError(pub u32);

/// How the host goes on after a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    Continue,
    Pause,
}

/// Severity of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Info,
    Warn,
    Error,
}

/// A counter's labels, name and value each. Values come from policies and from closed lists, never from traffic.
pub type Labels<'a> = &'a [(&'static str, &'a str)];

/// A refused or failed exchange, for the log.
#[derive(Clone, Copy, Debug)]
pub struct Refusal<'a> {
    pub decision: &'static str,
    /// The rule that refused, or the reason that something could not be inspected.
    pub by: &'a str,
    /// The audit record.
    pub record: &'a str,
}

/// Abilities of an HTTP stream's host.
pub trait Host {
    /// All headers of a side, pseudo-headers included, in their order.
    fn headers(&self, side: Side) -> Head;
    /// Sets a header, or removes it (`None`).
    fn set_header(&mut self, side: Side, name: &str, value: Option<&str>);
    /// Bytes of the buffered body; only legal in that side's body and trailers callbacks.
    fn body(&self, side: Side, start: usize, len: usize) -> Result<Vec<u8>, HostError>;
    /// Replaces the whole buffered body, `size` bytes long.
    fn set_body(&mut self, side: Side, size: usize, bytes: &[u8]) -> Result<(), HostError>;
    /// Answers the client from here.
    fn reply(&mut self, status: u32, headers: &[(&str, &str)], body: &[u8], details: &str);
    /// Ends the stream at once.
    fn reset(&mut self, side: Side);
    /// Adds to a counter; its name on the wire begins with `weir_`.
    fn count(&mut self, name: &'static str, labels: Labels<'_>, by: u64);
    /// Adds a value to a histogram.
    fn observe(&mut self, name: &'static str, value: u64);
    /// Writes a log line, which is put together only where the host writes lines of this level. A host may hold lines
    /// back when they come too fast, but never without saying how many.
    fn log(&mut self, level: Level, line: &dyn Fn() -> String);
    /// Tells of a refusal: a warning, counted by decision and rule where there are too many to tell one by one.
    fn refused(&mut self, refusal: Refusal<'_>);
    /// Sets a value for the access log (filter state).
    fn set_state(&mut self, key: &str, value: &str);
    /// A property such as the request id, as text.
    fn property(&self, path: &[&str]) -> Option<String>;
    /// A property that is a number.
    fn number(&self, path: &[&str]) -> Option<u64>;
    /// Microseconds since the Unix epoch.
    fn now(&self) -> u64;
}
