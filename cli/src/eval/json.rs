//! The report for programs.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::measure::{Count, Dimension, Group, Measures};
use super::print::findings_per_mb;
use super::rate::Rate;
use super::spans::Spans;
use super::{Measured, Report};
use crate::args::As;

/// The whole report.
pub fn document(report: &Report) -> Value {
    let channels: Map<String, Value> =
        report.channels.kinds.iter().map(|(k, c)| (k.clone(), json!(c.name()))).collect();
    let corpora: Vec<Value> =
        report.corpora.iter().map(|(name, rows)| json!({"corpus": name, "rows": rows})).collect();
    json!({
        "day": report.day,
        "as": report.how.word(),
        "channel": report.channels.all.name(),
        "channels": channels,
        "corpora": corpora,
        "badLines": report.bad_lines,
        "policies": report.policies.iter().map(policy).collect::<Vec<_>>(),
    })
}

fn policy(Measured { name, measures }: &Measured) -> Value {
    let by: Map<String, Value> = Dimension::ALL
        .iter()
        .map(|dimension| {
            let groups = measures.by(*dimension).iter();
            let groups: Map<String, Value> = groups.map(|(n, g)| (n.clone(), group(g))).collect();
            (dimension.word().to_owned(), Value::Object(groups))
        })
        .collect();
    let scored = measures.curve.points();
    let curve: Vec<Value> = scored
        .iter()
        .map(|p| {
            let (recall, false_alarms) = (rate(p.recall), rate(p.false_alarms));
            json!({"threshold": p.threshold, "recall": recall, "falseAlarms": false_alarms})
        })
        .collect();
    json!({
        "policy": name,
        "overall": group(&measures.overall),
        "apart": group(&measures.apart),
        "by": by,
        "rules": rules(measures),
        "curve": if curve.is_empty() { Value::Null } else { Value::Array(curve) },
        "spans": spans(&measures.spans),
        "notInspected": measures.uninspected,
        "cost": {
            "bytes": measures.bytes,
            "seconds": measures.took.as_secs_f64(),
            "megabytesPerSecond": measures.speed(),
        },
    })
}

fn group(group: &Group) -> Value {
    let of = |how| {
        json!({
            "recall": rate(group.attacks.rate(how)),
            "falseAlarms": rate(group.benign.rate(how)),
            "falseAlarmsPerThousand": scaled(group.benign.rate(how), |share| share * 1000.0),
            "falseAlarmsPerMegabyte":
                scaled(group.benign.rate(how), |share| group.benign.per_mb(share)),
            "precision": rate(group.precision(how)),
        })
    };
    json!({
        "attacks": count(&group.attacks),
        "benign": count(&group.benign),
        "flag": of(As::Flag),
        "block": of(As::Block),
    })
}

fn count(count: &Count) -> Value {
    json!({
        "texts": count.texts,
        "bytes": count.bytes,
        "flagged": count.flagged,
        "blocked": count.blocked,
        "findings": count.findings,
        "findingsPerMegabyte": (count.bytes > 0).then(|| findings_per_mb(count)),
    })
}

fn rate(rate: Rate) -> Value {
    scaled(rate, |share| share)
}

fn scaled(rate: Rate, scale: impl Fn(f64) -> f64) -> Value {
    match (rate.value(), rate.interval()) {
        (Some(share), Some((low, high))) => {
            json!({"value": scale(share), "low": scale(low), "high": scale(high)})
        }
        _ => Value::Null,
    }
}

fn rules(measures: &Measures) -> Value {
    let rows = measures.rules.iter().map(|(rule, c)| {
        json!({
            "rule": rule,
            "attacks": c.attacks,
            "attacksAlone": c.attacks_alone,
            "benign": c.benign,
            "benignAlone": c.benign_alone,
            "findingsAtPlaces": c.right,
            "falseFindings": c.wrong,
        })
    });
    rows.collect()
}

fn spans(spans: &Spans) -> Value {
    if spans.texts == 0 {
        return Value::Null;
    }
    let types: BTreeMap<&str, Value> = spans
        .by_type
        .iter()
        .map(|(name, r)| (name.as_str(), json!({"places": r.of, "recall": rate(*r)})))
        .collect();
    json!({
        "texts": spans.texts,
        "bytes": spans.bytes,
        "places": spans.found.of,
        "recall": rate(spans.found),
        "byType": types,
        "findings": spans.findings,
        "falseFindings": spans.false_findings,
        "textsWithoutPlaces": spans.empty,
        "flaggedOfThose": spans.empty_flagged,
    })
}
