//! A comparison for people, as JSON, and as Markdown for a comment on the change.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::Comparison;
use super::change::{Change, Weight, shorten};
use super::replayed::{Replayed, Seen, Shift};

/// Lines of one kind in a report for people; more are only counted.
const SHOWN: usize = 50;
/// Rules of one exchange that are told.
const ROWS: usize = 3;

/// Lines below headings, with a mark before each.
struct Style {
    heading: &'static str,
    item: &'static str,
    /// Around names and places.
    quote: &'static str,
}

const PLAIN: Style = Style { heading: "", item: "  ", quote: "" };
const MARKDOWN: Style = Style { heading: "### ", item: "- ", quote: "`" };

/// For people at a terminal.
pub fn human(comparison: &Comparison, out: &mut dyn Write) -> io::Result<()> {
    written(comparison, &PLAIN, out)
}

/// For a comment on a change.
pub fn markdown(comparison: &Comparison, out: &mut dyn Write) -> io::Result<()> {
    let verdict = if comparison.is_weaker() { "weaker" } else { "not weaker" };
    let (old, new) = (code(&comparison.old), code(&comparison.new));
    writeln!(out, "## Weir: the policy becomes {verdict}\n\n{old} → {new}\n")?;
    written(comparison, &MARKDOWN, out)
}

fn written(comparison: &Comparison, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let gap = if style.heading.is_empty() { "" } else { "\n" };
    if comparison.changes.is_empty() {
        writeln!(out, "{}The policies do the same.{gap}", style.heading)?;
    }
    for weight in Weight::ALL {
        let changes: Vec<&Change> =
            comparison.changes.iter().filter(|change| change.weight == weight).collect();
        if changes.is_empty() {
            continue;
        }
        writeln!(out, "{}{}: {}{gap}", style.heading, capital(weight.word()), changes.len())?;
        let lines = changes.iter().map(|change| {
            let what = words(style, &change.what);
            format!("{what} ({})", place(style, change))
        });
        list(style, lines, out)?;
        write!(out, "{gap}")?;
    }
    match &comparison.replayed {
        Some(replayed) => traffic(replayed, style, gap, out),
        None => Ok(()),
    }
}

fn traffic(replayed: &Replayed, style: &Style, gap: &str, out: &mut dyn Write) -> io::Result<()> {
    let [weaker, changed, stronger] = Weight::ALL.map(|weight| replayed.count(weight));
    let count = replayed.exchanges;
    writeln!(
        out,
        "{}Recorded traffic: {count} exchanges, {weaker} weaker, {changed} changed, {stronger} stronger{gap}",
        style.heading
    )?;
    let shifts = replayed.shifts.iter().map(|shift| {
        let (old, new) = (seen(&shift.old), seen(&shift.new));
        let name = quoted(style, &shift.name);
        format!("{}: {name}: {old} → {new}{}", shift.weight.word(), rows(style, shift))
    });
    list(style, shifts, out)?;
    let decisions = replayed.decisions.iter().rev().filter(|(_, (old, new))| old != new);
    let decisions = decisions.map(|(decision, (old, new))| {
        format!("decision {}: {old} → {new} exchanges", decision.word())
    });
    list(style, decisions, out)?;
    let rules = replayed.rules.iter();
    let rules = rules
        .map(|(rule, old, new)| format!("rule {}: {old} → {new} findings", quoted(style, rule)));
    list(style, rules, out)
}

fn list(style: &Style, lines: impl Iterator<Item = String>, out: &mut dyn Write) -> io::Result<()> {
    let mut more = 0usize;
    for (at, line) in lines.enumerate() {
        if at < SHOWN {
            writeln!(out, "{}{line}", style.item)?;
        } else {
            more += 1;
        }
    }
    if more > 0 {
        writeln!(out, "{}and {more} more", style.item)?;
    }
    Ok(())
}

fn seen(seen: &Seen) -> String {
    let stopped = if seen.stopped { " before the provider" } else { "" };
    format!("{}{stopped}", seen.decision.word())
}

fn rows(style: &Style, shift: &Shift) -> String {
    let rows = shift.rows();
    if rows.is_empty() {
        return String::new();
    }
    let more = rows.len().saturating_sub(ROWS);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let first: Vec<String> = rows.iter().take(ROWS).map(|row| words(style, row)).collect();
    format!(" ({}{more})", first.join("; "))
}

fn place(style: &Style, change: &Change) -> String {
    let quote = |pointer: &Option<String>| pointer.as_ref().map(|pointer| quoted(style, pointer));
    match (quote(&change.old), quote(&change.new)) {
        (Some(old), Some(new)) if old == new => old,
        (Some(old), Some(new)) => format!("{old} → {new}"),
        (Some(old), None) => format!("old {old}"),
        (None, Some(new)) => format!("new {new}"),
        (None, None) => "both".to_owned(),
    }
}

fn quoted(style: &Style, text: &str) -> String {
    if style.quote.is_empty() { shorten(text) } else { code(text) }
}

/// Words of a policy; Markdown shows them as they are, whatever they contain.
fn words(style: &Style, text: &str) -> String {
    if style.quote.is_empty() { text.to_owned() } else { code(text) }
}

/// A code span; its fence is longer than any run of backticks within (CommonMark 6.1).
fn code(text: &str) -> String {
    let text = crate::caret::visible(text).replace('\n', " ");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// One object.
pub fn json(comparison: &Comparison, out: &mut dyn Write) -> io::Result<()> {
    let change = |change: &Change| {
        let Change { weight, old, new, what } = change;
        json!({"weight": weight.word(), "old": old, "new": new, "what": what})
    };
    let changes: Vec<Value> = comparison.changes.iter().map(change).collect();
    let report = json!({
        "old": comparison.old,
        "new": comparison.new,
        "weaker": comparison.is_weaker(),
        "changes": changes,
        "traffic": comparison.replayed.as_ref().map(replayed),
    });
    writeln!(out, "{report}")
}

fn replayed(replayed: &Replayed) -> Value {
    let shift = |shift: &Shift| {
        json!({
            "exchange": shift.name,
            "weight": shift.weight.word(),
            "old": {"decision": shift.old.decision.word(), "edits": shift.old.edits},
            "new": {"decision": shift.new.decision.word(), "edits": shift.new.edits},
            "rules": shift.rows(),
        })
    };
    let decisions: Map<String, Value> = replayed
        .decisions
        .iter()
        .map(|(decision, (old, new))| (decision.word().to_owned(), json!({"old": old, "new": new})))
        .collect();
    let rules: Vec<Value> = replayed
        .rules
        .iter()
        .map(|(rule, old, new)| json!({"rule": rule, "old": old, "new": new}))
        .collect();
    json!({
        "exchanges": replayed.exchanges,
        "weaker": replayed.count(Weight::Weaker),
        "changed": replayed.count(Weight::Changed),
        "stronger": replayed.count(Weight::Stronger),
        "shifts": replayed.shifts.iter().map(shift).collect::<Vec<_>>(),
        "decisions": decisions,
        "rules": rules,
    })
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn code_spans_hold_whatever_they_quote() {
        for (text, expected) in [
            ("plain", "`plain`"),
            ("a`b", "``a`b``"),
            ("``", "``` `` ```"),
            ("a\n# b", "`a # b`"),
            ("<img>|", "`<img>|`"),
        ] {
            assert_eq!(code(text), expected);
        }
    }
}
