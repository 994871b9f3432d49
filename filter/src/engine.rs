//! A compiled policy with what the pipeline asks of it on every stream.

use std::rc::Rc;

use weir_rules::policy::{Policy, PolicyErrors};
use weir_rules::{Action, Channel, ChannelSet, Ruleset};

/// One policy, compiled once and shared by all streams of a worker that began under it.
pub struct Engine {
    pub policy: Policy,
    pub rules: Ruleset,
    /// FNV-1a of the configuration text, for records: which policy text decided.
    pub fingerprint: u64,
    /// Some rule or tool policy can change a request body.
    pub edits_requests: bool,
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
    /// Compiles a policy document.
    ///
    /// # Errors
    /// Every place that is wrong, with reason and cure.
    pub fn new(json: &[u8]) -> Result<Rc<Engine>, PolicyErrors> {
        let policy = Policy::from_json(json)?;
        let rules = Ruleset::compile(&policy)?;
        let (request, response) = (ChannelSet::REQUEST, ChannelSet::RESPONSE);
        let tools = rules.tools().can_deny();
        let edits = |scope| rules.can(Action::Mask, scope) || rules.can(Action::Neutralize, scope);
        let reasoning = ChannelSet::from(Channel::ResponseReasoning);
        let rejects = rules.can(Action::Reject, response);
        let calls = rules.can(Action::Reject, ChannelSet::from(Channel::ResponseToolCall));
        Ok(Rc::new(Engine {
            fingerprint: fnv(json),
            edits_requests: tools || edits(request),
            edits_answers: tools || edits(response) || rejects,
            rejects_answers: rejects || tools,
            masks_reasoning: rules.can(Action::Mask, reasoning),
            holds_calls: tools || calls,
            policy,
            rules,
        }))
    }
}

/// FNV-1a, 64 bits: names texts, protects nothing.
pub fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
