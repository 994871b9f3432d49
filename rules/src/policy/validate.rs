//! What makes no sense although it parses. Every place is reported, not just the first.

use std::collections::BTreeSet;

use super::model::API_VERSION;
use super::{
    Exception, Exposure, Key, Mask, PackRef, Policy, PolicyError, Purpose, Quantity, RequestMode,
    Rule, Subject, Tools, Trigger, ValidatorKind,
};
use crate::{Action, ChannelSet, packs};

const MAX_RULES: usize = 10_000;
const MAX_EXCEPTIONS: usize = 1000;
const MAX_KEYWORDS: usize = 64;
const MAX_KEYWORD: usize = 128;
const MAX_MATCH: u16 = 512;
const MAX_BEFORE: u16 = 128;
const MAX_WEIGHT: u64 = 10;
const MAX_FAMILY: usize = 64;
const MAX_MESSAGE: usize = 512;
const MAX_NAME: usize = 128;

struct Errors(Vec<PolicyError>);

impl Errors {
    fn add(&mut self, pointer: String, reason: impl Into<String>, cure: impl Into<String>) {
        self.0.push(PolicyError { pointer, reason: reason.into(), cure: cure.into() });
    }

    fn within(&mut self, pointer: String, value: u64, from: u64, to: u64) {
        if value < from || value > to {
            self.add(pointer, format!("{value} is out of range"), format!("write {from} to {to}"));
        }
    }
}

/// Everything in a parsed policy that makes no sense.
pub fn check(policy: &Policy) -> Vec<PolicyError> {
    let mut errors = Errors(Vec::new());
    if policy.api_version != API_VERSION {
        errors.add("/apiVersion".into(), "unknown version", format!("write `{API_VERSION}`"));
    }
    if policy.kind != "Policy" {
        errors.add("/kind".into(), "unknown kind", "write `Policy` or `Bundle`");
    }
    if !is_id(&policy.metadata.name) {
        errors.add("/metadata/name".into(), "it is no DNS label", ID_CURE);
    }
    traffic(policy, &mut errors);
    packs(&policy.spec.packs, &mut errors);
    rules(policy, &mut errors);
    tools(policy, &mut errors);
    if policy.spec.exceptions.len() > MAX_EXCEPTIONS {
        errors.add("/spec/exceptions".into(), "there are over 1,000", "let some expire");
    }
    for (at, exception) in policy.spec.exceptions.iter().enumerate() {
        exceptions(policy, exception, &format!("/spec/exceptions/{at}"), &mut errors);
    }
    keys(policy, &mut errors);
    refusal(policy, &mut errors);
    limits(policy, &mut errors);
    progressive(policy, &mut errors);
    errors.0
}

const ID_CURE: &str =
    "use lower-case letters, digits and `-`, at most 64, beginning with a letter or digit";

fn is_id(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| plain(b) || b == b'-')
        && text.bytes().next().is_some_and(plain)
}

fn traffic(policy: &Policy, errors: &mut Errors) {
    for (at, traffic) in policy.spec.traffic.iter().enumerate() {
        let place = format!("/spec/traffic/{at}");
        if traffic.hosts.is_empty() {
            errors.add(format!("{place}/hosts"), "the list is empty", "name a host, or `*`");
        }
        for (i, host) in traffic.hosts.iter().enumerate() {
            let name = host.strip_prefix("*.").unwrap_or(host);
            let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
            // A host is compared without its port, so one with a port would match nothing and pass everything.
            let address = name.parse::<std::net::Ipv6Addr>().is_ok();
            if host != "*" && !address && (name.is_empty() || !name.bytes().all(plain)) {
                let cure = "write a host name without scheme or port, `*.` and a suffix, or `*`";
                errors.add(format!("{place}/hosts/{i}"), "it is no host", cure);
            }
        }
        for (i, path) in traffic.paths.iter().enumerate() {
            if !path.starts_with(['/', '*']) {
                let cure = "begin it with `/`";
                errors.add(format!("{place}/paths/{i}"), "it is no path", cure);
            }
        }
    }
}

