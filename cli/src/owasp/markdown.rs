//! The page as Markdown.

use std::io::{self, Write};

use weir_rules::packs;
use weir_rules::policy::{Date, Mode};

use super::framework::Kind;
use super::join::{Claim, Gap, Ground, Judged, Page, State};
use super::mesh::{Carried, Mesh};
use super::places::Place;
use super::rules::{Group, names, some};
use super::view::moment;

/// Writes the page.
pub fn write(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    head(page, out)?;
    if !page.view.covered {
        let refused =
            "No policy is for this caller, so its requests are refused: nothing below applies.";
        writeln!(out, "**{refused}**\n")?;
    }
    overview(page, out)?;
    writeln!(out, "\n## What every line rests on\n")?;
    claims(&page.conditions, out)?;
    if let Some(mesh) = page.mesh {
        around(mesh, page, out)?;
    }
    for judged in &page.entries {
        entry(judged, page, out)?;
    }
    writeln!(out, "\n## What is not listed\n\n{}", page.framework.outside)?;
    for note in &page.notes {
        writeln!(out, "\nNote: {note}.")?;
    }
    Ok(())
}

fn head(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (framework, view) = (page.framework, page.view);
    writeln!(
        out,
        "# {}: what the policy `{}` does\n",
        framework.title, view.engine.policy.metadata.name
    )?;
    let caller =
        view.caller.as_ref().map_or("a caller that is not known".to_owned(), |c| format!("`{c}`"));
    let host = view.host.as_ref().map_or(String::new(), |host| format!(" that calls `{host}`"));
    let at = if view.dated() { format!(", at {}", moment(Date(view.now))) } else { String::new() };
    writeln!(
        out,
        "Document `{}`, for {caller}{host}{at}. Weir {}, packs {}. Names and numbers: <{}>.",
        view.hash,
        env!("CARGO_PKG_VERSION"),
        packs::VERSION,
        framework.source
    )?;
    if !view.others.is_empty() {
        let others: Vec<String> = view.others.iter().map(|name| format!("`{name}`")).collect();
        writeln!(out, "Other callers come under {}, which `--caller` shows.", others.join(", "))?;
    }
    let what = match framework.kind {
        Kind::Risks => {
            "This page says what the policy in force does about each risk, and what it leaves open."
        }
        Kind::Controls => {
            "This page says to which controls the policy in force is evidence, and what is missing."
        }
    };
    writeln!(out, "\n{what}\n{LEGEND}\n")
}

/// How a page is read.
const LEGEND: &str = "\
It is no statement of compliance, and no row says \"covered\": rules find what they know, and `weir eval` measures how much
that is. *In force*: what is found is changed or refused. *In part*: so, but for the gaps that are named. *Seen only*
(Audit, Shadow): it is recorded and passes. *Open*: nothing. Pointers name places of the document; *built in* is what
stands where it says nothing. What no policy covers, and what does instead, stands below each table. `--format json` names
every rule.";

fn overview(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (first, by) = match page.framework.kind {
        Kind::Risks => ("risk", "by"),
        Kind::Controls => ("control", "evidence"),
    };
    writeln!(out, "| {first} | state | {by} | seen only | open |\n|---|---|---|---|---|")?;
    for judged in &page.entries {
        let mut by: Vec<String> = Vec::new();
        let (mut seen, mut open) = (Vec::new(), Vec::new());
        for claim in &judged.claims {
            if claim.state >= State::Partly {
                let grounds = claim.grounds.iter().filter_map(short);
                grounds.for_each(|ground| {
                    if !by.contains(&ground) {
                        by.push(ground);
                    }
                });
            } else if claim.state == State::Seen {
                seen.push(claim.what.as_str());
            } else {
                open.push(claim.what.as_str());
            }
        }
        let state = judged.words(page.framework.kind);
        let entry = judged.entry;
        writeln!(
            out,
            "| {} {} | {state} | {} | {} | {} |",
            entry.id,
            entry.name,
            by.join(", "),
            cell(&seen.join("; ")),
            cell(&open.join("; "))
        )?;
    }
    Ok(())
}

