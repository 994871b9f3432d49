//! `weir test`: policy tests as files, run as the module would run.

mod body;
mod evasions;
mod find;
mod junit;
mod marks;
mod outcome;
mod report;
mod sample;
mod session;
pub mod suite;
mod text;
mod wire;

pub use marks::Marked;

use std::io::{self, Write};

use crate::args::{Format, Test};
use crate::{Exit, policy};
use outcome::Status;
use session::Session;

/// Runs all tests and reports them.
pub fn run(test: &Test, out: &mut dyn Write) -> io::Result<Exit> {
    if test.evasions {
        return evasions::run(test, out);
    }
    let mut session = Session::new(policy::now());
    for file in find::files(&test.paths)? {
        session.file(&file);
    }
    let outcomes = session.outcomes;
    if outcomes.is_empty() {
        return Err(io::Error::other(
            "no tests: no file of kind PolicyTest, and no policy with rules that have examples",
        ));
    }
    if let Some(path) = &test.junit {
        std::fs::write(path, junit::write(&outcomes))
            .map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))?;
    }
    match test.format {
        Format::Human => report::human(&outcomes, test.show_texts, out)?,
        Format::Json => report::json(&outcomes, out)?,
    }
    Ok(match outcomes.iter().map(|outcome| outcome.status).max() {
        Some(Status::Unreadable) => Exit::Unreadable,
        Some(Status::Failed | Status::Bad) => Exit::Bad,
        Some(Status::Passed) | None => Exit::Good,
    })
}
