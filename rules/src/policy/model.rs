//! The policy document but for its rules.

use std::collections::BTreeMap;

use super::read::{document, words};
use super::{
    AppliesTo, Audit, Channels, Exception, Identity, Key, Period, Quantity, Rule, Sensitivity,
};
use crate::Action;

/// The only `apiVersion` so far.
pub const API_VERSION: &str = "guard.weir.dev/v1alpha1";

document! {
    /// A policy: what may be read, said and called on the traffic that it names.
    pub struct Policy {
        /// `guard.weir.dev/v1alpha1`.
        "apiVersion" api_version: String,
        /// `Policy`.
        "kind" kind: String,
        "metadata" metadata: Metadata,
        "spec" spec: Spec,
    }
}

document! {
    /// Names the policy.
    pub struct Metadata {
        /// A DNS label.
        "name" name: String,
        "labels" labels: BTreeMap<String, String> => default Default::default(),
        "annotations" annotations: BTreeMap<String, String> => default Default::default(),
    }
}

document! {
    /// What the policy says.
    pub struct Spec default {
        /// Who answers for it; informative.
        "owner" owner: Option<Owner> => default None,
        "mode" mode: Mode => default Default::default(),
        "failureMode" failure_mode: FailureMode => default Default::default(),
        /// How request bodies wait for their verdict.
        "requestMode" request_mode: RequestMode => default Default::default(),
        /// Which traffic it reads; without entries all hosts, by the paths of the known dialects.
        "traffic" traffic: Vec<Traffic> => default Vec::new(),
        "inspection" inspection: Inspection => default Default::default(),
        "packs" packs: Vec<PackRef> => default Vec::new(),
        "rules" rules: Vec<Rule> => default Vec::new(),
        "tools" tools: Option<Tools> => default None,
        /// The platform's tool rules in an effective policy: both must allow a call.
        "baselineTools" baseline_tools: Option<Tools> => default None,
        "refusal" refusal: Refusal => default Default::default(),
        "limits" limits: Limits => default Default::default(),
        /// How an answer ends that is refused after it began.
        "onViolation" on_violation: OnViolation => default Default::default(),
        /// The proxy sets `allow_on_headers_stop_iteration`: heads wait for the verdict too.
        "holdHeaders" hold_headers: bool => default false,
        /// Whose traffic it is for; everyone's if left out.
        "appliesTo" applies_to: Option<AppliesTo> => default None,
        "identity" identity: Identity => default Default::default(),
        "exceptions" exceptions: Vec<Exception> => default Vec::new(),
        "audit" audit: Audit => default Default::default(),
        "keys" keys: Vec<Key> => default Vec::new(),
    }
    later [
        "rollout", "destinations", "retrieval", "behavior", "approvals", "classifiers", "expression",
    ]
}

document! {
    /// Who answers for the policy.
    pub struct Owner {
        "team" team: Option<String> => default None,
        "contact" contact: Option<String> => default None,
    }
}

words! {
    /// Whether decisions are carried out.
    #[derive(Default)]
    pub enum Mode {
        #[default]
        Enforce,
        /// Decided and recorded, not carried out.
        Shadow,
    }
}

words! {
    /// What becomes of traffic that cannot be inspected.
    #[derive(Default)]
    pub enum FailureMode {
        #[default]
        FailClosed,
        FailOpen,
    }
}

words! {
    /// How request bodies wait for their verdict.
    #[derive(Default)]
    pub enum RequestMode {
        /// No byte goes upstream before the verdict.
        #[default]
        Hold,
        /// All but the end goes on at once: constant memory, and the upstream never has a whole document before the
        /// verdict. What was sent on cannot be edited any more: Mask and Neutralize refuse.
        Progressive,
    }
}

words! {
    /// How an answer ends that is refused after it began.
    #[derive(Default)]
    pub enum OnViolation {
        /// Cleanly; the upstream runs on unheard.
        #[default]
        Drain,
        /// The ending is sent, then the stream is reset: the upstream stops, the client sees an aborted stream.
        Cut,
    }
}

document! {
    /// Hosts and paths that the policy reads.
    pub struct Traffic {
        /// A host name, `*.` and a suffix, or `*`.
        "hosts" hosts: Vec<String>,
        /// Globs on the normalized path.
        "paths" paths: Vec<String> => default all_paths(),
        "dialect" dialect: Dialect => default Default::default(),
    }
}

fn all_paths() -> Vec<String> {
    vec!["/*".to_owned()]
}

words! {
    /// The wire format of some traffic.
    #[derive(Default)]
    pub enum Dialect {
        /// By the path; other paths of the host are decided by `inspection.unknownShape`.
        #[default]
        Auto,
        /// By the path; other paths are not read.
        Known,
        OpenAIChat,
        AnthropicMessages,
    }
}

