//! One run of `weir test`: policies are compiled once, their own examples run once.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use serde_json::Value;
use weir_filter::Guard;
use weir_filter::sim::Around;

use super::marks::Marked;
use super::outcome::{Failure, Judged, Outcome, Place, Status};
use super::suite::{Case, Messages, Source, Subject, Suite};
use super::{text, wire};
use crate::document::Document;
use crate::exchange::Exchange;
use crate::http::{self, Kind};
use crate::policy::{self, Fault};

/// A policy under test.
struct Policy {
    document: Document,
    /// As if nothing in it were in Shadow.
    enforced: Rc<Guard>,
    /// As it is written; compiled when a case asks for it.
    written: OnceCell<Rc<Guard>>,
}

impl Policy {
    fn guard(&self, as_written: bool) -> &Rc<Guard> {
        if !as_written {
            return &self.enforced;
        }
        let build =
            || policy::build(&self.document, false).unwrap_or_else(|_| self.enforced.clone());
        self.written.get_or_init(build)
    }
}

/// Runs files and collects what becomes of their cases.
pub struct Session {
    pub outcomes: Vec<Outcome>,
    /// Microseconds since the Unix epoch: which exceptions have expired.
    now: u64,
    policies: BTreeMap<PathBuf, Option<Rc<Policy>>>,
}

impl Session {
    /// A run at `now`, in microseconds since the Unix epoch.
    pub fn new(now: u64) -> Session {
        Session { outcomes: Vec::new(), now, policies: BTreeMap::new() }
    }

    /// Runs a policy's examples or a file's tests.
    pub fn file(&mut self, path: &Path) {
        let document = match policy::read_text(path).map(|text| policy::parse(&text)) {
            Ok(Ok(document)) => document,
            Ok(Err(faults)) => return self.bad(path, &faults),
            Err(error) => return self.unreadable(path, &error),
        };
        match document.json.get("kind").and_then(Value::as_str) {
            Some("Policy" | "Bundle") => {
                self.policy(path);
            }
            Some("PolicyTest") => match Suite::read(&document) {
                Ok(suite) => self.suite(path, &document, &suite),
                Err(faults) => self.bad(path, &faults),
            },
            Some("Baseline") => {}
            _ => {
                let (line, column) = document.locate("/kind");
                let reason = "`weir test` does not know this kind".to_owned();
                let cure = "write `Policy` or `PolicyTest`".to_owned();
                self.bad(path, &[Fault { line, column, reason, cure }]);
            }
        }
    }

    fn suite(&mut self, path: &Path, document: &Document, suite: &Suite) {
        let folder = path.parent().unwrap_or(Path::new(""));
        for name in &suite.policies {
            // All policies before all cases, so that the outcomes of a file stay together.
            self.policy(&folder.join(name));
        }
        for name in &suite.policies {
            let Some(policy) = self.policy(&folder.join(name)) else {
                let (line, column) = document.locate("/spec/policy");
                let reason = format!("{name} cannot be used; its errors are reported with it");
                let failure = Failure { kind: "policy", line, column, reason };
                self.outcomes.push(Outcome::file(path, &suite.name, Status::Bad, vec![failure]));
                continue;
            };
            for case in &suite.cases {
                let began = Instant::now();
                let several = suite.policies.len() > 1;
                let under = if several { format!(" ({name})") } else { String::new() };
                let place = Place {
                    file: path,
                    document,
                    pointer: &case.pointer,
                    suite: &suite.name,
                    name: format!("{}{under}", case.name),
                };
                self.outcomes.push(match run_case(&policy, case, folder, self.now) {
                    Ok(judged) => Outcome::of(place, judged, began),
                    Err(error) => Outcome::unreadable(place, &error),
                });
            }
        }
    }

    /// The policy at `path`; the first time its examples are run. `None` if it is not usable.
    fn policy(&mut self, path: &Path) -> Option<Rc<Policy>> {
        // A file that is not there is told by reading it.
        let key = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        if let Some(known) = self.policies.get(&key) {
            return known.clone();
        }
        let loaded = self.load(path).map(Rc::new);
        if let Some(policy) = &loaded {
            self.examples(path, policy);
        }
        self.policies.insert(key, loaded.clone());
        loaded
    }

