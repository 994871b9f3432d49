//! What a text comes to under a policy: the one place where an evaluation asks the engine.

use weir_rules::{Action, Channel};

use crate::policy::Terms;
use crate::verdict::Verdict;

/// What a text comes to.
#[derive(Clone, Default)]
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
    Judgement { findings, rejected, uninspected: verdict.fault.is_some(), score: verdict.score }
}

/// What a text comes to where it is enough that one of several policies finds it, or where all of them must.
pub fn combined(
    judgements: &[Judgement],
    all: bool,
    flagged: impl Fn(&Judgement) -> bool,
) -> Judgement {
    let mut sum = Judgement::default();
    if all && !judgements.iter().all(flagged) {
        return sum;
    }
    for one in judgements {
        sum.findings.extend(one.findings.iter().cloned());
        sum.rejected |= one.rejected;
        sum.uninspected |= one.uninspected;
    }
    sum.findings.sort();
    sum.findings.dedup();
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_enough_or_all_must() {
        let judgement = |rules: &[&str], rejected| Judgement {
            findings: rules.iter().map(|rule| ((*rule).to_owned(), 0, 1)).collect(),
            rejected,
            ..Judgement::default()
        };
        let found = |j: &Judgement| !j.findings.is_empty();
        for (a, b, either, both) in
            [(&["x"][..], &["x", "y"][..], 2, 2), (&["x"], &[], 1, 0), (&[], &[], 0, 0)]
        {
            let two = [judgement(a, false), judgement(b, true)];
            for (all, expected) in [(false, either), (true, both)] {
                let sum = combined(&two, all, found);
                assert_eq!(sum.findings.len(), expected, "{a:?} {b:?} {all}");
                assert_eq!(sum.rejected, !all || found(&two[0]) && found(&two[1]));
            }
        }
    }
}
