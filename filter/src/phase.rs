//! One HTTP stream from its request headers to its one decision: what may be called when, and what every end means.

use std::rc::Rc;

use weir_rules::policy::{Decision as Inspect, FailureMode, Mode, RefusalForm, Reveal};

use crate::answer::stream::Seen;
use crate::answer::{JsonAnswer, Stop, StreamAnswer};
use crate::audit;
use crate::dialect::Dialect;
use crate::ending::{self, About};
use crate::engine::Engine;
use crate::host::{Flow, Host, Level, Metric, Side};
use crate::message::{Body, Encoding, strip_body_facts, strip_weir_headers};
use crate::request::{BodyFault, Request, Verdict};
use crate::route::{Route, route};
use crate::tally::{Decision, Tally};

/// Details of our own replies in Envoy's access log begin with this.
const DETAILS: &str = "weir";

enum Requesting {
    /// Not read: no body, not ours, or over.
    Passing,
    Reading(Box<Request>),
    /// Answered by us; nothing more goes up.
    Refused,
}

enum Answering {
    Passing,
    Json(Box<JsonAnswer>),
    Stream(Box<StreamAnswer>),
    /// The ending is sent; the rest is swallowed.
    Over,
}

/// One HTTP exchange.
pub struct Exchange {
    engine: Rc<Engine>,
    id: String,
    dialect: Option<Dialect>,
    requesting: Requesting,
    answering: Answering,
    request_size: u64,
    request_body: Body,
    answer_body: Body,
    head_request: bool,
    wants_stream: bool,
    model: String,
    replied: bool,
    tally: Tally,
    began: u64,
    recorded: bool,
}

