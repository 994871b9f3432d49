//! Which rows were missed or flagged wrongly, by id: a line each, so that it can be searched and compared.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::judge::Judgement;
use super::measure::{flagged, is_apart};
use super::row::{Row, Truth};
use super::spans::Overlap;
use crate::args::As;

/// The file that they go to.
pub struct Misses(BufWriter<File>);

impl Misses {
    /// Makes the file.
    ///
    /// # Errors
    /// As the operating system says, with the file's name.
    pub fn create(path: &Path) -> io::Result<Misses> {
        let named = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", path.display()));
        Ok(Misses(BufWriter::new(File::create(path).map_err(named)?)))
    }

    /// Writes what was wrong with a row: a missed attack, or a false alarm for each rule that gave it; of places, each
    /// type that was missed and each rule that found something else.
    pub fn add(
        &mut self,
        policy: &str,
        corpus: &str,
        row: &Row,
        judgement: &Judgement,
        overlap: Option<&Overlap>,
        how: As,
    ) -> io::Result<()> {
        let found = flagged(judgement, how);
        let mut rules: Vec<&str> = Vec::new();
        let mut missed: Vec<&str> = Vec::new();
        match (&row.truth, overlap) {
            (Truth::Spans(spans), Some(overlap)) => {
                let wrong = judgement.findings.iter().zip(&overlap.right).filter(|(_, r)| !**r);
                rules.extend(wrong.map(|((rule, _, _), _)| rule.as_str()));
                let lost = spans.iter().zip(&overlap.found).filter(|(_, found)| !**found);
                missed.extend(lost.map(|(span, _)| span.kind.as_str()));
            }
            (Truth::Attack, _) if !found && !is_apart(row) => {
                missed.push(row.kind.as_deref().unwrap_or("attack"));
            }
            (Truth::Benign, _) if found => {
                rules.extend(judgement.findings.iter().map(|(rule, _, _)| rule.as_str()));
                if judgement.uninspected {
                    rules.push("(not inspected)");
                }
            }
            _ => {}
        }
        rules.sort_unstable();
        rules.dedup();
        missed.sort_unstable();
        missed.dedup();
        let line = |what: &str, of: &str, name: &str| {
            let id = &row.id;
            json!({"policy": policy, "corpus": corpus, "what": what, of: name, "id": id})
        };
        let missed = missed.iter().map(|kind| line("miss", "kind", kind));
        let rules = rules.iter().map(|rule| line("false alarm", "rule", rule));
        let lines: Vec<Value> = missed.chain(rules).collect();
        lines.iter().try_for_each(|line| writeln!(self.0, "{line}"))
    }

    /// Writes what is left.
    pub fn finish(mut self) -> io::Result<()> {
        self.0.flush()
    }
}
