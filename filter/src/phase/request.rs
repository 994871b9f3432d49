//! The request side of an exchange.

use weir_rules::policy::{Decision as Inspect, FailureMode, Mode, Subject};

use super::{Exchange, Requesting};
use crate::caller;
use crate::decode::{Coding, Decoder};
use crate::head::Head;
use crate::host::{Flow, Host, Side};
use crate::request::{BodyFault, Request, Verdict};
use crate::route::{Route, host_of, route};
use crate::tally::Decision;

/// The most decoded bytes for each byte of a compressed body, past its first 64 KiB. Recorded requests come to 2 to 25.
const MAX_RATIO: u32 = 200;

impl Exchange {
    /// Request headers arrived; `end` says that no body follows.
    pub fn request_headers(&mut self, host: &mut dyn Host, end: bool) -> Flow {
        let head = host.headers(Side::Request);
        head.strip_weir(host, Side::Request);
        let guard = self.guard.clone();
        let mut workload = if guard.by_caller() { caller::workload(host) } else { None };
        let authority = host_of(head.get(":authority"));
        let Some(selected) = guard.select(workload.as_deref(), &authority) else {
            return Flow::Continue;
        };
        let engine = selected.engine.clone();
        let spec = &engine.policy.spec;
        self.engine = Some(engine.clone());
        let route = route(&engine.policy, &authority, head.get(":path"));
        if route == Route::Other {
            return Flow::Continue;
        }
        self.began = host.now();
        if !guard.by_caller() && spec.audit.subject != Subject::Nothing {
            workload = caller::workload(host);
        }
        self.caller.user = caller::user(host, &spec.identity);
        caller::strip_token(host, &spec.identity);
        self.tally.granted = engine.granted(workload.as_deref(), self.began);
        self.caller.id = workload;
        self.head_request = head.get(":method") == "HEAD";
        self.facts.host = authority;
        self.facts.request_id = head.get("x-request-id").to_owned();
        self.facts.trace_id = trace_id(head.get("traceparent")).to_owned();
        if let Route::Inspect(dialect) = route {
            self.dialect = Some(dialect);
        }
        if !selected.covered {
            return self.uninspectable(host, Inspect::Reject, "no-policy");
        }
        let upgrade = !head.get("upgrade").is_empty() || !head.get(":protocol").is_empty();
        if upgrade || head.get(":method") == "CONNECT" {
            return self.uninspectable(host, spec.inspection.unknown_shape, "upgrade");
        }
        let Some(dialect) = self.dialect else {
            if end {
                // Nothing goes out; what comes back is not read.
                self.tally.fault("unknown-path");
                return Flow::Continue;
            }
            let reason = if is_multipart(&head) { "multipart" } else { "unknown-path" };
            return self.uninspectable(host, spec.inspection.unknown_shape, reason);
        };
        if head.has("accept-encoding") {
            host.set_header(Side::Request, "accept-encoding", None);
        }
        if end {
            return Flow::Continue;
        }
        if !head.is_json() {
            let reason = if is_multipart(&head) { "multipart" } else { "content-type" };
            return self.uninspectable(host, spec.inspection.unknown_shape, reason);
        }
        if let Some(encoding) = head.encoding() {
            let Some(coding) = Coding::of(encoding).filter(|_| !engine.progressive) else {
                return self.fail_request(host, "encoding", 415);
            };
            self.decoder = Some(Decoder::new(coding, spec.limits.request.bytes(), MAX_RATIO));
        }
        let declared = head.length();
        if !engine.progressive && declared.is_some_and(|l| l > spec.limits.request.bytes()) {
            return self.fail_request(host, BodyFault::TooLarge.word(), 413);
        }
        self.requesting = Requesting::Reading(Box::new(Request::new(engine.clone(), dialect)));
        let fits = declared.unwrap_or(0) <= spec.limits.paused.bytes();
        let waits = spec.hold_headers && fits;
        self.request_body = self.body(host, &head, waits, u64::MAX);
        if waits {
            self.request_head = Some(head);
            self.waiting_since = Some(self.began);
            return Flow::Pause;
        }
        self.strip_request_facts(host, &head);
        Flow::Continue
    }

