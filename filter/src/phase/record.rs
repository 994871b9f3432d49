//! The end of an exchange: one record, its counters, and what is told where.

use weir_rules::policy::Subject;

use super::{Answering, Exchange};
use crate::audit::{self, Context};
use crate::dialect::Dialect;
use crate::engine::fnv;
use crate::host::{Host, Level, Refusal};
use crate::tally::Decision;

impl Exchange {
    /// Writes the record and counts, once.
    pub(super) fn finish(&mut self, host: &mut dyn Host) {
        let Some(engine) = self.engine.clone() else { return };
        if self.recorded || (self.dialect.is_none() && self.tally.faults.is_empty()) {
            return;
        }
        self.recorded = true;
        self.count(host);
        let audit = &engine.policy.spec.audit;
        let clean = self.tally.decision == Decision::Pass && self.tally.faults.is_empty();
        if clean && fnv(self.id.as_bytes()) % 100 >= u64::from(audit.clean.0) {
            return;
        }
        if self.facts.route.is_empty() {
            self.facts.route = host.property(&["xds", "route_name"]).unwrap_or_default();
        }
        let subject = |name: &Option<String>| match audit.subject {
            Subject::Plain => name.clone(),
            Subject::Pseudonym => {
                engine.rules.keys().pseudonym(audit.key.as_deref()?, name.as_deref()?)
            }
            Subject::Nothing => None,
        };
        let facts = &self.facts;
        let record = audit::record(
            &engine,
            &Context {
                time: self.began,
                id: &self.id,
                hash: &self.guard.hash,
                caller: subject(&self.caller.id),
                user: subject(&self.caller.user),
                host: &facts.host,
                route: &facts.route,
                request_id: &facts.request_id,
                trace_id: &facts.trace_id,
                dialect: self.dialect.map_or("none", Dialect::name),
                model: &facts.model,
                streamed: matches!(self.answering, Answering::Stream(_)) || self.wants_stream,
                status: &facts.status,
                request_bytes: self.request_size,
                judged: self.judged.saturating_sub(self.began),
                micros: host.now().saturating_sub(self.began),
            },
            &self.tally,
        );
        host.set_state("weir", &record);
        let tally = &self.tally;
        if tally.decision >= Decision::Reject {
            let fault = tally.faults.first().copied().unwrap_or_default();
            host.refused(Refusal {
                decision: tally.decision.word(),
                by: tally.refused_by.as_deref().unwrap_or(fault),
                record: &record,
            });
        } else {
            host.log(Level::Info, &|| format!("weir_audit {record}"));
        }
    }

    fn count(&self, host: &mut dyn Host) {
        let tally = &self.tally;
        let policy = self.policy();
        let dialect = self.dialect.map_or("none", Dialect::name);
        let decision = tally.decision.word();
        let labels = [("policy", policy), ("dialect", dialect), ("decision", decision)];
        host.count("weir_decisions", &labels, 1);
        for row in &tally.rows {
            let channel = row.channel.map_or("none", |c| c.name());
            let labels = [
                ("rule", row.rule.as_str()),
                ("channel", channel),
                ("action", row.action),
                ("mode", row.mode.word()),
            ];
            host.count("weir_findings", &labels, u64::from(row.count));
        }
        for fault in &tally.faults {
            host.count("weir_not_inspected", &[("reason", fault)], 1);
        }
        let read = self.request_size.saturating_sub(tally.media_bytes);
        for (side, inspected, bytes) in [
            ("request", "yes", read),
            ("answer", "yes", tally.answer_bytes),
            ("any", "media", tally.media_bytes),
            ("any", "no", tally.unread_bytes),
        ] {
            if bytes > 0 {
                host.count("weir_bytes", &[("side", side), ("inspected", inspected)], bytes);
            }
        }
        for (direction, tokens) in [("input", tally.tokens.input), ("output", tally.tokens.output)]
        {
            if let Some(tokens) = tokens {
                host.count("weir_tokens", &[("direction", direction)], tokens);
            }
        }
        for (name, number) in [
            ("weir_events", tally.events),
            ("weir_events_held", tally.held_events),
            ("weir_dropped_bytes", tally.dropped_bytes),
            ("weir_exceptions_lapsed", u64::from(tally.lapsed)),
        ] {
            if number > 0 {
                host.count(name, &[], number);
            }
        }
        if self.judged > self.began {
            host.observe("weir_request_judged_microseconds", self.judged - self.began);
        }
        if tally.held_micros > 0 {
            host.observe("weir_answer_held_microseconds", tally.held_micros);
        }
    }
}
