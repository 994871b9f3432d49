//! Policies that the tests enforce.

use std::rc::Rc;

use weir_filter::{Engine, Guard};
use weir_rules::policy::PolicyErrors;

/// The moment at which documents are compiled: 2023-11-14, as in the simulated host.
const NOW: u64 = 1_700_000_000_000_000;

/// An engine of a policy with this `spec`, as JSON.
pub fn engine(spec: &str) -> Rc<Engine> {
    guard(spec).first().cloned().expect("one policy")
}

/// The guard of a policy with this `spec`, as JSON.
pub fn guard(spec: &str) -> Rc<Guard> {
    let policy = format!(
        r#"{{"apiVersion":"guard.weir.dev/v1alpha1","kind":"Policy","metadata":{{"name":"test"}},"spec":{spec}}}"#
    );
    document(&policy)
}

/// The guard of a whole document, as JSON. Every key of its environment is the same.
pub fn document(json: &str) -> Rc<Guard> {
    try_document(json).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The guard of a whole document, as JSON, or what is wrong with it.
///
/// # Errors
/// Every place that is wrong.
pub fn try_document(json: &str) -> Result<Rc<Guard>, PolicyErrors> {
    let key = |_: &str| Some("a key of sixteen".to_owned());
    Guard::new(json.as_bytes(), &key, NOW)
}

/// A bundle of the baseline `bank` with these overrides and the policy `own` with this spec.
pub fn bundle(overrides: &str, own: &str) -> String {
    let part = format!(r#"{{"metadata":{{"name":"own"}},"spec":{own}}}"#);
    whole_bundle(overrides, &part, "")
}

/// A bundle of the baseline `bank` with these overrides, these policies, and more members of the baseline's spec.
pub fn whole_bundle(overrides: &str, policies: &str, baseline: &str) -> String {
    format!(
        r#"{{"apiVersion":"guard.weir.dev/v1alpha1","kind":"Bundle","metadata":{{"name":"all"}},"spec":{{"baseline":{{"metadata":{{"name":"bank"}},"spec":{{"overrides":{overrides}{baseline}}}}},"policies":[{policies}]}}}}"#
    )
}

/// [`MASKS`] with more members.
pub fn masks_with(more: &str) -> String {
    MASKS.replacen('{', &format!("{{{more},"), 1)
}

/// A secret whose anchor may leave, one of which nothing may, a number, an open-ended one, and an injection.
pub const MASKS: &str = r#"{"rules":[
  {"id":"key","keywords":["AKIA"],"regex":"AKIA[A-Z0-9]{16}\\b","view":"Raw","maxLength":20,"action":"Mask","channels":["*"]},
  {"id":"mail","keywords":["@"],"regex":"[a-z0-9.]{1,32}@[a-z0-9]{1,32}\\.com\\b","view":"Raw","before":32,"exposure":"Nothing","action":"Mask","channels":["*"]},
  {"id":"card","regex":"\\b4\\d{15}\\b","view":"Raw","maxLength":16,"exposure":{"characters":6},"validate":[{"type":"Luhn"}],"action":"Mask","channels":["*"]},
  {"id":"pem","keywords":["-----BEGIN "],"opens":"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----","body":"[A-Za-z0-9+/=\\s\\\\ -]","until":"PRIVATE KEY-----","view":"Raw","maxLength":64,"action":"Mask","channels":["*"]},
  {"id":"long","keywords":["tok_"],"regex":"tok_[a-z0-9]{8,}","view":"Raw","maxLength":32,"action":"Mask","channels":["*"]}
],"inspection":{"remoteReferences":"Allow","media":"Allow","serverSideState":"Allow"}}"#;
