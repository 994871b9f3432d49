//! Entries of a list joined with what the policy in force does.

use super::framework::{By, Entry, Framework, Kind, Part};
use super::mesh::Mesh;
use super::places::Place;
use super::rules::{self, Found, Group};
use super::settings::{self, Setting};
use super::view::View;
use weir_rules::ChannelSet;

/// How far something is covered, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// By nothing.
    Open,
    /// Decided and recorded, but not carried out.
    Seen,
    /// With gaps.
    Partly,
    InForce,
}

impl State {
    /// In words, of a part.
    pub fn words(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Seen => "seen only",
            State::Partly => "in part",
            State::InForce => "in force",
        }
    }
}

/// What is missing, and where.
pub struct Gap {
    pub reason: String,
    pub places: Vec<Place>,
}

impl Gap {
    /// Without a place of its own.
    pub fn plain(reason: impl Into<String>) -> Gap {
        Gap { reason: reason.into(), places: Vec::new() }
    }

    /// At a place.
    pub fn at(reason: impl Into<String>, place: Place) -> Gap {
        Gap { reason: reason.into(), places: vec![place] }
    }
}

/// What a part rests on.
pub enum Ground {
    Rules(Group),
    Setting { setting: Setting, value: String, places: Vec<Place> },
}

/// A part of an entry, judged.
pub struct Claim {
    pub what: String,
    pub why: Option<String>,
    pub aside: bool,
    pub state: State,
    pub grounds: Vec<Ground>,
    pub gaps: Vec<Gap>,
}

/// An entry, judged. Without claims, but asides, it is outside of the filter.
pub struct Judged<'a> {
    pub entry: &'a Entry,
    pub claims: Vec<Claim>,
}

impl Judged<'_> {
    /// In words: never that the whole is covered, since a part is always left to others.
    pub fn words(&self, kind: Kind) -> &'static str {
        let counts = self.claims.iter().filter(|claim| !claim.aside);
        match (counts.map(|claim| claim.state).max(), kind) {
            (None, _) => "outside the filter",
            (Some(State::Open), Kind::Risks) => "not covered",
            (Some(State::Open), Kind::Controls) => "no evidence",
            (Some(State::Seen), _) => "seen only",
            (Some(State::Partly | State::InForce), Kind::Risks) => "partly covered",
            (Some(State::Partly | State::InForce), Kind::Controls) => "evidence in part",
        }
    }
}

/// Everything that is printed.
pub struct Page<'a> {
    pub framework: &'a Framework,
    pub view: &'a View,
    pub mesh: Option<&'a Mesh<'a>>,
    /// What every line rests on.
    pub conditions: Vec<Claim>,
    pub entries: Vec<Judged<'a>>,
    pub notes: Vec<String>,
}

/// What every line of a page rests on.
const CONDITIONS: [(&str, Setting, &str); 7] = [
    ("Decisions are carried out", Setting::Mode, "what is in Shadow is recorded and passes"),
    ("The traffic is read", Setting::Traffic, "what is not named passes unread"),
    ("What cannot be inspected is refused", Setting::FailureMode, "faults and limits come to it"),
    ("Bodies of no known form are refused", Setting::UnknownShape, "else they are a way around"),
    (
        "Requests wait for their verdict",
        Setting::RequestMode,
        "what has gone on cannot be taken back",
    ),
    ("Nothing is excepted", Setting::Exceptions, "an exception loosens rules until it expires"),
    (
        "Every exchange leaves a record",
        Setting::Clean,
        "without records nobody sees what was decided",
    ),
];

/// Joins a list with the policy in force.
pub fn page<'a>(framework: &'a Framework, view: &'a View, mesh: Option<&'a Mesh<'a>>) -> Page<'a> {
    let conditions = CONDITIONS.iter().map(|(what, setting, why)| of(what, *setting, why, view));
    let judged = |entry: &'a Entry| Judged { entry, claims: claims(framework, entry, view) };
    Page {
        framework,
        view,
        mesh,
        conditions: conditions.collect(),
        entries: framework.entries.iter().map(judged).collect(),
        notes: notes(framework, view),
    }
}

fn claims(framework: &Framework, entry: &Entry, view: &View) -> Vec<Claim> {
    let judged = |part: &Part| {
        let claim = match &part.by {
            By::Setting { setting, why } => of(&part.what, *setting, why, view),
            By::Rules { tag, packs, channels } => {
                let packs: Vec<&str> = packs.iter().map(String::as_str).collect();
                by(part.what.clone(), rules::of_packs(view, tag.as_deref(), &packs, *channels))
            }
        };
        Claim { aside: part.aside, ..claim }
    };
    let mut claims: Vec<Claim> = entry.parts.iter().map(judged).collect();
    let Some(tags) = &framework.tags else { return claims };
    let tag = format!("{tags}{}", entry.id);
    for pack in others(entry, &tag, view) {
        let acts = view.entries.iter().filter(|e| e.pack == Some(pack)).flat_map(|e| &e.acts);
        let read = ChannelSet::of(&acts.map(|(channel, ..)| *channel).collect::<Vec<_>>());
        let what = format!("What else `{pack}` finds");
        claims.push(by(what, rules::of_packs(view, Some(&tag), &[pack], read)));
    }
    if let Some(found) = rules::of_own(view, &tag) {
        claims.push(by("What the policy's own rules find".to_owned(), found));
    }
    claims
}

/// Packs with rules of this tag that no part of the entry names.
fn others<'a>(entry: &Entry, tag: &str, view: &'a View) -> Vec<&'a str> {
    let named = |pack: &str| {
        entry.parts.iter().any(|part| match &part.by {
            By::Rules { tag: Some(own), packs, .. } => {
                own == tag && (packs.is_empty() || packs.iter().any(|p| p == pack))
            }
            _ => false,
        })
    };
    let tagged = view.entries.iter().filter(|e| e.rule.tags.iter().any(|own| own == tag));
    let mut packs: Vec<&str> = tagged.filter_map(|e| e.pack).filter(|p| !named(p)).collect();
    packs.dedup();
    packs
}

fn of(what: &str, setting: Setting, why: &str, view: &View) -> Claim {
    let settings::Value { state, value, places, gaps } = settings::judge(setting, view);
    Claim {
        what: what.to_owned(),
        why: Some(why.to_owned()),
        aside: false,
        state,
        grounds: vec![Ground::Setting { setting, value, places }],
        gaps,
    }
}

fn by(what: String, found: Found) -> Claim {
    let Found { state, groups, gaps } = found;
    let grounds = groups.into_iter().map(Ground::Rules).collect();
    Claim { what, why: None, aside: false, state, grounds, gaps }
}

/// Tags of the policy's own rules that look like the list's and are not.
fn notes(framework: &Framework, view: &View) -> Vec<String> {
    let Some(tags) = &framework.tags else { return Vec::new() };
    let known = |id: &str| framework.entries.iter().any(|entry| entry.id == id);
    let own = view.entries.iter().filter(|entry| entry.pack.is_none());
    let wrong = own.flat_map(|entry| {
        let ids = entry.rule.tags.iter().filter_map(|tag| tag.strip_prefix(tags.as_str()));
        ids.filter(|id| !known(id)).map(|id| {
            let rule = &entry.rule.id;
            format!(
                "the tag `{tags}{id}` of `{rule}` names nothing of this list, so it counts nowhere"
            )
        })
    });
    wrong.collect()
}
