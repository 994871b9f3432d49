//! A policy over a baseline: overrides joined with the policy, holes filled by defaults. What is weaker than the
//! overrides is an error with its place, never clamped silently.

use super::{Node, Period, PolicyError, Quantity};

/// Where a field of an effective policy comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Overrides,
    Policy,
    Defaults,
}

impl Origin {
    /// In words, for `weir effective`.
    pub fn words(self) -> &'static str {
        match self {
            Origin::Overrides => "baseline overrides",
            Origin::Policy => "policy",
            Origin::Defaults => "baseline defaults",
        }
    }
}

/// How two layers of a field are joined.
enum Join {
    /// One of these words, weakest first: the stricter one stays.
    Stricter(&'static [&'static str]),
    /// A limit: the smaller one stays.
    Smaller,
    /// The overrides', else the policy's.
    First,
}

const INSPECT: Join = Join::Stricter(&["Allow", "Audit", "Reject"]);

/// Every field that is no list, in sections of at most one level.
const FIELDS: &[(&str, &str, Join)] = &[
    // Whether Shadow is weaker depends on what the baseline delegates.
    ("mode", "", Join::First),
    ("failureMode", "", Join::Stricter(&["FailOpen", "FailClosed"])),
    ("requestMode", "", Join::Stricter(&["Progressive", "Hold"])),
    ("inspection", "unknownShape", INSPECT),
    ("inspection", "serverSideState", INSPECT),
    ("inspection", "remoteReferences", INSPECT),
    ("inspection", "media", INSPECT),
    ("limits", "request", Join::Smaller),
    ("limits", "paused", Join::Smaller),
    ("limits", "held", Join::Smaller),
    ("limits", "event", Join::Smaller),
    ("limits", "toolCall", Join::Smaller),
    ("limits", "worker", Join::Smaller),
    ("limits", "hold", Join::Smaller),
    ("limits", "depth", Join::Smaller),
    ("limits", "openChannels", Join::Smaller),
    ("limits", "channels", Join::Smaller),
    ("refusal", "as", Join::First),
    ("refusal", "status", Join::First),
    ("refusal", "reveal", Join::First),
    ("refusal", "message", Join::First),
    ("audit", "subject", Join::First),
    ("audit", "key", Join::First),
    ("audit", "clean", Join::First),
    ("audit", "labels", Join::First),
    ("identity", "user", Join::First),
    ("identity", "groups", Join::First),
    ("onViolation", "", Join::First),
    ("holdHeaders", "", Join::First),
    ("owner", "", Join::First),
    ("appliesTo", "", Join::First),
];

/// Lists of which the baseline's come first and the policy's are added.
const LISTS: &[&str] = &["traffic", "packs", "rules", "exceptions", "keys"];

/// The layers of one policy, each a `spec`.
pub struct Layers<'a> {
    pub overrides: &'a Node,
    pub defaults: &'a Node,
    pub policy: &'a Node,
}

