//! What happened on one exchange, in numbers and rule ids; never in text.

use weir_rules::policy::{Mode, ToolAction};
use weir_rules::{Action, Channel, Ruleset};

/// The most distinct (rule, channel, action) rows that one record carries; more are counted in `more`.
const MAX_ROWS: usize = 64;
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
    pub count: u32,
}

/// Collects findings and what was not inspected.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub decision: Decision,
    pub rows: Vec<Row>,
    pub more: u32,
    /// The rule that refused, if one did.
    pub refused_by: Option<String>,
    /// Why something could not be inspected; a closed list of words.
    pub faults: Vec<&'static str>,
    pub media_bytes: u64,
    pub references: u32,
    pub passed_bytes: u64,
    pub held_events: u64,
    pub held_micros: u64,
    pub events: u64,
    pub dropped_bytes: u64,
}

impl Tally {
    /// Counts a finding; returns the action if it is enforced.
    pub fn finding(&mut self, rules: &Ruleset, rule: u16, channel: Channel) -> Option<Action> {
        let (action, mode) = rules.action(rule, channel)?;
        self.row(rules.id(rule), Some(channel), word(action), mode);
        if mode == Mode::Shadow {
            self.reach(Decision::Audit);
            return None;
        }
        self.reach(action.into());
        if action == Action::Reject && self.refused_by.is_none() {
            self.refused_by = Some(rules.id(rule).to_owned());
        }
        Some(action)
    }

    /// Counts a row of its own, such as a denied tool.
    pub fn row(&mut self, rule: &str, channel: Option<Channel>, action: &'static str, mode: Mode) {
        let same = |r: &&mut Row| {
            r.rule == rule && r.channel == channel && r.action == action && r.mode == mode
        };
        if let Some(row) = self.rows.iter_mut().find(same) {
            row.count = row.count.saturating_add(1);
        } else if self.rows.len() < MAX_ROWS {
            self.rows.push(Row { rule: rule.to_owned(), channel, action, mode, count: 1 });
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    /// Judges a tool by its name and counts a denial; whether it is denied and enforced.
    pub fn tool(&mut self, rules: &Ruleset, name: &str, channel: Channel) -> bool {
        let verdict = rules.tools().judge(name);
        if verdict.action != ToolAction::Deny {
            return false;
        }
        let id = verdict.rule.unwrap_or(TOOLS_DEFAULT);
        self.row(id, Some(channel), "deny", verdict.mode);
        let enforced = verdict.mode == Mode::Enforce;
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
