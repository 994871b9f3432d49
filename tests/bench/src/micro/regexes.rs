//! The `regex` crate on the same patterns.

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::patterns::Pattern;
use super::{Error, Seen, repeat};

/// Bytes of a compiled program, and of the cache of its automaton: more than the library takes by itself.
const PROGRAM: usize = 256 << 20;
const CACHE: usize = 64 << 20;

/// Patterns that the library has compiled: all at once, and each by itself.
pub struct Regexes {
    set: RegexSet,
    each: Vec<Regex>,
}

impl Regexes {
    /// Compiles what it can.
    ///
    /// # Errors
    /// Where the patterns are too many for one set.
    pub fn new(patterns: &[Pattern]) -> Result<Regexes, Error> {
        let mut sources = Vec::new();
        let mut each = Vec::new();
        for pattern in patterns {
            let source = format!("(?{}:{})", if pattern.folded { "i" } else { "" }, pattern.source);
            // A pattern may begin with a flag of its own, which ends where its group does.
            if let Ok(regex) = RegexBuilder::new(&source).unicode(false).build() {
                sources.push(source);
                each.push(regex);
            }
        }
        let set = RegexSetBuilder::new(&sources)
            .unicode(false)
            .size_limit(PROGRAM)
            .dfa_size_limit(CACHE)
            .build()?;
        Ok(Regexes { set, each })
    }

    /// How many patterns it has.
    pub fn len(&self) -> usize {
        self.each.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.each.is_empty()
    }

    /// Which patterns match in each piece of `size` bytes, without where; a match across two pieces is not seen.
    ///
    /// # Errors
    /// None.
    pub fn in_pieces(&self, text: &str, size: usize) -> Result<Seen, Error> {
        repeat(text.len(), || {
            let pieces = text.as_bytes().chunks(size.max(1));
            Ok(pieces.map(|piece| self.set.matches(piece).iter().count()).sum())
        })
    }

    /// Where each pattern matches, one after another.
    ///
    /// # Errors
    /// None.
    pub fn one_by_one(&self, text: &str) -> Result<Seen, Error> {
        repeat(text.len(), || {
            Ok(self.each.iter().map(|regex| regex.find_iter(text.as_bytes()).count()).sum())
        })
    }
}
