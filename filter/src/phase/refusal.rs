//! How an exchange is refused, in the caller's own dialect.

use weir_rules::policy::{RefusalForm, Reveal};

use super::{Exchange, Requesting};
use crate::dialect::Dialect;
use crate::ending::{self, About};
use crate::host::Host;
use crate::tally::Decision;

/// Details of our own replies in Envoy's access log begin with this.
pub const DETAILS: &str = "weir{";

impl Exchange {
    /// What the client is told, if the policy's refusal shows a text.
    pub(super) fn message(&self) -> String {
        let refusal = self.engine.as_ref().map(|e| &e.policy.spec.refusal);
        match refusal.and_then(|r| r.message.as_ref()) {
            Some(text) => text.replace("{decisionId}", &self.id),
            None => format!("The request was blocked by policy. Decision {}.", self.id),
        }
    }

    pub(super) fn about<'a>(&'a self, message: Option<&'a str>) -> About<'a> {
        let model = &self.facts.model;
        About { id: &self.id, model, message, created: self.began / 1_000_000 }
    }

    /// Answers the client in the place of the upstream. `status` is of an error that is no refusal.
    pub(super) fn refuse_request(&mut self, host: &mut dyn Host, status: Option<u16>) {
        let Some(engine) = self.engine.clone() else { return };
        let refusal = &engine.policy.spec.refusal;
        let dialect = self.dialect.unwrap_or(Dialect::OpenAIChat);
        let failed = self.tally.decision == Decision::Fail;
        let message = self.message();
        let completes = refusal.as_ == RefusalForm::Completion && !failed && self.dialect.is_some();
        let about = self.about(Some(&message));
        let (status, kind, body) = if !completes {
            let status = status.unwrap_or(refusal.status);
            (status, "application/json", ending::error(dialect, status, &message, &self.id))
        } else if self.wants_stream {
            (200, "text/event-stream", ending::completion_stream(dialect, &about))
        } else {
            (200, "application/json", ending::completion(dialect, &about))
        };
        self.requesting = Requesting::Refused;
        self.reply(host, status, kind, &body);
    }

    /// Sends a reply of our own; nothing of the upstream's reaches the client any more.
    pub(super) fn reply(&mut self, host: &mut dyn Host, status: u16, kind: &str, body: &str) {
        let word = if self.tally.decision == Decision::Fail { "fail" } else { "reject" };
        let rule = self.tally.refused_by.clone().unwrap_or_default();
        let reason = self.tally.faults.first().copied().unwrap_or_default();
        let id = self.id.clone();
        let mut headers =
            vec![("content-type", kind), ("x-weir-decision", word), ("x-weir-id", id.as_str())];
        let reveals = self.engine.as_ref().map(|e| e.policy.spec.refusal.reveal);
        if reveals == Some(Reveal::Rule) && !rule.is_empty() {
            headers.push(("x-weir-rule", rule.as_str()));
        }
        let by = if rule.is_empty() { reason } else { &rule };
        let details = format!("{DETAILS}{word}:{by}}}");
        self.replied = true;
        host.reply(u32::from(status), &headers, body.as_bytes(), &details);
        self.facts.status = status.to_string();
        self.finish(host);
    }
}
