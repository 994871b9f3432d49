//! What one exchange is exempt from: the policy's exceptions as they stand for its caller at its time.

use crate::action::Action;
use crate::channel::{Channel, ChannelSet};
use crate::compile::{CompiledRule, Ruleset};
use crate::finding::Finding;
use crate::keys::{Print, print_of};
use crate::policy::{Exception, Mode};
use crate::tools::glob;

/// One exception as the ruleset needs it.
#[derive(Clone, Debug)]
pub(crate) struct CompiledException {
    pub id: String,
    pub rules: Vec<String>,
    pub channels: ChannelSet,
    pub callers: Vec<String>,
    /// Key and fingerprint of single findings; without any all findings of the rules.
    pub prints: Vec<(String, Print)>,
    pub action: Action,
    /// Microseconds since the Unix epoch.
    pub expires: u64,
}

impl CompiledException {
    pub fn new(exception: &Exception) -> CompiledException {
        let found = &exception.matches;
        let print = |text: &String| {
            let (key, digits) = text.split_once(':')?;
            Some((key.to_owned(), print_of(digits)?))
        };
        CompiledException {
            id: exception.id.clone(),
            rules: exception.rules.clone(),
            channels: found.channels.as_ref().map_or(ChannelSet::ALL, |c| c.set),
            callers: found.callers.clone(),
            prints: found.fingerprints.iter().filter_map(print).collect(),
            action: exception.action,
            expires: exception.expires.0,
        }
    }

    pub fn names(&self, rule: &str) -> bool {
        self.rules.iter().any(|pattern| glob(pattern, rule))
    }
}

/// The exceptions that count for one exchange.
#[derive(Clone, Debug, Default)]
pub struct Granted {
    /// Everything is decided and nothing carried out.
    pub shadow: bool,
    active: Vec<u16>,
    lapsed: Vec<u16>,
}

/// What becomes of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decided<'a> {
    pub action: Action,
    pub mode: Mode,
    /// The exception that weakened the action.
    pub exception: Option<&'a str>,
    /// An exception would have weakened it, had it not expired.
    pub lapsed: bool,
}

impl Ruleset {
    /// What the policy's exceptions come to for `caller` at `now`, in microseconds since the Unix epoch. A caller that
    /// is not known gets none that names callers.
    pub fn granted(&self, caller: Option<&str>, now: u64) -> Granted {
        let mut granted = Granted::default();
        for (at, exception) in (0u16..).zip(&self.exceptions) {
            let fits = |pattern: &String| caller.is_some_and(|c| glob(pattern, c));
            if !exception.callers.is_empty() && !exception.callers.iter().any(fits) {
                continue;
            }
            let list =
                if now < exception.expires { &mut granted.active } else { &mut granted.lapsed };
            list.push(at);
        }
        granted
    }

    /// Ids of the exceptions that have expired at `now`.
    pub fn expired(&self, now: u64) -> impl Iterator<Item = &str> {
        self.exceptions.iter().filter(move |e| e.expires <= now).map(|e| e.id.as_str())
    }

    /// What becomes of `finding` in `channel`; `None` where its rule does not read.
    pub fn decide(
        &self,
        finding: &Finding,
        channel: Channel,
        granted: &Granted,
    ) -> Option<Decided<'_>> {
        let rule = self.rule(finding.rule)?;
        let (action, mode) = rule.action(channel)?;
        let mode = if granted.shadow { Mode::Shadow } else { mode };
        let mut decided = Decided { action, mode, exception: None, lapsed: false };
        for at in &rule.exceptions {
            let Some(exception) = self.exceptions.get(usize::from(*at)) else { continue };
            let fits = exception.channels.contains(channel)
                && (exception.prints.is_empty() || finding.accepted.contains(at));
            if !fits || exception.action >= decided.action {
                continue;
            }
            if granted.active.contains(at) {
                decided.action = exception.action;
                decided.exception = Some(&exception.id);
            } else {
                decided.lapsed |= granted.lapsed.contains(at);
            }
        }
        Some(decided)
    }

    /// The fingerprint of what `rule` found, and the exceptions that accept it by theirs.
    pub(crate) fn printed(&self, rule: u16, text: &str) -> (Option<Print>, Vec<u16>) {
        let (Some(compiled), Some(key)) = (self.rule(rule), self.keys.fingerprint_key()) else {
            return (None, Vec::new());
        };
        let print = self.keys.fingerprints(key, &compiled.id, text).first().copied();
        (print, self.accepted(compiled, text))
    }

    fn accepted(&self, compiled: &CompiledRule, text: &str) -> Vec<u16> {
        if !compiled.prints {
            return Vec::new();
        }
        let fits = |at: &&u16| {
            let exception = self.exceptions.get(usize::from(**at));
            exception.is_some_and(|e| {
                e.prints.iter().any(|(key, print)| {
                    self.keys.fingerprints(key, &compiled.id, text).contains(print)
                })
            })
        };
        compiled.exceptions.iter().filter(fits).copied().collect()
    }
}
