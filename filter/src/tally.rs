//! What happened on one exchange, in numbers and rule ids; never in text.

use weir_rules::keys::hex;
use weir_rules::policy::{Mode, ToolAction};
use weir_rules::{Action, Channel, Finding, Granted, Ruleset};

use crate::dialect::Value;

/// The most distinct (rule, channel, action) rows that one record carries; more are counted in `more`.
const MAX_ROWS: usize = 64;
/// The most fingerprints of one row.
const MAX_PRINTS: usize = 4;
/// The rule id of the default action of `tools`.
const TOOLS_DEFAULT: &str = "tools-default";

/// What an exchange came to. The worst of request and answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    #[default]
    Pass,
    Audit,
    Neutralize,
    Mask,
    Reject,
    Fail,
}

impl Decision {
    /// The word in records, headers and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Decision::Pass => "pass",
            Decision::Audit => "audit",
            Decision::Neutralize => "neutralize",
            Decision::Mask => "mask",
            Decision::Reject => "reject",
            Decision::Fail => "fail",
        }
    }
}

impl From<Action> for Decision {
    fn from(action: Action) -> Decision {
        match action {
            Action::Audit => Decision::Audit,
            Action::Neutralize => Decision::Neutralize,
            Action::Mask => Decision::Mask,
            Action::Reject => Decision::Reject,
        }
    }
}

/// One row of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub rule: String,
    pub channel: Option<Channel>,
    pub action: &'static str,
    pub mode: Mode,
    /// The exception that weakened the action.
    pub exception: Option<String>,
    /// Fingerprints of the findings, where the policy has a key for them; the first few.
    pub prints: Vec<String>,
    pub count: u32,
}

/// Collects findings and what was not inspected.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// What the exchange is exempt from.
    pub granted: Granted,
    pub decision: Decision,
    pub rows: Vec<Row>,
    pub more: u32,
    /// The rule that refused, if one did.
    pub refused_by: Option<String>,
    /// Findings that an exception would have covered, had it not expired.
    pub lapsed: u32,
    /// Why something could not be inspected; a closed list of words.
    pub faults: Vec<&'static str>,
    pub media_bytes: u64,
    pub references: u32,
    /// Bytes of the answer that were read.
    pub answer_bytes: u64,
    /// Bytes that passed unread.
    pub unread_bytes: u64,
    pub held_events: u64,
    pub held_micros: u64,
    /// The most bytes held at once.
    pub held_bytes: u64,
    pub events: u64,
    pub dropped_bytes: u64,
    /// Tokens as the answer counts them.
    pub tokens: Tokens,
}

/// What the provider says that the exchange used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    pub input: Option<u64>,
    pub output: Option<u64>,
}

impl Tokens {
    /// Takes a value of the answer, if it is a number of tokens. Streams count up: the greatest stays.
    pub fn note(&mut self, value: Value, text: &str) {
        let slot = match value {
            Value::InputTokens => &mut self.input,
            Value::OutputTokens => &mut self.output,
            _ => return,
        };
        *slot = (*slot).max(text.parse().ok());
    }

    /// Joins what another part of the answer says.
    pub fn join(&mut self, other: Tokens) {
        self.input = self.input.max(other.input);
        self.output = self.output.max(other.output);
    }
}

impl Tally {
    /// A tally of the same terms for a copy of a text: what is found there is not counted again.
    pub fn copy(&self) -> Tally {
        Tally { granted: self.granted.clone(), ..Tally::default() }
    }

    /// Whether what is decided is carried out.
    pub fn mode(&self) -> Mode {
        if self.granted.shadow { Mode::Shadow } else { Mode::Enforce }
    }

    /// Counts a finding; returns the action if it is enforced.
    pub fn finding(
        &mut self,
        rules: &Ruleset,
        finding: &Finding,
        channel: Channel,
    ) -> Option<Action> {
        let id = rules.id(finding.rule);
        let decided = rules.decide(finding, channel, &self.granted)?;
        let (action, exception) = (word(decided.action), decided.exception);
        let row = self.add(id, Some(channel), action, decided.mode, exception);
        if let (Some(row), Some(print)) = (row, finding.print)
            && let Some(key) = rules.keys().fingerprint_key()
        {
            let print = format!("{key}:{}", hex(&print));
            if row.prints.len() < MAX_PRINTS && !row.prints.contains(&print) {
                row.prints.push(print);
            }
        }
        self.lapsed = self.lapsed.saturating_add(u32::from(decided.lapsed));
        if decided.mode == Mode::Shadow {
            self.reach(Decision::Audit);
            return None;
        }
        self.reach(decided.action.into());
        if decided.action == Action::Reject {
            self.refuse(id);
        }
        Some(decided.action)
    }

    /// Counts a row of its own, such as a denied tool.
    pub fn row(&mut self, rule: &str, channel: Option<Channel>, action: &'static str, mode: Mode) {
        self.add(rule, channel, action, mode, None);
    }

    fn add(
        &mut self,
        rule: &str,
        channel: Option<Channel>,
        action: &'static str,
        mode: Mode,
        exception: Option<&str>,
    ) -> Option<&mut Row> {
        let same = |r: &Row| {
            r.rule == rule
                && r.channel == channel
                && r.action == action
                && r.mode == mode
                && r.exception.as_deref() == exception
        };
        let at = match self.rows.iter().position(same) {
            Some(at) => at,
            None if self.rows.len() >= MAX_ROWS => {
                self.more = self.more.saturating_add(1);
                return None;
            }
            None => {
                let (rule, exception) = (rule.to_owned(), exception.map(str::to_owned));
                let prints = Vec::new();
                self.rows.push(Row { rule, channel, action, mode, exception, prints, count: 0 });
                self.rows.len() - 1
            }
        };
        let row = self.rows.get_mut(at)?;
        row.count = row.count.saturating_add(1);
        Some(row)
    }

    /// Names the rule that refuses; the first one stays.
    pub fn refuse(&mut self, rule: &str) {
        self.refused_by.get_or_insert_with(|| rule.to_owned());
    }

    /// Judges a tool by its name and counts a denial; whether it is denied and enforced.
    pub fn tool(&mut self, rules: &Ruleset, name: &str, channel: Channel) -> bool {
        let verdict = rules.tools().judge(name);
        if verdict.action != ToolAction::Deny {
            return false;
        }
        let id = verdict.rule.unwrap_or(TOOLS_DEFAULT);
        let mode = if self.granted.shadow { Mode::Shadow } else { verdict.mode };
        self.row(id, Some(channel), "deny", mode);
        let enforced = mode == Mode::Enforce;
        self.reach(if enforced { Decision::Mask } else { Decision::Audit });
        enforced
    }

    /// The decision is at least this.
    pub fn reach(&mut self, decision: Decision) {
        self.decision = self.decision.max(decision);
    }

    /// Something could not be inspected.
    pub fn fault(&mut self, reason: &'static str) {
        if !self.faults.contains(&reason) {
            self.faults.push(reason);
        }
    }
}

/// The word of an action in records.
pub fn word(action: Action) -> &'static str {
    Decision::from(action).word()
}
