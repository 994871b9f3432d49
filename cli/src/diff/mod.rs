//! `weir diff`: what a policy change makes weaker, by the documents and on recorded traffic.

mod change;
mod effects;
mod fields;
mod lists;
mod proofs;
mod recordings;
mod replayed;
mod report;
mod side;
mod tables;

use std::io::{self, Write};
use std::path::Path;

use crate::args::{Diff, DiffFormat};
use crate::exchange::Exchange;
use crate::{Exit, policy};
use change::{Change, Weight};
use replayed::Replayed;
use side::{Side, changes};

/// Two documents side by side.
pub struct Comparison {
    pub old: String,
    pub new: String,
    /// Differences of the documents, weaker first.
    pub changes: Vec<Change>,
    /// What they make of recorded traffic, if there is any.
    pub replayed: Option<Replayed>,
}

impl Comparison {
    /// Whether anything became weaker.
    pub fn is_weaker(&self) -> bool {
        self.changes.iter().any(|change| change.weight == Weight::Weaker)
            || self.replayed.as_ref().is_some_and(|all| all.count(Weight::Weaker) > 0)
    }
}

/// Compares and reports.
pub fn run(diff: &Diff, out: &mut dyn Write) -> io::Result<Exit> {
    let (old, new) = (Side::load(&diff.old)?, Side::load(&diff.new)?);
    let (Some(old), Some(new)) = (old, new) else {
        return Ok(Exit::Unreadable);
    };
    let mut unreadable = false;
    let replayed = match &diff.exchanges {
        None => None,
        Some(folder) => {
            let exchanges = readable(folder, &mut unreadable)?;
            Some(replayed::compare(&old.guard, &new.guard, &exchanges))
        }
    };
    let comparison = Comparison {
        old: diff.old.display().to_string(),
        new: diff.new.display().to_string(),
        changes: changes(&old, &new),
        replayed,
    };
    match diff.format {
        DiffFormat::Human => report::human(&comparison, out)?,
        DiffFormat::Json => report::json(&comparison, out)?,
        DiffFormat::Markdown => report::markdown(&comparison, out)?,
    }
    Ok(if unreadable {
        Exit::Unreadable
    } else if comparison.is_weaker() && !diff.allow_weaker {
        Exit::Bad
    } else {
        Exit::Good
    })
}

/// The exchanges of a folder that can be read; what cannot is told on standard error.
fn readable(folder: &Path, unreadable: &mut bool) -> io::Result<Vec<(String, Exchange)>> {
    let now = policy::now();
    let mut exchanges = Vec::new();
    for (name, exchange) in recordings::read(folder)? {
        match exchange {
            Ok(mut exchange) => {
                exchange.around.now = Some(now);
                exchanges.push((name, exchange));
            }
            Err(error) => {
                eprintln!("weir: {error}");
                *unreadable = true;
            }
        }
    }
    if exchanges.is_empty() {
        let why = "no recorded exchange, NAME.req and NAME.resp, that can be read";
        return Err(io::Error::other(format!("{}: {why}", folder.display())));
    }
    Ok(exchanges)
}