fn packs(packs: &[PackRef], errors: &mut Errors) {
    let mut taken: Vec<(&str, ChannelSet)> = Vec::new();
    for (at, pack) in packs.iter().enumerate() {
        let place = format!("/spec/packs/{at}");
        if !packs::NAMES.contains(&pack.name.as_str()) {
            let cure = format!("name one of {}", packs::NAMES.join(", "));
            errors.add(format!("{place}/name"), format!("unknown pack `{}`", pack.name), cure);
        }
        if let Some(version) = &pack.version
            && version != crate::packs::VERSION
        {
            let reason = format!("version `{version}` is not in this module");
            let cure = format!("write `{}`, or leave it out", crate::packs::VERSION);
            errors.add(format!("{place}/version"), reason, cure);
        }
        let set = pack.channels.as_ref().map_or(ChannelSet::ALL, |c| c.set);
        if taken.iter().any(|(name, other)| *name == pack.name && other.intersects(set)) {
            let reason = format!("pack `{}` is listed twice for one channel", pack.name);
            errors.add(place.clone(), reason, "give the entries `channels` without overlap");
        }
        taken.push((&pack.name, set));
        if pack.channels.is_some() {
            neutralizes(pack.action, set, &format!("{place}/action"), errors);
        }
    }
}

fn neutralizes(action: Option<Action>, channels: ChannelSet, place: &str, errors: &mut Errors) {
    if action == Some(Action::Neutralize) && channels.intersects(ChannelSet::RESPONSE) {
        let cure = "name request channels only, or use Mask or Reject";
        errors.add(place.to_owned(), "Neutralize is for requests", cure);
    }
}

fn rules(policy: &Policy, errors: &mut Errors) {
    if policy.spec.rules.len() > MAX_RULES {
        errors.add("/spec/rules".into(), "there are over 10,000 rules", "split the policy");
        return;
    }
    let mut ids = BTreeSet::new();
    for (at, one) in policy.spec.rules.iter().enumerate() {
        let place = format!("/spec/rules/{at}");
        if !ids.insert(one.id.as_str()) {
            let reason = format!("another rule has the id `{}`", one.id);
            errors.add(format!("{place}/id"), reason, "give it an id of its own");
        }
        let reserved = packs::of(&one.id).is_some();
        if reserved {
            let reason = "ids of this form belong to the built-in packs";
            errors.add(format!("{place}/id"), reason, "begin it with another word");
        }
        match (&one.action, &one.score) {
            (None, None) => {
                let cure = "add `action: Audit`, Neutralize, Mask or Reject, or a `score`";
                errors.add(format!("{place}/action"), "a rule acts", cure);
            }
            (Some(_), Some(_)) => {
                let reason = "a rule acts or adds to the score";
                errors.add(format!("{place}/score"), reason, "remove it, or the action");
            }
            _ => {}
        }
        if one.trigger == Some(Trigger::Score) {
            let cure = "give the rule a `score`, and set the pack's `sensitivity`";
            errors.add(format!("{place}/trigger"), "it is for built-in rules", cure);
        }
        rule(one, &place, errors);
    }
}

