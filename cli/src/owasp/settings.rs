//! What settings come to: each with its value, where it is written, and what it leaves open.

use weir_rules::policy::{
    Audit, Decision, Dialect, FailureMode, RequestMode, Reveal, Subject, ToolAction, Tools,
};
use weir_rules::{ToolVerdict, glob};

use super::join::{Gap, State};
use super::places::Place;
use super::rules::excepts;
use super::view::{View, moment};
use weir_rules::policy::Mode;

macro_rules! settings {
    ($($variant:ident = $name:literal,)*) => {
        /// What of a policy is looked at, beside its rules.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Setting {
            $($variant,)*
        }

        impl Setting {
            /// The setting of this name.
            pub fn named(name: &str) -> Option<Setting> {
                match name {
                    $($name => Some(Setting::$variant),)*
                    _ => None,
                }
            }

            /// The name in the files of frameworks.
            pub fn name(self) -> &'static str {
                match self {
                    $(Setting::$variant => $name,)*
                }
            }
        }
    };
}

settings! {
    Mode = "mode",
    FailureMode = "failureMode",
    RequestMode = "requestMode",
    Traffic = "traffic",
    UnknownShape = "inspection.unknownShape",
    ServerSideState = "inspection.serverSideState",
    RemoteReferences = "inspection.remoteReferences",
    Media = "inspection.media",
    PacksVersion = "packs.version",
    Tools = "tools",
    Limits = "limits",
    Reveal = "refusal.reveal",
    Subject = "audit.subject",
    Clean = "audit.clean",
    Exceptions = "exceptions",
    Owner = "owner",
    Baseline = "baseline",
}

/// What a setting comes to.
pub struct Value {
    pub state: State,
    pub value: String,
    pub places: Vec<Place>,
    pub gaps: Vec<Gap>,
}

/// Judges a setting.
pub fn judge(setting: Setting, view: &View) -> Value {
    let spec = view.spec();
    let plain = |state, value: &str, gap: Option<&str>| Value {
        state,
        value: value.to_owned(),
        places: vec![view.place(&format!("/spec/{}", setting.name().replace('.', "/")))],
        gaps: gap.map(Gap::plain).into_iter().collect(),
    };
    let judged = match setting {
        Setting::Mode => return mode(view),
        Setting::FailureMode => match spec.failure_mode {
            FailureMode::FailClosed => plain(State::InForce, "FailClosed", None),
            FailureMode::FailOpen => {
                plain(State::Open, "FailOpen", Some("what cannot be inspected passes, counted"))
            }
        },
        Setting::RequestMode => match spec.request_mode {
            RequestMode::Hold => plain(State::InForce, "Hold", None),
            RequestMode::Progressive => plain(
                State::Partly,
                "Progressive",
                Some("all but the end of a request goes on before its verdict"),
            ),
        },
        Setting::Traffic => return traffic(view),
        Setting::UnknownShape => inspected(spec.inspection.unknown_shape, plain),
        Setting::ServerSideState => inspected(spec.inspection.server_side_state, plain),
        Setting::RemoteReferences => inspected(spec.inspection.remote_references, plain),
        Setting::Media => inspected(spec.inspection.media, plain),
        Setting::PacksVersion => return pinned(view),
        Setting::Tools => tools(view),
        Setting::Limits => limits(view),
        Setting::Reveal => match spec.refusal.reveal {
            Reveal::Nothing => plain(State::InForce, "Nothing", None),
            Reveal::Rule => plain(State::Open, "Rule", Some("a refusal names the rule")),
        },
        Setting::Subject => return subject(&spec.audit, plain),
        Setting::Clean => match spec.audit.clean.0 {
            100 => return plain(State::InForce, "100%", None),
            share => {
                let gap = "of exchanges in which nothing is found only this share leaves a record";
                return plain(State::Partly, &format!("{share}%"), Some(gap));
            }
        },
        Setting::Exceptions => return exceptions(view),
        Setting::Owner => {
            let owner = spec.owner.as_ref();
            let words = owner.map(|o| [o.team.as_deref(), o.contact.as_deref()]);
            let words: Vec<&str> = words.into_iter().flatten().flatten().collect();
            return match words.is_empty() {
                false => plain(State::InForce, &words.join(", "), None),
                true => plain(State::Open, "", Some("the policy names nobody")),
            };
        }
        Setting::Baseline => return baseline(view),
    };
    match judged.state {
        State::InForce | State::Partly if view.shadow() => Value { state: State::Seen, ..judged },
        _ => judged,
    }
}

