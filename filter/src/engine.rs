//! A compiled policy with what the pipeline asks of it on every stream.

use std::rc::Rc;

use weir_rules::policy::{Mode, Policy, PolicyErrors, RequestMode};
use weir_rules::{Action, Channel, ChannelSet, Granted, Keys, Ruleset};

use crate::guard::Environment;
use crate::known;

/// One policy, compiled once and shared by all streams of a worker that began under it.
pub struct Engine {
    pub policy: Policy,
    pub rules: Ruleset,
    /// No other policy of this worker has it: what is [known](crate::known) of texts is known under one policy.
    pub number: u64,
    /// Names the packs' content in records.
    pub packs_hash: String,
    /// Until when nothing is carried out, in microseconds since the Unix epoch.
    pub shadow_until: Option<u64>,
    /// Some rule or tool policy can change a request body.
    pub edits_requests: bool,
    /// Request bodies go on before their verdict, all but the end.
    pub progressive: bool,
    /// Some rule or tool policy can change an answer.
    pub edits_answers: bool,
    /// An answer must be complete before any byte of it leaves.
    pub rejects_answers: bool,
    /// Masks reasoning; where it is signed that refuses the answer.
    pub masks_reasoning: bool,
    /// Streamed tool calls are held whole.
    pub holds_calls: bool,
}

impl Engine {
    /// Compiles a policy; until `shadow_until`, in microseconds since the Unix epoch, nothing is carried out.
    ///
    /// # Errors
    /// Every place that is wrong, with reason and cure.
    pub fn new(
        policy: Policy,
        environment: Environment<'_>,
        shadow_until: Option<u64>,
    ) -> Result<Rc<Engine>, PolicyErrors> {
        let keys = Keys::resolve(&policy, environment)?;
        let rules = Ruleset::compile(&policy, keys)?;
        let (request, response) = (ChannelSet::REQUEST, ChannelSet::RESPONSE);
        let tools = rules.tools().can_deny();
        let edits = |scope| rules.can(Action::Mask, scope) || rules.can(Action::Neutralize, scope);
        let reasoning = ChannelSet::from(Channel::ResponseReasoning);
        let rejects = rules.can(Action::Reject, response);
        let calls = rules.can(Action::Reject, ChannelSet::from(Channel::ResponseToolCall));
        let progressive = policy.spec.request_mode == RequestMode::Progressive;
        Ok(Rc::new(Engine {
            edits_requests: !progressive && (tools || edits(request)),
            progressive,
            edits_answers: tools || edits(response) || rejects,
            rejects_answers: rejects || tools,
            masks_reasoning: rules.can(Action::Mask, reasoning),
            holds_calls: tools || calls,
            shadow_until,
            number: known::policy(),
            packs_hash: weir_rules::packs::hash(),
            policy,
            rules,
        }))
    }
}

impl Engine {
    /// What an exchange of `caller` is exempt from at `now`, in microseconds since the Unix epoch.
    pub fn granted(&self, caller: Option<&str>, now: u64) -> Granted {
        let mut granted = self.rules.granted(caller, now);
        let suspended = self.shadow_until.is_some_and(|until| now < until);
        granted.shadow = self.policy.spec.mode == Mode::Shadow || suspended;
        granted
    }
}

/// FNV-1a, 64 bits: names texts, protects nothing.
pub fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
