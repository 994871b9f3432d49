//! `weir eval`: what policies find in labelled texts, and what they flag that is none of it.

mod corpus;
mod curve;
mod html;
mod json;
pub mod judge;
pub mod measure;
mod misses;
mod print;
pub mod rate;
mod row;
mod spans;
pub mod table;

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use weir_rules::Channel;
use weir_rules::policy::Date;

use crate::args::{As, Eval};
use crate::policy::{self, Terms};
use crate::{Exit, scan};
use corpus::Corpus;
use measure::Measures;
use misses::Misses;
use row::Row;

/// Bad lines that are told one by one; more are only counted.
const TOLD: u64 = 20;
/// Rows between two words about progress.
const PROGRESS: u64 = 5_000;

/// The names of what policies come to together: one must find a text, or all of them.
const COMBINED: [&str; 2] = ["any of them", ALL];
const ALL: &str = "all of them";

/// What all reports say.
pub struct Report {
    /// The day, in UTC.
    pub day: String,
    pub how: As,
    pub channels: Channels,
    /// Names of the corpora and their rows.
    pub corpora: Vec<(String, u64)>,
    pub bad_lines: u64,
    pub policies: Vec<Measured>,
}

impl Report {
    /// Rows of all corpora.
    pub fn rows(&self) -> u64 {
        self.corpora.iter().map(|(_, rows)| rows).sum()
    }
}

/// A policy and what it made of the rows.
pub struct Measured {
    pub name: String,
    pub measures: Measures,
}

/// In which channel rows are read that name none: by kind, or all others.
pub struct Channels {
    pub all: Channel,
    pub kinds: Vec<(String, Channel)>,
}

impl Channels {
    fn read(arguments: &[String]) -> io::Result<Channels> {
        let mut channels = Channels { all: Channel::RequestUser, kinds: Vec::new() };
        for argument in arguments {
            match argument.split_once('=') {
                Some((kind, name)) => channels.kinds.push((kind.to_owned(), scan::channel(name)?)),
                None => channels.all = scan::channel(argument)?,
            }
        }
        Ok(channels)
    }

    fn of(&self, row: &Row) -> Channel {
        let by_kind = || self.kinds.iter().find(|(kind, _)| row.kind.as_ref() == Some(kind));
        row.channel.or_else(|| Some(by_kind()?.1)).unwrap_or(self.all)
    }
}

/// Measures all policies on all corpora and reports.
pub fn run(eval: &Eval, out: &mut dyn Write) -> io::Result<Exit> {
    let mut policies = Vec::new();
    for (path, name) in eval.policy.iter().zip(names(&eval.policy)) {
        let terms = policy::terms(Some(path), eval.caller.as_deref())?;
        let Some(terms) = terms else { return Ok(Exit::Bad) };
        policies.push((terms, measured(&name)));
    }
    // All files are opened before the first is read, so that a wrong name does not cost a wait.
    let mut corpora = Vec::new();
    for (path, name) in eval.corpus.iter().zip(names(&eval.corpus)) {
        corpora.push((Corpus::open(path)?, path.as_path(), name));
    }
    let mut run = Run {
        channels: Channels::read(&eval.channel)?,
        how: eval.how,
        misses: eval.misses.as_deref().map(Misses::create).transpose()?,
        policies,
        combined: if eval.combine { COMBINED.map(measured).into() } else { Vec::new() },
        bad_lines: 0,
        rows: 0,
    };
    let mut counts = Vec::new();
    for (mut corpus, path, name) in corpora {
        let before = run.rows;
        run.corpus(&mut corpus, path, &name)?;
        counts.push((name, run.rows - before));
    }
    if let Some(misses) = run.misses {
        misses.finish()?;
    }
    let day = Date(policy::now()).to_string();
    let report = Report {
        day: day.split('T').next().unwrap_or_default().to_owned(),
        how: eval.how,
        channels: run.channels,
        corpora: counts,
        bad_lines: run.bad_lines,
        policies: run.policies.into_iter().map(|(_, m)| m).chain(run.combined).collect(),
    };
    if let Some(path) = &eval.html {
        write(path, &html::page(&report))?;
    }
    let document = || format!("{:#}\n", json::document(&report));
    match eval.json.as_deref() {
        Some(path) if path.as_os_str() == "-" => out.write_all(document().as_bytes())?,
        json => {
            json.map_or(Ok(()), |path| write(path, &document()))?;
            print::report(&report, out)?;
        }
    }
    Ok(if report.bad_lines > 0 { Exit::Unreadable } else { Exit::Good })
}

/// An evaluation under way.
struct Run {
    policies: Vec<(Terms, Measured)>,
    /// What the policies come to together, if that is asked for.
    combined: Vec<Measured>,
    channels: Channels,
    how: As,
    misses: Option<Misses>,
    bad_lines: u64,
    rows: u64,
}

impl Run {
    fn corpus(&mut self, corpus: &mut Corpus, path: &Path, name: &str) -> io::Result<()> {
        let tells = io::stderr().is_terminal();
        let named = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", path.display()));
        while let Some((number, line)) = corpus.next().map_err(named)? {
            if line.as_ref().is_ok_and(|line| line.is_empty()) {
                continue;
            }
            match line.and_then(Row::read) {
                Ok(row) => self.row(&row, name)?,
                Err(reason) => {
                    self.bad_lines += 1;
                    if self.bad_lines <= TOLD {
                        eprintln!("{}:{number}: {reason}", path.display());
                    }
                }
            }
            if tells && self.rows.is_multiple_of(PROGRESS) {
                eprintln!("weir: {} rows", self.rows);
            }
        }
        Ok(())
    }

    fn row(&mut self, row: &Row, corpus: &str) -> io::Result<()> {
        self.rows += 1;
        let channel = self.channels.of(row);
        let how = self.how;
        let mut judgements = Vec::with_capacity(self.policies.len());
        for (terms, measured) in &mut self.policies {
            let began = Instant::now();
            let judgement = judge::judge(terms, channel, &row.text);
            measured.measures.took += began.elapsed();
            judgements.push(judgement);
        }
        let took = self.policies.iter().map(|(_, measured)| measured.measures.took).sum();
        let mut together = Vec::with_capacity(self.combined.len());
        for measured in &mut self.combined {
            let all = measured.name == ALL;
            together.push(judge::combined(&judgements, all, |j| measure::flagged(j, how)));
            measured.measures.took = took;
        }
        judgements.append(&mut together);
        let measured = self.policies.iter_mut().map(|(_, measured)| measured);
        for (measured, judgement) in measured.chain(&mut self.combined).zip(&judgements) {
            let overlap = measured.measures.add(row, corpus, judgement);
            if let Some(misses) = &mut self.misses {
                misses.add(&measured.name, corpus, row, judgement, overlap.as_ref(), how)?;
            }
        }
        Ok(())
    }
}

fn measured(name: &str) -> Measured {
    Measured { name: name.to_owned(), measures: Measures::default() }
}

fn write(path: &Path, content: &str) -> io::Result<()> {
    std::fs::write(path, content)
        .map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))
}

/// A short name for each file: without folder and ending, where that tells them apart.
fn names(paths: &[PathBuf]) -> Vec<String> {
    let short = |path: &PathBuf| {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        file.split('.').next().unwrap_or_default().to_owned()
    };
    let all: Vec<String> = paths.iter().map(short).collect();
    let name = |(path, name): (&PathBuf, &String)| {
        let alone = all.iter().filter(|other| *other == name).count() == 1;
        if alone && !name.is_empty() { name.clone() } else { path.display().to_string() }
    };
    paths.iter().zip(&all).map(name).collect()
}
