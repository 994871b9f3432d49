//! `weir rules`: which rules there are, and what they do.

pub mod entry;
pub mod facts;
mod page;

use std::io::{self, Write};

use crate::Exit;
use crate::args::Rules;
use entry::{Entries, Entry};

/// Lists the rules, or writes their pages.
pub fn run(rules: &Rules, out: &mut dyn Write) -> io::Result<Exit> {
    let Some(all) = Entries::load(rules.policy.as_deref())? else { return Ok(Exit::Bad) };
    let wanted = |entry: &&Entry| {
        (all.policy.is_none() || !entry.acts.is_empty())
            && rules.pack.as_deref().is_none_or(|pack| entry.pack == Some(pack))
    };
    let entries: Vec<&Entry> = all.entries.iter().filter(wanted).collect();
    if let Some(pack) = rules
        .pack
        .as_deref()
        .filter(|pack| !all.entries.iter().any(|entry| entry.pack == Some(*pack)))
    {
        return Err(io::Error::other(format!("there is no pack `{pack}`")));
    }
    if let Some(folder) = &rules.docs {
        page::write(folder, &entries)?;
        return Ok(Exit::Good);
    }
    if rules.json {
        for entry in entries {
            writeln!(out, "{}", entry.json())?;
        }
        return Ok(Exit::Good);
    }
    human(&all, &entries, out)?;
    Ok(Exit::Good)
}

fn human(all: &Entries, entries: &[&Entry], out: &mut dyn Write) -> io::Result<()> {
    for group in entries.chunk_by(|a, b| a.pack == b.pack) {
        let pack = group.first().and_then(|entry| entry.pack).unwrap_or("of the policy's own");
        writeln!(out, "{pack}: {} rules", group.len())?;
        for entry in group {
            let level = entry.sensitivity().map_or_else(String::new, |l| format!(", from {l}"));
            writeln!(out, "\n  {}{level}", entry.rule.id)?;
            let description = entry.rule.description.as_deref().unwrap_or_default();
            for line in [description.trim(), &entry.deeds(), &entry.rule.tags.join(", ")] {
                if !line.is_empty() {
                    writeln!(out, "    {line}")?;
                }
            }
        }
        writeln!(out)?;
    }
    if let Some(policy) = &all.policy {
        writeln!(out, "{} rules are in force under `{policy}`", entries.len())?;
    }
    Ok(())
}