document! {
    /// What becomes of what cannot be seen.
    pub struct Inspection default {
        /// Bodies on a named host that are in no known dialect.
        "unknownShape" unknown_shape: Decision => default Decision::Reject,
        /// Conversation state at the provider.
        "serverSideState" server_side_state: Decision => default Decision::Reject,
        /// URLs and file ids that the model will read.
        "remoteReferences" remote_references: Decision => default Decision::Reject,
        /// Images, audio and files inside the body.
        "media" media: Decision => default Decision::Audit,
    }
}

words! {
    /// What becomes of something that cannot be inspected.
    #[derive(Default)]
    pub enum Decision {
        Allow,
        #[default]
        Audit,
        Reject,
    }
}

document! {
    /// A built-in pack, and what it does here.
    pub struct PackRef {
        /// `injection`, `jailbreak`, `secrets` or `pii`.
        "name" name: String,
        /// The packs' version, if it is to be pinned.
        "version" version: Option<String> => default None,
        /// On every channel that it reads; the pack's own actions by channel if left out.
        "action" action: Option<Action> => default None,
        "sensitivity" sensitivity: Option<Sensitivity> => default None,
        /// Whether the classifier adds to the score, in a pack that has one.
        "classifier" classifier: Switch => default Default::default(),
        "mode" mode: Option<Mode> => default None,
        "channels" channels: Option<Channels> => default None,
        "overrides" overrides: Vec<Override> => default Vec::new(),
    }
    later ["newRules"]
}

words! {
    /// Whether a part of a pack is used.
    #[derive(Default)]
    pub enum Switch {
        #[default]
        Enabled,
        Disabled,
    }
}

document! {
    /// A pack's rule, changed here.
    pub struct Override {
        "rule" rule: String,
        "mode" mode: Option<Mode> => default None,
        "action" action: Option<Action> => default None,
    }
}

document! {
    /// Which tools a model may be offered and may call.
    pub struct Tools {
        /// For tools that no rule names.
        "defaultAction" default_action: ToolAction => default Default::default(),
        "rules" rules: Vec<ToolRule> => default Vec::new(),
    }
    later ["labels", "pins"]
}

words! {
    /// Deny wins over Allow, whatever the order.
    #[derive(Default)]
    pub enum ToolAction {
        #[default]
        Allow,
        Deny,
    }
    later ["Approve"]
}

document! {
    /// A rule on tools by name.
    pub struct ToolRule {
        "id" id: String,
        /// Names, or globs with `*` and `?`.
        "tools" tools: Vec<String>,
        "action" action: ToolAction,
        "mode" mode: Option<Mode> => default None,
    }
    later ["args", "approval"]
}

document! {
    /// How a refusal looks to the client.
    pub struct Refusal default {
        "as" as_: RefusalForm => default Default::default(),
        /// Of an error, 400 to 499.
        "status" status: u16 => default 403,
        "reveal" reveal: Reveal => default Default::default(),
        /// Shown to the client; `{decisionId}` stands for the decision's id. At most 512 characters.
        "message" message: Option<String> => default None,
    }
}

words! {
    /// As what a request is refused.
    #[derive(Default)]
    pub enum RefusalForm {
        /// The provider's error object.
        #[default]
        Error,
        /// A 200 in the dialect that says so.
        Completion,
    }
}

words! {
    /// What a refusal tells about its reason.
    #[derive(Default)]
    pub enum Reveal {
        #[default]
        Nothing,
        /// The rule's id: it teaches attackers.
        Rule,
    }
}

document! {
    /// Bounds on what a stream may cost.
    pub struct Limits default {
        /// The most bytes of a request body, and of an answer that is held whole.
        "request" request: Quantity => default Quantity(8 << 20),
        /// The most bytes of a request held while its stream is paused, and with `holdHeaders` of an answer; below the
        /// proxy's smallest buffer limit.
        "paused" paused: Quantity => default Quantity(512 << 10),
        /// The most bytes of stream events held for open matches.
        "held" held: Quantity => default Quantity(64 << 10),
        /// The most bytes of one stream event.
        "event" event: Quantity => default Quantity(256 << 10),
        /// The most bytes of stream events held for a tool call, beside `held`.
        "toolCall" tool_call: Quantity => default Quantity(1 << 20),
        /// Memory of a worker above which bodies are not taken in.
        "worker" worker: Quantity => default Quantity(256 << 20),
        /// How long a stalled stream may be held.
        "hold" hold: Period => default Period(10_000),
        /// Nesting of JSON, at most 512.
        "depth" depth: u16 => default 64,
        /// Channels open at once on a stream.
        "openChannels" open_channels: u16 => default 256,
        /// Another name of `openChannels`.
        "channels" channels: Option<u16> => default None,
    }
    later ["outputTokens"]
}

impl Limits {
    /// Channels open at once on a stream.
    pub fn lanes(&self) -> usize {
        usize::from(self.channels.unwrap_or(self.open_channels))
    }
}
