//! What stands in the place of a finding.

use crate::packs;
use crate::policy::Mask;

/// What Neutralize writes in place of untrusted instructions.
pub const NOTE: &str = "[removed: instructions found in data]";

/// The label of a rule: its own, or its id without the pack.
pub fn label(mask: &Mask, id: &str) -> String {
    let kind = match mask {
        Mask::Label(Some(text)) => text.as_str(),
        _ => packs::of(id).map_or(id, |(_, kind)| kind),
    };
    format!("[redacted:{kind}]")
}

/// A mask that depends on the matched text (beyond what is shown): keep-last-N and same length. `None`: the label.
pub fn computed(mask: &Mask, text: &str) -> Option<Box<str>> {
    let kept = match mask {
        Mask::Label(_) => return None,
        Mask::SameLength => 0,
        Mask::KeepLast(n) => usize::from(*n),
    };
    let total = text.chars().count();
    // A mask that kept everything would be none.
    let hidden = total.saturating_sub(kept).max(total.min(1));
    let masked = text.chars().enumerate().map(|(i, c)| if i < hidden { '*' } else { c });
    Some(masked.collect::<String>().into_boxed_str())
}
