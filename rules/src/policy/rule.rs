//! Rules: the format that packs and policies share.

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::{Mode, Quantity, Unenforced};
use crate::{Action, Channel, ChannelSet};

/// What a rule finds and what it does with it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// Lower-case letters, digits and `-`; unique in the policy.
    pub id: String,
    /// What it finds, in a line.
    #[serde(default)]
    pub description: Option<String>,
    /// Why it matters.
    #[serde(default)]
    pub why: Option<String>,
    /// Where the format is documented.
    #[serde(default)]
    pub references: Vec<String>,
    /// Literal anchors, matched on the rule's view; every match contains one.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// The shape of a match around its anchor.
    #[serde(default)]
    pub regex: Option<String>,
    /// The verified beginning of an open-ended match.
    #[serde(default)]
    pub opens: Option<String>,
    /// The characters that go on after `opens`, as a class such as `[A-Za-z0-9+/=]`.
    #[serde(default)]
    pub body: Option<String>,
    /// A literal that ends an open-ended match.
    #[serde(default)]
    pub until: Option<String>,
    /// The most bytes of an open-ended match; beyond, the stream is refused.
    #[serde(default)]
    pub max_span: Option<Quantity>,
    /// How text is seen before it is compared.
    #[serde(default)]
    pub view: View,
    /// The most characters of a match, 1 to 512.
    #[serde(default)]
    pub max_length: Option<u16>,
    /// The most characters a match may begin before its anchor, 0 to 128.
    #[serde(default)]
    pub before: u16,
    /// What may leave before a match is certain.
    #[serde(default)]
    pub exposure: Option<Exposure>,
    /// Checks on the matched text; all must accept it.
    #[serde(default)]
    pub validate: Vec<Validator>,
    /// How a rule without keywords or regex begins.
    #[serde(default)]
    pub trigger: Option<Trigger>,
    /// Where it reads; all channels if left out.
    #[serde(default)]
    pub channels: Option<Channels>,
    /// What it does.
    #[serde(default)]
    pub action: Option<Action>,
    #[serde(default)]
    pub mode: Option<Mode>,
    /// What stands in the place of a match.
    #[serde(default)]
    pub mask: Option<Mask>,
    /// The level from which a pack's rule is active.
    #[serde(default)]
    pub sensitivity: Option<Sensitivity>,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default)]
    pub examples: Examples,
    #[serde(default)]
    pub score: Option<Unenforced>,
    #[serde(default)]
    pub datasets: Option<Unenforced>,
    #[serde(default)]
    pub expression: Option<Unenforced>,
}

/// Texts that prove a rule.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Examples {
    /// Texts that match; `[[` and `]]` mark what is found.
    #[serde(default, rename = "match")]
    pub matches: Vec<String>,
    /// Texts in which nothing is found.
    #[serde(default)]
    pub clean: Vec<String>,
}

/// How text is seen before it is compared with a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum View {
    /// As it came.
    Raw,
    /// Case, width, accents and look-alikes folded, invisible characters dropped, white space collapsed.
    #[default]
    Folded,
    /// Folded, without separators and with digits read as letters.
    Squashed,
}

/// What may leave before a match is certain; it stays visible in the mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Exposure {
    /// The anchor, which is public.
    #[serde(rename = "Anchor")]
    Anchor,
    /// Nothing: text is held back from where a match could begin.
    #[serde(rename = "Nothing")]
    Nothing,
    /// So many characters.
    Characters(u16),
}

/// A check on the matched text.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Validator {
    #[serde(rename = "type")]
    pub kind: ValidatorKind,
    /// For Entropy: at least so many bits a character.
    #[serde(default)]
    pub min: Option<f64>,
}

/// Kinds of checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ValidatorKind {
    /// ISO/IEC 7812 check digit of payment cards.
    Luhn,
    /// ISO 13616 check digits and country lengths.
    Iban,
    /// Shannon entropy.
    Entropy,
}

/// How a rule without keywords begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Trigger {
    /// More than 64 ignorable characters in a row.
    InvisibleRun,
}

/// From which level on a rule is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Sensitivity {
    Low,
    Medium,
    High,
}

/// What stands in the place of a match.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename_all = "camelCase"))]
pub enum Mask {
    /// A label that names the kind; the rule's id if left out.
    Label(Option<String>),
    /// Stars, and the last so many characters.
    KeepLast(u8),
    /// A star for each character.
    #[cfg_attr(feature = "schema", schemars(rename = "SameLength"))]
    SameLength,
    /// Anything else; refused with its place when the policy is checked.
    #[cfg_attr(feature = "schema", schemars(skip))]
    Invalid,
}

impl Default for Mask {
    fn default() -> Mask {
        Mask::Label(None)
    }
}

impl<'de> Deserialize<'de> for Mask {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Mask, D::Error> {
        struct Form;

        impl<'de> Visitor<'de> for Form {
            type Value = Mask;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("Label, SameLength, {label: text} or {keepLast: 4}")
            }

            fn visit_str<E>(self, word: &str) -> Result<Mask, E> {
                Ok(match word {
                    "Label" => Mask::Label(None),
                    "SameLength" => Mask::SameLength,
                    _ => Mask::Invalid,
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Mask, A::Error> {
                let mut mask = Mask::Invalid;
                let mut members = 0;
                while let Some(key) = map.next_key::<String>()? {
                    members += 1;
                    mask = match key.as_str() {
                        "label" => Mask::Label(Some(map.next_value()?)),
                        "keepLast" => Mask::KeepLast(map.next_value()?),
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            Mask::Invalid
                        }
                    };
                }
                Ok(if members == 1 { mask } else { Mask::Invalid })
            }
        }
        deserializer.deserialize_any(Form)
    }
}

/// A list of channels; `*` stands for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channels {
    pub set: ChannelSet,
    /// The first name that is none; refused with its place when the policy is checked.
    pub unknown: Option<(usize, String)>,
}

impl<'de> Deserialize<'de> for Channels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Channels, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        let mut channels = Channels { set: ChannelSet::EMPTY, unknown: None };
        for (at, name) in names.into_iter().enumerate() {
            match name.parse::<Channel>() {
                _ if name == "*" => channels.set = ChannelSet::ALL,
                Ok(channel) => channels.set = channels.set.union(ChannelSet::from(channel)),
                Err(()) => {
                    channels.unknown.get_or_insert((at, name));
                }
            }
        }
        Ok(channels)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Channels {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Channels".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let mut names = vec!["*"];
        names.extend(Channel::LIST.iter().map(|c| c.name()));
        schemars::json_schema!({
            "type": "array",
            "minItems": 1,
            "items": { "type": "string", "enum": names }
        })
    }
}
