//! Open-ended matches: text that goes on after a verified opener, swallowed in constant state.

use crate::compile::CompiledRule;
use crate::fold::{Folded, fold};
use crate::pattern::Class;

/// An open-ended match that swallows text without holding it.
pub(crate) struct Swallow {
    pub rule: u16,
    pub start: u64,
    pub at: u64,
    pub class: Option<Class>,
    /// Bytes of the terminator matched so far.
    pub matched: usize,
    pub reported: u64,
}

impl Swallow {
    /// Whether `c` belongs to the match, and whether the match ends with or before it.
    pub fn take(&mut self, rule: &CompiledRule, c: char) -> (bool, bool) {
        let Some(class) = &self.class else {
            // A run of ignorable characters: it has no class and no terminator.
            return match fold(c) {
                Folded::Drop => (true, false),
                _ => (false, true),
            };
        };
        if let Some(until) = rule.open.as_ref().and_then(|o| o.until.as_deref()) {
            self.matched = next_match(until, self.matched, c);
            if self.matched == until.len() {
                return (true, true);
            }
            if self.matched > 0 {
                return (true, false);
            }
        }
        if class.contains(c) { (true, false) } else { (false, true) }
    }
}

/// Knuth-Morris-Pratt by definition: the longest beginning of `pattern` that the text, ending in `c`, ends with.
/// Terminators are short, so the table is not worth its state.
fn next_match(pattern: &[char], matched: usize, c: char) -> usize {
    let mut length = (matched + 1).min(pattern.len());
    while length > 0 {
        let tail_fits = pattern.get(length - 1) == Some(&c)
            && (1..length)
                .all(|i| pattern.get(length - 1 - i) == pattern.get(matched.wrapping_sub(i)));
        if tail_fits {
            return length;
        }
        length -= 1;
    }
    0
}
