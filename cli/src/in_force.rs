//! The policy that is in force for a caller, with the document that it comes from.

use std::io;
use std::path::Path;
use std::rc::Rc;

use serde_json::Value;
use weir_filter::{Engine, Guard};
use weir_rules::policy::{self as format, Effective, Node};

use crate::policy;

/// A policy, or the one of a bundle that a caller comes under.
pub struct InForce {
    pub guard: Rc<Guard>,
    pub engine: Rc<Engine>,
    /// `false`: no policy is for the caller, and the document says that it is refused.
    pub covered: bool,
    /// The document, as the module would be given it.
    pub json: Value,
    pub tree: Node,
    /// Of a bundle: what its layers come to, with the origins of the fields.
    pub effective: Option<Effective>,
    /// The document is a baseline alone; `json` is the bundle that it comes to.
    pub baseline: bool,
}

/// What the policy at `path`, or the default one, comes to. `None` if it has errors, which are then on standard error.
///
/// # Errors
/// The file cannot be read.
pub fn load(
    path: Option<&Path>,
    caller: Option<&str>,
    host: Option<&str>,
) -> io::Result<Option<InForce>> {
    let Some((guard, document)) = policy::load_document(path, false)? else { return Ok(None) };
    let baseline = policy::is_baseline(&document.json);
    let json = policy::whole(document.json);
    let Ok(tree) = format::tree(json.to_string().as_bytes()) else { return Ok(None) };
    let Some(selected) = guard.select(caller, host.unwrap_or_default()) else { return Ok(None) };
    let (engine, covered) = (selected.engine.clone(), selected.covered);
    let effective = if format::is_bundle(&tree) {
        let Ok(resolved) = format::resolve(&tree, policy::now()) else { return Ok(None) };
        let mut all = resolved.policies.into_iter().chain([resolved.baseline]);
        all.find(|e| e.policy.metadata.name == engine.policy.metadata.name)
    } else {
        None
    };
    Ok(Some(InForce { guard, engine, covered, json, tree, effective, baseline }))
}
