//! What a configuration text comes to. The scheme for bad policies is built on what Envoy 1.36 to 1.40 do: a canary
//! VM is asked first and its verdict is remembered by text; a worker that says no after the canary said yes runs
//! *without* the filter. So a worker never says no: whatever a canary says yes to is kept in the data that all VMs of
//! the process share, because a worker's own memory ends with a trap. A worker that traps while it is configured runs
//! without the filter too, so it compiles nothing unless memory is plenty.

use std::rc::{Rc, Weak};

use weir_rules::packs;
use weir_rules::policy::Node;

use crate::engine::fnv;
use crate::guard::{Environment, Guard};

/// The most bytes of one policy; one of 10,000 rules takes about 15 MiB.
const MAX_POLICY: usize = 128 << 20;
/// The most bytes of all policies of a VM before another one is compiled. Envoy gives a VM 1 GiB, and under LDS policies
/// pile up in it while old listeners drain.
const MAX_POLICIES: usize = 384 << 20;
/// Bytes that are kept of each byte of a document, roughly, besides what is compiled of it.
const KEPT: usize = 4;
const NO_ROOM: &str =
    "no memory is left for it (wait until old listeners have drained, or restart the proxy)";
const TOO_LARGE: &str = "it takes more than 128 MiB of memory (write fewer or shorter patterns)";

/// Data that all VMs of a proxy process share.
pub trait Shared {
    fn get(&self, key: &str) -> bool;
    fn set(&mut self, key: &str);
}

/// What this VM's memory holds.
pub struct Registry {
    /// The last good guard by plugin name.
    good: Vec<(String, Rc<Guard>)>,
    /// All guards that something still runs under, with their size in bytes.
    live: Vec<(Weak<Guard>, usize)>,
    /// The most bytes of `live` before another one is compiled.
    max: usize,
}

impl Default for Registry {
    fn default() -> Registry {
        Registry { good: Vec::new(), live: Vec::new(), max: MAX_POLICIES }
    }
}

impl Registry {
    /// The last good guard of a plugin name.
    pub fn last_good(&self, name: &str) -> Option<Rc<Guard>> {
        self.good.iter().find(|(n, _)| n == name).map(|(_, guard)| guard.clone())
    }

    fn keep(&mut self, name: &str, guard: &Rc<Guard>, size: usize) {
        self.good.retain(|(n, _)| n != name);
        self.good.push((name.to_owned(), guard.clone()));
        self.live.push((Rc::downgrade(guard), size));
    }

    fn has_room(&mut self) -> bool {
        self.live.retain(|(guard, _)| guard.strong_count() > 0);
        self.live.iter().map(|(_, size)| size).sum::<usize>() <= self.max
    }
}

/// What to do with a configuration.
pub enum Configured {
    /// In force.
    Active(Rc<Guard>),
    /// Bad; the last good one stays in force for what it names. `opens` is about the rest, as below.
    Stale { guard: Rc<Guard>, reasons: Vec<String>, opens: bool },
    /// Bad, and there is an earlier one: say no, so that the proxy keeps what it has.
    Refused { reasons: Vec<String> },
    /// Bad, and there never was a good one: requests are answered 503, or pass if the document itself says FailOpen.
    Degraded { reasons: Vec<String>, opens: bool },
}

/// Whose configuration it is.
#[derive(Clone, Copy)]
pub struct Plugin<'a> {
    pub name: &'a str,
    /// What a verdict depends on besides the text: the module and the VM's environment, as [`vm`] names them.
    pub vm: u64,
}

/// Names this module in a VM with these environment variables. A canary's verdict binds the workers of its own kind
/// of VM only: a newer module may refuse what the older one took, so that the older one goes on.
pub fn vm(variables: impl Iterator<Item = (String, String)>) -> u64 {
    let mut named = format!("{} {}", env!("CARGO_PKG_VERSION"), packs::hash());
    variables.for_each(|(name, value)| named.push_str(&format!(" {name}={}", value.len())));
    fnv(named.as_bytes())
}

/// Decides about a configuration `text` of a plugin.
pub fn configure(
    registry: &mut Registry,
    shared: &mut dyn Shared,
    Plugin { name, vm }: Plugin<'_>,
    text: &[u8],
    environment: Environment<'_>,
    now: u64,
) -> Configured {
    let good = format!("weir.good.{name}");
    let accepted = format!("weir.acc.{name}.{vm:016x}.{:016x}", fnv(text));
    let has_room = registry.has_room();
    let sized = |guard: Rc<Guard>| (size(&guard, text), guard);
    let compiled = has_room.then(|| Guard::new(text, environment, now).map(sized));
    let reasons: Vec<String> = match compiled {
        Some(Ok((size, _))) if size > MAX_POLICY => vec![TOO_LARGE.to_owned()],
        Some(Ok((size, guard))) => {
            registry.keep(name, &guard, size);
            shared.set(&good);
            // With another clock the same text may be bad, and a worker may be asked again at any time.
            shared.set(&accepted);
            return Configured::Active(guard);
        }
        Some(Err(errors)) => errors.0.iter().map(ToString::to_string).collect(),
        None => vec![NO_ROOM.to_owned()],
    };
    let opens = has_room && says_fail_open(text);
    if let Some(guard) = registry.last_good(name) {
        return Configured::Stale { guard, reasons, opens };
    }
    if shared.get(&good) && !shared.get(&accepted) {
        return Configured::Refused { reasons };
    }
    shared.set(&accepted);
    Configured::Degraded { reasons, opens }
}

/// Bytes of memory that a guard takes, roughly.
fn size(guard: &Guard, text: &[u8]) -> usize {
    let kept = text.len().saturating_mul(KEPT);
    guard.engines().map(|engine| engine.rules.memory().saturating_add(kept)).sum()
}