fn rule(rule: &Rule, place: &str, errors: &mut Errors) {
    let at = |field: &str| format!("{place}/{field}");
    if !is_id(&rule.id) {
        errors.add(at("id"), "it is no id", ID_CURE);
    }
    let triggered = rule.trigger.is_some();
    if rule.keywords.is_empty() && rule.regex.is_none() && rule.opens.is_none() && !triggered {
        errors.add(at("keywords"), "the rule finds nothing", "add `keywords` or a `regex`");
    }
    if rule.regex.is_some() && rule.opens.is_some() {
        errors.add(at("opens"), "a rule has `regex` or `opens`", "remove one");
    }
    match (&rule.opens, &rule.body) {
        (Some(_), None) => errors.add(at("body"), "`opens` needs a `body`", "add a class"),
        (None, Some(_)) => errors.add(at("opens"), "`body` needs an `opens`", "add it"),
        _ => {}
    }
    if (rule.until.is_some() || rule.max_span.is_some()) && rule.opens.is_none() {
        errors.add(at("opens"), "`until` and `maxSpan` need an `opens`", "add it, or remove them");
    }
    if rule.until.as_ref().is_some_and(|u| u.is_empty() || u.len() > MAX_KEYWORD) {
        errors.add(at("until"), "it is empty or over 128 bytes", "write a short literal");
    }
    if rule.keywords.len() > MAX_KEYWORDS {
        errors.add(at("keywords"), "there are over 64", "split the rule");
    }
    for (i, keyword) in rule.keywords.iter().enumerate() {
        let folded = crate::fold::fold_str(keyword);
        if folded.trim().is_empty() || keyword.chars().count() > MAX_KEYWORD {
            let reason = "a keyword has 1 to 128 visible characters";
            errors.add(format!("{place}/keywords/{i}"), reason, "shorten or remove it");
        }
    }
    if let Some(length) = rule.max_length {
        errors.within(at("maxLength"), length.into(), 1, MAX_MATCH.into());
    }
    errors.within(at("before"), rule.before.into(), 0, MAX_BEFORE.into());
    if let Some(score) = &rule.score {
        errors.within(at("score/weight"), score.weight.into(), 1, MAX_WEIGHT);
        let read = rule.channels.as_ref().map_or(ChannelSet::REQUEST, |channels| channels.set);
        if !read.is_within(ChannelSet::REQUEST) {
            errors.add(at("channels"), "only requests are scored", "name request channels only");
        }
        if score.family.is_empty() || score.family.len() > MAX_FAMILY {
            errors.add(at("score/family"), "it is empty or over 64 bytes", "write a short name");
        }
    }
    if let Some(Exposure::Characters(n)) = rule.exposure {
        errors.within(at("exposure/characters"), n.into(), 1, MAX_MATCH.into());
    }
    if let Some(Mask::Label(Some(label))) = &rule.mask
        && (label.is_empty() || label.len() > 64 || label.chars().any(char::is_control))
    {
        errors.add(at("mask/label"), "a label has 1 to 64 printable characters", "shorten it");
    }
    if let Some(Quantity(bytes)) = rule.max_span {
        errors.within(at("maxSpan"), bytes, 1 << 10, 1 << 20);
    }
    for (i, validator) in rule.validate.iter().enumerate() {
        let at = format!("{place}/validate/{i}/min");
        let within = |range: std::ops::RangeInclusive<f64>| {
            validator.min.is_some_and(|min| range.contains(&min))
        };
        match validator.kind {
            ValidatorKind::Entropy if !within(0.0..=8.0) => {
                let reason = "Entropy needs a `min` of 0 to 8 bits a character";
                errors.add(at, reason, "write one, such as 3.5");
            }
            ValidatorKind::Random if validator.min.is_some() && !within(8.0..=128.0) => {
                errors.add(
                    at,
                    "Random has a `min` of 8 to 128 characters",
                    "write one, such as 20",
                );
            }
            ValidatorKind::Entropy | ValidatorKind::Random => {}
            _ if validator.min.is_some() => {
                errors.add(at, "only Entropy and Random have it", "remove it");
            }
            _ => {}
        }
    }
    let channels = rule.channels.as_ref().map_or(ChannelSet::REQUEST, |c| c.set);
    neutralizes(rule.action, channels, &at("action"), errors);
    for (i, text) in rule.examples.matches.iter().enumerate() {
        if !balanced(text) {
            let cure = "mark what is found with one or more `[[` … `]]`";
            errors.add(format!("{place}/examples/match/{i}"), "its marks do not pair", cure);
        }
    }
}

fn balanced(text: &str) -> bool {
    let mut rest = text;
    let mut marks = 0;
    while let Some((_, after)) = rest.split_once("[[") {
        let Some((_, after)) = after.split_once("]]") else { return false };
        marks += 1;
        rest = after;
    }
    marks > 0
}

fn tools(policy: &Policy, errors: &mut Errors) {
    for (name, tools) in
        [("tools", &policy.spec.tools), ("baselineTools", &policy.spec.baseline_tools)]
    {
        if let Some(tools) = tools {
            tool_rules(tools, &format!("/spec/{name}"), errors);
        }
    }
}

fn tool_rules(tools: &Tools, section: &str, errors: &mut Errors) {
    let mut ids = BTreeSet::new();
    for (at, rule) in tools.rules.iter().enumerate() {
        let place = format!("{section}/rules/{at}");
        if !is_id(&rule.id) {
            errors.add(format!("{place}/id"), "it is no id", ID_CURE);
        }
        if !ids.insert(rule.id.as_str()) {
            let reason = format!("another rule has the id `{}`", rule.id);
            errors.add(format!("{place}/id"), reason, "give it an id of its own");
        }
        if rule.tools.is_empty() || rule.tools.iter().any(String::is_empty) {
            let cure = "name tools, or globs such as `shell*`";
            errors.add(format!("{place}/tools"), "it names no tool", cure);
        }
    }
}

fn refusal(policy: &Policy, errors: &mut Errors) {
    let refusal = &policy.spec.refusal;
    errors.within("/spec/refusal/status".into(), refusal.status.into(), 400, 499);
    if refusal.message.as_ref().is_some_and(|m| m.chars().count() > MAX_MESSAGE) {
        let cure = "write at most 512";
        errors.add("/spec/refusal/message".into(), "it is over 512 characters", cure);
    }
}

