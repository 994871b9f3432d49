//! The page as JSON.

use serde_json::{Value, json};
use weir_rules::packs;
use weir_rules::policy::Date;

use super::framework::Kind;
use super::join::{Claim, Gap, Ground, Judged, Page};
use super::places::Place;
use super::view::moment;

/// The page as one object.
pub fn page(page: &Page<'_>) -> Value {
    let (framework, view) = (page.framework, page.view);
    let entries = page.entries.iter().map(|judged| entry(judged, page));
    json!({
        "framework": {
            "name": framework.word,
            "title": framework.title,
            "source": framework.source,
            "kind": match framework.kind { Kind::Risks => "Risks", Kind::Controls => "Controls" },
            "outside": framework.outside,
        },
        "policy": view.engine.policy.metadata.name,
        "document": view.hash,
        "packs": packs::VERSION,
        "weir": env!("CARGO_PKG_VERSION"),
        "at": moment(Date(view.now)),
        "caller": view.caller,
        "host": view.host,
        "covered": view.covered,
        "otherPolicies": view.others,
        "conditions": page.conditions.iter().map(claim).collect::<Vec<_>>(),
        "entries": entries.collect::<Vec<_>>(),
        "mesh": page.mesh.map(|mesh| mesh.json()),
        "notes": page.notes,
    })
}

fn entry(judged: &Judged<'_>, page: &Page<'_>) -> Value {
    let entry = judged.entry;
    let instead = entry.instead.iter().map(|instead| {
        let count = instead.mesh.and_then(|topic| Some(page.mesh?.count(topic)));
        json!({
            "what": instead.what,
            "by": instead.by,
            "topic": instead.mesh.map(|topic| topic.word()),
            "findings": count,
        })
    });
    json!({
        "id": entry.id,
        "name": entry.name,
        "about": entry.about,
        "state": judged.words(page.framework.kind),
        "parts": judged.claims.iter().map(claim).collect::<Vec<_>>(),
        "instead": instead.collect::<Vec<_>>(),
    })
}

fn claim(claim: &Claim) -> Value {
    json!({
        "what": claim.what,
        "why": claim.why,
        "aside": claim.aside,
        "state": claim.state.words(),
        "by": claim.grounds.iter().map(ground).collect::<Vec<_>>(),
        "gaps": claim.gaps.iter().map(gap).collect::<Vec<_>>(),
    })
}

fn ground(ground: &Ground) -> Value {
    match ground {
        Ground::Setting { setting, value, places } => json!({
            "setting": setting.name(),
            "value": value,
            "places": places.iter().map(place).collect::<Vec<_>>(),
        }),
        Ground::Rules(group) => json!({
            "pack": group.pack,
            "rules": group.rules,
            "action": group.action.word(),
            "mode": group.mode.word(),
            "enforced": group.enforced(),
            "channels": group.channels.iter().map(|channel| channel.name()).collect::<Vec<_>>(),
            "places": group.places.iter().map(place).collect::<Vec<_>>(),
        }),
    }
}

fn gap(gap: &Gap) -> Value {
    json!({"reason": gap.reason, "places": gap.places.iter().map(place).collect::<Vec<_>>()})
}

fn place(place: &Place) -> Value {
    json!({"pointer": place.pointer, "written": place.written})
}
