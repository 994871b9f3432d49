//! The answer side of an exchange.

use weir_rules::policy::{OnViolation, RefusalForm};

use super::{Answering, Exchange, MAX_IN_PLACE};
use crate::answer::stream::Seen;
use crate::answer::{JsonAnswer, Stop, StreamAnswer};
use crate::ending;
use crate::head::Head;
use crate::host::{Flow, Host, Side};
use crate::tally::Decision;

impl Exchange {
    /// Answer headers arrived; `end` says that no body follows.
    pub fn answer_headers(&mut self, host: &mut dyn Host, end: bool) -> Flow {
        if self.replied {
            return Flow::Continue;
        }
        let head = host.headers(Side::Answer);
        if !is_of_upstream(host, &head) {
            return Flow::Continue;
        }
        head.strip_weir(host, Side::Answer);
        let (Some(dialect), Some(engine)) = (self.dialect, self.engine.clone()) else {
            if self.is_named() {
                self.answering = Answering::Unread;
            }
            return Flow::Continue;
        };
        let status = head.get(":status");
        let bodiless = self.head_request || matches!(status, "204" | "304");
        if status.starts_with('1') {
            if status == "101" {
                self.answering = Answering::Unread;
            }
            return Flow::Continue;
        }
        self.facts.status = status.to_owned();
        if end || bodiless {
            return Flow::Continue;
        }
        if head.encoding().is_some() {
            return self.answer_uninspectable(host, &head, "answer-encoding");
        }
        let mut whole = false;
        if head.kind() == "text/event-stream" {
            let stream = StreamAnswer::new(engine.clone(), dialect);
            self.answering = Answering::Stream(Box::new(stream));
        } else if head.is_json() {
            let mut json = JsonAnswer::new(engine.clone(), dialect);
            json.expect(head.length().unwrap_or(0));
            whole = json.is_whole();
            self.answering = Answering::Json(Box::new(json));
        } else {
            return self.answer_uninspectable(host, &head, "answer-content-type");
        }
        if engine.edits_answers {
            head.strip_body_facts(host, Side::Answer);
        }
        if whole {
            let fits = head.length().unwrap_or(0) <= engine.policy.spec.limits.paused.bytes();
            self.holds_answer_head = fits && engine.policy.spec.hold_headers;
            // Whoever holds heads has set the proxy's limits for it. Setting more than the proxy's limit on a paused
            // answer kills Envoy 1.36 to 1.40.
            let most = if self.holds_answer_head { u64::MAX } else { MAX_IN_PLACE };
            self.answer_body = self.body(host, &head, self.holds_answer_head, most);
        }
        if self.holds_answer_head { Flow::Pause } else { Flow::Continue }
    }

    fn answer_uninspectable(
        &mut self,
        host: &mut dyn Host,
        head: &Head,
        reason: &'static str,
    ) -> Flow {
        self.tally.fault(reason);
        if self.fails_open() {
            self.tally.reach(Decision::Audit);
            self.answering = Answering::Unread;
            return Flow::Continue;
        }
        self.tally.reach(Decision::Fail);
        self.answering = Answering::Over;
        // An error stays the error that it was; only its unreadable text goes.
        let status = head.get(":status").parse().ok();
        let status: u16 = status.filter(|s| (400..600).contains(s)).unwrap_or(502);
        let message = format!("The answer could not be inspected. Decision {}.", self.id);
        let body = self.dialect.map(|d| ending::error(d, status, &message, &self.id));
        self.reply(host, status, "application/json", &body.unwrap_or_default());
        Flow::Continue
    }

    /// More of the answer's body is buffered: `size` bytes; `end` says that it is complete.
    pub fn answer_body(&mut self, host: &mut dyn Host, size: usize, end: bool) -> Flow {
        match self.answering {
            _ if self.replied => return Flow::Continue,
            Answering::Passing => return Flow::Continue,
            Answering::Unread => return self.passes_unread(size),
            _ => {}
        }
        if std::mem::take(&mut self.cuts) && !end {
            // The ending has left with the callback before this one.
            self.finish(host);
            host.reset(Side::Answer);
            return Flow::Pause;
        }
        let Ok(chunk) = self.answer_body.take(host, Side::Answer, size) else {
            self.tally.fault("host");
            host.reset(Side::Answer);
            return Flow::Pause;
        };
        let mut out = Vec::new();
        if self.read_answer(host, &chunk, end, &mut out) {
            return Flow::Pause;
        }
        let whole = match &self.answering {
            Answering::Json(json) if json.is_whole() => Some(json),
            _ => None,
        };
        let stays = match whole {
            // Another Weir collects the body first: pausing now would bring all of it at once into a paused buffer.
            Some(json) if json.held() == 0 && !end => !self.holds_answer_head,
            Some(json) => end && !json.is_edited() && !self.answer_body.is_away(),
            None => out == chunk,
        };
        if stays {
            if end {
                self.finish(host);
            }
            return Flow::Continue;
        }
        let Some(json) = whole.filter(|_| !end) else {
            return self.write_answer(host, &out, end);
        };
        let held = json.held() as u64;
        let flow = self.answer_body.collecting(host, Side::Answer, held).unwrap_or_else(|_| {
            host.reset(Side::Answer);
            Flow::Pause
        });
        self.holds_answer_head &= flow == Flow::Pause;
        flow
    }

