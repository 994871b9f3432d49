//! Sections that the format has and this version does not enforce.

use serde::de::{Deserialize, Deserializer, IgnoredAny};

/// The reason with which a section is refused that is not enforced yet.
pub const REASON: &str = "is part of the format, but not enforced by this version";

/// A field that is always refused: ignoring it would promise what is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unenforced;

impl<'de> Deserialize<'de> for Unenforced {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Unenforced, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Unenforced)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Unenforced {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Unenforced".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "not": {}, "description": "Not enforced by this version: refused." })
    }
}
