//! The report for people, as text and Markdown at once.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::io::{self, Write};

use super::measure::{APART, Count, Dimension, Group, Measures, RuleCount};
use super::rate::Rate;
use super::table::{Table, interval, scaled, short, whole};
use super::{Measured, Report};
use crate::args::As;

/// Groups of fewer texts than this are shown together, or of fewer than one in 500 where rows are few.
const FEW: u64 = 20;
/// Thresholds that a table of the curve has.
const STEPS: usize = 20;

/// Prints all tables.
pub fn report(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for line in head(report) {
        writeln!(out, "{line}")?;
    }
    for (title, table) in tables(report) {
        table.print(&title, out)?;
    }
    Ok(())
}

/// What was measured, in lines.
pub fn head(report: &Report) -> Vec<String> {
    let corpora: Vec<String> =
        report.corpora.iter().map(|(name, rows)| format!("{name} ({})", whole(*rows))).collect();
    let kinds: String =
        report.channels.kinds.iter().map(|(kind, c)| format!(", {kind} in {c}")).collect();
    let mut lines = vec![
        format!(
            "{} {} of {}, {}",
            whole(report.rows()),
            if report.rows() == 1 { "row" } else { "rows" },
            corpora.join(", "),
            report.day
        ),
        format!(
            "read in {}{kinds}; {}; intervals are Wilson's, of 95%",
            report.channels.all,
            match report.how {
                As::Flag => "what has a finding is flagged",
                As::Block => "what would be refused is flagged",
            }
        ),
    ];
    if report.bad_lines > 0 {
        lines.push(format!("{} lines are no rows", whole(report.bad_lines)));
    }
    lines
}

/// All tables with their titles; those of nothing are empty.
pub fn tables(report: &Report) -> Vec<(String, Table)> {
    let mut tables = vec![("All texts".to_owned(), overall(report))];
    for dimension in Dimension::ALL {
        tables.push((format!("By {}", dimension.word()), groups(report, dimension)));
    }
    let apart = "Attacks that a text alone hardly shows, counted in no other table".to_owned();
    tables.push((apart, kinds_apart(report)));
    for Measured { name, measures } in &report.policies {
        let of = |what: &str| titled(report, what, name);
        tables.push((of("Texts with a finding, by rule"), rules(measures)));
        tables.push((of("Thresholds of the score"), curve(measures)));
        tables.push((of("Places found, by type"), span_types(measures)));
        tables.push((of("Findings at no place, by rule"), span_rules(measures)));
    }
    tables
}

fn titled(report: &Report, what: &str, policy: &str) -> String {
    if report.policies.len() > 1 { format!("{what}: {policy}") } else { what.to_owned() }
}

fn head_of(columns: &[&str]) -> Table {
    Table::new(columns.iter().map(|c| (*c).to_owned()))
}

fn overall(report: &Report) -> Table {
    let mut table = head_of(&[
        "policy",
        "attacks",
        "recall",
        "benign",
        "false alarms per 1,000",
        "per MB",
        "precision",
        "findings per benign MB",
        "MB/s",
    ]);
    for Measured { name, measures } in &report.policies {
        for how in [As::Flag, As::Block] {
            let Group { attacks, benign } = measures.overall;
            let found = attacks.rate(how).hits + benign.rate(how).hits > 0;
            if how != report.how && !found {
                continue;
            }
            table.row([
                format!("{name}, {}", how.word()),
                whole(attacks.texts),
                interval(attacks.rate(how)),
                whole(benign.texts),
                per_thousand(&benign, how),
                scaled(benign.rate(how), |share| benign.per_mb(share)),
                if attacks.texts == 0 { dash() } else { interval(measures.overall.precision(how)) },
                if benign.bytes == 0 { dash() } else { short(findings_per_mb(&benign)) },
                short(measures.speed()),
            ]);
        }
    }
    table
}

/// Findings for each MB of texts.
pub fn findings_per_mb(count: &Count) -> f64 {
    count.findings as f64 / (count.bytes as f64 / 1e6).max(f64::MIN_POSITIVE)
}

