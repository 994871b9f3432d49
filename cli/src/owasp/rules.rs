//! What rules come to: which act where, with what, and what is missing.

use weir_rules::policy::{Mode, PackRef, Switch, Trigger};
use weir_rules::{Action, ChannelSet, glob};

use super::join::{Gap, State};
use super::places::Place;
use super::view::{View, moment};
use crate::rules::entry::Entry;

/// Rules that a line names; more are only counted.
const NAMED: usize = 2;

/// Rules that do the same in the same channels.
pub struct Group {
    /// None of the policy's own.
    pub pack: Option<&'static str>,
    pub rules: Vec<String>,
    pub action: Action,
    pub mode: Mode,
    pub channels: ChannelSet,
    pub places: Vec<Place>,
}

impl Group {
    /// Whether what they find is changed or refused.
    pub fn enforced(&self) -> bool {
        self.mode == Mode::Enforce && self.action > Action::Audit
    }
}

/// What some rules come to.
pub struct Found {
    pub state: State,
    pub groups: Vec<Group>,
    pub gaps: Vec<Gap>,
}

/// What the rules of `packs`, or of any, with a tag, or all of them, come to on some channels.
pub fn of_packs(view: &View, tag: Option<&str>, packs: &[&str], wanted: ChannelSet) -> Found {
    let carries = |entry: &&Entry| {
        entry.pack.is_some_and(|pack| packs.is_empty() || packs.contains(&pack))
            && tag.is_none_or(|tag| entry.rule.tags.iter().any(|own| own == tag))
    };
    let entries: Vec<&Entry> = view.entries.iter().filter(carries).collect();
    let groups = groups(view, &entries, wanted);
    let mut gaps = Vec::new();
    let mut silent = false;
    for all in entries.chunk_by(|a, b| a.pack == b.pack) {
        let Some(pack) = all.first().and_then(|entry| entry.pack) else { continue };
        let brought = of_pack(view, pack).next().is_some();
        if packs.is_empty() && brought && !groups.iter().any(|group| group.pack == Some(pack)) {
            silent = true;
            continue;
        }
        pack_gaps(view, pack, all, wanted, &mut gaps);
    }
    if groups.is_empty() && silent {
        gaps.push(Gap::plain("no rule in force looks for it here"));
    }
    found(view, groups, gaps)
}

/// What the policy's own rules with a tag come to.
pub fn of_own(view: &View, tag: &str) -> Option<Found> {
    let carries = |entry: &&Entry| entry.pack.is_none() && entry.rule.tags.iter().any(|t| t == tag);
    let entries: Vec<&Entry> = view.entries.iter().filter(carries).collect();
    if entries.is_empty() {
        return None;
    }
    let groups = groups(view, &entries, ChannelSet::ALL);
    let hints = entries.iter().filter(|entry| entry.acts.is_empty());
    let gap = |entry: &Entry| {
        let reason = format!("`{}` adds to the score and acts by nothing itself", entry.rule.id);
        Gap::at(reason, view.place(&entry.file))
    };
    let gaps = hints.map(|entry| gap(entry)).collect();
    Some(found(view, groups, gaps))
}

fn found(view: &View, groups: Vec<Group>, mut gaps: Vec<Gap>) -> Found {
    gaps.extend(excepted(view, &groups));
    let enforced = groups.iter().filter(|group| group.enforced()).count();
    let state = match (enforced, groups.len()) {
        (0, 0) => State::Open,
        (0, _) => State::Seen,
        (some, all) if some == all && gaps.is_empty() => State::InForce,
        _ => State::Partly,
    };
    Found { state, groups, gaps }
}