/// What the layers come to.
pub struct Merged {
    pub spec: Node,
    /// Pointer in the effective document and where it comes from.
    pub origins: Vec<(String, Origin)>,
    /// How many entries of each list are the baseline's, in the order of [`LISTS`].
    pub inherited: Vec<(&'static str, usize)>,
    /// What is weaker than the overrides, by its pointer in the policy.
    pub errors: Vec<PolicyError>,
}

/// Joins the layers. A policy's own rules are renamed to `name/id`.
pub fn merge(layers: &Layers<'_>, name: &str) -> Merged {
    let mut merged = Merged {
        spec: Node::Map(Vec::new()),
        origins: Vec::new(),
        inherited: Vec::new(),
        errors: Vec::new(),
    };
    for (section, member, join) in FIELDS {
        let pointer = match *member {
            "" => format!("/spec/{section}"),
            member => format!("/spec/{section}/{member}"),
        };
        let of = |spec: &Node| -> Option<Node> {
            let value = spec.get(section)?;
            if member.is_empty() { Some(value.clone()) } else { value.get(member).cloned() }
        };
        let (floor, own) = (of(layers.overrides), of(layers.policy));
        let chosen = match (floor, own) {
            (Some(floor), Some(own)) if weaker(join, &own, &floor) => {
                merged.errors.push(PolicyError {
                    pointer: pointer.clone(),
                    reason: format!("{own} is weaker than the baseline's {floor}"),
                    cure: "leave it out, or ask the owner of the baseline".to_owned(),
                });
                Some((floor, Origin::Overrides))
            }
            (Some(floor), Some(own)) => match join {
                Join::First if *section != "mode" => Some((floor, Origin::Overrides)),
                _ => Some((own, Origin::Policy)),
            },
            (Some(floor), None) => Some((floor, Origin::Overrides)),
            (None, Some(own)) => Some((own, Origin::Policy)),
            (None, None) => of(layers.defaults).map(|value| (value, Origin::Defaults)),
        };
        let Some((value, origin)) = chosen else { continue };
        merged.origins.push((pointer, origin));
        if member.is_empty() {
            merged.spec.set(section, value);
        } else {
            let mut inner = merged.spec.get(section).cloned().unwrap_or(Node::Map(Vec::new()));
            inner.set(member, value);
            merged.spec.set(section, inner);
        }
    }
    lists(layers, name, &mut merged);
    tools(layers, &mut merged);
    merged
}

fn weaker(join: &Join, own: &Node, floor: &Node) -> bool {
    match join {
        Join::First => false,
        Join::Stricter(words) => {
            let rank = |node: &Node| words.iter().position(|w| Some(*w) == node.text());
            rank(own) < rank(floor)
        }
        Join::Smaller => number(own) > number(floor),
    }
}

fn number(node: &Node) -> Option<u64> {
    match node {
        Node::Unsigned(number) => Some(*number),
        Node::Text(text) => {
            Quantity::parse(text).map(Quantity::bytes).or_else(|| Period::parse(text).map(|p| p.0))
        }
        _ => None,
    }
}

fn lists(layers: &Layers<'_>, name: &str, merged: &mut Merged) {
    for list in LISTS {
        let of = |spec: &Node| spec.get(list).map(|node| node.items().to_vec());
        let mut all = of(layers.overrides).unwrap_or_default();
        merged.inherited.push((list, all.len()));
        let own = match of(layers.policy) {
            Some(own) => own.into_iter().map(|node| (node, Origin::Policy)).collect(),
            None => {
                let filled = of(layers.defaults).unwrap_or_default();
                filled.into_iter().map(|node| (node, Origin::Defaults)).collect::<Vec<_>>()
            }
        };
        let floor = all.len();
        for at in 0..floor {
            merged.origins.push((format!("/spec/{list}/{at}"), Origin::Overrides));
        }
        for (at, (mut node, origin)) in own.into_iter().enumerate() {
            if *list == "traffic" && floor == 0 && at == 0 {
                // The baseline alone reads every host: a policy adds to that, it does not narrow it.
                all.push(everything());
                merged.origins.push((format!("/spec/{list}/0"), Origin::Overrides));
            }
            if origin == Origin::Policy && *list == "rules" {
                taken(&node, layers.overrides, at, merged);
                let id = node.get("id").and_then(Node::text).map(|id| format!("{name}/{id}"));
                node.set("id", Node::Text(id.unwrap_or_default()));
            }
            if origin == Origin::Policy && *list == "exceptions" {
                own_rules(&mut node, layers.policy, name);
            }
            merged.origins.push((format!("/spec/{list}/{}", all.len()), origin));
            all.push(node);
        }
        if !all.is_empty() {
            merged.spec.set(list, Node::List(all));
        }
    }
}

/// All hosts, by the paths of the known dialects.
fn everything() -> Node {
    Node::Map(vec![
        ("hosts".to_owned(), Node::List(vec![Node::Text("*".to_owned())])),
        ("dialect".to_owned(), Node::Text("Known".to_owned())),
    ])
}

fn taken(rule: &Node, overrides: &Node, at: usize, merged: &mut Merged) {
    let rules = overrides.get("rules").map(Node::items).unwrap_or_default();
    if rules.iter().any(|other| other.get("id") == rule.get("id")) {
        merged.errors.push(PolicyError {
            pointer: format!("/spec/rules/{at}/id"),
            reason: "the baseline has a rule of this id".to_owned(),
            cure: "give it another id; the baseline's stays in force".to_owned(),
        });
    }
}

/// An exception names the policy's own rules by their short ids.
fn own_rules(exception: &mut Node, policy: &Node, name: &str) {
    let own = |id: &str| {
        let rules = policy.get("rules").map(Node::items).unwrap_or_default();
        rules.iter().any(|rule| rule.get("id").and_then(Node::text) == Some(id))
    };
    let renamed = exception.get("rules").map(Node::items).unwrap_or_default();
    let renamed = renamed.iter().map(|rule| match rule.text() {
        Some(id) if own(id) => Node::Text(format!("{name}/{id}")),
        _ => rule.clone(),
    });
    let renamed = Node::List(renamed.collect());
    exception.set("rules", renamed);
}

/// A call must be allowed by both.
fn tools(layers: &Layers<'_>, merged: &mut Merged) {
    let own = match layers.policy.get("tools") {
        Some(own) => Some((own, Origin::Policy)),
        None => layers.defaults.get("tools").map(|tools| (tools, Origin::Defaults)),
    };
    if let Some((tools, origin)) = own {
        merged.spec.set("tools", tools.clone());
        merged.origins.push(("/spec/tools".to_owned(), origin));
    }
    if let Some(floor) = layers.overrides.get("tools") {
        merged.spec.set("baselineTools", floor.clone());
        merged.origins.push(("/spec/baselineTools".to_owned(), Origin::Overrides));
    }
}
