//! Walking back over text through a view: where did the last N folded bytes begin?

use crate::fold::{Folded, fold, fold_ascii, squash};
use crate::pattern::Class;

/// Bytes of a folded character.
pub(crate) fn folded_len(c: char) -> usize {
    match fold(c) {
        Folded::Drop => 0,
        Folded::Space => 1,
        Folded::Chars(chars) => chars.as_str().len(),
    }
}

/// The byte index in `text` at which the `wanted` folded bytes that end at `end` begin. Runs of white space count
/// as one byte, as the automaton sees them.
pub(crate) fn back_folded(text: &str, end: usize, wanted: usize) -> usize {
    if let Some(start) = back_plain(text.as_bytes(), end, wanted) {
        return start;
    }
    let mut left = wanted;
    let mut at = end;
    let mut in_space = false;
    for (index, c) in text.get(..end).unwrap_or_default().char_indices().rev() {
        let space = matches!(fold(c), Folded::Space);
        let len = folded_len(c);
        if left == 0 && !(in_space && space) {
            break;
        }
        if len > 0 {
            if !(space && in_space) {
                left = left.saturating_sub(len);
            }
            in_space = space;
            at = index;
        }
    }
    at
}

/// The same where each of these bytes is one folded byte.
fn back_plain(text: &[u8], end: usize, wanted: usize) -> Option<usize> {
    let start = end.checked_sub(wanted)?;
    let is_plain = |byte: u8| byte.is_ascii() && fold_ascii(byte) != 0;
    let mut after_space = start
        .checked_sub(1)
        .and_then(|at| text.get(at))
        .is_some_and(|b| !is_plain(*b) || fold_ascii(*b) == b' ');
    for byte in text.get(start..end)? {
        let space = fold_ascii(*byte) == b' ';
        if !is_plain(*byte) || space && after_space {
            return None;
        }
        after_space = space;
    }
    Some(start)
}

/// The same over the Squashed view.
pub(crate) fn back_squashed(text: &str, end: usize, wanted: usize) -> usize {
    let mut left = wanted;
    let mut at = end;
    for (index, c) in text.get(..end).unwrap_or_default().char_indices().rev() {
        if left == 0 {
            break;
        }
        let len = match fold(c) {
            Folded::Chars(chars) => chars.as_str().bytes().filter(|b| squash(*b).is_some()).count(),
            _ => 0,
        };
        if len > 0 {
            left = left.saturating_sub(len);
            at = index;
        }
    }
    at
}

/// `count` characters back from `end`, but only over characters of `class` when one is given.
pub(crate) fn back_chars(text: &str, end: usize, count: usize, class: Option<&Class>) -> usize {
    text.get(..end)
        .unwrap_or_default()
        .char_indices()
        .rev()
        .take(count)
        .take_while(|(_, c)| class.is_none_or(|class| class.contains(*c)))
        .last()
        .map_or(end, |(index, _)| index)
}