    /// Takes off what the head says about a body that may change.
    fn strip_request_facts(&self, host: &mut dyn Host, head: &Head) {
        let edits = self.engine.as_ref().is_some_and(|e| e.edits_requests);
        if self.decoder.is_some() {
            host.set_header(Side::Request, "content-encoding", None);
        }
        if edits || self.decoder.is_some() {
            head.strip_body_facts(host, Side::Request);
        }
    }

    /// More of the request's body is buffered: `size` bytes; `end` says that it is complete.
    pub fn request_body(&mut self, host: &mut dyn Host, size: usize, end: bool) -> Flow {
        self.waiting_since = None;
        match self.requesting {
            Requesting::Refused => return Flow::Pause,
            Requesting::Passing => return Flow::Continue,
            Requesting::Unread => return self.passes_unread(size),
            Requesting::Reading(_) => {}
        }
        if size == 0 && !end && self.request_size == 0 && self.request_head.is_none() {
            // Another Weir collects the body in front of us, and will hand over all of it at once: more than a stream
            // that is paused may take in.
            return Flow::Continue;
        }
        let chunk = match self.request_body.take(host, Side::Request, size) {
            Ok(chunk) => chunk,
            // What is with us already cannot be put back, so that this cannot pass in part.
            Err(_) => return self.fail_closed(host, "host", 500),
        };
        self.request_size = self.request_size.saturating_add(chunk.len() as u64);
        if let Err(fault) = self.read_request(&chunk, end) {
            return self.request_fault(host, fault);
        }
        if end {
            return self.judge_request(host, false);
        }
        let Requesting::Reading(request) = &mut self.requesting else { return Flow::Continue };
        if request.is_refused() {
            return self.judge_request(host, false);
        }
        if self.engine.as_ref().is_some_and(|e| e.progressive) {
            let ready = request.ready();
            self.request_body.release();
            return match self.request_body.write(host, Side::Request, &ready) {
                Ok(()) => Flow::Continue,
                Err(_) => self.fail_closed(host, "host", 500),
            };
        }
        let held = request.held() as u64;
        match self.request_body.collecting(host, Side::Request, held) {
            Ok(Flow::Continue) => {
                self.release_request_head(host);
                Flow::Continue
            }
            Ok(Flow::Pause) => Flow::Pause,
            Err(_) => self.fail_closed(host, "host", 500),
        }
    }

    /// The head goes up before the verdict after all: the body is past what may be paused.
    fn release_request_head(&mut self, host: &mut dyn Host) {
        if let Some(head) = self.request_head.take() {
            self.strip_request_facts(host, &head);
        }
    }

    /// Request trailers arrived: the body is complete, and no end of it was announced.
    pub fn request_trailers(&mut self, host: &mut dyn Host) -> Flow {
        self.waiting_since = None;
        match self.requesting {
            Requesting::Refused => Flow::Pause,
            Requesting::Passing | Requesting::Unread => Flow::Continue,
            Requesting::Reading(_) => match self.read_request(&[], true) {
                Ok(()) => self.judge_request(host, true),
                Err(fault) => self.request_fault(host, fault),
            },
        }
    }

    fn read_request(&mut self, chunk: &[u8], end: bool) -> Result<(), BodyFault> {
        let Requesting::Reading(request) = &mut self.requesting else { return Ok(()) };
        let Some(decoder) = &mut self.decoder else { return request.write(chunk, &mut self.tally) };
        let mut decoded = Vec::new();
        decoder.write(chunk, &mut decoded)?;
        if end {
            decoder.end()?;
        }
        request.write(&decoded, &mut self.tally)
    }

