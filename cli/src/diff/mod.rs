//! `weir diff`: what a policy change makes weaker, by the documents and on recorded traffic.

mod change;
mod effects;
mod fields;
mod lists;
mod proofs;
mod recordings;
mod replayed;
mod report;
mod tables;

use std::io::{self, Write};
use std::path::Path;
use std::rc::Rc;

use serde_json::Value;
use weir_filter::{Engine, Guard};

use crate::args::{Diff, DiffFormat};
use crate::exchange::Exchange;
use crate::policy::Fault;
use crate::{Exit, policy};
use change::{Change, Weight};
use replayed::Replayed;

/// Two policies side by side.
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

/// One of the policies, as it is written.
struct Side {
    spec: Value,
    guard: Rc<Guard>,
    engine: Rc<Engine>,
}

impl Side {
    /// Reads a policy. `None` if it has errors, which are then on standard error.
    fn load(path: &Path) -> io::Result<Option<Side>> {
        let text = policy::read_text(path)?;
        let name = path.display().to_string();
        let built = policy::parse(&text)
            .and_then(|document| policy::build(&document, false).map(|guard| (document, guard)));
        let (document, guard) = match built {
            Ok(built) => built,
            Err(faults) => {
                faults.iter().for_each(|fault| eprintln!("{}", fault.show(&name)));
                return Ok(None);
            }
        };
        let is_policy = document.json.get("kind").is_some_and(|kind| kind == "Policy");
        let Some(engine) = guard.first().filter(|_| is_policy).cloned() else {
            let (line, column) = document.locate("/kind");
            let (reason, cure) = ("it is no policy".into(), "compare two of kind Policy".into());
            eprintln!("{}", Fault { line, column, reason, cure }.show(&name));
            return Ok(None);
        };
        let spec = document.json.get("spec").cloned().unwrap_or(Value::Null);
        Ok(Some(Side { spec, guard, engine }))
    }
}

fn changes(old: &Side, new: &Side) -> Vec<Change> {
    let mut changes = Vec::new();
    fields::compare(tables::SPEC, (&old.spec, "/spec"), (&new.spec, "/spec"), &mut changes);
    lists::traffic(&old.spec, &new.spec, &mut changes);
    lists::tools(&old.engine, &new.engine, &mut changes);
    effects::compare(&old.engine, &new.engine, &mut changes);
    proofs::compare(&old.engine, &new.engine, &mut changes);
    changes.sort_by_key(|change| change.weight);
    changes
}
