//! Secrets of a policy: held by the environment of the VM, never by the document. HMAC-SHA-256 (RFC 2104).

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::policy::{Key, Policy, PolicyError, PolicyErrors, Purpose};

/// The shortest key, in bytes: what is named by it has little entropy of its own.
const MIN_KEY: usize = 16;

/// A name for a finding that tells nothing without the key.
pub type Print = [u8; 16];

#[derive(Clone)]
struct Secret {
    name: String,
    purpose: Purpose,
    current: Vec<u8>,
    next: Option<Vec<u8>>,
}

/// The keys of a policy.
#[derive(Clone, Default)]
pub struct Keys(Vec<Secret>);

/// Keys are never printed.
impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({})", self.0.len())
    }
}

impl Keys {
    /// Looks the policy's keys up; `environment` gives a variable's value.
    ///
    /// # Errors
    /// Every variable that is missing or too short.
    pub fn resolve(
        policy: &Policy,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Keys, PolicyErrors> {
        let mut errors = Vec::new();
        let mut keys = Keys::default();
        for (at, key) in policy.spec.keys.iter().enumerate() {
            let mut look = |field: &str, variable: &str| {
                let value = environment(variable).map(String::into_bytes).unwrap_or_default();
                if value.len() < MIN_KEY {
                    errors.push(PolicyError {
                        pointer: format!("/spec/keys/{at}/{field}"),
                        reason: format!("`{variable}` holds no key of {MIN_KEY} bytes or more"),
                        cure: "set it in the environment of the module's VM".to_owned(),
                    });
                }
                value
            };
            let Key { name, purpose, env, next } = key;
            let current = look("env", env);
            let next = next.as_ref().map(|variable| look("next", variable));
            keys.0.push(Secret { name: name.clone(), purpose: *purpose, current, next });
        }
        if errors.is_empty() { Ok(keys) } else { Err(PolicyErrors(errors)) }
    }

    fn of(&self, name: &str, purpose: Purpose) -> Option<&Secret> {
        self.0.iter().find(|k| k.name == name && k.purpose == purpose)
    }

    /// The fingerprints of what `rule` found, under the current and the next key of that name.
    pub fn fingerprints(&self, name: &str, rule: &str, text: &str) -> Vec<Print> {
        let Some(secret) = self.of(name, Purpose::Fingerprint) else { return Vec::new() };
        let keys = std::iter::once(&secret.current).chain(&secret.next);
        keys.filter_map(|key| print(key, &[rule.as_bytes(), b"\0", text.as_bytes()])).collect()
    }

    /// The first key for fingerprints.
    pub fn fingerprint_key(&self) -> Option<&str> {
        self.0.iter().find(|k| k.purpose == Purpose::Fingerprint).map(|k| k.name.as_str())
    }

    /// A name for a caller or user that only who has the key can tell.
    pub fn pseudonym(&self, name: &str, text: &str) -> Option<String> {
        let secret = self.of(name, Purpose::Pseudonym)?;
        Some(format!("{name}:{}", hex(&print(&secret.current, &[text.as_bytes()])?)))
    }
}

fn print(key: &[u8], parts: &[&[u8]]) -> Option<Print> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().first_chunk().copied()
}

/// Lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Bytes from hex digits; `None` where they are none, or not 32.
pub fn print_of(digits: &str) -> Option<Print> {
    let mut print = Print::default();
    for (at, byte) in print.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    (digits.len() == 32).then_some(print)
}

/// SHA-256 of some content, cut to 16 hex digits.
pub(crate) fn content_hash(parts: &[&[u8]]) -> String {
    use sha2::Digest;
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hex(hash.finalize().get(..8).unwrap_or_default())
}

/// SHA-256 of a document as it means, whatever its spacing and the order of its members: names a policy in records.
pub fn document_hash(node: &crate::policy::Node) -> String {
    content_hash(&[sorted(node).to_string().as_bytes()])
}

fn sorted(node: &crate::policy::Node) -> crate::policy::Node {
    use crate::policy::Node;
    match node {
        Node::Map(members) => {
            let mut members: Vec<(String, Node)> =
                members.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            Node::Map(members)
        }
        Node::List(items) => Node::List(items.iter().map(sorted).collect()),
        // JSON writers of the mesh turn whole numbers into floats and back.
        Node::Real(value) if value.fract() == 0.0 && *value >= 0.0 && *value < 9e15 => {
            Node::Unsigned(*value as u64)
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tree;

    #[test]
    fn hmac_is_the_standard_one() {
        // RFC 4231, test case 2.
        let print = print(b"Jefe", &[b"what do ya want ", b"for nothing?"]);
        assert_eq!(print.map(|p| hex(&p)), Some("5bdcc146bf60754e6a042426089575c7".to_owned()));
        assert_eq!(print_of("5bdcc146bf60754e6a042426089575c7"), print);
        assert_eq!(print_of("5bdcc146bf60754e6a042426089575c"), None);
        assert_eq!(print_of("5bdcc146bf60754e6a042426089575c700"), None);
    }

    #[test]
    fn a_document_is_named_by_what_it_says() {
        let hash = |json: &str| tree(json.as_bytes()).map(|node| document_hash(&node)).ok();
        assert_eq!(hash(r#"{"a":1,"b":[true,"x"]}"#), hash(r#"{ "b": [true, "x"], "a": 1.0 }"#));
        assert_ne!(hash(r#"{"a":1}"#), hash(r#"{"a":2}"#));
        assert_ne!(hash(r#"{"a":[1,2]}"#), hash(r#"{"a":[2,1]}"#));
    }
}
