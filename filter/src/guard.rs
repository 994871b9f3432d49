//! A configuration document as it stands: one policy or several, and which of them a request comes under.

use std::rc::Rc;

use weir_rules::glob;
use weir_rules::keys::document_hash;
use weir_rules::policy::{
    AppliesTo, Effective, Node, Policy, PolicyError, PolicyErrors, Unmatched, is_bundle, literal,
    resolve, tree,
};

use crate::engine::Engine;

/// Where keys come from: the value of an environment variable.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A compiled document, shared by all streams of a worker that began under it.
pub struct Guard {
    /// SHA-256 over the document as it means, cut to 16 hex digits: names it in records.
    pub hash: String,
    engines: Vec<Rc<Engine>>,
    /// What requests come under that no policy is for.
    unmatched: Option<Unmatch>,
}

/// The baseline, for callers without a policy.
struct Unmatch {
    engine: Rc<Engine>,
    rejects: bool,
}

/// What a request comes under.
pub struct Selected<'a> {
    pub engine: &'a Rc<Engine>,
    /// `false`: no policy is for its caller, and the document says that it is refused.
    pub covered: bool,
}

impl Guard {
    /// Compiles a document, `kind: Policy` or `kind: Bundle`. `now` is in microseconds since the Unix epoch.
    ///
    /// # Errors
    /// Every place that is wrong, with reason and cure.
    pub fn new(
        json: &[u8],
        environment: Environment<'_>,
        now: u64,
    ) -> Result<Rc<Guard>, PolicyErrors> {
        let document = tree(json)?;
        let hash = document_hash(&document);
        if is_bundle(&document) {
            return Guard::bundle(&document, hash, environment, now);
        }
        let policy = Policy::from_node(&document, "")?;
        let engine = Engine::new(policy, environment, None)?;
        Ok(Rc::new(Guard { hash, engines: vec![engine], unmatched: None }))
    }

    fn bundle(
        document: &Node,
        hash: String,
        environment: Environment<'_>,
        now: u64,
    ) -> Result<Rc<Guard>, PolicyErrors> {
        let resolved = resolve(document, now)?;
        let mut errors = Vec::new();
        let mut compile = |effective: Effective| {
            let locate = |mut error: PolicyError| {
                error.pointer = effective.locate(&error.pointer);
                error
            };
            let policy = effective.policy.clone();
            match Engine::new(policy, environment, effective.shadow_until) {
                Ok(engine) => Some(engine),
                Err(found) => {
                    errors.extend(found.0.into_iter().map(locate));
                    None
                }
            }
        };
        let baseline = compile(resolved.baseline);
        let engines: Vec<Rc<Engine>> = resolved.policies.into_iter().filter_map(compile).collect();
        // What the baseline brings is wrong in every policy, and told once.
        let mut told: Vec<PolicyError> = Vec::new();
        errors.into_iter().for_each(|error| {
            if !told.contains(&error) {
                told.push(error);
            }
        });
        let (true, Some(baseline)) = (told.is_empty(), baseline) else {
            return Err(PolicyErrors(told));
        };
        let rejects = resolved.unmatched == Unmatched::Reject;
        let unmatched = Unmatch { engine: baseline, rejects };
        Ok(Rc::new(Guard { hash, engines, unmatched: Some(unmatched) }))
    }

    /// Whether it depends on the caller what a request comes under.
    pub fn by_caller(&self) -> bool {
        let asks = |e: &Rc<Engine>| {
            let spec = &e.policy.spec;
            spec.applies_to.as_ref().is_some_and(|a| !a.callers.is_empty())
                || spec.exceptions.iter().any(|x| !x.matches.callers.is_empty())
        };
        self.engines().any(asks)
    }

    /// All engines, of every policy.
    pub fn engines(&self) -> impl Iterator<Item = &Rc<Engine>> {
        self.engines.iter().chain(self.unmatched.as_ref().map(|u| &u.engine))
    }

    /// The engine that speaks where no request is at hand: the only policy's, or the first.
    pub fn first(&self) -> Option<&Rc<Engine>> {
        self.engines().next()
    }

    /// The policy for a caller that calls `host`: the most specific one that fits. `None` only of an empty document.
    pub fn select(&self, caller: Option<&str>, host: &str) -> Option<Selected<'_>> {
        let fitting = self.engines.iter().filter_map(|engine| {
            let applies = engine.policy.spec.applies_to.as_ref();
            Some((applies.map_or(Some((0, 0)), |a| specificity(a, caller, host))?, engine))
        });
        if let Some((_, engine)) = fitting.max_by_key(|(specificity, _)| *specificity) {
            return Some(Selected { engine, covered: true });
        }
        match &self.unmatched {
            Some(Unmatch { engine, rejects }) => Some(Selected { engine, covered: !rejects }),
            None => self.first().map(|engine| Selected { engine, covered: false }),
        }
    }
}

/// How closely a policy is for a request: literal characters of the best caller and host pattern, callers first.
/// `None` if it is not. A caller that is not known fits no pattern.
fn specificity(applies: &AppliesTo, caller: Option<&str>, host: &str) -> Option<(usize, usize)> {
    let best = |patterns: &[String], text: Option<&str>| -> Option<usize> {
        if patterns.is_empty() {
            return Some(0);
        }
        let text = text?;
        patterns.iter().filter(|p| glob(p, text)).map(|p| 1 + literal(p)).max()
    };
    Some((best(&applies.callers, caller)?, best(&applies.hosts, Some(host))?))
}