impl Exchange {
    /// `id` names the decision; it is opaque and unique enough to find a record by.
    pub fn new(engine: Rc<Engine>, id: String) -> Exchange {
        let paused = engine.policy.spec.limits.paused.bytes();
        Exchange {
            engine,
            id,
            dialect: None,
            requesting: Requesting::Passing,
            answering: Answering::Passing,
            request_size: 0,
            request_body: Body::new(paused),
            answer_body: Body::new(paused),
            head_request: false,
            wants_stream: false,
            model: String::new(),
            replied: false,
            tally: Tally::default(),
            began: 0,
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

    /// Request headers arrived; `end` says that no body follows.
    pub fn request_headers(&mut self, host: &mut dyn Host, end: bool) -> Flow {
        self.began = host.now();
        strip_weir_headers(host, Side::Request);
        let header = |name: &str| host.header(Side::Request, name).unwrap_or_default();
        let (authority, path, method) = (header(":authority"), header(":path"), header(":method"));
        self.head_request = method == "HEAD";
        let engine = self.engine.clone();
        match route(&engine.policy, &authority, &path) {
            Route::Other => return Flow::Continue,
            Route::Unknown if end => return Flow::Continue,
            Route::Unknown => {
                let rule = engine.policy.spec.inspection.unknown_shape;
                return self.uninspectable(host, rule, "unknown-shape");
            }
            Route::Inspect(dialect) => self.dialect = Some(dialect),
        }
        let Some(dialect) = self.dialect else { return Flow::Continue };
        host.set_header(Side::Request, "accept-encoding", None);
        if end {
            return Flow::Continue;
        }
        if Encoding::of(host, Side::Request) != Encoding::Plain {
            return self.fail_request(host, "encoding", 415);
        }
        if !is_json(&host.header(Side::Request, "content-type").unwrap_or_default()) {
            let rule = engine.policy.spec.inspection.unknown_shape;
            return self.uninspectable(host, rule, "content-type");
        }
        let limit = engine.policy.spec.limits.request.bytes();
        let declared = host.header(Side::Request, "content-length").and_then(|l| l.parse().ok());
        if declared.is_some_and(|length: u64| length > limit) {
            return self.fail_request(host, BodyFault::TooLarge.word(), 413);
        }
        if engine.edits_requests {
            strip_body_facts(host, Side::Request);
        }
        self.requesting = Requesting::Reading(Box::new(Request::new(engine, dialect)));
        Flow::Continue
    }

    /// More of the request's body is buffered: `size` bytes; `end` says that it is complete.
    pub fn request_body(&mut self, host: &mut dyn Host, size: usize, end: bool) -> Flow {
        if matches!(self.requesting, Requesting::Refused) {
            return Flow::Pause;
        }
        let Requesting::Reading(_) = self.requesting else { return Flow::Continue };
        let chunk = match self.request_body.take(host, Side::Request, size) {
            Ok(chunk) => chunk,
            Err(_) => return self.fail_request(host, "host", 500),
        };
        if let Some(flow) = self.read_request(host, &chunk) {
            return flow;
        }
        if end {
            return self.judge_request(host, false);
        }
        let Requesting::Reading(request) = &self.requesting else { return Flow::Continue };
        let held = request.held() as u64;
        match self.request_body.collecting(host, Side::Request, held) {
            Ok(flow) => flow,
            Err(_) => self.fail_closed(host, "host", 500),
        }
    }

    /// Request trailers arrived: the body is complete, and no end of it was announced.
    pub fn request_trailers(&mut self, host: &mut dyn Host) -> Flow {
        match self.requesting {
            Requesting::Refused => Flow::Pause,
            Requesting::Passing => Flow::Continue,
            Requesting::Reading(_) => self.judge_request(host, true),
        }
    }

    fn read_request(&mut self, host: &mut dyn Host, chunk: &[u8]) -> Option<Flow> {
        self.request_size = self.request_size.saturating_add(chunk.len() as u64);
        let Requesting::Reading(request) = &mut self.requesting else { return None };
        match request.write(chunk, &mut self.tally) {
            Ok(()) => None,
            Err(fault) => Some(self.request_fault(host, fault)),
        }
    }

    /// One place decides what a body that cannot be judged means.
    fn request_fault(&mut self, host: &mut dyn Host, fault: BodyFault) -> Flow {
        let status = match fault {
            BodyFault::TooLarge => 413,
            _ => 400,
        };
        let spec = &self.engine.policy.spec;
        // Ambiguity is an attack on whoever reads less strictly: FailOpen does not let it pass.
        let opens = spec.failure_mode == FailureMode::FailOpen && fault != BodyFault::Ambiguous;
        if opens || spec.mode == Mode::Shadow {
            self.tally.fault(fault.word());
            self.tally.reach(Decision::Audit);
            let Requesting::Reading(request) =
                std::mem::replace(&mut self.requesting, Requesting::Passing)
            else {
                return Flow::Continue;
            };
            let body = request.into_body();
            return match self.request_body.write(host, Side::Request, &body) {
                Ok(()) => Flow::Continue,
                Err(_) => self.fail_request(host, "host", 500),
            };
        }
        self.fail_closed(host, fault.word(), status)
    }

    fn fails_open(&self) -> bool {
        let spec = &self.engine.policy.spec;
        spec.failure_mode == FailureMode::FailOpen || spec.mode == Mode::Shadow
    }

    fn fail_request(&mut self, host: &mut dyn Host, reason: &'static str, status: u16) -> Flow {
        if self.fails_open() {
            self.tally.fault(reason);
            self.tally.reach(Decision::Audit);
            self.requesting = Requesting::Passing;
            return Flow::Continue;
        }
        self.fail_closed(host, reason, status)
    }

    fn fail_closed(&mut self, host: &mut dyn Host, reason: &'static str, status: u16) -> Flow {
        self.tally.fault(reason);
        self.tally.reach(Decision::Fail);
        self.refuse_request(host, Some(status));
        Flow::Pause
    }

    /// What the policy makes of a request that it names and cannot read.
    fn uninspectable(&mut self, host: &mut dyn Host, rule: Inspect, reason: &'static str) -> Flow {
        self.tally.fault(reason);
        let shadow = self.engine.policy.spec.mode == Mode::Shadow;
        match rule {
            Inspect::Allow => Flow::Continue,
            Inspect::Audit => {
                self.tally.reach(Decision::Audit);
                Flow::Continue
            }
            Inspect::Reject if shadow => {
                self.tally.reach(Decision::Audit);
                Flow::Continue
            }
            Inspect::Reject => {
                self.tally.row("inspection-unknown-shape", None, "reject", Mode::Enforce);
                self.tally.reach(Decision::Reject);
                self.refuse_request(host, None);
                Flow::Pause
            }
        }
    }

    fn judge_request(&mut self, host: &mut dyn Host, trailers: bool) -> Flow {
        let Requesting::Reading(mut request) =
            std::mem::replace(&mut self.requesting, Requesting::Passing)
        else {
            return Flow::Continue;
        };
        let verdict = request.end();
        self.wants_stream = request.stream;
        self.model = request.model.clone();
        match verdict {
            Ok(Verdict::Refused) => {
                self.refuse_request(host, None);
                Flow::Pause
            }
            Ok(Verdict::Pass | Verdict::Edited) => {
                let body = request.into_body();
                if trailers && self.request_body.is_released() {
                    // Past the switch Envoy gives no place to write the body before trailers.
                    return self.fail_closed(host, "trailers", 413);
                }
                match self.request_body.write(host, Side::Request, &body) {
                    Ok(()) => Flow::Continue,
                    Err(_) => self.fail_closed(host, "host", 500),
                }
            }
            Err(fault) => {
                self.requesting = Requesting::Reading(request);
                self.request_fault(host, fault)
            }
        }
    }

    fn message(&self) -> String {
        let refusal = &self.engine.policy.spec.refusal;
        match &refusal.message {
            Some(text) => text.replace("{decisionId}", &self.id),
            None => format!("The request was blocked by policy. Decision {}.", self.id),
        }
    }

    fn refuse_request(&mut self, host: &mut dyn Host, status: Option<u16>) {
        let refusal = self.engine.policy.spec.refusal.clone();
        let dialect = self.dialect.unwrap_or(Dialect::OpenAIChat);
        let failed = self.tally.decision == Decision::Fail;
        let message = self.message();
        let completes = refusal.as_ == RefusalForm::Completion && !failed && self.dialect.is_some();
        let about = About {
            id: &self.id,
            model: &self.model,
            message: Some(&message),
            created: self.began / 1_000_000,
        };
        let (status, kind, body) = if !completes {
            let status = status.unwrap_or(refusal.status);
            (status, "application/json", ending::error(dialect, status, &message, &self.id))
        } else if self.wants_stream {
            (200, "text/event-stream", ending::completion_stream(dialect, &about))
        } else {
            (200, "application/json", ending::completion(dialect, &about))
        };
        let word = if failed { "fail" } else { "reject" };
        let rule = self.tally.refused_by.clone().unwrap_or_default();
        let id = self.id.clone();
        let mut headers =
            vec![("content-type", kind), ("x-weir-decision", word), ("x-weir-id", id.as_str())];
        if refusal.reveal == Reveal::Rule && !rule.is_empty() {
            headers.push(("x-weir-rule", rule.as_str()));
        }
        self.requesting = Requesting::Refused;
        self.replied = true;
        host.reply(u32::from(status), &headers, body.as_bytes(), &format!("{DETAILS}{{{word}}}"));
        self.finish(host);
    }

    /// Answer headers arrived; `end` says that no body follows.
    pub fn answer_headers(&mut self, host: &mut dyn Host, end: bool) -> Flow {
        if self.replied {
            return Flow::Continue;
        }
        strip_weir_headers(host, Side::Answer);
        // The proxy's own words, such as `upstream connect error`, are nobody's answer.
        let details = host.property(&["response", "code_details"]).unwrap_or_default();
        if !matches!(details.as_str(), "" | "via_upstream") {
            return Flow::Continue;
        }
        let Some(dialect) = self.dialect else { return Flow::Continue };
        let status = host.header(Side::Answer, ":status").unwrap_or_default();
        let bodiless = self.head_request || matches!(status.as_str(), "204" | "304");
        if end || bodiless || status.starts_with('1') {
            return Flow::Continue;
        }
        if Encoding::of(host, Side::Answer) != Encoding::Plain {
            return self.answer_uninspectable(host, "answer-encoding");
        }
        let kind = host.header(Side::Answer, "content-type").unwrap_or_default();
        let engine = self.engine.clone();
        if kind.trim_start().to_ascii_lowercase().starts_with("text/event-stream") {
            self.answering =
                Answering::Stream(Box::new(StreamAnswer::new(engine.clone(), dialect)));
        } else if is_json(&kind) {
            self.answering = Answering::Json(Box::new(JsonAnswer::new(engine.clone(), dialect)));
        } else {
            return self.answer_uninspectable(host, "answer-content-type");
        }
        if engine.edits_answers {
            strip_body_facts(host, Side::Answer);
        }
        Flow::Continue
    }

    fn answer_uninspectable(&mut self, host: &mut dyn Host, reason: &'static str) -> Flow {
        self.tally.fault(reason);
        if self.fails_open() {
            self.tally.reach(Decision::Audit);
            return Flow::Continue;
        }
        self.tally.reach(Decision::Fail);
        self.answering = Answering::Over;
        self.replied = true;
        // An error stays the error that it was; only its unreadable text goes.
        let status = host.header(Side::Answer, ":status").and_then(|s| s.parse().ok());
        let status: u16 = status.filter(|s| (400..600).contains(s)).unwrap_or(502);
        let message = format!("The answer could not be inspected. Decision {}.", self.id);
        let body = match self.dialect {
            Some(dialect) => ending::error(dialect, status, &message, &self.id),
            None => String::new(),
        };
        let id = self.id.clone();
        let headers = [
            ("content-type", "application/json"),
            ("x-weir-decision", "fail"),
            ("x-weir-id", id.as_str()),
        ];
        host.reply(u32::from(status), &headers, body.as_bytes(), &format!("{DETAILS}{{fail}}"));
        self.finish(host);
        Flow::Continue
    }

    /// More of the answer's body is buffered: `size` bytes; `end` says that it is complete.
    pub fn answer_body(&mut self, host: &mut dyn Host, size: usize, end: bool) -> Flow {
        if self.replied || matches!(self.answering, Answering::Passing) {
            return Flow::Continue;
        }
        let Ok(chunk) = self.answer_body.take(host, Side::Answer, size) else {
            self.tally.fault("host");
            host.reset(Side::Answer);
            return Flow::Pause;
        };
        let mut out = Vec::new();
        let now = host.now();
        self.read_answer(&chunk, end, now, &mut out);
        if out == chunk {
            if end {
                self.finish(host);
            }
            return Flow::Continue;
        }
        if end {
            return self.write_answer(host, &out, true);
        }
        let whole = matches!(&self.answering, Answering::Json(json) if json.is_whole());
        if !whole {
            return self.write_answer(host, &out, false);
        }
        let Answering::Json(json) = &self.answering else { return Flow::Continue };
        let held = json.held() as u64;
        self.answer_body.collecting(host, Side::Answer, held).unwrap_or_else(|_| {
            host.reset(Side::Answer);
            Flow::Pause
        })
    }

    fn write_answer(&mut self, host: &mut dyn Host, out: &[u8], end: bool) -> Flow {
        if self.answer_body.write(host, Side::Answer, out).is_err() && !out.is_empty() {
            self.tally.fault("host");
            host.reset(Side::Answer);
            return Flow::Pause;
        }
        if end {
            self.finish(host);
        }
        Flow::Continue
    }

    /// Answer trailers arrived: the body is complete.
    pub fn answer_trailers(&mut self, host: &mut dyn Host) -> Flow {
        if self.replied || matches!(self.answering, Answering::Passing) {
            return Flow::Continue;
        }
        let mut out = Vec::new();
        let now = host.now();
        self.read_answer(&[], true, now, &mut out);
        if !out.is_empty() && self.answer_body.write(host, Side::Answer, &out).is_err() {
            self.tally.fault("trailers");
            self.tally.dropped_bytes = self.tally.dropped_bytes.saturating_add(out.len() as u64);
            host.reset(Side::Answer);
        }
        self.finish(host);
        Flow::Continue
    }

    fn read_answer(&mut self, chunk: &[u8], end: bool, now: u64, out: &mut Vec<u8>) {
        let tally = &mut self.tally;
        let result = match &mut self.answering {
            Answering::Passing | Answering::Over => Ok(()),
            Answering::Json(json) => json.write(chunk, out, tally).and_then(|()| match end {
                true => json.end(out, tally),
                false => Ok(()),
            }),
            Answering::Stream(stream) => {
                stream.write(chunk, now, out, tally).and_then(|()| match end {
                    true => stream.end(now, out, tally),
                    false => Ok(()),
                })
            }
        };
        if let Err(stop) = result {
            self.stop_answer(stop, out);
        }
    }

    /// One place decides what an answer means that is refused or cannot be inspected.
    fn stop_answer(&mut self, stop: Stop, out: &mut Vec<u8>) {
        match stop {
            Stop::Fault(fault) => {
                self.tally.fault(fault.word());
                if self.fails_open() {
                    self.tally.reach(Decision::Audit);
                    match std::mem::replace(&mut self.answering, Answering::Passing) {
                        Answering::Json(mut json) => out.extend(json.surrender()),
                        Answering::Stream(mut stream) => out.extend(stream.surrender()),
                        _ => {}
                    }
                    return;
                }
                self.tally.reach(Decision::Fail);
            }
            Stop::Refused => self.tally.reach(Decision::Reject),
        }
        let message = self.message();
        let shown = self.engine.policy.spec.refusal.as_ == RefusalForm::Completion;
        let about = About {
            id: &self.id,
            model: &self.model,
            message: shown.then_some(message.as_str()),
            created: self.began / 1_000_000,
        };
        let Some(dialect) = self.dialect else { return };
        match std::mem::replace(&mut self.answering, Answering::Over) {
            Answering::Stream(stream) => {
                let seen: &Seen = &stream.seen;
                out.extend_from_slice(ending::stream(dialect, seen, &about).as_bytes());
            }
            Answering::Json(json) if json.is_whole() => {
                out.extend_from_slice(ending::completion(dialect, &about).as_bytes());
            }
            _ => {}
        }
    }

    /// Whether an event has been held for longer than `limits.hold`, at `now` in microseconds.
    pub fn is_stalled(&self, now: u64) -> bool {
        let hold = self.engine.policy.spec.limits.hold.millis().saturating_mul(1000);
        let Answering::Stream(stream) = &self.answering else { return false };
        stream.held_since().is_some_and(|since| now.saturating_sub(since) > hold)
    }

    /// Ends a stalled stream: what is held is dropped, nothing is released. The caller resets it.
    pub fn expire(&mut self, host: &mut dyn Host) {
        if let Answering::Stream(stream) = &self.answering {
            self.tally.dropped_bytes = self.tally.dropped_bytes.saturating_add(stream.held());
        }
        self.answering = Answering::Over;
        self.tally.fault("hold");
        self.tally.reach(Decision::Fail);
        self.finish(host);
    }

    /// The stream is over, however it ended.
    pub fn done(&mut self, host: &mut dyn Host) {
        self.finish(host);
    }

    fn finish(&mut self, host: &mut dyn Host) {
        if self.recorded || (self.dialect.is_none() && self.tally.faults.is_empty()) {
            return;
        }
        self.recorded = true;
        let streamed = matches!(self.answering, Answering::Stream(_)) || self.wants_stream;
        let record = audit::record(
            &audit::Context {
                id: &self.id,
                policy: &self.engine.policy.metadata.name,
                fingerprint: self.engine.fingerprint,
                mode: self.engine.policy.spec.mode,
                dialect: self.dialect.map_or("none", Dialect::name),
                model: &self.model,
                streamed,
                request_bytes: self.request_size,
                micros: host.now().saturating_sub(self.began),
            },
            &self.tally,
        );
        host.count(Metric::Decision(self.tally.decision.word()));
        for fault in &self.tally.faults {
            host.count(Metric::NotInspected(fault));
        }
        let level = if self.tally.decision >= Decision::Reject { Level::Warn } else { Level::Info };
        host.log(level, &format!("weir_audit {record}"));
        host.set_state("weir", &record);
    }
}

fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}
