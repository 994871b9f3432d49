//! What a configuration text comes to. The scheme for bad policies is built on what Envoy 1.36 to 1.40 do: a canary
//! VM is asked first and its verdict is remembered by text; a worker that says no after the canary said yes runs
//! *without* the filter. So a worker never says no: whatever a canary says yes to is kept in the data that all VMs of
//! the process share, because a worker's own memory ends with a trap.

use std::rc::Rc;

use weir_rules::packs;
use weir_rules::policy::Node;

use crate::engine::fnv;
use crate::guard::{Environment, Guard};

/// Data that all VMs of a proxy process share.
pub trait Shared {
    fn get(&self, key: &str) -> bool;
    fn set(&mut self, key: &str);
}

/// The last good guard by plugin name, in this VM's memory.
#[derive(Default)]
pub struct Registry(Vec<(String, Rc<Guard>)>);

impl Registry {
    /// The last good guard of a plugin name.
    pub fn last_good(&self, name: &str) -> Option<Rc<Guard>> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, guard)| guard.clone())
    }
}

/// What to do with a configuration.
pub enum Configured {
    /// In force.
    Active(Rc<Guard>),
    /// Bad; the last good one stays in force for what it names. `opens` is about the rest, as below.
    Stale { guard: Rc<Guard>, reasons: Vec<String>, opens: bool },
    /// Bad, and there is no good one: say no, so that the proxy keeps what it has.
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
    let reasons: Vec<String> = match Guard::new(text, environment, now) {
        Ok(guard) => {
            registry.0.retain(|(n, _)| n != name);
            registry.0.push((name.to_owned(), guard.clone()));
            shared.set(&good);
            // With another clock the same text may be bad, and a worker may be asked again at any time.
            shared.set(&accepted);
            return Configured::Active(guard);
        }
        Err(errors) => errors.0.iter().map(ToString::to_string).collect(),
    };
    if let Some(guard) = registry.last_good(name) {
        return Configured::Stale { guard, reasons, opens: says_fail_open(text) };
    }
    if shared.get(&good) && !shared.get(&accepted) {
        return Configured::Refused { reasons };
    }
    shared.set(&accepted);
    Configured::Degraded { reasons, opens: says_fail_open(text) }
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
