//! The report as one page: no script, no network, plots as inline SVG.

mod escape;
mod plot;

use super::measure::{APART, Dimension, Measures};
use super::print::{self, noisiest, sum};
use super::rate::Rate;
use super::table::{Table, short, whole};
use super::{Measured, Report};
use escape::escape;
use plot::{Axis, Mark, Row};

/// How the page looks, light and dark.
const STYLE: &str = include_str!("page.css");
/// Rows that a plot of groups or rules has; the tables have all.
const MOST: usize = 24;

/// The page.
pub fn page(report: &Report) -> String {
    let head: Vec<String> = print::head(report).iter().map(|line| escape(line)).collect();
    let mut body = format!(
        "<header><h1>What it finds, and what it flags</h1><p class=\"meta\">{}</p></header>\n",
        head.join("<br>")
    );
    body.push_str(&cards(report));
    body.push_str(&legend(report));
    let plots = [curve(report), kinds(report), apart(report), languages(report)];
    let more = [encodings(report), alarms(report), sources(report), rules(report), places(report)];
    for plot in plots.into_iter().chain(more).flatten() {
        body.push_str(&plot);
    }
    body.push_str("<section><h2>Tables</h2>\n");
    for (title, table) in print::tables(report).iter().filter(|(_, table)| !table.is_empty()) {
        body.push_str(&details(title, table));
    }
    body.push_str("</section>\n");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>weir eval, {}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n{body}</main>\n\
         </body>\n</html>\n",
        escape(&report.day),
        STYLE
    )
}

/// The figures of each policy, large.
fn cards(report: &Report) -> String {
    let mut out = String::from("<div class=\"cards\">\n");
    for (at, Measured { name, measures }) in report.policies.iter().enumerate() {
        let how = report.how;
        let group = measures.overall;
        let mut figures = Vec::new();
        if group.attacks.texts > 0 {
            figures
                .push(share("recall", group.attacks.rate(how), &|n| format!("{:.1}%", n * 100.0)));
        }
        if group.benign.texts > 0 {
            let alarms = group.benign.rate(how);
            figures.push(share("false alarms per 1,000 texts", alarms, &|n| short(n * 1000.0)));
        }
        if group.attacks.texts > 0 && group.benign.texts > 0 {
            let right = group.precision(how);
            figures.push(share("precision, in this mix", right, &|n| format!("{:.1}%", n * 100.0)));
        }
        if measures.spans.texts > 0 {
            let found = measures.spans.found;
            figures.push(share("of marked places found", found, &|n| format!("{:.1}%", n * 100.0)));
        }
        figures.push(figure("MB a second", &short(measures.speed()), "one core, here"));
        out.push_str(&format!(
            "<section class=\"card c{}\"><h2>{}</h2><dl>{}</dl></section>\n",
            at % plot::COLOURS,
            escape(name),
            figures.concat()
        ));
    }
    out.push_str("</div>\n");
    out
}

fn share(what: &str, rate: Rate, show: &dyn Fn(f64) -> String) -> String {
    match (rate.value(), rate.interval()) {
        (Some(value), Some((low, high))) => {
            let of = format!(
                "{} to {}; {} of {}",
                show(low),
                show(high),
                whole(rate.hits),
                whole(rate.of)
            );
            figure(what, &show(value), &of)
        }
        _ => String::new(),
    }
}

fn figure(what: &str, value: &str, below: &str) -> String {
    format!("<div><dt>{what}</dt><dd>{value}<small>{below}</small></dd></div>")
}

/// Which colour is which policy; one alone needs none.
fn legend(report: &Report) -> String {
    if report.policies.len() < 2 {
        return String::new();
    }
    let entry = |(at, policy): (usize, &Measured)| {
        format!("<li class=\"c{}\"><i></i>{}</li>", at % plot::COLOURS, escape(&policy.name))
    };
    let entries: String = report.policies.iter().enumerate().map(entry).collect();
    format!("<ul class=\"legend\">{entries}</ul>\n")
}

/// A mark for each policy.
fn marks<'r>(report: &'r Report, of: impl Fn(&'r Measures) -> Rate) -> Vec<Mark> {
    report.policies.iter().map(|policy| Mark::of(of(&policy.measures))).collect()
}

fn recall(report: &Report, dimension: Dimension, names: &[&str]) -> Vec<Row> {
    let row = |name: &&str| {
        let of = |m: &Measures| sum(m, dimension, &[name]).attacks.rate(report.how);
        Row { name: (*name).to_owned(), marks: marks(report, of) }
    };
    names.iter().map(row).filter(Row::counts).take(MOST).collect()
}

fn kinds(report: &Report) -> Option<String> {
    let (names, few) = print::names(report, Dimension::Kind);
    let rows = recall(report, Dimension::Kind, &[names, few].concat());
    plot::dots("Recall by kind of attack", "the bar is the 95% interval", &rows, &Axis::share())
}