fn inspected(decision: Decision, plain: impl Fn(State, &str, Option<&str>) -> Value) -> Value {
    match decision {
        Decision::Reject => plain(State::InForce, "Reject", None),
        Decision::Audit => plain(State::Seen, "Audit", Some("it passes unread, counted")),
        Decision::Allow => plain(State::Open, "Allow", Some("it passes unread")),
    }
}

fn subject(audit: &Audit, plain: impl Fn(State, &str, Option<&str>) -> Value) -> Value {
    match audit.subject {
        Subject::Pseudonym => plain(State::InForce, "Pseudonym", None),
        Subject::Nothing => plain(State::InForce, "Nothing", None),
        Subject::Plain => {
            plain(State::Open, "Plain", Some("records name callers and users as they are"))
        }
    }
}

fn mode(view: &View) -> Value {
    let mode = view.spec().mode;
    let mut value = Value {
        state: State::InForce,
        value: mode.word().to_owned(),
        places: vec![view.place("/spec/mode")],
        gaps: Vec::new(),
    };
    if mode == Mode::Shadow {
        value.state = State::Seen;
        value.gaps.push(Gap::plain("nothing is carried out: it is decided and recorded"));
    }
    let name = &view.engine.policy.metadata.name;
    let glass = view.document("/spec/baseline/spec/breakGlass").filter(|glass| {
        let policies = glass.get("policies").and_then(serde_json::Value::as_array);
        let mut patterns = policies.into_iter().flatten().filter_map(serde_json::Value::as_str);
        patterns.any(|pattern| glob(pattern, name))
    });
    let ticket = glass.and_then(|glass| glass.get("ticket")?.as_str());
    let place = || view.places.of_document("/spec/baseline/spec/breakGlass");
    match (view.suspended(), ticket) {
        (Some(until), ticket) => {
            value.state = State::Seen;
            let reason = format!("nothing is carried out until {}", moment(until));
            value.gaps.push(match ticket {
                Some(ticket) => Gap::at(format!("{reason}: broken glass, `{ticket}`"), place()),
                None => Gap::plain(format!("{reason}: the policy begins in Shadow")),
            });
        }
        (None, Some(ticket)) => {
            let reason = format!("broken glass, `{ticket}`, has ended and should be taken out");
            value.gaps.push(Gap::at(reason, place()));
        }
        (None, None) => {}
    }
    value
}

fn traffic(view: &View) -> Value {
    let traffic = &view.spec().traffic;
    let places = vec![view.place("/spec/traffic")];
    if traffic.is_empty() {
        let gap = "other paths than those of known dialects pass unread, whatever the host";
        return Value {
            state: State::Partly,
            value: "all hosts, by the paths of known dialects".to_owned(),
            places,
            gaps: vec![Gap::plain(gap)],
        };
    }
    let hosts: Vec<String> =
        traffic.iter().flat_map(|t| &t.hosts).map(|host| format!("`{host}`")).collect();
    let mut gaps = Vec::new();
    if !traffic.iter().any(|t| t.hosts.iter().any(|host| host == "*")) {
        gaps.push(Gap::plain("what goes to other hosts is not read"));
    }
    if traffic.iter().any(|t| t.dialect == Dialect::Known) {
        gaps.push(Gap::plain("other paths than those of known dialects pass unread (`Known`)"));
    }
    let state = if gaps.is_empty() { State::InForce } else { State::Partly };
    Value { state, value: hosts.join(", "), places, gaps }
}

fn pinned(view: &View) -> Value {
    let packs = &view.spec().packs;
    let open = packs.iter().enumerate().filter(|(_, pack)| pack.version.is_none());
    let gaps: Vec<Gap> = open
        .map(|(at, pack)| {
            let reason = format!("`{}` names no version", pack.name);
            Gap::at(reason, view.place(&format!("/spec/packs/{at}")))
        })
        .collect();
    let state = match gaps.len() {
        _ if packs.is_empty() => State::Open,
        0 => State::InForce,
        all if all == packs.len() => State::Open,
        _ => State::Partly,
    };
    let version = packs.iter().find_map(|pack| pack.version.clone()).unwrap_or_default();
    let places = vec![view.place("/spec/packs")];
    let gaps = match state {
        State::Open => vec![Gap::plain("no pack names a `version`")],
        _ => gaps,
    };
    Value { state, value: version, places, gaps }
}

/// A name that no policy has a rule for, but by a glob.
const UNNAMED: &str = "\u{1}unnamed";

