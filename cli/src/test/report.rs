//! Outcomes for people and as JSON.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::outcome::{Outcome, Status};

/// How many cases ended how.
pub struct Sum {
    pub cases: usize,
    pub passed: usize,
    pub failed: usize,
    pub errors: usize,
    pub runs: usize,
}

impl Sum {
    /// Counts `outcomes`.
    pub fn of<'o>(outcomes: impl IntoIterator<Item = &'o Outcome>) -> Sum {
        let mut sum = Sum { cases: 0, passed: 0, failed: 0, errors: 0, runs: 0 };
        for outcome in outcomes {
            sum.cases += 1;
            sum.runs += outcome.runs;
            match outcome.status {
                Status::Passed => sum.passed += 1,
                Status::Failed => sum.failed += 1,
                Status::Bad | Status::Unreadable => sum.errors += 1,
            }
        }
        sum
    }
}

/// A line a case, below it what is wrong with it; with `texts` also the text of a failed text case.
pub fn human(outcomes: &[Outcome], texts: bool, out: &mut dyn Write) -> io::Result<()> {
    for outcome in outcomes {
        let Outcome { file, line, column, name, runs, .. } = outcome;
        let word = outcome.status.word();
        writeln!(out, "{word:5} {file}:{line}:{column}: {name} ({runs} runs)")?;
        for failure in &outcome.failures {
            let (line, column) = (failure.line, failure.column);
            writeln!(out, "      {file}:{line}:{column}: {}: {}", failure.kind, failure.reason)?;
        }
        if texts && !outcome.failures.is_empty() {
            for line in outcome.shown.lines() {
                writeln!(out, "      | {line}")?;
            }
        }
    }
    let Sum { cases, passed, failed, errors, runs } = Sum::of(outcomes);
    writeln!(out, "{cases} cases: {passed} passed, {failed} failed, {errors} errors; {runs} runs")
}

/// An object a case, then one with the sum.
pub fn json(outcomes: &[Outcome], out: &mut dyn Write) -> io::Result<()> {
    for outcome in outcomes {
        let failures: Vec<Value> = outcome
            .failures
            .iter()
            .map(
                |f| json!({"kind": f.kind, "line": f.line, "column": f.column, "reason": f.reason}),
            )
            .collect();
        let row = json!({
            "file": outcome.file,
            "line": outcome.line,
            "column": outcome.column,
            "suite": outcome.suite,
            "case": outcome.name,
            "result": outcome.status.word(),
            "runs": outcome.runs,
            "failures": failures,
        });
        writeln!(out, "{row}")?;
    }
    let Sum { cases, passed, failed, errors, runs } = Sum::of(outcomes);
    let sum = json!({
        "cases": cases, "passed": passed, "failed": failed, "errors": errors, "runs": runs,
    });
    writeln!(out, "{sum}")
}
