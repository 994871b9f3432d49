//! The policy document but for its rules.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Channels, Period, Quantity, Rule, Sensitivity, Unenforced};
use crate::Action;

/// The only `apiVersion` so far.
pub const API_VERSION: &str = "guard.weir.dev/v1alpha1";

/// A policy: what may be read, said and called on the traffic that it names.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    /// `guard.weir.dev/v1alpha1`.
    pub api_version: String,
    /// `Policy`.
    pub kind: String,
    pub metadata: Metadata,
    pub spec: Spec,
}

/// Names the policy.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    /// A DNS label.
    pub name: String,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

/// What the policy says.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Spec {
    /// Who answers for it; informative.
    pub owner: Option<Owner>,
    pub mode: Mode,
    pub failure_mode: FailureMode,
    /// How request bodies wait for their verdict.
    pub request_mode: RequestMode,
    /// Which traffic it reads; without entries all hosts, by the paths of the known dialects.
    pub traffic: Vec<Traffic>,
    pub inspection: Inspection,
    pub packs: Vec<PackRef>,
    pub rules: Vec<Rule>,
    pub tools: Option<Tools>,
    pub refusal: Refusal,
    pub limits: Limits,
    pub applies_to: Option<Unenforced>,
    pub rollout: Option<Unenforced>,
    pub identity: Option<Unenforced>,
    pub destinations: Option<Unenforced>,
    pub retrieval: Option<Unenforced>,
    pub behavior: Option<Unenforced>,
    pub approvals: Option<Unenforced>,
    pub classifiers: Option<Unenforced>,
    pub exceptions: Option<Unenforced>,
    pub audit: Option<Unenforced>,
    pub keys: Option<Unenforced>,
    pub expression: Option<Unenforced>,
}

/// Who answers for the policy.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Owner {
    #[serde(default)]
    pub team: Option<String>,
    #[serde(default)]
    pub contact: Option<String>,
}

/// Whether decisions are carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Mode {
    #[default]
    Enforce,
    /// Decided and recorded, not carried out.
    Shadow,
}

/// What becomes of traffic that cannot be inspected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum FailureMode {
    #[default]
    FailClosed,
    FailOpen,
}

/// How request bodies wait for their verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum RequestMode {
    /// No byte goes upstream before the verdict.
    #[default]
    Hold,
}

/// Hosts and paths that the policy reads.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Traffic {
    /// A host name, `*.` and a suffix, or `*`.
    pub hosts: Vec<String>,
    /// Globs on the normalized path.
    #[serde(default = "all_paths")]
    pub paths: Vec<String>,
    #[serde(default)]
    pub dialect: Dialect,
}

fn all_paths() -> Vec<String> {
    vec!["/*".to_owned()]
}

/// The wire format of some traffic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Dialect {
    /// By the path.
    #[default]
    Auto,
    OpenAIChat,
    AnthropicMessages,
}

/// What becomes of what cannot be seen.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Inspection {
    /// Bodies on a named host that are in no known dialect.
    pub unknown_shape: Decision,
    /// Conversation state at the provider.
    pub server_side_state: Decision,
    /// URLs and file ids that the model will read.
    pub remote_references: Decision,
    /// Images, audio and files inside the body.
    pub media: Decision,
}

impl Default for Inspection {
    fn default() -> Inspection {
        Inspection {
            unknown_shape: Decision::Reject,
            server_side_state: Decision::Reject,
            remote_references: Decision::Reject,
            media: Decision::Audit,
        }
    }
}

/// What becomes of something that cannot be inspected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Decision {
    Allow,
    Audit,
    Reject,
}

/// A built-in pack, and what it does here.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PackRef {
    /// `injection`, `secrets` or `pii`.
    pub name: String,
    /// The packs' version, if it is to be pinned.
    #[serde(default)]
    pub version: Option<String>,
    /// On every channel that it reads; the pack's own actions by channel if left out.
    #[serde(default)]
    pub action: Option<Action>,
    #[serde(default)]
    pub sensitivity: Option<Sensitivity>,
    #[serde(default)]
    pub mode: Option<Mode>,
    #[serde(default)]
    pub channels: Option<Channels>,
    #[serde(default)]
    pub overrides: Vec<Override>,
    #[serde(default)]
    pub new_rules: Option<Unenforced>,
}

/// A pack's rule, changed here.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Override {
    pub rule: String,
    #[serde(default)]
    pub mode: Option<Mode>,
    #[serde(default)]
    pub action: Option<Action>,
}

/// Which tools a model may be offered and may call.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tools {
    /// For tools that no rule names.
    #[serde(default)]
    pub default_action: ToolAction,
    #[serde(default)]
    pub rules: Vec<ToolRule>,
    #[serde(default)]
    pub labels: Option<Unenforced>,
    #[serde(default)]
    pub pins: Option<Unenforced>,
}

/// Deny wins over Allow, whatever the order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ToolAction {
    #[default]
    Allow,
    Deny,
}

/// A rule on tools by name.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ToolRule {
    pub id: String,
    /// Names, or globs with `*` and `?`.
    pub tools: Vec<String>,
    pub action: ToolAction,
    #[serde(default)]
    pub mode: Option<Mode>,
    #[serde(default)]
    pub args: Option<Unenforced>,
    #[serde(default)]
    pub approval: Option<Unenforced>,
}

/// How a refusal looks to the client.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Refusal {
    #[serde(rename = "as")]
    pub as_: RefusalForm,
    /// Of an error, 400 to 499.
    pub status: u16,
    pub reveal: Reveal,
    /// Shown to the client; `{decisionId}` stands for the decision's id. At most 512 characters.
    pub message: Option<String>,
}

impl Default for Refusal {
    fn default() -> Refusal {
        Refusal { as_: RefusalForm::Error, status: 403, reveal: Reveal::Nothing, message: None }
    }
}

/// As what a request is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum RefusalForm {
    /// The provider's error object.
    #[default]
    Error,
    /// A 200 in the dialect that says so.
    Completion,
}

/// What a refusal tells about its reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Reveal {
    #[default]
    Nothing,
    /// The rule's id: it teaches attackers.
    Rule,
}

/// Bounds on what a stream may cost.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Limits {
    /// The most bytes of a request body, and of an answer that is held whole.
    pub request: Quantity,
    /// The most bytes held while a stream is paused; below the proxy's smallest buffer limit.
    pub paused: Quantity,
    /// The most bytes of stream events held for open matches.
    pub held: Quantity,
    /// The most bytes of one stream event.
    pub event: Quantity,
    /// The most bytes of stream events held for a tool call, beside `held`.
    pub tool_call: Quantity,
    /// Memory of a worker above which bodies are not taken in.
    pub worker: Quantity,
    /// How long a stalled stream may be held.
    pub hold: Period,
    /// Nesting of JSON, at most 512.
    pub depth: u16,
    /// Channels open at once on a stream.
    #[serde(alias = "channels")]
    pub open_channels: u16,
    pub output_tokens: Option<Unenforced>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            request: Quantity(8 << 20),
            paused: Quantity(512 << 10),
            held: Quantity(64 << 10),
            event: Quantity(256 << 10),
            tool_call: Quantity(1 << 20),
            worker: Quantity(256 << 20),
            hold: Period(10_000),
            depth: 64,
            open_channels: 256,
            output_tokens: None,
        }
    }
}
