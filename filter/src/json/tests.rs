//! Tests of the JSON layer, each against a second opinion: `serde_json`, or the same input cut elsewhere.

// Slices of texts are cut at known boundaries here.
#![allow(clippy::string_slice)]

mod arguments;
mod fragment;
mod lexer;

/// A small deterministic generator (xorshift).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }

    /// One of `choices`.
    pub fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

/// Pieces of JSON string content, valid ones.
pub const CONTENT: [&str; 16] = [
    "a",
    "Z9",
    " ",
    "é",
    "世",
    "😀",
    "\\n",
    "\\\"",
    "\\\\",
    "\\/",
    "\\u0041",
    "\\u00e9",
    "\\u4e16",
    "\\ud83d\\ude00",
    "\\t",
    "{,:}",
];
