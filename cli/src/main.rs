//! The `weir` command line: what CI tests with it is what the mesh runs, because it is the same code.

mod args;
mod bundle;
mod caret;
mod check;
mod cuts;
mod diff;
mod doctor;
mod document;
mod effective;
mod eval;
mod exchange;
mod explain;
mod http;
mod in_force;
mod lines;
mod owasp;
mod policy;
mod replay;
mod rules;
mod scan;
mod shape;
mod test;
mod told;
mod verdict;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command, SchemaKind};

/// What a command ends with. 0 is success; the others are in `weir help`.
pub enum Exit {
    Good,
    /// What was asked about is bad: a policy with errors, a test that fails, a cut that differs.
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
        Command::Test(test) => test::run(&test, &mut out),
        Command::Eval(eval) => eval::run(&eval, &mut out),
        Command::Diff(diff) => diff::run(&diff, &mut out),
        Command::Effective(effective) => effective::run(&effective, &mut out),
        Command::Bundle(bundle) => bundle::run(&bundle, &mut out),
        Command::Doctor(doctor) => doctor::run(&doctor, &mut out),
        Command::Explain(explain) => explain::run(&explain, &mut out),
        Command::Owasp(owasp) => owasp::run(&owasp, &mut out),
        Command::Rules(rules) => rules::run(&rules, &mut out),
        Command::Schema(schema) => print_schema(schema.kind, &mut out),
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

fn print_schema(kind: SchemaKind, out: &mut dyn Write) -> io::Result<Exit> {
    let schema = match kind {
        SchemaKind::Policy => weir_rules::policy::schema(),
        SchemaKind::Bundle => weir_rules::policy::bundle_schema(),
        SchemaKind::PolicyTest => test::suite::schema(),
    };
    writeln!(out, "{schema:#}")?;
    Ok(Exit::Good)
}
