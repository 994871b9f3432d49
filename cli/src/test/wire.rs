//! Exchange cases: a recorded exchange through the pipeline, whole, at cuts and byte by byte.

use std::collections::BTreeSet;
use std::rc::Rc;

use weir_filter::Guard;
use weir_filter::sim::{Pieces, Run};

use super::body::Body;
use super::outcome::Judged;
use super::sample;
use super::suite::{ExchangeExpect, Side};
use crate::exchange::{Exchange, differences};

/// Runs an exchange under a policy and judges what it comes to. `pointer` is the case's.
pub fn run(
    guard: &Rc<Guard>,
    exchange: &Exchange,
    expect: &ExchangeExpect,
    absent: &[String],
    pointer: &str,
) -> Judged {
    let mut judged = Judged::default();
    let whole = exchange.run_whole(guard);
    judged.runs = 1;
    compare(&whole, expect, absent, pointer, &mut judged);
    for (name, pieces) in cuts(exchange) {
        judged.runs += 1;
        let run = exchange.run(guard, pieces);
        let parts = differences(&run, &whole);
        if !parts.is_empty() {
            judged.differs(name, &parts.join(", "));
        }
    }
    judged
}

fn cuts(exchange: &Exchange) -> impl Iterator<Item = (String, (Pieces, Pieces))> {
    let requests = sample::cuts(exchange.request.body.len())
        .map(|at| (format!("the request is cut at byte {at}"), (Pieces::At(at), Pieces::Whole)));
    let answers = sample::cuts(exchange.answer.body.len())
        .map(|at| (format!("the response is cut at byte {at}"), (Pieces::Whole, Pieces::At(at))));
    let bytes = ("they come byte by byte".to_owned(), (Pieces::Every(1), Pieces::Every(1)));
    requests.chain(answers).chain(std::iter::once(bytes))
}

fn compare(
    run: &Run,
    expect: &ExchangeExpect,
    absent: &[String],
    pointer: &str,
    judged: &mut Judged,
) {
    let at = |field: &str| format!("{pointer}/expect/{field}");
    if let Some(wanted) = &expect.decision {
        let got = run.tally.decision.word();
        judged.compare("decision", at("decision"), wanted, &because(got, run));
    }
    let fired: BTreeSet<&str> = run.tally.rows.iter().map(|row| row.rule.as_str()).collect();
    if let Some(rules) = &expect.rules {
        for (index, rule) in rules.iter().enumerate() {
            if !fired.contains(rule.as_str()) {
                judged.wrong(
                    "rules",
                    at(&format!("rules/{index}")),
                    format!("{rule} found nothing"),
                );
            }
        }
        for rule in fired.iter().filter(|fired| !rules.iter().any(|rule| rule == *fired)) {
            judged.wrong("rules", at("rules"), format!("{rule} also found something"));
        }
    }
    for (index, rule) in absent.iter().enumerate() {
        if fired.contains(rule.as_str()) {
            let reason = format!("{rule} must find nothing");
            judged.wrong("absent", at(&format!("absent/{index}")), reason);
        }
    }
    if let Some(wanted) = &expect.status {
        let headers = &run.client.headers;
        let got =
            headers.iter().find(|(name, _)| name == ":status").map(|(_, value)| value.as_str());
        judged.compare("status", at("status"), wanted, got.unwrap_or("none"));
    }
    let sent = run.upstream.1.as_deref();
    if let Some(body) = expect.upstream_sees {
        let word = |sees| if sees { "Body" } else { "Nothing" };
        judged.compare("upstreamSees", at("upstreamSees"), word(body), word(sent.is_some()));
    }
    let upstream = Body::read(sent.unwrap_or_default());
    let client = Body::read(&run.client.body);
    for parts in &expect.parts {
        let body = if parts.side == Side::Upstream { &upstream } else { &client };
        for (index, text) in parts.texts.iter().enumerate() {
            if body.has(text) != parts.wanted {
                let reason = if parts.wanted { "it is not there" } else { "it is there" };
                judged.wrong(
                    parts.field,
                    at(&format!("{}/{index}", parts.field)),
                    reason.to_owned(),
                );
            }
        }
    }
}

/// A decision with why something was not inspected, which explains most that surprise.
fn because(word: &str, run: &Run) -> String {
    if run.record.is_empty() {
        return format!("{word} (not read: host and path are not the policy's traffic)");
    }
    match run.tally.faults.as_slice() {
        [] => word.to_owned(),
        faults => format!("{word} (not inspected: {})", faults.join(", ")),
    }
}
