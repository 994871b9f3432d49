//! The policy in force, as the command looks at it.

use std::io;
use std::rc::Rc;

use serde_json::Value;
use weir_filter::Engine;
use weir_rules::policy::{Date, Mode, Spec};

use super::places::{Place, Places};
use crate::in_force::InForce;
use crate::policy;
use crate::rules::entry::{self, Entry};

/// A policy in force for a caller.
pub struct View {
    pub engine: Rc<Engine>,
    /// Names the document in records.
    pub hash: String,
    pub caller: Option<String>,
    pub host: Option<String>,
    pub covered: bool,
    pub bundle: bool,
    /// Other policies of the bundle.
    pub others: Vec<String>,
    pub entries: Vec<Entry>,
    /// Microseconds since the Unix epoch.
    pub now: u64,
    pub places: Places,
}

impl View {
    /// Looks at what was found for a caller.
    ///
    /// # Errors
    /// A built-in rule is none.
    pub fn of(found: InForce, caller: Option<&str>, host: Option<&str>) -> io::Result<View> {
        let InForce { guard, engine, covered, json, effective, baseline, .. } = found;
        let name = &engine.policy.metadata.name;
        let names = guard.engines().map(|e| e.policy.metadata.name.clone());
        Ok(View {
            hash: guard.hash.clone(),
            caller: caller.map(str::to_owned),
            host: host.map(str::to_owned),
            covered,
            bundle: effective.is_some(),
            others: names.filter(|other| other != name).collect(),
            entries: entry::under(&engine)?,
            now: policy::now(),
            places: Places { json, effective, alone: baseline },
            engine,
        })
    }

    /// What the policy in force says.
    pub fn spec(&self) -> &Spec {
        &self.engine.policy.spec
    }

    /// Where a field of it is written.
    pub fn place(&self, pointer: &str) -> Place {
        self.places.of(pointer)
    }

    /// Until when nothing is carried out although the policy says Enforce.
    pub fn suspended(&self) -> Option<Date> {
        self.engine.shadow_until.filter(|until| self.now < *until).map(Date)
    }

    /// Whether nothing is carried out.
    pub fn shadow(&self) -> bool {
        self.spec().mode == Mode::Shadow || self.suspended().is_some()
    }

    /// Whether something of the page depends on the time.
    pub fn dated(&self) -> bool {
        let glass = self.places.json.pointer("/spec/baseline/spec/breakGlass");
        self.engine.shadow_until.is_some() || !self.spec().exceptions.is_empty() || glass.is_some()
    }

    /// A member of the document.
    pub fn document(&self, pointer: &str) -> Option<&Value> {
        self.places.json.pointer(pointer)
    }
}

/// A moment to the second.
pub fn moment(date: Date) -> String {
    let text = date.to_string();
    text.split_once('.').map_or(text.clone(), |(seconds, _)| format!("{seconds}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_to_the_second() {
        assert_eq!(moment(Date(1_500_000)), "1970-01-01T00:00:01Z");
    }
}
