//! What a text comes to under a policy: the one place where an evaluation asks the engine.

use weir_rules::{Action, Channel};

use crate::policy::Terms;
use crate::verdict::Verdict;

/// What a text comes to.
pub struct Judgement {
    /// Rule ids, start and end in bytes.
    pub findings: Vec<(String, u64, u64)>,
    /// A finding refuses the text.
    pub rejected: bool,
    /// It could not be inspected, which refuses it too.
    pub uninspected: bool,
    /// 0 to 1000, where the policy scores.
    pub score: Option<u16>,
}

/// Judges a text as the whole of one channel, as `weir scan` does.
pub fn judge(terms: &Terms, channel: Channel, text: &str) -> Judgement {
    let verdict = Verdict::of(terms, channel, text);
    let rejected = verdict.findings.iter().any(|(_, action)| *action == Action::Reject);
    let id = |rule| terms.engine.rules.id(rule).to_owned();
    let findings = verdict.findings.iter().map(|(f, _)| (id(f.rule), f.start, f.end)).collect();
    Judgement { findings, rejected, uninspected: verdict.fault.is_some(), score: None }
}
