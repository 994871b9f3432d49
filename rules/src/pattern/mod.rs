//! User regexes, matched while the text streams.
//!
//! A [`Program`] is compiled once, when the policy loads. [`Threads`] runs it over one character after another from
//! known starts and can say at any point whether a match is dead, complete or still open: a library that wants the
//! whole text cannot. There is no backtracking, so a step costs at most one visit of every instruction.
//!
//! **Syntax**: literals; `.` (any character but `\n`); classes `[a-z^-]`, `[^..]`; `\d \D \w \W \s \S \b \B`;
//! `\n \t \r \xHH \u{HEX}` and escaped punctuation; groups `(..)` and `(?:..)`; `|`; `? * + {n} {n,} {n,m}`; `(?i)` at
//! the very start. Everything else is refused with place, reason and cure.
//!
//! **Meaning**: `\d`, `\w`, `\b` and case are ASCII; `\s` is ASCII white space, U+00A0 and U+3000. The leftmost start
//! wins, then the longest end.

mod ast;
mod class;
mod escape;
mod lead;
mod parse;
mod paths;
mod program;
mod set;
mod threads;

#[cfg(test)]
mod tests;

use std::fmt;

pub use class::Class;
pub use lead::Lead;
pub(crate) use paths::{MAX_MEMORY as MAX_PATHS, Node, Paths};
pub use program::{First, Program};
pub(crate) use threads::Places;
pub use threads::Threads;

/// The most instructions of a program unless [`Options`] says otherwise.
pub const DEFAULT_MAX_INSTRUCTIONS: usize = 4096;
/// The most characters of a pattern's source.
pub const MAX_PATTERN_CHARS: usize = 8192;
/// The largest number in `{n,m}`.
pub const MAX_COUNT: u16 = 1000;
/// How deep groups may nest.
pub const MAX_DEPTH: usize = 64;

/// How a pattern is compiled.
#[derive(Clone, Debug)]
pub struct Options {
    /// Letters A to Z match in either case; `(?i)` at the start of the pattern turns it on as well.
    pub ignore_case: bool,
    /// The most instructions after counted repeats are written out; at most 65,535 are ever used.
    pub max_instructions: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options { ignore_case: false, max_instructions: DEFAULT_MAX_INSTRUCTIONS }
    }
}

/// Why a pattern is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    /// Offset into the pattern, in characters.
    pub at: usize,
    /// What is wrong.
    pub why: String,
    /// What to write instead.
    pub cure: String,
}

impl PatternError {
    fn new(at: usize, why: impl Into<String>, cure: impl Into<String>) -> PatternError {
        PatternError { at, why: why.into(), cure: cure.into() }
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at character {}: {}; {}", self.at, self.why, self.cure)
    }
}

impl std::error::Error for PatternError {}
