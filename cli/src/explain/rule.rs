//! Everything about a rule.

use std::io::{self, Write};

use crate::args::Explain;
use crate::rules::entry::{Entries, Entry};
use crate::rules::facts::facts;
use crate::{Exit, caret};

/// Ids that are told where none is the one that was asked for.
const TOLD: usize = 5;

/// Prints what is known of the rule `id`, as the policy has it.
pub fn run(id: &str, explain: &Explain, out: &mut dyn Write) -> io::Result<Exit> {
    let Some(all) = Entries::load(explain.policy.as_deref())? else { return Ok(Exit::Bad) };
    let Some(entry) = all.entries.iter().find(|entry| entry.rule.id == id) else {
        let near = near(id, &all.entries);
        let hint = if near.is_empty() { "see `weir rules`".to_owned() } else { near.join(", ") };
        eprintln!("weir: there is no rule `{id}`; {hint}");
        return Ok(Exit::Bad);
    };
    if explain.json {
        writeln!(out, "{}", entry.json())?;
    } else {
        human(entry, out)?;
    }
    Ok(Exit::Good)
}

/// Ids that share most of their words with what was asked for.
fn near<'e>(id: &str, entries: &'e [Entry]) -> Vec<&'e str> {
    let shared = |other: &str| id.split('-').filter(|w| other.split('-').any(|o| o == *w)).count();
    let most = entries.iter().map(|e| shared(&e.rule.id)).max().unwrap_or_default();
    let best = entries.iter().filter(|e| most > 0 && shared(&e.rule.id) == most);
    best.map(|e| e.rule.id.as_str()).take(TOLD).collect()
}

fn human(entry: &Entry, out: &mut dyn Write) -> io::Result<()> {
    let rule = &entry.rule;
    writeln!(out, "{}", rule.id)?;
    for prose in [&rule.description, &rule.why].into_iter().flatten() {
        writeln!(out, "\n{}", prose.trim())?;
    }
    writeln!(out)?;
    for (name, value) in facts(entry) {
        writeln!(out, "  {name}: {value}")?;
    }
    if !rule.keywords.is_empty() {
        writeln!(out, "\nevery match contains one of\n  {}", rule.keywords.join(" | "))?;
    }
    for (what, pattern) in [
        ("its shape", &rule.regex),
        ("it opens with", &rule.opens),
        ("it goes on with", &rule.body),
    ] {
        if let Some(pattern) = pattern {
            writeln!(out, "\n{what}\n  {pattern}")?;
        }
    }
    for (what, texts) in [
        ("it finds what is marked", &rule.examples.matches),
        ("it finds nothing in", &rule.examples.clean),
    ] {
        if !texts.is_empty() {
            writeln!(out, "\n{what}")?;
        }
        for text in texts {
            writeln!(out, "  {}", caret::visible(text.trim_end()).replace('\n', "\n    "))?;
        }
    }
    if !rule.references.is_empty() {
        writeln!(out, "\nreferences\n  {}", rule.references.join("\n  "))?;
    }
    Ok(())
}