/// Rules by what they do and where.
fn groups(view: &View, entries: &[&Entry], wanted: ChannelSet) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for entry in entries {
        let mut deeds: Vec<(Action, Mode, ChannelSet)> = Vec::new();
        for (channel, action, mode) in entry.acts.iter().filter(|(c, ..)| wanted.contains(*c)) {
            let mode = if view.shadow() { Mode::Shadow } else { *mode };
            match deeds.iter_mut().find(|(a, m, _)| a == action && *m == mode) {
                Some((.., set)) => *set = set.union(ChannelSet::from(*channel)),
                None => deeds.push((*action, mode, ChannelSet::from(*channel))),
            }
        }
        for (action, mode, channels) in deeds {
            let same = |group: &&mut Group| {
                group.pack == entry.pack
                    && (group.action, group.mode, group.channels) == (action, mode, channels)
                    && entry.pack.is_some()
            };
            let id = entry.rule.id.clone();
            match groups.iter_mut().find(same) {
                Some(group) => group.rules.push(id),
                None => groups.push(Group {
                    pack: entry.pack,
                    rules: vec![id],
                    action,
                    mode,
                    channels,
                    places: vec![view.place(&entry.file)],
                }),
            }
        }
    }
    for group in &mut groups {
        if let Some(pack) = group.pack {
            group.places = places(view, pack, group);
        }
    }
    // What is enforced first, the most rules first.
    groups.sort_by_key(|g| (!g.enforced(), std::cmp::Reverse(g.rules.len())));
    groups
}

/// The entries of the policy that bring a group of a pack's rules in.
fn places(view: &View, pack: &str, group: &Group) -> Vec<Place> {
    let mut pointers = Vec::new();
    for (at, entry) in of_pack(view, pack).filter(|(_, e)| set(e).intersects(group.channels)) {
        let overridden = entry.overrides.iter().enumerate();
        let overridden = overridden.filter(|(_, o)| {
            group.rules.contains(&o.rule)
                && o.action.is_none_or(|action| action == group.action)
                && o.mode.is_none_or(|mode| mode == group.mode)
        });
        let overridden: Vec<usize> = overridden.map(|(i, _)| i).collect();
        pointers.extend(overridden.iter().map(|i| format!("/spec/packs/{at}/overrides/{i}")));
        let fits = entry.action.is_none_or(|action| action == group.action);
        if fits && overridden.len() < group.rules.len() {
            pointers.push(format!("/spec/packs/{at}"));
        }
    }
    pointers.iter().map(|pointer| view.place(pointer)).collect()
}

fn of_pack<'a>(view: &'a View, pack: &'a str) -> impl Iterator<Item = (usize, &'a PackRef)> {
    view.spec().packs.iter().enumerate().filter(move |(_, entry)| entry.name == pack)
}

fn set(entry: &PackRef) -> ChannelSet {
    entry.channels.as_ref().map_or(ChannelSet::ALL, |channels| channels.set)
}

/// What of a pack is off, or not read.
fn pack_gaps(view: &View, pack: &str, all: &[&Entry], wanted: ChannelSet, gaps: &mut Vec<Gap>) {
    let entries: Vec<(usize, &PackRef)> = of_pack(view, pack).collect();
    if entries.is_empty() {
        let reason = format!("pack `{pack}` is not in the policy");
        return gaps.push(Gap::at(reason, view.place("/spec/packs")));
    }
    let whole = view.entries.iter().filter(|entry| entry.pack == Some(pack));
    let read = whole.fold(ChannelSet::EMPTY, |read, entry| read.union(acts(entry, wanted)));
    let unread = wanted.without(read);
    if !unread.is_empty() {
        let names = if unread == wanted { "here".to_owned() } else { names(unread) };
        gaps.push(Gap::plain(format!("`{pack}` does not read {names}")));
    }
    let at = |suffix: &str, channels: ChannelSet| -> Vec<Place> {
        let here = entries.iter().filter(|(_, entry)| set(entry).intersects(channels));
        here.map(|(at, _)| view.place(&format!("/spec/packs/{at}{suffix}"))).collect()
    };
    for (channels, off) in above(all, read) {
        let scores = off.iter().any(|entry| is_score(entry));
        let score = if scores { ", the score with its classifier among them" } else { "" };
        let count = match (off.len(), all.len()) {
            (1, 1) => "the one rule".to_owned(),
            (off, all) => format!("{off} of {all} rules"),
        };
        gaps.push(Gap {
            reason: format!(
                "{count} of `{pack}` ({}{score}) {} above its sensitivity in {}",
                some(off.iter().map(|entry| entry.rule.id.as_str())),
                if off.len() == 1 { "is" } else { "are" },
                names(channels)
            ),
            places: at("", channels),
        });
    }
    let disabled = entries
        .iter()
        .find(|(_, entry)| entry.classifier == Switch::Disabled && set(entry).intersects(read));
    if let Some((at, _)) = disabled.filter(|_| all.iter().any(|entry| is_score(entry))) {
        let place = view.place(&format!("/spec/packs/{at}/classifier"));
        gaps.push(Gap::at(format!("the classifier of `{pack}` is disabled"), place));
    }
}