    fn write_answer(&mut self, host: &mut dyn Host, out: &[u8], end: bool) -> Flow {
        if self.answer_body.write(host, Side::Answer, out).is_err() {
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
        if self.replied || matches!(self.answering, Answering::Passing | Answering::Unread) {
            return Flow::Continue;
        }
        let mut out = Vec::new();
        if self.read_answer(host, &[], true, &mut out) {
            return Flow::Pause;
        }
        if out.is_empty() || self.answer_body.write(host, Side::Answer, &out).is_ok() {
            self.finish(host);
            return Flow::Continue;
        }
        // The buffer is gone, and what was held with it.
        self.tally.fault("trailers");
        self.tally.reach(Decision::Fail);
        self.tally.dropped_bytes = self.tally.dropped_bytes.saturating_add(out.len() as u64);
        self.finish(host);
        if matches!(self.answering, Answering::Stream(_)) {
            // An event that was never ended: clients drop it too.
            return Flow::Continue;
        }
        // A reset in this callback kills Envoy 1.36 to 1.40 where the client speaks HTTP/1: the tick does it.
        self.answering = Answering::Over;
        self.cuts = true;
        Flow::Pause
    }

    /// Reads the next piece and appends what may leave; `true` if the client has been answered from here instead.
    fn read_answer(
        &mut self,
        host: &mut dyn Host,
        chunk: &[u8],
        end: bool,
        out: &mut Vec<u8>,
    ) -> bool {
        let tally = &mut self.tally;
        let result = match &mut self.answering {
            Answering::Passing | Answering::Unread | Answering::Over => Ok(()),
            Answering::Json(json) => json.write(chunk, out, tally).and_then(|()| match end {
                true => json.end(out, tally),
                false => Ok(()),
            }),
            Answering::Stream(stream) => {
                let now = host.now();
                stream.write(chunk, now, out, tally).and_then(|()| match end {
                    true => stream.end(now, out, tally),
                    false => Ok(()),
                })
            }
        };
        match result {
            Ok(()) => false,
            Err(stop) => self.stop_answer(host, stop, end, out),
        }
    }

    /// One place decides what an answer means that is refused or cannot be inspected.
    fn stop_answer(
        &mut self,
        host: &mut dyn Host,
        stop: Stop,
        end: bool,
        out: &mut Vec<u8>,
    ) -> bool {
        match stop {
            Stop::Fault(fault) => {
                self.tally.fault(fault.word());
                if self.fails_open() {
                    self.tally.reach(Decision::Audit);
                    let held = match std::mem::replace(&mut self.answering, Answering::Unread) {
                        Answering::Json(mut json) => json.surrender(),
                        Answering::Stream(mut stream) => stream.surrender(&mut self.tally),
                        _ => Vec::new(),
                    };
                    self.passes_unread(held.len());
                    out.extend(held);
                    return false;
                }
                self.tally.reach(Decision::Fail);
            }
            Stop::Refused => self.tally.reach(Decision::Reject),
        }
        let (Some(dialect), Some(engine)) = (self.dialect, self.engine.clone()) else {
            return false;
        };
        let message = self.message();
        let refusal = &engine.policy.spec.refusal;
        let shown = refusal.as_ == RefusalForm::Completion;
        let answering = std::mem::replace(&mut self.answering, Answering::Over);
        if self.holds_answer_head && !shown {
            // Nothing has been sent: the refusal can say so with its status.
            let failed = self.tally.decision == Decision::Fail;
            let status = if failed { 502 } else { refusal.status };
            let body = ending::error(dialect, status, &message, &self.id);
            self.reply(host, status, "application/json", &body);
            return true;
        }
        let about = self.about(shown.then_some(message.as_str()));
        match answering {
            Answering::Stream(stream) => {
                let seen: &Seen = &stream.seen;
                out.extend_from_slice(ending::stream(dialect, seen, &about).as_bytes());
                self.cuts = !end && engine.policy.spec.on_violation == OnViolation::Cut;
            }
            Answering::Json(json) if json.is_whole() => {
                out.extend_from_slice(ending::completion(dialect, &about).as_bytes());
            }
            _ => {}
        }
        false
    }
}

/// Whether the answer is the upstream's. The proxy's own words, such as `upstream connect error`, and another filter's
/// refusal are nobody's answer. Envoy's router marks what comes from upstream; where it is told not to, one has to ask.
fn is_of_upstream(host: &dyn Host, head: &Head) -> bool {
    if head.has("x-envoy-upstream-service-time") {
        return true;
    }
    let details = host.property(&["response", "code_details"]).unwrap_or_default();
    matches!(details.as_str(), "" | "via_upstream")
}
