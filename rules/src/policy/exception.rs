//! Findings that someone answers for: narrow, owned, dated.

use super::Date;
use super::read::{document, words};
use crate::Action;
use crate::policy::Channels;

document! {
    /// A finding that is known and accepted until a date. Past it the exception is ignored, counted and reported.
    pub struct Exception {
        "id" id: String,
        /// Rules by id, or globs such as `pii-*`.
        "rules" rules: Vec<String>,
        "match" matches: Match => default Default::default(),
        /// What is done instead, where it is weaker than what the rule does.
        "action" action: Action => default Action::Audit,
        /// Why it is acceptable.
        "reason" reason: String,
        /// Who answers for it.
        "owner" owner: String,
        "ticket" ticket: Option<String> => default None,
        /// The last day in UTC (`2026-12-31`), or the moment (`2026-12-31T18:00:00Z`).
        "expires" expires: Date,
    }
}

document! {
    /// What an exception is narrowed to; every list that is there must fit.
    pub struct Match default {
        "channels" channels: Option<Channels> => default None,
        /// Callers, or globs. A caller that is not known fits none.
        "callers" callers: Vec<String> => default Vec::new(),
        /// Fingerprints of single findings, as `weir explain` prints them: the key's name, `:`, 32 hex digits.
        "fingerprints" fingerprints: Vec<String> => default Vec::new(),
    }
}

document! {
    /// What records say.
    pub struct Audit default {
        /// How callers and users are named.
        "subject" subject: Subject => default Default::default(),
        /// The key of `subject: Pseudonym`.
        "key" key: Option<String> => default None,
        /// The share of clean exchanges that leave a record, such as `1%`; every other exchange leaves one.
        "clean" clean: Percent => default Default::default(),
        /// Added to every record.
        "labels" labels: std::collections::BTreeMap<String, String> => default Default::default(),
    }
}

words! {
    /// How a record names callers and users.
    #[derive(Default)]
    pub enum Subject {
        /// As they are.
        #[default]
        Plain,
        /// By a keyed pseudonym.
        Pseudonym,
        /// Not at all.
        Nothing,
    }
}

document! {
    /// A secret of the policy. It is never in the document: the environment of the module's VM holds it.
    pub struct Key {
        "name" name: String,
        "use" purpose: Purpose,
        /// The variable that holds the key, at least 16 bytes.
        "env" env: String,
        /// The variable that holds the next key during a rotation.
        "next" next: Option<String> => default None,
    }
}

words! {
    /// What a key is for.
    pub enum Purpose {
        /// Names of callers and users in records.
        Pseudonym,
        /// Fingerprints of findings in exceptions.
        Fingerprint,
    }
    later ["Ticket"]
}

/// A share in whole percent, written as `1%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percent(pub u8);

impl Default for Percent {
    fn default() -> Percent {
        Percent(100)
    }
}

impl super::read::Read for Percent {
    fn read(at: &super::read::At<'_>) -> Option<Percent> {
        let number = at.node.text().and_then(|text| text.strip_suffix('%'));
        match number.and_then(|n| n.parse().ok()).filter(|n| *n <= 100) {
            Some(percent) => Some(Percent(percent)),
            None => at.error("it is no share", "write a whole percentage such as `1%`"),
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Percent {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Percent".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^(100|[0-9]{1,2})%$" })
    }
}
