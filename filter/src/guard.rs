//! A configuration document as it stands: one policy or several, and which of them a request comes under.

use std::rc::Rc;

use weir_rules::glob;
use weir_rules::keys::document_hash;
use weir_rules::policy::{AppliesTo, Node, Policy, PolicyErrors, tree};

use crate::engine::Engine;

/// Where keys come from: the value of an environment variable.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A compiled document, shared by all streams of a worker that began under it.
pub struct Guard {
    /// SHA-256 over the document as it means, cut to 16 hex digits: names it in records.
    pub hash: String,
    engines: Vec<Rc<Engine>>,
    /// What requests come under that no policy is for.
    unmatched: Option<Rc<Engine>>,
}

/// What a request comes under.
pub struct Selected<'a> {
    pub engine: &'a Rc<Engine>,
    /// `false`: no policy is for its caller, and the document says that it is refused.
    pub covered: bool,
}

impl Guard {
    /// Compiles a document.
    ///
    /// # Errors
    /// Every place that is wrong, with reason and cure.
    pub fn new(json: &[u8], environment: Environment<'_>) -> Result<Rc<Guard>, PolicyErrors> {
        let document = tree(json)?;
        let hash = document_hash(&document);
        Guard::single(&document, hash, environment)
    }

    fn single(
        document: &Node,
        hash: String,
        environment: Environment<'_>,
    ) -> Result<Rc<Guard>, PolicyErrors> {
        let policy = Policy::from_node(document, "")?;
        let engine = Engine::new(policy, environment)?;
        Ok(Rc::new(Guard { hash, engines: vec![engine], unmatched: None }))
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
        self.engines.iter().chain(&self.unmatched)
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
            Some(engine) => Some(Selected { engine, covered: true }),
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

fn literal(pattern: &str) -> usize {
    pattern.chars().filter(|c| !matches!(c, '*' | '?')).count()
}