fn limits(policy: &Policy, errors: &mut Errors) {
    let limits = &policy.spec.limits;
    let gi = 1u64 << 30;
    for (name, value, from, to) in [
        ("request", limits.request.bytes(), 1 << 10, gi),
        ("paused", limits.paused.bytes(), 0, 64 << 20),
        ("held", limits.held.bytes(), 1 << 10, 64 << 20),
        ("event", limits.event.bytes(), 1 << 10, 64 << 20),
        ("toolCall", limits.tool_call.bytes(), 1 << 10, 64 << 20),
        ("worker", limits.worker.bytes(), 1 << 20, 4 * gi),
        ("hold", limits.hold.millis(), 100, 600_000),
        ("depth", limits.depth.into(), 4, 512),
        ("openChannels", limits.open_channels.into(), 1, 10_000),
        ("channels", limits.channels.unwrap_or(1).into(), 1, 10_000),
    ] {
        errors.within(format!("/spec/limits/{name}"), value, from, to);
    }
}

fn exceptions(policy: &Policy, one: &Exception, place: &str, errors: &mut Errors) {
    let twin = policy.spec.exceptions.iter().filter(|e| e.id == one.id).count() > 1;
    if twin || one.id.is_empty() || one.id.len() > MAX_NAME {
        let reason = "an exception has an id of its own, of 1 to 128 characters";
        errors.add(format!("{place}/id"), reason, "such as EXC-2026-001");
    }
    for (name, text) in [("reason", &one.reason), ("owner", &one.owner)] {
        if text.trim().is_empty() {
            errors.add(format!("{place}/{name}"), "it is empty", "say why, and who answers for it");
        }
    }
    if one.rules.is_empty() {
        let cure = "name rules, or globs such as `pii-*`";
        errors.add(format!("{place}/rules"), "it names no rule", cure);
    }
    for (at, print) in one.matches.fingerprints.iter().enumerate() {
        let here = format!("{place}/match/fingerprints/{at}");
        let Some((key, digits)) = print.split_once(':') else {
            errors.add(here, "it is no fingerprint", "write one that `weir explain` prints");
            continue;
        };
        if digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            errors.add(here, "it is no fingerprint", "write one that `weir explain` prints");
        } else if !has_key(policy, key, Purpose::Fingerprint) {
            let reason = format!("there is no key `{key}` for fingerprints");
            errors.add(here, reason, "add it to `keys` with `use: Fingerprint`");
        }
    }
}

fn has_key(policy: &Policy, name: &str, purpose: Purpose) -> bool {
    policy.spec.keys.iter().any(|k| k.name == name && k.purpose == purpose)
}

fn keys(policy: &Policy, errors: &mut Errors) {
    let spec = &policy.spec;
    for (at, Key { name, env, next, .. }) in spec.keys.iter().enumerate() {
        let place = format!("/spec/keys/{at}");
        if !is_id(name) {
            errors.add(format!("{place}/name"), "it is no id", ID_CURE);
        }
        if spec.keys.iter().take(at).any(|other| other.name == *name) {
            errors.add(format!("{place}/name"), "another key has this name", "rename it");
        }
        for (field, variable) in [("env", Some(env)), ("next", next.as_ref())] {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
            if variable.is_some_and(|v| v.is_empty() || !v.bytes().all(plain)) {
                let cure = "name a variable of the VM's environment, such as WEIR_KEY";
                errors.add(format!("{place}/{field}"), "it is no variable", cure);
            }
        }
    }
    match (&spec.audit.key, spec.audit.subject) {
        (Some(key), _) if !has_key(policy, key, Purpose::Pseudonym) => {
            let reason = format!("there is no key `{key}` for pseudonyms");
            let cure = "add it to `keys` with `use: Pseudonym`";
            errors.add("/spec/audit/key".into(), reason, cure);
        }
        (None, Subject::Pseudonym) => {
            let cure = "name one of `keys`, or write `subject: Nothing`";
            errors.add("/spec/audit/subject".into(), "a pseudonym needs a key", cure);
        }
        _ => {}
    }
}

fn progressive(policy: &Policy, errors: &mut Errors) {
    let spec = &policy.spec;
    if spec.request_mode == RequestMode::Progressive && spec.hold_headers {
        let cure = "keep one of the two";
        errors.add("/spec/holdHeaders".into(), "`requestMode: Progressive` sends heads on", cure);
    }
}