/// Channels in which a rule does something.
fn acts(entry: &Entry, wanted: ChannelSet) -> ChannelSet {
    let here = entry.acts.iter().map(|(channel, ..)| *channel);
    ChannelSet::of(&here.collect::<Vec<_>>()).intersection(wanted)
}

fn is_score(entry: &Entry) -> bool {
    entry.rule.trigger == Some(Trigger::Score)
}

/// Rules that do nothing in channels that their pack reads, by those channels.
fn above<'a>(all: &[&'a Entry], read: ChannelSet) -> Vec<(ChannelSet, Vec<&'a Entry>)> {
    let mut above: Vec<(ChannelSet, Vec<&Entry>)> = Vec::new();
    for entry in all {
        let missing = read.without(acts(entry, read));
        match above.iter_mut().find(|(channels, _)| *channels == missing) {
            _ if missing.is_empty() => {}
            Some((_, entries)) => entries.push(entry),
            None => above.push((missing, vec![entry])),
        }
    }
    above
}

/// The first rules by name; of more only that there are.
pub fn some<'a>(ids: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = if ids.len() > NAMED { ", …" } else { "" };
    let first: Vec<String> = ids.take(NAMED).map(|id| format!("`{id}`")).collect();
    format!("{}{more}", first.join(", "))
}

/// What exceptions that count now let through.
fn excepted(view: &View, groups: &[Group]) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for (at, exception) in view.spec().exceptions.iter().enumerate() {
        let channels = exception.matches.channels.as_ref().map_or(ChannelSet::ALL, |c| c.set);
        let weakens = |group: &&Group| {
            group.enforced()
                && exception.action < group.action
                && channels.intersects(group.channels)
        };
        let rules = groups.iter().filter(weakens).flat_map(|group| &group.rules);
        let named = |rule: &&String| exception.rules.iter().any(|pattern| glob(pattern, rule));
        let count = rules.filter(named).count();
        if view.now < exception.expires.0 && count > 0 {
            let reason = excepts(exception, count);
            gaps.push(Gap::at(reason, view.place(&format!("/spec/exceptions/{at}"))));
        }
    }
    gaps
}

/// What an exception does, in words.
pub fn excepts(exception: &weir_rules::policy::Exception, rules: usize) -> String {
    let found = &exception.matches;
    let mut only = Vec::new();
    only.extend(found.channels.as_ref().map(|channels| format!("in {}", names(channels.set))));
    if !found.callers.is_empty() {
        only.push(format!("for {}", code(&found.callers)));
    }
    if !found.fingerprints.is_empty() {
        only.push(format!("for {} known findings", found.fingerprints.len()));
    }
    let only = only.iter().map(|only| format!(" {only}")).collect::<String>();
    let rules = if rules == 1 { "1 rule".to_owned() } else { format!("{rules} rules") };
    format!(
        "exception `{}` lets {rules} ({}) only {}{only}, until {}",
        exception.id,
        code(&exception.rules),
        exception.action.word(),
        moment(exception.expires)
    )
}

fn code(texts: &[String]) -> String {
    texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ")
}

/// Channels in words.
pub fn names(channels: ChannelSet) -> String {
    let sides = [(ChannelSet::REQUEST, "requests"), (ChannelSet::RESPONSE, "answers")];
    let mut rest = channels;
    let mut words = Vec::new();
    for (side, word) in sides {
        if side.is_within(channels) {
            words.push(format!("every channel of {word}"));
            rest = rest.without(side);
        }
    }
    words.extend(rest.iter().map(|channel| channel.name().to_owned()));
    words.join(", ")
}
