//! What rules do by channel: packs, overrides, sensitivity, modes and channels in one comparison, whatever wrote them.

use std::collections::BTreeMap;

use weir_filter::Engine;
use weir_filter::tally::word;
use weir_rules::policy::Mode;
use weir_rules::{Action, Channel, ChannelSet, packs};

use super::change::{Change, Weight};

/// Rules that a line names; more are only counted.
const NAMED: usize = 5;

/// What a rule does in one channel, if it reads there.
type Effect = Option<(Action, Mode)>;
/// A rule's effects that differ, with the channels in which they do.
type Shifts = Vec<(Effect, Effect, ChannelSet)>;

/// Rules of one pack, or a policy's own, of which the same is different.
struct Group<'a> {
    weight: Weight,
    touched: ChannelSet,
    ids: Vec<&'a str>,
}

/// How much of a match is kept from passing on; in Shadow a rule counts, as Audit does.
fn strength(effect: Effect) -> Option<Action> {
    effect.map(|(action, mode)| if mode == Mode::Shadow { Action::Audit } else { action })
}

fn in_words(effect: Effect) -> String {
    match effect {
        None => "not read".to_owned(),
        Some((action, Mode::Enforce)) => word(action).to_owned(),
        Some((action, Mode::Shadow)) => format!("{} in Shadow", word(action)),
    }
}

/// What the rules of `new` do otherwise than those of `old`.
pub fn compare(old: &Engine, new: &Engine, changes: &mut Vec<Change>) {
    let (before, after) = (effects(old), effects(new));
    let mut groups: BTreeMap<(Option<&str>, String), Group> = BTreeMap::new();
    let none = BTreeMap::new();
    let ids = before.keys().chain(after.keys().filter(|id| !before.contains_key(*id)));
    for id in ids {
        let one = before.get(id).unwrap_or(&none);
        let other = after.get(id).unwrap_or(&none);
        let shifts = shifts(one, other);
        let weights = shifts.iter().map(|(a, b, _)| Weight::of(&strength(*a), &strength(*b)));
        let Some(weight) = weights.min() else { continue };
        let mut what: Vec<String> = shifts
            .iter()
            .map(|(a, b, set)| format!("{}: {} → {}", channels(*set), in_words(*a), in_words(*b)))
            .collect();
        match (before.contains_key(id), after.contains_key(id)) {
            (true, false) => what.insert(0, "removed".to_owned()),
            (false, true) => what.insert(0, "added".to_owned()),
            _ => {}
        }
        let touched = shifts.iter().fold(ChannelSet::EMPTY, |all, (_, _, set)| all.union(*set));
        let pack = packs::of(id).map(|(pack, _)| pack);
        let group = groups.entry((pack, what.join("; ")));
        group.or_insert(Group { weight, touched, ids: Vec::new() }).ids.push(id);
    }
    for ((pack, what), Group { weight, touched, ids }) in groups {
        let names = match ids.as_slice() {
            [one] => (*one).to_owned(),
            many => {
                let first = many.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
                let more = many.len().saturating_sub(NAMED);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                format!("{} rules ({first}{more})", many.len())
            }
        };
        let place = |engine: &Engine| match pack {
            Some(pack) => entry(engine, pack, touched),
            None => own(engine, &ids),
        };
        let (old, new) = (place(old), place(new));
        changes.push(Change { weight, old, new, what: format!("{names}: {what}") });
    }
}

/// By rule id and channel number: what it does there.
fn effects(engine: &Engine) -> BTreeMap<String, BTreeMap<usize, (Action, Mode)>> {
    let mut all: BTreeMap<String, BTreeMap<usize, (Action, Mode)>> = BTreeMap::new();
    for rule in (0u16..).take(engine.rules.len()) {
        let by_channel = all.entry(engine.rules.id(rule).to_owned()).or_default();
        for (at, channel) in Channel::LIST.iter().enumerate() {
            by_channel.extend(engine.rules.action(rule, *channel).map(|effect| (at, effect)));
        }
    }
    all
}

fn shifts(old: &BTreeMap<usize, (Action, Mode)>, new: &BTreeMap<usize, (Action, Mode)>) -> Shifts {
    let mut shifts: Shifts = Vec::new();
    for (at, channel) in Channel::LIST.iter().enumerate() {
        let (a, b) = (old.get(&at).copied(), new.get(&at).copied());
        if a == b {
            continue;
        }
        let set = ChannelSet::from(*channel);
        match shifts.iter_mut().find(|(x, y, _)| (*x, *y) == (a, b)) {
            Some((_, _, known)) => *known = known.union(set),
            None => shifts.push((a, b, set)),
        }
    }
    shifts
}

fn channels(set: ChannelSet) -> String {
    let names = |set: ChannelSet| set.iter().map(Channel::name).collect::<Vec<_>>().join(", ");
    match set {
        ChannelSet::ALL => "all channels".to_owned(),
        ChannelSet::REQUEST => "request.*".to_owned(),
        ChannelSet::RESPONSE => "response.*".to_owned(),
        some => names(some),
    }
}

/// Where a policy's own rules stand, if it has any of them.
fn own(engine: &Engine, ids: &[&str]) -> Option<String> {
    let at = engine.policy.spec.rules.iter().position(|rule| ids.contains(&rule.id.as_str()))?;
    Some(if ids.len() == 1 { format!("/spec/rules/{at}") } else { "/spec/rules".to_owned() })
}

/// The entry that brings in a pack on one of these channels, or at all.
fn entry(engine: &Engine, pack: &str, touched: ChannelSet) -> Option<String> {
    let named = || engine.policy.spec.packs.iter().enumerate().filter(|(_, one)| one.name == pack);
    let reads = |set: Option<ChannelSet>| set.is_none_or(|set| set.intersects(touched));
    let here = named().find(|(_, one)| reads(one.channels.as_ref().map(|c| c.set)));
    here.or_else(|| named().next()).map(|(at, _)| format!("/spec/packs/{at}"))
}
