//! What one text comes to under a policy.

use serde_json::{Value, json};
use weir_filter::tally::word;
use weir_filter::{Engine, splice};
use weir_rules::policy::Mode;
use weir_rules::scan::closed;
use weir_rules::{Action, Channel, ChannelSet, Finding, Ruleset, ScanError, Scanner, edits};

use crate::policy::Terms;

/// What a text comes to.
#[derive(PartialEq)]
pub struct Verdict {
    /// The worst action, or `pass`.
    pub word: &'static str,
    /// 0 to 1000, where something scores the channel.
    pub score: Option<u16>,
    /// Sorted by start, then rule id.
    pub findings: Vec<(Finding, Action)>,
    /// The text as it would be passed on; none when it is refused.
    pub text: Option<String>,
    /// Why the text could not be inspected, which refuses it.
    pub fault: Option<String>,
}

impl Verdict {
    /// Scans `text` as the whole of one channel.
    pub fn of(terms: &Terms, channel: Channel, text: &str) -> Verdict {
        Verdict::of_pieces(terms, channel, &[text])
    }

    /// Scans a text that arrives in `pieces`.
    pub fn of_pieces(terms: &Terms, channel: Channel, pieces: &[&str]) -> Verdict {
        let engine = &terms.engine;
        let (found, score) = match scanned(&engine.rules, ChannelSet::from(channel), pieces) {
            Ok(found) => found,
            Err(error) => {
                let fault = Some(error.to_string());
                let findings = Vec::new();
                return Verdict { word: "reject", score: None, findings, text: None, fault };
            }
        };
        let mut findings: Vec<(Finding, Action)> = found
            .into_iter()
            .filter_map(|f| {
                let decided = engine.rules.decide(&f, channel, &terms.granted)?;
                let shadow = decided.mode == Mode::Shadow;
                Some((f, if shadow { Action::Audit } else { decided.action }))
            })
            .collect();
        let worst = findings.iter().map(|(_, action)| *action).max();
        let passed =
            (worst != Some(Action::Reject)).then(|| edited(engine, &findings, &pieces.concat()));
        let id = |f: &Finding| engine.rules.id(f.rule);
        findings.sort_by(|(a, _), (b, _)| (a.start, id(a), a.end).cmp(&(b.start, id(b), b.end)));
        let word = worst.map_or("pass", word);
        Verdict { word, score, findings, text: passed, fault: None }
    }

    /// The verdict as one line of JSON, in the documented order.
    pub fn line(&self, engine: &Engine, id: &Value) -> String {
        let findings: Vec<String> = self
            .findings
            .iter()
            .map(|(f, action)| {
                let rule = json!(engine.rules.id(f.rule));
                let (start, end, action) = (f.start, f.end, word(*action));
                format!(r#"{{"rule":{rule},"start":{start},"end":{end},"action":"{action}"}}"#)
            })
            .collect();
        let fault =
            self.fault.as_ref().map_or_else(String::new, |f| format!(r#","fault":{}"#, json!(f)));
        format!(
            r#"{{"id":{id},"verdict":"{}","score":{},"findings":[{}],"text":{}{fault}}}"#,
            self.word,
            json!(self.score),
            findings.join(","),
            json!(self.text),
        )
    }
}

/// What is found in a text that arrives in `pieces`.
///
/// # Errors
/// Why the text cannot be inspected.
pub fn findings(
    rules: &Ruleset,
    scope: ChannelSet,
    pieces: &[&str],
) -> Result<Vec<Finding>, ScanError> {
    scanned(rules, scope, pieces).map(|(found, _)| found)
}

/// The same with the text's score.
fn scanned(
    rules: &Ruleset,
    scope: ChannelSet,
    pieces: &[&str],
) -> Result<(Vec<Finding>, Option<u16>), ScanError> {
    let (mut scanner, mut found) = (Scanner::default(), Vec::new());
    for piece in pieces {
        scanner.push(rules, scope, piece, &mut found)?;
    }
    scanner.end(rules, &mut found)?;
    Ok((closed(found), scanner.score()))
}

fn edited(engine: &Engine, findings: &[(Finding, Action)], text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0usize;
    for edit in edits(findings) {
        out.push_str(text.get(at..edit.start as usize).unwrap_or_default());
        if let Some(label) = &edit.label {
            out.push_str(splice::label(&engine.rules, label));
        }
        at = edit.end as usize;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}
