//! What a scan reports: rule, place, and what may stay visible. Never the text.

use crate::keys::Print;

/// One match of one rule in one channel. Offsets are bytes of the channel's decoded text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Index of the rule in its [`Ruleset`](crate::Ruleset).
    pub rule: u16,
    pub start: u64,
    pub end: u64,
    /// End of the part that the rule's exposure leaves visible; `start <= shown <= end`.
    pub shown: u64,
    /// A replacement that depends on the match (keep-last-N, same length); otherwise the rule's label stands.
    pub mask: Option<Box<str>>,
    /// Names this very finding, where the policy has a key for it.
    pub print: Option<Print>,
    /// Exceptions that name it by its fingerprint.
    pub accepted: Vec<u16>,
    /// The match is open-ended or was cut by `maxLength`: it goes on until [`Found::Extended`] says `last`.
    pub open: bool,
}

/// What a scanner reports while text is pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Match(Finding),
    /// The open finding of `rule` that began at `start` now reaches `end`.
    Extended {
        rule: u16,
        start: u64,
        end: u64,
        last: bool,
    },
}

/// Why a scan cannot go on. Each is a decision of the policy's `failureMode`, never a guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanError {
    /// Verification costs more than [`WORK_BASE`](crate::scan::WORK_BASE) plus
    /// [`WORK_PER_BYTE`](crate::scan::WORK_PER_BYTE) steps a byte, counted at fixed places of the text.
    Work,
    /// An open-ended match is longer than its `maxSpan`.
    Span,
    /// Open matches need more text than a channel may retain.
    Retained,
}

impl std::fmt::Display for ScanError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            ScanError::Work => "verification budget exceeded",
            ScanError::Span => "open-ended match longer than maxSpan",
            ScanError::Retained => "open matches need more text than may be retained",
        })
    }
}