    fn load(&mut self, path: &Path) -> Option<Policy> {
        let text = match policy::read_text(path) {
            Ok(text) => text,
            Err(error) => {
                self.unreadable(path, &error);
                return None;
            }
        };
        let built = policy::parse(&text).and_then(|document| {
            policy::build(&document, true).map(|enforced| (document, enforced))
        });
        match built {
            Ok((document, enforced)) => {
                Some(Policy { document, enforced, written: OnceCell::new() })
            }
            Err(faults) => {
                self.bad(path, &faults);
                None
            }
        }
    }

    /// Runs the examples of a policy's own rules. Those in a bundle are run where the policies are files of their own.
    fn examples(&mut self, path: &Path, policy: &Policy) {
        let single = policy.document.json.get("kind").is_some_and(|kind| kind == "Policy");
        let Some(engine) = policy.enforced.first().filter(|_| single) else { return };
        for (at, rule) in engine.policy.spec.rules.iter().enumerate() {
            let examples = &rule.examples;
            if examples.matches.is_empty() && examples.clean.is_empty() {
                continue;
            }
            let began = Instant::now();
            let mut judged = Judged::default();
            let pointer = format!("/spec/rules/{at}");
            for (index, example) in examples.matches.iter().enumerate() {
                // Marks that do not pair are refused with the policy.
                let Some(content) = Marked::read(example) else { continue };
                let pointer = format!("{pointer}/examples/match/{index}");
                text::example(&engine.rules, &rule.id, &content, &pointer, &mut judged);
            }
            for (index, example) in examples.clean.iter().enumerate() {
                let content = Marked { text: example.clone(), spans: Vec::new() };
                let pointer = format!("{pointer}/examples/clean/{index}");
                text::example(&engine.rules, &rule.id, &content, &pointer, &mut judged);
            }
            let place = Place {
                file: path,
                document: &policy.document,
                pointer: &pointer,
                suite: &engine.policy.metadata.name,
                name: format!("examples of {}", rule.id),
            };
            self.outcomes.push(Outcome::of(place, judged, began));
        }
    }

    fn bad(&mut self, path: &Path, faults: &[Fault]) {
        let failure = |fault: &Fault| Failure {
            kind: "document",
            line: fault.line,
            column: fault.column,
            reason: format!("{} ({})", fault.reason, fault.cure),
        };
        let failures = faults.iter().map(failure).collect();
        let file = path.display().to_string();
        self.outcomes.push(Outcome::file(path, &file, Status::Bad, failures));
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        let failure = Failure { kind: "file", line: 1, column: 1, reason: error.to_string() };
        let file = path.display().to_string();
        self.outcomes.push(Outcome::file(path, &file, Status::Unreadable, vec![failure]));
    }
}

fn run_case(policy: &Policy, case: &Case, folder: &Path, now: u64) -> io::Result<Judged> {
    let guard = policy.guard(case.as_written);
    let mut judged = match &case.subject {
        Subject::Text(subject, expect) => {
            let read;
            let content = match &subject.source {
                Source::Inline(content) => content,
                Source::File(name) => {
                    let text = policy::read_text(&folder.join(name))?;
                    read = Marked { text, spans: Vec::new() };
                    &read
                }
            };
            let Some(terms) = policy::terms_of(guard, case.caller.as_deref(), now) else {
                return Err(io::Error::other("the document holds no policy"));
            };
            text::run(&terms, subject.channel, content, expect, &case.absent, &case.pointer)
        }
        Subject::Exchange(Messages { request, response }, expect) => {
            let exchange = Exchange {
                request: http::read(&folder.join(request), Kind::Request)?,
                answer: http::read(&folder.join(response), Kind::Response)?,
                around: Around { caller: case.caller.clone(), now: Some(now), ..Around::default() },
            };
            wire::run(guard, &exchange, expect, &case.absent, &case.pointer)
        }
    };
    for (pointer, rule) in case.named_rules() {
        if !knows(guard, rule) {
            judged.wrong("rule", pointer, format!("the policy has no rule {rule}"));
        }
    }
    Ok(judged)
}

/// Whether a record under this policy may name `rule`.
fn knows(guard: &Guard, rule: &str) -> bool {
    guard.engines().any(|engine| {
        let mut tools = engine.policy.spec.tools.iter().flat_map(|tools| &tools.rules);
        (0u16..).take(engine.rules.len()).any(|id| engine.rules.id(id) == rule)
            || tools.any(|tool| tool.id == rule)
    }) || BUILT_IN.iter().any(|name| rule.starts_with(name))
}

/// What the ids begin with that records give to what is no rule: the default action of `tools`, a
/// caller without a policy, and `inspection`.
const BUILT_IN: [&str; 3] = ["tools-default", "no-policy", "inspection-"];