fn dash() -> String {
    "–".to_owned()
}

fn per_thousand(count: &Count, how: As) -> String {
    scaled(count.rate(how), |share| share * 1000.0)
}

/// The names of a dimension over all policies, those with most texts first. The second part has those with few.
pub fn names(report: &Report, dimension: Dimension) -> (Vec<&str>, Vec<&str>) {
    let all = report.policies.iter().flat_map(|p| p.measures.by(dimension));
    let mut seen = BTreeSet::new();
    let mut names: Vec<(u64, &str)> = all
        .map(|(name, group)| (group.attacks.texts + group.benign.texts, name.as_str()))
        .filter(|(_, name)| seen.insert(*name))
        .filter(|(_, name)| dimension != Dimension::Kind || !APART.contains(name))
        .collect();
    names.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    let least = least(report);
    let cut = names.partition_point(|(texts, _)| *texts >= least);
    // One alone needs no other name.
    let cut = if names.len() - cut < 2 { names.len() } else { cut };
    let few = names.split_off(cut);
    let name = |(_, name): (u64, _)| name;
    (names.into_iter().map(name).collect(), few.into_iter().map(name).collect())
}

/// How many texts a group has that is shown by itself.
pub fn least(report: &Report) -> u64 {
    (report.rows() / 500).clamp(1, FEW)
}

/// What a policy made of some groups together.
pub fn sum(measures: &Measures, dimension: Dimension, names: &[&str]) -> Group {
    let mut sum = Group::default();
    for group in names.iter().filter_map(|name| measures.by(dimension).get(*name)) {
        for (all, one) in [(&mut sum.attacks, &group.attacks), (&mut sum.benign, &group.benign)] {
            all.texts += one.texts;
            all.bytes += one.bytes;
            all.flagged += one.flagged;
            all.blocked += one.blocked;
            all.findings += one.findings;
        }
    }
    sum
}

fn groups(report: &Report, dimension: Dimension) -> Table {
    let (many, few) = names(report, dimension);
    let mut rows: Vec<(String, Vec<&str>)> =
        many.into_iter().map(|name| (name.to_owned(), vec![name])).collect();
    if !few.is_empty() {
        rows.push((format!("{} others, fewer than {} texts each", few.len(), least(report)), few));
    }
    group_table(report, dimension, &rows)
}

fn kinds_apart(report: &Report) -> Table {
    let known = |kind: &&str| {
        report.policies.iter().any(|p| p.measures.by(Dimension::Kind).contains_key(*kind))
    };
    let rows: Vec<(String, Vec<&str>)> =
        APART.into_iter().filter(known).map(|kind| (kind.to_owned(), vec![kind])).collect();
    group_table(report, Dimension::Kind, &rows)
}

fn group_table(report: &Report, dimension: Dimension, rows: &[(String, Vec<&str>)]) -> Table {
    let policies = &report.policies;
    let of = |what: &str, policy: &Measured| {
        if policies.len() > 1 { format!("{}: {what}", policy.name) } else { what.to_owned() }
    };
    let sums = |names: &[&str]| -> Vec<Group> {
        policies.iter().map(|p| sum(&p.measures, dimension, names)).collect()
    };
    let side = |attacks: bool| {
        rows.iter().any(|(_, names)| {
            let first = sums(names).first().copied().unwrap_or_default();
            (if attacks { first.attacks } else { first.benign }).texts > 0
        })
    };
    let (attacks, benign) = (side(true), side(false));
    let mut head = vec![dimension.word().to_owned()];
    if attacks {
        head.push("attacks".to_owned());
        head.extend(policies.iter().map(|p| of("recall", p)));
    }
    if benign {
        head.push("benign".to_owned());
        head.extend(policies.iter().map(|p| of("false alarms per 1,000", p)));
    }
    let mut table = Table::new(head);
    for (name, names) in rows {
        let sums = sums(names);
        let first = sums.first().copied().unwrap_or_default();
        let mut cells = vec![name.clone()];
        if attacks {
            cells.push(whole(first.attacks.texts));
            cells.extend(sums.iter().map(|g| interval(g.attacks.rate(report.how))));
        }
        if benign {
            cells.push(whole(first.benign.texts));
            cells.extend(sums.iter().map(|g| per_thousand(&g.benign, report.how)));
        }
        table.row(cells);
    }
    table
}