/// Whether a broken document still parses and asks to fail open.
fn says_fail_open(text: &[u8]) -> bool {
    let document = weir_rules::policy::tree(text);
    let mode = |node: &Node| node.get("spec")?.get("failureMode")?.text().map(|m| m == "FailOpen");
    document.ok().as_ref().and_then(mode).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[derive(Default)]
    struct Keys(BTreeSet<String>);

    impl Shared for Keys {
        fn get(&self, key: &str) -> bool {
            self.0.contains(key)
        }
        fn set(&mut self, key: &str) {
            self.0.insert(key.to_owned());
        }
    }

    const GOOD: &[u8] =
        br#"{"apiVersion":"guard.weir.dev/v1alpha1","kind":"Policy","metadata":{"name":"a"},"spec":{}}"#;
    const BAD: &[u8] = b"{}";
    const PLUGIN: Plugin<'_> = Plugin { name: "p", vm: 1 };

    fn decide(registry: &mut Registry, shared: &mut Keys, text: &[u8]) -> Configured {
        configure(registry, shared, PLUGIN, text, &|_| None, 0)
    }

    /// The verdict of a VM without a memory: a canary, or a worker's after a trap.
    fn fresh(shared: &mut Keys, text: &[u8]) -> &'static str {
        word(&decide(&mut Registry::default(), shared, text))
    }

    fn word(outcome: &Configured) -> &'static str {
        match outcome {
            Configured::Active(_) => "active",
            Configured::Stale { .. } => "stale",
            Configured::Refused { .. } => "refused",
            Configured::Degraded { .. } => "degraded",
        }
    }

    #[test]
    fn bad_policies() {
        let mut shared = Keys::default();
        let mut worker = Registry::default();
        assert_eq!(fresh(&mut shared, BAD), "degraded");
        assert_eq!(word(&decide(&mut worker, &mut shared, BAD)), "degraded");
        assert_eq!(fresh(&mut shared, GOOD), "active");
        assert_eq!(word(&decide(&mut worker, &mut shared, GOOD)), "active");
        assert_eq!(word(&decide(&mut worker, &mut shared, BAD)), "stale", "same bad again");
        assert_eq!(fresh(&mut shared, b"[]"), "refused", "a new bad text");
        assert_eq!(fresh(&mut shared, BAD), "degraded", "a canary that once said yes says yes");
    }

    #[test]
    fn a_worker_that_traps_forgets_and_still_says_yes() {
        let mut shared = Keys::default();
        for text in [BAD, GOOD, BAD] {
            assert_ne!(fresh(&mut shared, text), "refused");
        }
        assert_eq!(fresh(&mut shared, BAD), "degraded", "nothing is left of the last good one");
        assert_eq!(fresh(&mut shared, GOOD), "active");
    }

    #[test]
    fn what_was_good_once_is_not_refused_later() {
        // Only the clock and the environment can turn it: the environment is easier to turn in a test.
        let document = std::str::from_utf8(GOOD).expect("a document").replace(
            "\"spec\":{}",
            r#""spec":{"keys":[{"name":"k","use":"Fingerprint","env":"WEIR_KEY"}]}"#,
        );
        let mut shared = Keys::default();
        let mut verdict = |value: Option<&str>| {
            let environment = |_: &str| value.map(str::to_owned);
            let mut registry = Registry::default();
            let text = document.as_bytes();
            let verdict = configure(&mut registry, &mut shared, PLUGIN, text, &environment, 0);
            word(&verdict)
        };
        assert_eq!(verdict(Some("0123456789abcdef0123456789abcdef")), "active");
        assert_eq!(verdict(None), "degraded");
    }

    #[test]
    fn another_module_or_environment_has_said_yes_to_nothing() {
        let mut shared = Keys::default();
        assert_eq!(fresh(&mut shared, BAD), "degraded");
        assert_eq!(fresh(&mut shared, GOOD), "active");
        let newer = Plugin { vm: 2, ..PLUGIN };
        let mut registry = Registry::default();
        let verdict = configure(&mut registry, &mut shared, newer, BAD, &|_| None, 0);
        assert_eq!(word(&verdict), "refused", "the proxy keeps the old module");
    }

    #[test]
    fn a_worker_that_is_full_keeps_what_it_has() {
        let mut shared = Keys::default();
        let texts: Vec<Vec<u8>> = (0..5).map(|n| [GOOD, &b" ".repeat(n)[..]].concat()).collect();
        let mut worker = Registry::default();
        let mut drains = Vec::new();
        let mut configure = |text: &[u8]| {
            let outcome = decide(&mut worker, &mut shared, text);
            worker.max = worker.live.iter().map(|(_, size)| size).max().map_or(0, |s| s * 2);
            let word = word(&outcome);
            drains.push(outcome);
            word
        };
        let words: Vec<&str> = texts.iter().take(4).map(|text| configure(text)).collect();
        assert_eq!(words, ["active", "active", "active", "stale"]);
        drains.clear();
        let last = texts.last().expect("five texts");
        assert_eq!(word(&decide(&mut worker, &mut shared, last)), "active", "they have drained");
    }

    #[test]
    fn only_a_document_that_says_so_fails_open() {
        for (text, expected) in [
            (&br#"{"spec":{"failureMode":"FailOpen","x":1}}"#[..], true),
            (br#"{"spec":{"failureMode":"FailClosed"}}"#, false),
            (br#"{"spec":{"failureMode":"FailOpen""#, false),
            (b"", false),
        ] {
            assert_eq!(says_fail_open(text), expected);
        }
    }
}
