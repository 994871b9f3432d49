//! One HTTP stream from its request headers to its one decision: what may be called when, and what every end means.

mod answer;
mod record;
mod refusal;
mod request;

use std::rc::Rc;

use weir_rules::policy::FailureMode;

use crate::answer::{JsonAnswer, StreamAnswer};
use crate::caller::Caller;
use crate::decode::Decoder;
use crate::dialect::Dialect;
use crate::engine::Engine;
use crate::guard::Guard;
use crate::head::Head;
use crate::host::{Flow, Host, Side};
use crate::message::Body;
use crate::request::Request;
use crate::tally::{Decision, Tally};

enum Requesting {
    /// Nothing to read: no body, not ours, or over.
    Passing,
    /// The policy names it and lets it pass as it is: only its bytes are counted.
    Unread,
    Reading(Box<Request>),
    /// Answered by us; nothing more goes up.
    Refused,
}

enum Answering {
    Passing,
    /// As of requests.
    Unread,
    Json(Box<JsonAnswer>),
    Stream(Box<StreamAnswer>),
    /// The ending is sent; the rest is swallowed.
    Over,
}

/// What a record tells of the request.
#[derive(Default)]
struct Facts {
    host: String,
    request_id: String,
    trace_id: String,
    route: String,
    model: String,
    status: String,
}

/// Bytes that may be held while the stream is paused whatever the proxy's buffer limit is, which cannot be read: 32 KiB
/// is common at the edge.
const MAX_IN_PLACE: u64 = 16 * 1024;

/// Whether the client speaks HTTP/2 or 3: pieces are small, and trailers may come without a word.
fn frames(host: &dyn Host) -> bool {
    let protocol = host.property(&["request", "protocol"]).unwrap_or_default();
    matches!(protocol.as_str(), "HTTP/2" | "HTTP/3")
}

/// One HTTP exchange.
pub struct Exchange {
    guard: Rc<Guard>,
    /// The policy that it comes under; `None` before the request headers.
    engine: Option<Rc<Engine>>,
    id: String,
    caller: Caller,
    facts: Facts,
    dialect: Option<Dialect>,
    requesting: Requesting,
    answering: Answering,
    request_size: u64,
    request_body: Body,
    answer_body: Body,
    decoder: Option<Decoder>,
    /// The request's head while it waits for the verdict, and since when, until a byte of the body came.
    request_head: Option<Head>,
    waiting_since: Option<u64>,
    /// The answer's head waits for the verdict.
    holds_answer_head: bool,
    /// The ending is sent, and the stream is to be reset.
    cuts: bool,
    head_request: bool,
    wants_stream: bool,
    replied: bool,
    tally: Tally,
    began: u64,
    judged: u64,
    recorded: bool,
}

impl Exchange {
    /// `id` names the decision; it is opaque and unique enough to find a record by.
    pub fn new(guard: Rc<Guard>, id: String) -> Exchange {
        Exchange {
            guard,
            engine: None,
            id,
            caller: Caller::default(),
            facts: Facts::default(),
            dialect: None,
            requesting: Requesting::Passing,
            answering: Answering::Passing,
            request_size: 0,
            request_body: Body::default(),
            answer_body: Body::default(),
            decoder: None,
            request_head: None,
            waiting_since: None,
            holds_answer_head: false,
            cuts: false,
            head_request: false,
            wants_stream: false,
            replied: false,
            tally: Tally::default(),
            began: 0,
            judged: 0,
            recorded: false,
        }
    }

    /// The decision so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The decision's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Name of the policy that it comes under.
    pub fn policy(&self) -> &str {
        self.engine.as_ref().map_or("", |e| e.policy.metadata.name.as_str())
    }

    /// Whether the policy names the request's host and path; what it does not name passes unread.
    pub fn is_named(&self) -> bool {
        self.began > 0
    }

    /// A body of which at most `most` bytes are held while the stream is paused, so that trailers find a buffer to write
    /// to. Where none can come, none are: over HTTP/1 Envoy adds up to twice its limit to a paused buffer at once, and
    /// gives up. A body that says how short it is stays where it is.
    fn body(&self, host: &dyn Host, head: &Head, waits: bool, most: u64) -> Body {
        let limits = self.engine.as_ref().map(|e| &e.policy.spec.limits);
        let paused = limits.map_or(0, |limits| limits.paused.bytes().min(most));
        let short = head.length().is_some_and(|length| length <= paused.min(MAX_IN_PLACE));
        let needed = waits || short || !head.get("trailer").is_empty() || frames(host);
        Body::new(if needed { paused } else { 0 }, short)
    }

    /// Bytes pass of what is [`Unread`](Requesting::Unread).
    fn passes_unread(&mut self, size: usize) -> Flow {
        self.tally.unread_bytes = self.tally.unread_bytes.saturating_add(size as u64);
        Flow::Continue
    }

    fn fails_open(&self) -> bool {
        let open = |e: &Rc<Engine>| e.policy.spec.failure_mode == FailureMode::FailOpen;
        self.tally.granted.shadow || self.engine.as_ref().is_some_and(open)
    }

    /// Whether the stream waits for longer than `limits.hold`, at `now` in microseconds: an event that is held, or a
    /// body that never comes; or whether it is to be cut and nothing came since.
    pub fn is_stalled(&self, now: u64) -> bool {
        let Some(engine) = &self.engine else { return false };
        let hold = engine.policy.spec.limits.hold.millis().saturating_mul(1000);
        let since = match &self.answering {
            Answering::Stream(stream) => stream.held_since(),
            Answering::Over if self.cuts => return true,
            _ => self.waiting_since,
        };
        since.is_some_and(|since| now.saturating_sub(since) > hold)
    }

    /// Ends a stream that [`is_stalled`](Exchange::is_stalled): what is held is dropped, nothing is released. Returns
    /// which side the caller has to reset, if any.
    pub fn expire(&mut self, host: &mut dyn Host) -> Option<Side> {
        if self.waiting_since.take().is_some() {
            // The client never sent its body, or the proxy does not let bodies through while heads are held.
            self.fail_closed(host, "hold", 408);
            return None;
        }
        if std::mem::take(&mut self.cuts) {
            return Some(Side::Answer);
        }
        if let Answering::Stream(stream) = &self.answering {
            self.tally.dropped_bytes = self.tally.dropped_bytes.saturating_add(stream.held());
        }
        self.answering = Answering::Over;
        self.tally.fault("hold");
        self.tally.reach(Decision::Fail);
        self.finish(host);
        Some(Side::Answer)
    }

    /// The stream is over, however it ended.
    pub fn done(&mut self, host: &mut dyn Host) {
        if let Answering::Stream(stream) = &self.answering {
            self.tally.dropped_bytes = self.tally.dropped_bytes.saturating_add(stream.held());
        }
        self.finish(host);
    }
}
