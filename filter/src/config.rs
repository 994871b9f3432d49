//! What a configuration text comes to. The scheme for bad policies is built on what Envoy 1.36 to 1.40 do: a canary
//! VM is asked first and its verdict is remembered by text; a worker that says no after the canary said yes runs
//! *without* the filter. So a worker never says no.

use std::rc::Rc;

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
    /// Bad; the last good one stays in force.
    Stale { guard: Rc<Guard>, reasons: Vec<String> },
    /// Bad, and there is no good one: say no, so that the proxy keeps what it has.
    Refused { reasons: Vec<String> },
    /// Bad, and there never was a good one: requests are answered 503, or pass if the document itself says FailOpen.
    Degraded { reasons: Vec<String>, opens: bool },
}

/// Decides about a configuration `text` of the plugin `name`.
pub fn configure(
    registry: &mut Registry,
    shared: &mut dyn Shared,
    name: &str,
    text: &[u8],
    environment: Environment<'_>,
    now: u64,
) -> Configured {
    let good = format!("weir.good.{name}");
    let accepted = format!("weir.acc.{name}.{:016x}", fnv(text));
    let reasons: Vec<String> = match Guard::new(text, environment, now) {
        Ok(guard) => {
            registry.0.retain(|(n, _)| n != name);
            registry.0.push((name.to_owned(), guard.clone()));
            shared.set(&good);
            return Configured::Active(guard);
        }
        Err(errors) => errors.0.iter().map(ToString::to_string).collect(),
    };
    if let Some(guard) = registry.last_good(name) {
        return Configured::Stale { guard, reasons };
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

    fn decide(registry: &mut Registry, shared: &mut Keys, text: &[u8]) -> Configured {
        configure(registry, shared, "p", text, &|_| None, 0)
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
        let canary =
            |shared: &mut Keys, text| word(&decide(&mut Registry::default(), shared, text));
        assert_eq!(canary(&mut shared, BAD), "degraded");
        assert_eq!(word(&decide(&mut worker, &mut shared, BAD)), "degraded");
        assert_eq!(canary(&mut shared, GOOD), "active");
        assert_eq!(word(&decide(&mut worker, &mut shared, GOOD)), "active");
        assert_eq!(word(&decide(&mut worker, &mut shared, BAD)), "stale", "same bad again");
        assert_eq!(canary(&mut shared, b"[]"), "refused", "a new bad text");
        assert_eq!(canary(&mut shared, BAD), "degraded", "a canary that once said yes says yes");
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
