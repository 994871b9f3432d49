//! What a configuration text comes to. The scheme for bad policies is built on what Envoy 1.36 to 1.40 do: a canary
//! VM is asked first and its verdict is remembered by text; a worker that says no after the canary said yes runs
//! *without* the filter. So a worker never says no.

use std::rc::Rc;

use crate::engine::{Engine, fnv};

/// Data that all VMs of a proxy process share.
pub trait Shared {
    fn get(&self, key: &str) -> bool;
    fn set(&mut self, key: &str);
}

/// The last good engine by plugin name, in this VM's memory.
#[derive(Default)]
pub struct Registry(Vec<(String, Rc<Engine>)>);

impl Registry {
    /// The last good engine of a plugin name.
    pub fn last_good(&self, name: &str) -> Option<Rc<Engine>> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, engine)| engine.clone())
    }
}

/// What to do with a configuration.
pub enum Configured {
    /// In force.
    Active(Rc<Engine>),
    /// Bad; the last good one stays in force.
    Stale { engine: Rc<Engine>, reasons: Vec<String> },
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
) -> Configured {
    let good = format!("weir.good.{name}");
    let accepted = format!("weir.acc.{name}.{:016x}", fnv(text));
    let reasons: Vec<String> = match Engine::new(text) {
        Ok(engine) => {
            registry.0.retain(|(n, _)| n != name);
            registry.0.push((name.to_owned(), engine.clone()));
            shared.set(&good);
            return Configured::Active(engine);
        }
        Err(errors) => errors.0.iter().map(ToString::to_string).collect(),
    };
    if let Some(engine) = registry.last_good(name) {
        return Configured::Stale { engine, reasons };
    }
    if shared.get(&good) && !shared.get(&accepted) {
        return Configured::Refused { reasons };
    }
    shared.set(&accepted);
    Configured::Degraded { reasons, opens: says_fail_open(text) }
}

/// Whether a broken document still parses and asks to fail open.
fn says_fail_open(text: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Document {
        spec: Spec,
    }
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Spec {
        failure_mode: String,
    }
    serde_json::from_slice::<Document>(text).is_ok_and(|d| d.spec.failure_mode == "FailOpen")
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
            |shared: &mut Keys, text| word(&configure(&mut Registry::default(), shared, "p", text));
        assert_eq!(canary(&mut shared, BAD), "degraded");
        assert_eq!(word(&configure(&mut worker, &mut shared, "p", BAD)), "degraded");
        assert_eq!(canary(&mut shared, GOOD), "active");
        assert_eq!(word(&configure(&mut worker, &mut shared, "p", GOOD)), "active");
        assert_eq!(word(&configure(&mut worker, &mut shared, "p", BAD)), "stale", "same bad again");
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
