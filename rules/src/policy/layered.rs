//! A bundle to its effective policies: every part checked by itself, then against the baseline, then merged.

use super::bundle::{BreakGlass, Bundle, Part, ProfileBy, Unmatched};
use super::merge::{Layers, Merged, Origin, merge};
use super::model::API_VERSION;
use super::{Date, Mode, Node, Policy, PolicyError, PolicyErrors, Spec, parse, validate};
use crate::packs;
use crate::tools::{glob, globs_meet};

/// The annotation that says since when a policy has been in Shadow.
pub const SHADOW_SINCE: &str = "guard.weir.dev/shadow-since";
const BASELINE: &str = "/spec/baseline/spec/overrides";

/// One policy as it is in force.
pub struct Effective {
    pub policy: Policy,
    /// The same as a document.
    pub spec: Node,
    /// Pointer in it and where the field comes from.
    pub origins: Vec<(String, Origin)>,
    /// Until when nothing is carried out, in microseconds since the Unix epoch.
    pub shadow_until: Option<u64>,
    inherited: Vec<(&'static str, usize)>,
    /// Where the policy stands in the bundle.
    place: String,
}

impl Effective {
    /// The place in the bundle of a place in the effective document.
    pub fn locate(&self, pointer: &str) -> String {
        for (list, inherited) in &self.inherited {
            let Some(rest) = pointer.strip_prefix(&format!("/spec/{list}/")) else { continue };
            let (index, after) = match rest.split_once('/') {
                Some((index, after)) => (index, format!("/{after}")),
                None => (rest, String::new()),
            };
            let Ok(index) = index.parse::<usize>() else { break };
            return match index.checked_sub(*inherited) {
                None => format!("{BASELINE}/{list}/{index}{after}"),
                Some(own) => format!("{}/spec/{list}/{own}{after}", self.place),
            };
        }
        format!("{}{pointer}", self.place)
    }
}

/// What a bundle comes to.
pub struct Resolved {
    pub policies: Vec<Effective>,
    pub baseline: Effective,
    pub unmatched: Unmatched,
}

/// Whether a document is a bundle.
pub fn is_bundle(document: &Node) -> bool {
    document.get("kind").and_then(Node::text) == Some("Bundle")
}

/// Reads, checks and merges a bundle. `now` is in microseconds since the Unix epoch.
///
/// # Errors
/// Every place that is wrong, or weaker than the baseline.
pub fn resolve(document: &Node, now: u64) -> Result<Resolved, PolicyErrors> {
    let bundle: Bundle = parse::section(document, "")?;
    let mut errors = parts(&bundle);
    let nothing = Node::Map(Vec::new());
    let spec = document.get("spec").unwrap_or(&nothing);
    let baseline = spec.get("baseline").and_then(|b| b.get("spec")).unwrap_or(&nothing);
    let layer = |name| baseline.get(name).unwrap_or(&nothing);
    let (overrides, defaults) = (layer("overrides"), layer("defaults"));
    let parts = spec.get("policies").map(Node::items).unwrap_or_default();
    let name = &bundle.spec.baseline.metadata.name;
    let place = "/spec/baseline".to_owned();
    let alone = Layers { overrides, defaults, policy: &nothing };
    let baseline = effective(merge(&alone, name), name, place, &mut errors);
    let mut policies = Vec::new();
    for (at, (part, node)) in bundle.spec.policies.iter().zip(parts).enumerate() {
        let place = format!("/spec/policies/{at}");
        let policy = node.get("spec").unwrap_or(&nothing);
        let name = &part.metadata.name;
        let merged = merge(&Layers { overrides, defaults, policy }, name);
        let mut found = merged.errors.clone();
        found.extend(loosened(&bundle, part, now));
        errors.extend(found.into_iter().map(|mut error| {
            error.pointer.insert_str(0, &place);
            error
        }));
        policies.extend(effective(merged, name, place, &mut errors).map(|mut effective| {
            let begins = begins_until(&bundle, part);
            if begins.is_some() {
                effective.policy.spec.mode = Mode::Enforce;
            }
            effective.shadow_until = begins.max(broken_until(&bundle, part));
            effective
        }));
    }
    errors.extend(ties(&bundle));
    errors.extend(break_glass(&bundle, now));
    match baseline {
        Some(baseline) if errors.is_empty() => {
            Ok(Resolved { policies, baseline, unmatched: bundle.spec.baseline.spec.unmatched })
        }
        _ => Err(PolicyErrors(errors)),
    }
}

/// Checks every part as a policy of its own.
fn parts(bundle: &Bundle) -> Vec<PolicyError> {
    let mut errors = Vec::new();
    let mut check = |metadata: &super::Metadata, spec: &Spec, place: &str, pointer: &str| {
        let policy = policy(metadata.clone(), spec.clone());
        for mut error in validate::check(&policy) {
            error.pointer = match error.pointer.strip_prefix("/spec") {
                Some(rest) => format!("{place}{pointer}{rest}"),
                None => format!("{place}{}", error.pointer),
            };
            errors.push(error);
        }
    };
    let baseline = &bundle.spec.baseline;
    check(&baseline.metadata, &baseline.spec.overrides, "/spec/baseline", "/spec/overrides");
    check(&baseline.metadata, &baseline.spec.defaults, "/spec/baseline", "/spec/defaults");
    for (at, part) in bundle.spec.policies.iter().enumerate() {
        let mut spec = part.spec.clone();
        // A policy may refer to the platform's keys; one of the same name would be its own.
        let own = spec.keys.len();
        spec.keys.extend(baseline.spec.overrides.keys.iter().cloned());
        spec.keys.rotate_left(own);
        check(&part.metadata, &spec, &format!("/spec/policies/{at}"), "/spec");
    }
    for (at, part) in bundle.spec.policies.iter().enumerate() {
        let twin =
            bundle.spec.policies.iter().take(at).any(|p| p.metadata.name == part.metadata.name);
        if twin || part.metadata.name == baseline.metadata.name {
            errors.push(PolicyError {
                pointer: format!("/spec/policies/{at}/metadata/name"),
                reason: "another part has this name".to_owned(),
                cure: "give it a name of its own".to_owned(),
            });
        }
    }
    errors
}

fn policy(metadata: super::Metadata, spec: Spec) -> Policy {
    Policy { api_version: API_VERSION.to_owned(), kind: "Policy".to_owned(), metadata, spec }
}

fn effective(
    merged: Merged,
    name: &str,
    place: String,
    errors: &mut Vec<PolicyError>,
) -> Option<Effective> {
    let read: Result<Spec, PolicyErrors> = parse::section(&merged.spec, &format!("{place}/spec"));
    match read {
        Ok(spec) => {
            let metadata = super::Metadata {
                name: name.to_owned(),
                labels: Default::default(),
                annotations: Default::default(),
            };
            Some(Effective {
                policy: policy(metadata, spec),
                spec: merged.spec,
                origins: merged.origins,
                shadow_until: None,
                inherited: merged.inherited,
                place,
            })
        }
        Err(more) => {
            errors.extend(more.0);
            None
        }
    }
}

/// What a policy loosens beyond what the baseline delegates.
fn loosened(bundle: &Bundle, part: &Part, now: u64) -> Vec<PolicyError> {
    let mut errors = Vec::new();
    let mut error = |pointer: String, reason: String, cure: &str| {
        errors.push(PolicyError { pointer, reason, cure: cure.to_owned() });
    };
    let baseline = &bundle.spec.baseline.spec;
    let ask = "ask the owner of the baseline";
    if part.spec.mode == Mode::Shadow && baseline.overrides.mode == Mode::Enforce {
        match &baseline.delegate.shadow {
            None => error("/spec/mode".into(), "Shadow is weaker than the baseline".into(), ask),
            Some(_) if since(part).is_none() => error(
                "/metadata/annotations".into(),
                "a policy in Shadow must say since when".into(),
                "add the annotation `guard.weir.dev/shadow-since: 2026-01-31`",
            ),
            Some(_) => {}
        }
    }
    for (at, reason) in packs::weaker(&baseline.overrides.packs, &part.spec.packs) {
        error(format!("/spec/packs/{at}"), reason, ask);
    }
    for (at, exception) in part.spec.exceptions.iter().enumerate() {
        let place = format!("/spec/exceptions/{at}");
        let own = |id: &str| part.spec.rules.iter().any(|rule| rule.id == id);
        let packs = baseline.delegate.exceptions.as_ref();
        for (i, rule) in exception.rules.iter().enumerate() {
            let delegated = packs
                .is_some_and(|d| d.packs.iter().any(|pack| rule.starts_with(&format!("{pack}-"))));
            if !delegated && !own(rule) {
                let reason = format!("`{rule}` may be excepted by the platform only");
                error(format!("{place}/rules/{i}"), reason, ask);
            }
        }
        let most = packs.map_or(u64::MAX, |d| now.saturating_add(d.max_duration.0));
        if exception.expires.0 > most {
            let reason = format!("it expires after {}", Date(most));
            error(format!("{place}/expires"), reason, "let it expire earlier");
        }
    }
    if let Some(applies) = &part.spec.applies_to {
        for (field, patterns, by) in [
            ("callers", &applies.callers, ProfileBy::Caller),
            ("hosts", &applies.hosts, ProfileBy::Host),
        ] {
            if !patterns.is_empty() && !baseline.delegate.profile_by.contains(&by) {
                let reason = "the baseline does not let policies pick their traffic by this".into();
                error(format!("/spec/appliesTo/{field}"), reason, ask);
            }
        }
    }
    errors
}

fn since(part: &Part) -> Option<u64> {
    part.metadata.annotations.get(SHADOW_SINCE).and_then(|text| Date::parse(text)).map(|d| d.0)
}

/// Until when a new policy may be in Shadow.
fn begins_until(bundle: &Bundle, part: &Part) -> Option<u64> {
    let baseline = &bundle.spec.baseline.spec;
    (part.spec.mode == Mode::Shadow && baseline.overrides.mode == Mode::Enforce)
        .then(|| Some(since(part)? + baseline.delegate.shadow.as_ref()?.max_duration.0))
        .flatten()
}

/// Until when broken glass keeps a policy in Shadow; after that it is as it was.
fn broken_until(bundle: &Bundle, part: &Part) -> Option<u64> {
    let glass = bundle.spec.baseline.spec.break_glass.as_ref()?;
    let named = glass.policies.iter().any(|policy| glob(policy, &part.metadata.name));
    named.then_some(glass.until.0)
}

fn break_glass(bundle: &Bundle, now: u64) -> Vec<PolicyError> {
    let baseline = &bundle.spec.baseline.spec;
    let Some(BreakGlass { until, mode, ticket, .. }) = &baseline.break_glass else {
        return Vec::new();
    };
    let mut errors = Vec::new();
    let mut error = |field: &str, reason: &str, cure: &str| {
        errors.push(PolicyError {
            pointer: format!("/spec/baseline/spec/breakGlass/{field}"),
            reason: reason.to_owned(),
            cure: cure.to_owned(),
        });
    };
    let most = baseline.delegate.break_glass.as_ref().map(|d| now.saturating_add(d.max_duration.0));
    match most {
        None => error("until", "`delegate.breakGlass` names no duration", "add `maxDuration`"),
        Some(most) if until.0 > most => {
            error(
                "until",
                "it is later than `delegate.breakGlass` allows",
                "write an earlier moment",
            );
        }
        Some(_) => {}
    }
    if *mode != Mode::Shadow {
        error("mode", "broken glass is Shadow", "write `Shadow`, or leave it out");
    }
    if ticket.trim().is_empty() {
        error("ticket", "it is empty", "name the incident");
    }
    errors
}

/// Two policies that a request could come under with the same right.
fn ties(bundle: &Bundle) -> Vec<PolicyError> {
    let mut errors = Vec::new();
    let any = || vec!["*".to_owned()];
    let patterns = |part: &Part| {
        let applies = part.spec.applies_to.clone().unwrap_or_default();
        let fill = |list: Vec<String>| if list.is_empty() { any() } else { list };
        (fill(applies.callers), fill(applies.hosts))
    };
    for (at, part) in bundle.spec.policies.iter().enumerate() {
        let (callers, hosts) = patterns(part);
        for other in bundle.spec.policies.iter().take(at) {
            let (their_callers, their_hosts) = patterns(other);
            let meets = |ours: &[String], theirs: &[String]| {
                ours.iter()
                    .any(|a| theirs.iter().any(|b| literal(a) == literal(b) && globs_meet(a, b)))
            };
            if meets(&callers, &their_callers) && meets(&hosts, &their_hosts) {
                errors.push(PolicyError {
                    pointer: format!("/spec/policies/{at}/spec/appliesTo"),
                    reason: format!("`{}` is for the same callers", other.metadata.name),
                    cure: "name callers more closely in one of the two".to_owned(),
                });
            }
        }
    }
    errors
}

/// Literal characters of a pattern: how closely it names what it is for.
pub fn literal(pattern: &str) -> usize {
    pattern.chars().filter(|c| !matches!(c, '*' | '?')).count()
}
