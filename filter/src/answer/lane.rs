//! A text that goes on over stream events: its scanner, its edits, and how far it may leave.

use weir_rules::{Action, ChannelSet, Edit, Found, Merger, Ruleset, ScanError, Scanner};

use crate::dialect::Lane as Kind;
use crate::json::Arguments;
use crate::tally::Tally;

/// Which text of the stream: choice or block, tool call, kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneKey {
    pub group: u32,
    pub part: u32,
    pub kind: Kind,
}

/// One lane of a stream.
pub struct LaneState {
    pub key: LaneKey,
    scanner: Scanner,
    merger: Merger,
    /// Tokenizer of nested arguments, and how much once-decoded text it has seen.
    pub arguments: Arguments,
    pub decoded: u64,
    /// Text before this offset may leave.
    pub free: u64,
    found: Vec<Found>,
    /// Enforced findings that are not over: rule, start, action.
    growing: Vec<(u16, u64, Action)>,
}

/// What a push came to.
#[derive(Default)]
pub struct Pushed {
    pub rejected: bool,
}

impl LaneState {
    pub fn new(key: LaneKey) -> LaneState {
        LaneState {
            key,
            scanner: Scanner::default(),
            merger: Merger::default(),
            arguments: Arguments::default(),
            decoded: 0,
            free: u64::MAX,
            found: Vec::new(),
            growing: Vec::new(),
        }
    }

    /// Offset after the last byte of the lane's text.
    pub fn position(&self) -> u64 {
        self.scanner.position()
    }

    /// Scans more text.
    pub fn push(
        &mut self,
        rules: &Ruleset,
        text: &str,
        tally: &mut Tally,
    ) -> Result<Pushed, ScanError> {
        let scope = ChannelSet::from(self.key.kind.channel());
        let mut found = std::mem::take(&mut self.found);
        let result = self.scanner.push(rules, scope, text, &mut found);
        let pushed = self.take(rules, &mut found, tally);
        self.found = found;
        result.map(|()| pushed)
    }

    /// The text (or one string of nested arguments) ends here.
    pub fn end(&mut self, rules: &Ruleset, tally: &mut Tally) -> Result<Pushed, ScanError> {
        let mut found = std::mem::take(&mut self.found);
        let result = self.scanner.end(rules, &mut found);
        let pushed = self.take(rules, &mut found, tally);
        self.found = found;
        result.map(|()| pushed)
    }

    fn take(&mut self, rules: &Ruleset, found: &mut Vec<Found>, tally: &mut Tally) -> Pushed {
        let mut pushed = Pushed::default();
        let channel = self.key.kind.channel();
        let copy = self.key.kind == Kind::Logprobs;
        for found in found.drain(..) {
            let action = match &found {
                Found::Match(finding) => {
                    let action = match copy {
                        false => tally.finding(rules, finding, channel),
                        true => tally.copy().finding(rules, finding, channel),
                    };
                    if let Some(action) = action.filter(|_| finding.open) {
                        self.growing.push((finding.rule, finding.start, action));
                    }
                    action
                }
                Found::Extended { rule, start, last, .. } => {
                    let own = |g: &(u16, u64, Action)| g.0 == *rule && g.1 == *start;
                    let action = self.growing.iter().find(|g| own(g)).map(|g| g.2);
                    self.growing.retain(|g| !last || !own(g));
                    action
                }
            };
            let signed = self.key.kind == Kind::Signed && action == Some(Action::Mask);
            if action == Some(Action::Reject) || signed {
                pushed.rejected = true;
                if let Found::Match(finding) = &found {
                    tally.refuse(rules.id(finding.rule));
                }
            } else {
                self.merger.take(&found, action);
            }
        }
        pushed
    }

    /// Whether all of its text may leave as it came.
    pub fn passes(&mut self, rules: &Ruleset) -> bool {
        if !self.merger.is_empty() {
            return false;
        }
        self.free = self.scanner.horizon(rules, self.key.kind.channel());
        self.scanner.position() <= self.free
    }

    /// Hands out settled edits and moves the point up to which text may leave.
    pub fn settle(&mut self, rules: &Ruleset, ended: bool, sink: &mut dyn FnMut(Edit)) {
        let horizon =
            if ended { u64::MAX } else { self.scanner.horizon(rules, self.key.kind.channel()) };
        self.free = self.merger.settle(horizon, sink);
    }
}
