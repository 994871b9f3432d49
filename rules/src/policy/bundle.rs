//! The platform's floor and the policies above it: `kind: Bundle`.

use super::read::{At, Read, document, words};
use super::{Date, Metadata, Mode, Node, Period, Spec};

document! {
    /// One baseline and the policies of many teams, merged by the engine when it is configured.
    pub struct Bundle {
        /// `guard.weir.dev/v1alpha1`.
        "apiVersion" api_version: String,
        /// `Bundle`.
        "kind" kind: String,
        "metadata" metadata: Metadata,
        "spec" spec: BundleSpec,
    }
}

document! {
    /// The parts of a bundle.
    pub struct BundleSpec {
        "baseline" baseline: Baseline,
        "policies" policies: Vec<Part> => default Vec::new(),
    }
}

document! {
    /// What the platform demands of every policy.
    pub struct Baseline {
        "apiVersion" api_version: Option<String> => default None,
        "kind" kind: Option<String> => default None,
        "metadata" metadata: Metadata,
        "spec" spec: BaselineSpec,
    }
}

document! {
    /// The floor, what fills holes, and what teams may loosen.
    pub struct BaselineSpec default {
        /// The floor: a policy that is weaker is refused.
        "overrides" overrides: Spec => default Default::default(),
        /// What stands where a policy says nothing.
        "defaults" defaults: Spec => default Default::default(),
        /// What a caller comes under that no policy is for.
        "unmatched" unmatched: Unmatched => default Default::default(),
        "delegate" delegate: Delegate => default Default::default(),
        "breakGlass" break_glass: Option<BreakGlass> => default None,
    }
}

document! {
    /// A policy inside a bundle; `apiVersion` and `kind` may be left out.
    pub struct Part {
        "apiVersion" api_version: Option<String> => default None,
        "kind" kind: Option<String> => default None,
        "metadata" metadata: Metadata,
        "spec" spec: Spec,
    }
}

words! {
    /// What a caller comes under that no policy is for.
    #[derive(Default)]
    pub enum Unmatched {
        #[default]
        Baseline,
        Reject,
    }
}

document! {
    /// What teams may loosen.
    pub struct Delegate default {
        "exceptions" exceptions: Option<DelegateExceptions> => default None,
        /// A new policy may begin in Shadow, as long as its annotation `guard.weir.dev/shadow-since` is younger.
        "shadow" shadow: Option<Lasting> => default None,
        /// How policies may pick their traffic.
        "profileBy" profile_by: Vec<ProfileBy> => default vec![ProfileBy::Caller, ProfileBy::Host],
        "breakGlass" break_glass: Option<Lasting> => default None,
    }
}

words! {
    /// How policies may pick their traffic.
    pub enum ProfileBy {
        Caller,
        Host,
    }
    later ["RouteMetadata"]
}

document! {
    /// Which findings teams may except.
    pub struct DelegateExceptions {
        /// Packs whose rules may be excepted; those of other packs only by the platform.
        "packs" packs: Vec<String>,
        /// How far ahead an exception may expire.
        "maxDuration" max_duration: Lapse,
    }
}

document! {
    /// Something that ends.
    pub struct Lasting {
        "maxDuration" max_duration: Lapse,
    }
}

document! {
    /// Policies that are set to Shadow in an emergency, until a moment.
    pub struct BreakGlass {
        "until" until: Date,
        "policies" policies: Vec<String>,
        "mode" mode: Mode => default Mode::Shadow,
        "ticket" ticket: String,
    }
}

/// A span of days, written as `90d`, or a duration such as `4h`. In microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lapse(pub u64);

impl Read for Lapse {
    fn read(at: &At<'_>) -> Option<Lapse> {
        let Node::Text(text) = at.node else { return at.expected("a duration such as 90d") };
        let days = text.strip_suffix('d').and_then(|days| days.parse::<u32>().ok());
        let lapse = match days {
            Some(days) => Some(u64::from(days) * super::date::DAY),
            None => Period::parse(text).map(|period| period.millis().saturating_mul(1000)),
        };
        match lapse {
            Some(micros) => Some(Lapse(micros)),
            None => at.error("it is no duration", "write a duration such as 90d or 4h"),
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Lapse {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Lapse".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Days, or a Gateway API duration.",
            "type": "string",
            "pattern": "^([0-9]+d|([0-9]{1,5}(h|m|s|ms)){1,4})$"
        })
    }
}
