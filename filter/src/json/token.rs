//! What the lexer says.

use std::ops::Range;

/// Bounds of the lexer.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Nesting of arrays and objects.
    pub depth: u16,
    /// Bytes of a decoded member name.
    pub key: usize,
    /// Bytes of a number or literal.
    pub number: usize,
    /// Members of all open objects that are remembered to find duplicates.
    pub keys: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { depth: 64, key: 256, number: 64, keys: 65_536 }
    }
}

/// A piece of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    /// A member name, decoded and whole.
    Key(&'a str),
    /// A string value begins; `raw` is empty and stands after the quote.
    StringBegin,
    /// Decoded text of a string value; the pieces concatenated are the value.
    Text(&'a str),
    /// The closing quote.
    StringEnd,
    /// A number, `true`, `false` or `null`, as it stands.
    Scalar(&'a str),
}

/// An event with the raw bytes it came from, as absolute offsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    pub event: Event<'a>,
    pub raw: Range<u64>,
}

/// Takes the lexer's events.
pub trait Sink {
    /// Takes one event.
    ///
    /// # Errors
    /// A fault ends the document.
    fn token(&mut self, token: Token<'_>) -> Result<(), Fault>;
}

/// Why a document cannot be read on. `at` is an absolute offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not JSON (RFC 8259).
    Syntax { at: u64, why: &'static str },
    /// JSON that readers may understand differently.
    Ambiguous { at: u64, why: &'static str },
    /// Beyond a limit.
    Limit { at: u64, what: &'static str },
}