/// Rules by how much benign text they flag, the noisiest first.
pub fn noisiest(measures: &Measures) -> Vec<(&str, RuleCount)> {
    let fired = |c: &RuleCount| c.attacks + c.benign > 0;
    let mut rules: Vec<(&str, RuleCount)> =
        measures.rules.iter().filter(|(_, c)| fired(c)).map(|(r, c)| (r.as_str(), *c)).collect();
    rules.sort_by_key(|(_, count)| Reverse((count.benign, count.attacks)));
    rules
}

fn rules(measures: &Measures) -> Table {
    let mut table = head_of(&[
        "rule",
        "attacks",
        "no other rule",
        "benign",
        "no other rule",
        "per 1,000 benign",
        "precision",
    ]);
    let benign = measures.overall.benign.texts;
    let attacks = measures.overall.attacks.texts;
    for (rule, count) in noisiest(measures) {
        let right = Rate { hits: count.attacks, of: count.attacks + count.benign };
        table.row([
            rule.to_owned(),
            whole(count.attacks),
            whole(count.attacks_alone),
            whole(count.benign),
            whole(count.benign_alone),
            scaled(Rate { hits: count.benign, of: benign }, |share| share * 1000.0),
            if attacks == 0 { dash() } else { interval(right) },
        ]);
    }
    table
}

fn curve(measures: &Measures) -> Table {
    let mut table = head_of(&["threshold", "recall", "false alarms per 1,000"]);
    let points = measures.curve.points();
    for point in points.iter().step_by(points.len().div_ceil(STEPS).max(1)) {
        table.row([
            point.threshold.to_string(),
            interval(point.recall),
            scaled(point.false_alarms, |share| share * 1000.0),
        ]);
    }
    table
}

fn span_types(measures: &Measures) -> Table {
    let mut table = head_of(&["type", "places", "recall"]);
    let spans = &measures.spans;
    if spans.texts == 0 {
        return table;
    }
    let mut types: Vec<(&String, &Rate)> = spans.by_type.iter().collect();
    types.sort_by(|a, b| b.1.of.cmp(&a.1.of).then(a.0.cmp(b.0)));
    table.row(["all".to_owned(), whole(spans.found.of), interval(spans.found)]);
    for (name, rate) in types {
        table.row([name.clone(), whole(rate.of), interval(*rate)]);
    }
    table
}

fn span_rules(measures: &Measures) -> Table {
    let mut table = head_of(&["rule", "at a place", "at none", "at none, per MB"]);
    let spans = &measures.spans;
    if spans.texts == 0 {
        return table;
    }
    let per_mb = |n: u64| short(n as f64 / (spans.bytes as f64 / 1e6).max(f64::MIN_POSITIVE));
    let right = spans.findings - spans.false_findings;
    let all = spans.false_findings;
    table.row(["all".to_owned(), whole(right), whole(all), per_mb(all)]);
    let texts = Rate { hits: spans.empty_flagged, of: spans.empty };
    table.row([
        format!("of {} texts without a place", whole(spans.empty)),
        dash(),
        format!("{} texts", whole(texts.hits)),
        dash(),
    ]);
    let mut rules: Vec<(&String, &RuleCount)> =
        measures.rules.iter().filter(|(_, c)| c.right + c.wrong > 0).collect();
    rules.sort_by_key(|(_, count)| Reverse(count.wrong));
    for (rule, count) in rules {
        table.row([rule.clone(), whole(count.right), whole(count.wrong), per_mb(count.wrong)]);
    }
    table
}
