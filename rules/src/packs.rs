//! The built-in packs, compiled into the module as one compact table, and how a policy's entries bring them in.

use std::borrow::Cow;

use miniz_oxide::inflate::decompress_slice_iter_to_slice;

use crate::action::Action;
use crate::channel::{Channel, ChannelSet};
use crate::compile::{Source, Threshold, level, strictness};
use crate::policy::{
    Mode, PackRef, Policy, PolicyError, PolicyErrors, Rule, Sensitivity, Switch, Trigger,
};
use crate::score;
use crate::tools::stricter_shadow;

/// The packs' rules as JSON without prose or examples, deflated, written by the build script from `packs/*/*.yaml`.
const TABLE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/packs.json.deflate"));
/// Bytes of the JSON, in decimal digits.
const SIZE: &str = include_str!(concat!(env!("OUT_DIR"), "/packs.size"));

/// The packs that there are.
pub const NAMES: [&str; 4] = ["injection", "jailbreak", "secrets", "pii"];

/// The pack of a built-in rule, and what its id has behind that.
pub fn of(id: &str) -> Option<(&'static str, &str)> {
    NAMES.into_iter().find_map(|pack| Some((pack, id.strip_prefix(pack)?.strip_prefix('-')?)))
}

/// Version of the packs in this module.
pub const VERSION: &str = "2026.11";

/// All built-in rules, in the order of their ids.
pub fn rules() -> Vec<Rule> {
    crate::policy::rules_of(&table())
}

fn table() -> Vec<u8> {
    let mut table = vec![0; SIZE.parse().unwrap_or_default()];
    let inflated = decompress_slice_iter_to_slice(&mut table, [TABLE].into_iter(), false, true);
    table.truncate(inflated.unwrap_or_default());
    table
}

/// Names the packs' content in records, cut to 16 hex digits.
pub fn hash() -> String {
    crate::keys::content_hash(&[&table(), score::model::FILE])
}

/// What a pack does where the policy names no action, by channel.
fn defaults(pack: &str) -> Vec<(ChannelSet, Action)> {
    use Channel::*;
    let all = ChannelSet::ALL;
    match pack {
        "injection" | "jailbreak" => vec![
            (ChannelSet::of(&[RequestUser, RequestToolDefinition]), Action::Reject),
            (ChannelSet::of(&[RequestToolResult, RequestDocument]), Action::Neutralize),
        ],
        "secrets" => {
            let calls = ChannelSet::of(&[ResponseToolCall]);
            vec![(calls, Action::Reject), (all.without(calls), Action::Mask)]
        }
        "pii" => {
            let text = ChannelSet::of(&[ResponseText, ResponseReasoning]);
            vec![(text, Action::Mask), (all.without(text), Action::Audit)]
        }
        _ => Vec::new(),
    }
}

fn actions(entry: &PackRef, rule: &Rule, mode: Mode) -> Vec<(ChannelSet, Action, Mode)> {
    let adjusted = entry.overrides.iter().find(|o| o.rule == rule.id);
    let mode = stricter_shadow(stricter_shadow(mode, entry.mode), adjusted.and_then(|o| o.mode));
    let mode = stricter_shadow(mode, rule.mode);
    let chosen = adjusted.and_then(|o| o.action).or(entry.action);
    let named = entry.channels.as_ref().map(|c| c.set);
    defaults(&entry.name)
        .into_iter()
        .map(|(channels, action)| (channels, chosen.unwrap_or(action), mode))
        .chain(named.map(|extra| (extra, chosen.unwrap_or(Action::Audit), mode)))
        .map(|(channels, action, mode)| {
            (named.map_or(channels, |n| channels.intersection(n)), action, mode)
        })
        .filter(|(channels, _, _)| !channels.is_empty())
        .collect()
}

/// Entries of `policy` that do less than `floor` somewhere, with the reason.
pub(crate) fn weaker(floor: &[PackRef], policy: &[PackRef]) -> Vec<(usize, String)> {
    let table = if policy.is_empty() || floor.is_empty() { Vec::new() } else { rules() };
    let mut found = Vec::new();
    for (at, entry) in policy.iter().enumerate() {
        let theirs = floor.iter().filter(|f| f.name == entry.name);
        let prefix = format!("{}-", entry.name);
        let low = theirs.clone().find(|f| entry.sensitivity.is_some() && active(f) > active(entry));
        if let Some(floor) = low.filter(|f| overlaps(f, entry)) {
            let level = floor.sensitivity.unwrap_or(Sensitivity::Medium).word();
            found.push((at, format!("the baseline demands `sensitivity: {level}`")));
            continue;
        }
        let weak = table.iter().filter(|rule| rule.id.starts_with(&prefix)).find_map(|rule| {
            let ours = actions(entry, rule, Mode::Enforce);
            theirs.clone().flat_map(|f| actions(f, rule, Mode::Enforce)).find_map(
                |(channels, action, mode)| {
                    let shared = channels.iter().find(|channel| {
                        let here = ours.iter().filter(|(set, _, _)| set.contains(*channel));
                        let best = here.map(|(_, a, m)| (*a, *m)).max_by_key(strictness);
                        best.is_some_and(|b| strictness(&b) < strictness(&(action, mode)))
                    })?;
                    Some((rule.id.clone(), shared, action))
                },
            )
        });
        if let Some((rule, channel, action)) = weak {
            let action = action.word();
            found.push((at, format!("the baseline demands {action} for `{rule}` in {channel}")));
        }
    }
    found
}