fn apart(report: &Report) -> Option<String> {
    let rows = recall(report, Dimension::Kind, &APART);
    let words = "an instruction that is wrong only in its context, or an optimised suffix; \
                 counted nowhere else";
    plot::dots("What a text alone hardly shows", words, &rows, &Axis::share())
}

fn languages(report: &Report) -> Option<String> {
    let mut rows =
        recall(report, Dimension::Language, &print::names(report, Dimension::Language).0);
    rows.sort_by_key(|row| std::cmp::Reverse(row.texts()));
    let words = match print::least(report) {
        1 => "those with most attacks first".to_owned(),
        least => format!("languages with at least {least} texts, those with most attacks first"),
    };
    plot::dots("Recall by language", &words, &rows, &Axis::share())
}

fn encodings(report: &Report) -> Option<String> {
    let (names, few) = print::names(report, Dimension::Encoding);
    let mut rows = recall(report, Dimension::Encoding, &[names, few].concat());
    rows.sort_by(|a, b| b.first().total_cmp(&a.first()));
    plot::dots("Recall by encoding", "best first", &rows, &Axis::share())
}

/// False alarms by `dimension`, the most first.
fn false_alarms(report: &Report, dimension: Dimension) -> Vec<Row> {
    let names = print::names(report, dimension).0;
    let row = |name: &&str| {
        let of = |m: &Measures| sum(m, dimension, &[name]).benign.rate(report.how);
        Row { name: (*name).to_owned(), marks: marks(report, of) }
    };
    let mut rows: Vec<Row> = names.iter().map(row).filter(Row::counts).collect();
    rows.sort_by(|a, b| b.first().total_cmp(&a.first()));
    rows.truncate(MOST);
    rows
}

fn alarms(report: &Report) -> Option<String> {
    let rows = false_alarms(report, Dimension::Kind);
    let words = "for each 1,000 benign texts of the kind";
    plot::dots("False alarms by kind of text", words, &rows, &Axis::thousand(&rows))
}

fn sources(report: &Report) -> Option<String> {
    let rows = false_alarms(report, Dimension::Source);
    let words = "for each 1,000 benign texts of the source";
    plot::dots("False alarms by source", words, &rows, &Axis::thousand(&rows))
}

fn rules(report: &Report) -> Option<String> {
    let mut out = String::new();
    for (at, Measured { name, measures }) in report.policies.iter().enumerate() {
        let noisy: Vec<_> =
            noisiest(measures).into_iter().filter(|(_, count)| count.benign > 0).collect();
        let bars: Vec<(String, u64, u64)> = noisy
            .iter()
            .take(MOST)
            .map(|(rule, count)| ((*rule).to_owned(), count.benign_alone, count.benign))
            .collect();
        let several = report.policies.len() > 1;
        let title = if several {
            format!("False alarms by rule: {name}")
        } else {
            "False alarms by rule".to_owned()
        };
        let words = "benign texts that the rule flags; the full part is flagged by no other rule";
        out.push_str(&plot::bars(&title, words, at, &bars).unwrap_or_default());
    }
    Some(out)
}

fn places(report: &Report) -> Option<String> {
    let mut types: Vec<(u64, &String)> = Vec::new();
    for policy in &report.policies {
        for (name, rate) in &policy.measures.spans.by_type {
            if !types.iter().any(|(_, known)| *known == name) {
                types.push((rate.of, name));
            }
        }
    }
    types.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    let row = |(_, name): &(u64, &String)| Row {
        name: (*name).clone(),
        marks: marks(report, |m| m.spans.by_type.get(*name).copied().unwrap_or_default()),
    };
    let rows: Vec<Row> = types.iter().take(MOST).map(row).collect();
    let words = "a place is found where a finding touches it";
    plot::dots("Marked places found, by type", words, &rows, &Axis::share())
}

fn curve(report: &Report) -> Option<String> {
    let lines: Vec<Vec<(f64, f64)>> = report
        .policies
        .iter()
        .map(|policy| {
            let share = |rate: Rate| rate.value().unwrap_or_default();
            let points = policy.measures.curve.points();
            points.iter().map(|p| (share(p.false_alarms), share(p.recall))).collect()
        })
        .collect();
    plot::curve("Recall against false alarms, over all thresholds of the score", &lines)
}

fn details(title: &str, table: &Table) -> String {
    let mut out =
        format!("<details><summary>{}</summary><div class=\"wide\"><table>", escape(title));
    for (at, row) in table.rows().iter().enumerate() {
        let tag = if at == 0 { "th" } else { "td" };
        let cells: String =
            row.iter().map(|cell| format!("<{tag}>{}</{tag}>", escape(cell))).collect();
        out.push_str(&format!("<tr>{cells}</tr>"));
    }
    out.push_str("</table></div></details>\n");
    out
}