fn tools(view: &View) -> Value {
    let spec = view.spec();
    let sections = [("tools", &spec.tools), ("baselineTools", &spec.baseline_tools)];
    let sections: Vec<(&str, &Tools)> =
        sections.into_iter().filter_map(|(name, tools)| Some((name, tools.as_ref()?))).collect();
    let compiled = view.engine.rules.tools();
    let mut gaps = Vec::new();
    let ToolVerdict { action, mode, .. } = compiled.judge(UNNAMED);
    let closed = action == ToolAction::Deny && mode == Mode::Enforce;
    let state = match (compiled.reads(), compiled.can_deny()) {
        (false, _) => State::Open,
        (true, false) => State::Seen,
        (true, true) if closed => State::InForce,
        (true, true) => State::Partly,
    };
    match state {
        State::Open => gaps.push(Gap::plain("every tool may be offered and called")),
        State::Partly | State::Seen if !closed => {
            gaps.push(Gap::plain("a tool that no rule denies may be offered and called"));
        }
        _ => {}
    }
    let mut words = Vec::new();
    let mut places = Vec::new();
    for (name, tools) in &sections {
        places.push(view.place(&format!("/spec/{name}")));
        words.push(format!("default {}", tools.default_action.word()));
        for (at, rule) in tools.rules.iter().enumerate() {
            words.push(format!("`{}` {}", rule.id, rule.action.word()));
            if rule.mode == Some(Mode::Shadow) {
                let place = view.place(&format!("/spec/{name}/rules/{at}"));
                gaps.push(Gap::at(format!("`{}` is in Shadow", rule.id), place));
            }
        }
    }
    if places.is_empty() {
        places.push(view.place("/spec/tools"));
    }
    let state = if state == State::InForce && !gaps.is_empty() { State::Partly } else { state };
    Value { state, value: words.join(", "), places, gaps }
}

fn limits(view: &View) -> Value {
    let limits = &view.spec().limits;
    let value = format!(
        "request {}, depth {}, hold {}",
        bytes(limits.request.bytes()),
        limits.depth,
        millis(limits.hold.millis())
    );
    let open = view.spec().failure_mode == FailureMode::FailOpen;
    let gap = Gap::at("what is beyond a limit passes unread", view.place("/spec/failureMode"));
    Value {
        state: if open { State::Open } else { State::InForce },
        value,
        places: vec![view.place("/spec/limits")],
        gaps: if open { vec![gap] } else { Vec::new() },
    }
}

fn bytes(count: u64) -> String {
    match count {
        n if n > 0 && n.is_multiple_of(1 << 20) => format!("{} MiB", n >> 20),
        n if n > 0 && n.is_multiple_of(1 << 10) => format!("{} KiB", n >> 10),
        n => format!("{n} bytes"),
    }
}

fn millis(count: u64) -> String {
    if count.is_multiple_of(1000) { format!("{} s", count / 1000) } else { format!("{count} ms") }
}

fn exceptions(view: &View) -> Value {
    let all = &view.spec().exceptions;
    let gap = |(at, exception): (usize, &weir_rules::policy::Exception)| {
        let place = view.place(&format!("/spec/exceptions/{at}"));
        if view.now < exception.expires.0 {
            let named = |id: &&str| exception.rules.iter().any(|pattern| glob(pattern, id));
            let ids = view.entries.iter().filter(|e| !e.acts.is_empty());
            let count = ids.map(|e| e.rule.id.as_str()).filter(named).count();
            let who = format!("{}; {}", exception.owner, exception.reason);
            return Gap::at(format!("{} ({who})", excepts(exception, count)), place);
        }
        let until = moment(exception.expires);
        let reason =
            format!("`{}` expired on {until}: it counts no more, take it out", exception.id);
        Gap::at(reason, place)
    };
    let gaps: Vec<Gap> = all.iter().enumerate().map(gap).collect();
    let state = if gaps.is_empty() { State::InForce } else { State::Partly };
    let value = if all.is_empty() { "none".to_owned() } else { all.len().to_string() };
    Value { state, value, places: vec![view.place("/spec/exceptions")], gaps }
}

fn baseline(view: &View) -> Value {
    let (state, value, pointer, gap) = if view.bundle {
        (State::InForce, "in the bundle", "/spec/baseline", None)
    } else {
        (State::Open, "", "/kind", Some(Gap::plain("a policy alone has no floor beneath it")))
    };
    let place = view.places.of_document(pointer);
    Value { state, value: value.to_owned(), places: vec![place], gaps: gap.into_iter().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_words() {
        for (count, words) in [(8 << 20, "8 MiB"), (1536, "1536 bytes"), (2048, "2 KiB")] {
            assert_eq!(bytes(count), words);
        }
        assert_eq!((millis(10_000), millis(1500)), ("10 s".to_owned(), "1500 ms".to_owned()));
    }
}