/// The level up to which an entry's rules are active.
fn active(entry: &PackRef) -> u8 {
    let default = match entry.action {
        Some(Action::Reject) => Sensitivity::Low,
        _ => Sensitivity::Medium,
    };
    level(Some(entry.sensitivity.unwrap_or(default)))
}

fn overlaps(a: &PackRef, b: &PackRef) -> bool {
    let set = |entry: &PackRef| entry.channels.as_ref().map_or(ChannelSet::ALL, |c| c.set);
    set(a).intersects(set(b))
}

/// The rules that the policy's `packs` bring in.
pub(crate) fn resolve(policy: &Policy) -> Result<Vec<Source<'static>>, PolicyErrors> {
    let table = if policy.spec.packs.is_empty() { Vec::new() } else { rules() };
    let mut sources: Vec<Source<'static>> = Vec::new();
    let mut errors = Vec::new();
    for (at, entry) in policy.spec.packs.iter().enumerate() {
        let pointer = format!("/spec/packs/{at}");
        let prefix = format!("{}-", entry.name);
        for (i, o) in entry.overrides.iter().enumerate() {
            if !table.iter().any(|r| r.id == o.rule && r.id.starts_with(&prefix)) {
                errors.push(PolicyError {
                    pointer: format!("{pointer}/overrides/{i}/rule"),
                    reason: format!("pack `{}` has no rule `{}`", entry.name, o.rule),
                    cure: format!("name a rule of the pack, such as `{prefix}…`"),
                });
            }
        }
        let sensitivity = active(entry);
        for rule in table.iter().filter(|r| r.id.starts_with(&prefix)) {
            let own = Source {
                score: (rule.trigger == Some(Trigger::Score)).then(|| Threshold {
                    points: threshold(sensitivity),
                    classifier: entry.classifier == Switch::Enabled,
                }),
                ..Source::of(Cow::Owned(rule.clone()), pointer.clone())
            };
            let at = sources.iter().position(|s| s.rule.id == rule.id && s.score == own.score);
            let level = level(rule.sensitivity);
            if level > sensitivity && !SCORED.contains(&entry.name.as_str()) {
                continue;
            }
            let at = at.unwrap_or(sources.len());
            if at == sources.len() {
                sources.push(own);
            }
            let Some(source) = sources.get_mut(at) else { continue };
            let actions = actions(entry, rule, policy.spec.mode);
            if level <= sensitivity {
                source.actions.extend(actions);
            } else {
                source.hint(actions.iter().map(|(set, _, _)| *set), hinted(level));
            }
        }
    }
    if errors.is_empty() { Ok(sources) } else { Err(PolicyErrors(errors)) }
}

/// Packs whose rules add to the score where they do not act.
const SCORED: [&str; 2] = ["injection", "jailbreak"];

/// The score from which a pack acts.
fn threshold(sensitivity: u8) -> u16 {
    match sensitivity {
        0 => score::threshold::LOW,
        1 => score::threshold::MEDIUM,
        _ => score::threshold::HIGH,
    }
}

/// What a match of a rule that is not active adds to the score, by the level of the rule.
fn hinted(level: u8) -> u16 {
    if level == 1 { score::threshold::LOW - score::threshold::MEDIUM } else { 150 }
}

/// The policy's own rules.
pub(crate) fn own_rules(policy: &Policy) -> impl Iterator<Item = Source<'_>> {
    policy.spec.rules.iter().enumerate().map(|(at, rule)| {
        let action = rule.action.unwrap_or(Action::Audit);
        let request = action == Action::Neutralize || rule.score.is_some();
        let readable = if request { ChannelSet::REQUEST } else { ChannelSet::ALL };
        let channels = rule.channels.as_ref().map_or(readable, |c| c.set);
        let mode = stricter_shadow(policy.spec.mode, rule.mode);
        let mut source = Source::of(Cow::Borrowed(rule), format!("/spec/rules/{at}"));
        match &rule.score {
            Some(score) => {
                source.hint([channels], 100 * u16::from(score.weight));
            }
            None => source.actions.push((channels, action, mode)),
        }
        source
    })
}
