//! The `weir` command line: what CI tests with it is what the mesh runs, because it is the same code.

mod args;
mod caret;
mod check;
mod cuts;
mod document;
mod explain;
mod http;
mod lines;
mod policy;
mod replay;
mod scan;
mod verdict;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};

/// What a command ends with. 0 is success; the others are in `weir help`.
pub enum Exit {
    Good,
    /// What was asked about is bad: a policy with errors, a cut that differs.
    Bad,
    /// Input that could not be read or understood.
    Unreadable,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let stdout = io::stdout();
    let mut out = io::BufWriter::new(stdout.lock());
    let result = match arguments.command {
        Command::Check(check) => check::run(&check, &mut out),
        Command::Scan(scan) => scan::run(&scan, &mut out),
        Command::Replay(replay) => replay::run(&replay, &mut out),
        Command::Schema => schema(&mut out),
        Command::DefaultPolicy => out.write_all(policy::DEFAULT.as_bytes()).map(|()| Exit::Good),
    };
    let flushed = out.flush();
    match result.and_then(|exit| flushed.map(|()| exit)) {
        Ok(Exit::Good) => ExitCode::SUCCESS,
        Ok(Exit::Bad) => ExitCode::from(1),
        Ok(Exit::Unreadable) => ExitCode::from(2),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("weir: {error}");
            ExitCode::from(2)
        }
    }
}

fn schema(out: &mut dyn Write) -> io::Result<Exit> {
    let schema = weir_rules::policy::schema();
    writeln!(out, "{schema:#}")?;
    Ok(Exit::Good)
}