    /// One place decides what a body that cannot be judged means.
    fn request_fault(&mut self, host: &mut dyn Host, fault: BodyFault) -> Flow {
        let status = match fault {
            BodyFault::TooLarge | BodyFault::Ratio => 413,
            _ => 400,
        };
        // Ambiguity is an attack on whoever reads less strictly: FailOpen does not let it pass. What is decoded in
        // part cannot be sent on.
        let spec = self.engine.as_ref().map(|e| &e.policy.spec);
        let opens = spec.is_some_and(|s| s.failure_mode == FailureMode::FailOpen);
        let opens = opens && fault != BodyFault::Ambiguous;
        let refused = matches!(&self.requesting, Requesting::Reading(r) if r.has_refused());
        if (opens || self.tally.granted.shadow) && self.decoder.is_none() && !refused {
            self.tally.fault(fault.word());
            self.tally.reach(Decision::Audit);
            self.release_request_head(host);
            let reading = std::mem::replace(&mut self.requesting, Requesting::Unread);
            let Requesting::Reading(mut request) = reading else { return Flow::Continue };
            let kept = request.kept();
            self.request_size = self.request_size.saturating_sub(kept as u64);
            self.passes_unread(kept);
            request.edit();
            let body = request.into_body();
            return match self.request_body.write(host, Side::Request, &body) {
                Ok(()) => Flow::Continue,
                Err(_) => self.fail_closed(host, "host", 500),
            };
        }
        self.fail_closed(host, fault.word(), status)
    }

    fn fail_request(&mut self, host: &mut dyn Host, reason: &'static str, status: u16) -> Flow {
        if self.fails_open() {
            self.tally.fault(reason);
            self.tally.reach(Decision::Audit);
            self.requesting = Requesting::Unread;
            return Flow::Continue;
        }
        self.fail_closed(host, reason, status)
    }

    /// Refuses a request that cannot be inspected.
    pub(super) fn fail_closed(
        &mut self,
        host: &mut dyn Host,
        reason: &'static str,
        status: u16,
    ) -> Flow {
        self.tally.fault(reason);
        self.tally.reach(Decision::Fail);
        self.refuse_request(host, Some(status));
        Flow::Pause
    }

    /// What the policy makes of a request that it names and cannot read.
    fn uninspectable(&mut self, host: &mut dyn Host, rule: Inspect, reason: &'static str) -> Flow {
        self.tally.fault(reason);
        self.requesting = Requesting::Unread;
        let mode = self.tally.mode();
        if rule == Inspect::Allow {
            return Flow::Continue;
        }
        let action = if rule == Inspect::Reject { "reject" } else { "audit" };
        self.tally.row(reason_rule(reason), None, action, mode);
        if rule == Inspect::Audit || mode == Mode::Shadow {
            self.tally.reach(Decision::Audit);
            return Flow::Continue;
        }
        self.tally.refuse(reason_rule(reason));
        self.tally.reach(Decision::Reject);
        self.refuse_request(host, None);
        Flow::Pause
    }

    fn judge_request(&mut self, host: &mut dyn Host, trailers: bool) -> Flow {
        let reading = std::mem::replace(&mut self.requesting, Requesting::Passing);
        let Requesting::Reading(mut request) = reading else { return Flow::Continue };
        let verdict = request.end(&mut self.tally);
        self.wants_stream = request.stream;
        self.facts.model.clone_from(&request.model);
        let edited = match verdict {
            Ok(Verdict::Refused) => {
                self.tally.reach(Decision::Reject);
                self.refuse_request(host, None);
                return Flow::Pause;
            }
            Ok(verdict) => verdict == Verdict::Edited || self.decoder.is_some(),
            Err(fault) => {
                self.requesting = Requesting::Reading(request);
                return self.request_fault(host, fault);
            }
        };
        let body = request.into_body();
        let released = self.request_body.is_released();
        if trailers && released {
            // Past the switch Envoy gives no place to write the body before trailers.
            return self.fail_closed(host, "trailers", 413);
        }
        let written = edited || released || self.request_body.is_away();
        if written && self.request_body.write(host, Side::Request, &body).is_err() {
            return self.fail_closed(host, "host", 500);
        }
        if let Some(head) = self.request_head.take().filter(|_| edited) {
            self.strip_request_facts(host, &head);
            if !head.get("content-length").is_empty() {
                host.set_header(Side::Request, "content-length", Some(&body.len().to_string()));
            }
        }
        self.judged = host.now();
        Flow::Continue
    }
}

fn is_multipart(head: &Head) -> bool {
    head.kind().starts_with("multipart/")
}

/// The rule id under which `inspection` refuses.
fn reason_rule(reason: &str) -> &'static str {
    if reason == "no-policy" { "no-policy" } else { "inspection-unknown-shape" }
}

/// The trace id of a W3C `traceparent`.
fn trace_id(traceparent: &str) -> &str {
    let id = traceparent.split('-').nth(1).unwrap_or_default();
    if id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()) { id } else { "" }
}
