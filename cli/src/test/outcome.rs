//! What became of a case.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::document::Document;

/// Cuts that a failure names; more are only counted.
const NAMED: usize = 5;

/// A case that was run, or a file that could not be.
pub struct Outcome {
    /// The file it stands in.
    pub file: String,
    /// The test's name, or the policy's whose examples it runs.
    pub suite: String,
    pub name: String,
    pub line: usize,
    pub column: usize,
    pub status: Status,
    pub failures: Vec<Failure>,
    /// The test's own text with what was found in it, for whoever asks to see it.
    pub shown: String,
    /// How often the pipeline ran.
    pub runs: usize,
    pub took: Duration,
}

/// Where a case stands.
pub struct Place<'a> {
    pub file: &'a Path,
    pub document: &'a Document,
    /// JSON pointer of the case.
    pub pointer: &'a str,
    pub suite: &'a str,
    pub name: String,
}

impl Outcome {
    /// The outcome of a case that ran since `began`.
    pub fn of(place: Place<'_>, judged: Judged, began: Instant) -> Outcome {
        let (shown, runs) = (judged.shown.clone(), judged.runs);
        let failures = judged.failures(place.document, place.pointer);
        let status = if failures.is_empty() { Status::Passed } else { Status::Failed };
        let took = began.elapsed();
        Outcome { shown, runs, took, ..Outcome::placed(place, status, failures) }
    }

    /// The outcome of a case that could not run.
    pub fn unreadable(place: Place<'_>, error: &io::Error) -> Outcome {
        let (line, column) = place.document.locate(place.pointer);
        let failure = Failure { kind: "file", line, column, reason: error.to_string() };
        Outcome::placed(place, Status::Unreadable, vec![failure])
    }

    fn placed(place: Place<'_>, status: Status, failures: Vec<Failure>) -> Outcome {
        let (line, column) = place.document.locate(place.pointer);
        let file = place.file.display().to_string();
        let (suite, name) = (place.suite.to_owned(), place.name);
        let (shown, runs, took) = (String::new(), 0, Duration::ZERO);
        Outcome { file, suite, name, line, column, status, failures, shown, runs, took }
    }

    /// The outcome of a file that could not be used; the first failure is its place.
    pub fn file(file: &Path, suite: &str, status: Status, failures: Vec<Failure>) -> Outcome {
        let (line, column) = failures.first().map_or((1, 1), |first| (first.line, first.column));
        Outcome {
            file: file.display().to_string(),
            suite: suite.to_owned(),
            name: "the file".to_owned(),
            line,
            column,
            status,
            failures,
            shown: String::new(),
            runs: 0,
            took: Duration::ZERO,
        }
    }
}

/// How a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    Passed,
    Failed,
    /// The test file or its policy has errors.
    Bad,
    /// A file cannot be read.
    Unreadable,
}

impl Status {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Status::Passed => "pass",
            Status::Failed => "fail",
            Status::Bad | Status::Unreadable => "error",
        }
    }
}

/// One thing that is not as it was expected. Never the text of traffic.
pub struct Failure {
    /// Which expectation; `cut` where a cut makes a difference.
    pub kind: &'static str,
    pub line: usize,
    pub column: usize,
    pub reason: String,
}

/// Collects what is wrong with a case while it runs.
#[derive(Default)]
pub struct Judged {
    /// Kind, JSON pointer in the file, reason.
    wrong: Vec<(&'static str, String, String)>,
    /// The test's own text with what was found in it.
    pub shown: String,
    pub runs: usize,
    differing: Vec<String>,
    differing_in: String,
}

impl Judged {
    /// Something is not as it was expected.
    pub fn wrong(&mut self, kind: &'static str, pointer: String, reason: String) {
        self.wrong.push((kind, pointer, reason));
    }

    /// A value that must be another.
    pub fn compare(&mut self, kind: &'static str, pointer: String, wanted: &str, got: &str) {
        if wanted != got {
            self.wrong(kind, pointer, format!("expected {wanted}, got {got}"));
        }
    }

    /// A run over pieces came to something else than the whole.
    pub fn differs(&mut self, cut: String, what: &str) {
        if self.differing.is_empty() {
            what.clone_into(&mut self.differing_in);
        }
        self.differing.push(cut);
    }

    /// What is wrong, with its places in the file; the case stands at `pointer`.
    pub fn failures(mut self, document: &Document, pointer: &str) -> Vec<Failure> {
        if !self.differing.is_empty() {
            let count = self.differing.len();
            let first: Vec<&str> = self.differing.iter().take(NAMED).map(String::as_str).collect();
            let more =
                if count > NAMED { format!(" and {} more", count - NAMED) } else { String::new() };
            let what = &self.differing_in;
            let reason = format!("not as whole when {}{more}: {what}", first.join(", "));
            self.wrong.insert(0, ("cut", pointer.to_owned(), reason));
        }
        let placed = |(kind, pointer, reason): (&'static str, String, String)| {
            let (line, column) = document.locate(&pointer);
            Failure { kind, line, column, reason }
        };
        self.wrong.into_iter().map(placed).collect()
    }
}