/// What a claim rests on, in a word.
fn short(ground: &Ground) -> Option<String> {
    match ground {
        Ground::Setting { setting, .. } => Some(format!("`{}`", setting.name())),
        Ground::Rules(group) if group.enforced() => {
            Some(group.pack.map_or("own rules".to_owned(), |pack| format!("`{pack}`")))
        }
        Ground::Rules(_) => None,
    }
}

fn entry(judged: &Judged<'_>, page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let entry = judged.entry;
    writeln!(out, "\n## {} {}: {}\n", entry.id, entry.name, judged.words(page.framework.kind))?;
    writeln!(out, "{}\n", entry.about)?;
    if !judged.claims.is_empty() {
        claims(&judged.claims, out)?;
        writeln!(out)?;
    }
    for instead in &entry.instead {
        let mesh = instead.mesh.and_then(|topic| Some(page.mesh?.says(topic)));
        let mesh = mesh.map_or(String::new(), |mesh| format!(" {mesh}."));
        writeln!(out, "- {}. **Instead:** {}.{mesh}", instead.what, instead.by)?;
    }
    Ok(())
}

fn claims(claims: &[Claim], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "| part | state | by | gaps |\n|---|---|---|---|")?;
    for claim in claims {
        let why = claim.why.as_ref().map_or(String::new(), |why| format!(" ({why})"));
        let mut by = Vec::new();
        let mut gaps = Vec::new();
        for ground in &claim.grounds {
            match ground {
                Ground::Setting { setting, value, places } => {
                    let value = if value.is_empty() { String::new() } else { format!(": {value}") };
                    by.push(format!("`{}`{value} ({})", setting.name(), at(places)));
                }
                Ground::Rules(group) if group.enforced() => by.push(group_words(group)),
                Ground::Rules(group) => gaps.push(format!("passes: {}", group_words(group))),
            }
        }
        gaps.extend(claim.gaps.iter().map(gap));
        writeln!(
            out,
            "| {}{why} | {} | {} | {} |",
            cell(&claim.what),
            claim.state.words(),
            cell(&by.join("; ")),
            cell(&gaps.join("; "))
        )?;
    }
    Ok(())
}

/// Such as: `Reject` by 29 rules of `injection` (…) in request.user (`/spec/packs/0`).
fn group_words(group: &Group) -> String {
    let shadow = if group.mode == Mode::Shadow { " (Shadow)" } else { "" };
    let rules = match (group.pack, group.rules.len()) {
        (Some(pack), 1) => format!("1 rule of `{pack}`"),
        (Some(pack), count) => format!("{count} rules of `{pack}`"),
        (None, _) => "an own rule".to_owned(),
    };
    format!(
        "{}{shadow} by {rules} ({}) in {} ({})",
        group.action.word(),
        some(group.rules.iter().map(String::as_str)),
        names(group.channels),
        at(&group.places)
    )
}

fn gap(gap: &Gap) -> String {
    if gap.places.is_empty() {
        return gap.reason.clone();
    }
    format!("{} ({})", gap.reason, at(&gap.places))
}

fn at(places: &[Place]) -> String {
    let place = |place: &Place| {
        let built_in = if place.written { "" } else { ", built in" };
        format!("`{}`{built_in}", place.pointer)
    };
    places.iter().map(place).collect::<Vec<_>>().join(", ")
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn around(mesh: &Mesh<'_>, page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n## What the manifests say\n")?;
    for (plugin, carried) in &mesh.carried {
        let words = match carried {
            Carried::This => "carries this document".to_owned(),
            Carried::Other(hash) => {
                format!("**carries another document, `{hash}`**: this page is not about it")
            }
            Carried::Nothing => "**carries no policy that loads**".to_owned(),
        };
        writeln!(out, "- {plugin} {words}.")?;
    }
    if mesh.carried.is_empty() {
        let hash = &page.view.hash;
        writeln!(
            out,
            "- No plugin of Weir's is among them, so that nothing says that `{hash}` is in force."
        )?;
    }
    let count = mesh.findings.len();
    if count == 0 {
        return writeln!(out, "- `weir doctor` finds nothing in {} resources.", mesh.resources);
    }
    writeln!(
        out,
        "- `weir doctor` finds {count} in {} resources. Where one of them applies, no line of this page does:",
        mesh.resources
    )?;
    for finding in &mesh.findings {
        writeln!(out, "  - {}", finding.show())?;
    }
    Ok(())
}
