//! What the pipeline needs of its host. One real implementation over host calls, others for tests and the command
//! line. Every call may fail, none may panic.

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

/// What is counted. Names on the wire begin with `weir_`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Exchanges by decision.
    Decision(&'static str),
    /// Exchanges in which something could not be inspected, by reason.
    NotInspected(&'static str),
    /// Requests answered because no good policy is in force.
    Degraded,
}

/// Abilities of an HTTP stream's host.
pub trait Host {
    /// The first value of a header, or `None`.
    fn header(&self, side: Side, name: &str) -> Option<String>;
    /// All header names of a side.
    fn header_names(&self, side: Side) -> Vec<String>;
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
    fn count(&mut self, metric: Metric);
    fn log(&mut self, level: Level, line: &str);
    /// Sets a value for the access log (filter state).
    fn set_state(&mut self, key: &str, value: &str);
    /// A property such as the request id, as text.
    fn property(&self, path: &[&str]) -> Option<String>;
    /// Microseconds since the Unix epoch.
    fn now(&self) -> u64;
}
