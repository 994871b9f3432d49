//! `weir explain`: a rule, or a finding and the exception that would accept it.

mod finding;
mod rule;

use std::io::{self, Write};

use crate::Exit;
use crate::args::Explain;

/// Explains a rule, the findings of a text, or those of a record.
pub fn run(explain: &Explain, out: &mut dyn Write) -> io::Result<Exit> {
    match (&explain.rule, &explain.id, &explain.text) {
        (Some(id), _, _) => rule::run(id, explain, out),
        (_, Some(id), _) => finding::record(id, explain, out),
        (_, _, Some(text)) => finding::text(text, explain, out),
        (None, None, None) => Err(io::Error::other("a rule, --text or --id is needed")),
    }
}
