//! Rules: the format that packs and policies share.

use super::read::{At, Read, document, words};
use super::{Mode, Node, PolicyErrors, Quantity, parse};
use crate::{Action, Channel, ChannelSet};

document! {
    /// What a rule finds and what it does with it.
    pub struct Rule {
        /// Lower-case letters, digits and `-`; unique in the policy.
        "id" id: String,
        /// What it finds, in a line.
        "description" description: Option<String> => default None,
        /// Why it matters.
        "why" why: Option<String> => default None,
        /// Where the format is documented.
        "references" references: Vec<String> => default Vec::new(),
        /// Literal anchors, matched on the rule's view; every match contains one.
        "keywords" keywords: Vec<String> => default Vec::new(),
        /// The shape of a match around its anchor.
        "regex" regex: Option<String> => default None,
        /// The characters of what is found, as a class: the last run of them in a match. What stands before it is
        /// context and stays.
        "value" value: Option<String> => default None,
        /// Characters, as a class, directly behind which a match without keywords does not begin.
        "notAfter" not_after: Option<String> => default None,
        /// The verified beginning of an open-ended match.
        "opens" opens: Option<String> => default None,
        /// The characters that go on after `opens`, as a class such as `[A-Za-z0-9+/=]`.
        "body" body: Option<String> => default None,
        /// A literal that ends an open-ended match.
        "until" until: Option<String> => default None,
        /// The most bytes of an open-ended match; beyond, the stream is refused.
        "maxSpan" max_span: Option<Quantity> => default None,
        /// How text is seen before it is compared.
        "view" view: View => default Default::default(),
        /// The most characters of a match, 1 to 512.
        "maxLength" max_length: Option<u16> => default None,
        /// The most characters a match may begin before its anchor, 0 to 128.
        "before" before: u16 => default 0,
        /// What may leave before a match is certain.
        "exposure" exposure: Option<Exposure> => default None,
        /// Checks on the matched text; all must accept it.
        "validate" validate: Vec<Validator> => default Vec::new(),
        /// How a rule without keywords or regex begins.
        "trigger" trigger: Option<Trigger> => default None,
        /// Where it reads; all channels if left out.
        "channels" channels: Option<Channels> => default None,
        /// What it does.
        "action" action: Option<Action> => default None,
        "mode" mode: Option<Mode> => default None,
        /// What stands in the place of a match.
        "mask" mask: Option<Mask> => default None,
        /// Instead of an action: what a match adds to the score of its surroundings.
        "score" score: Option<Weight> => default None,
        /// The level from which a pack's rule acts; below it, its matches add to the score.
        "sensitivity" sensitivity: Option<Sensitivity> => default None,
        "tags" tags: Vec<String> => default Vec::new(),
        "examples" examples: Examples => default Default::default(),
    }
    later ["datasets", "expression"]
}

impl Rule {
    /// Reads one rule, as a pack's file holds it.
    ///
    /// # Errors
    /// Every place that is no rule.
    pub fn from_json(json: &[u8]) -> Result<Rule, PolicyErrors> {
        parse::section(&parse::tree(json)?, "")
    }
}

document! {
    /// What a match of a rule that only hints adds to the score.
    pub struct Weight {
        /// Of the rules of one family the heaviest counts; at most 64 characters.
        "family" family: String,
        /// 1 to 10: hundreds of the 1000 that a score has.
        "weight" weight: u8,
    }
}

document! {
    /// Texts that prove a rule.
    pub struct Examples default {
        /// Texts that match; `[[` and `]]` mark what is found.
        "match" matches: Vec<String> => default Vec::new(),
        /// Texts in which nothing is found.
        "clean" clean: Vec<String> => default Vec::new(),
    }
}

words! {
    /// How text is seen before it is compared with a rule.
    #[derive(Default)]
    pub enum View {
        /// As it came.
        Raw,
        /// Case, width, accents and look-alikes folded, invisible characters dropped, white space collapsed.
        #[default]
        Folded,
        /// Folded, without separators and with digits read as letters.
        Squashed,
    }
}

/// What may leave before a match is certain; it stays visible in the mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Exposure {
    /// The anchor, which is public.
    Anchor,
    /// Nothing: text is held back from where a match could begin.
    Nothing,
    /// So many characters.
    #[cfg_attr(feature = "schema", schemars(rename = "characters"))]
    Characters(u16),
}

impl Read for Exposure {
    fn read(at: &At<'_>) -> Option<Exposure> {
        if let Node::Map(_) = at.node {
            let fields = at.fields(&["characters"], &[])?;
            let count = fields.required("characters")?;
            return fields.good.then_some(Exposure::Characters(count));
        }
        match at.word(&["Anchor", "Nothing"], &[])? {
            0 => Some(Exposure::Anchor),
            _ => Some(Exposure::Nothing),
        }
    }
}

document! {
    /// A check on the matched text.
    pub struct Validator {
        "type" kind: ValidatorKind,
        /// For Entropy: at least so many bits a character. For Random: at least so many characters.
        "min" min: Option<f64> => default None,
    }
}

words! {
    /// Kinds of checks.
    pub enum ValidatorKind {
        /// ISO/IEC 7812 check digit of payment cards.
        Luhn,
        /// ISO 13616 check digits and country lengths.
        Iban,
        /// Shannon entropy.
        Entropy,
        /// The check sum of tokens of GitHub and npm: CRC-32 in base 62.
        Crc32Base62,
        /// The value is no `xxxxxxxx`, `your-key`, `12345678` or the like.
        NotPlaceholder,
        /// The value was made by chance: it is no word, name, number or placeholder.
        Random,
        /// The value may be a password that a person chose.
        Password,
        /// Brazilian company number: two check digits.
        BrCnpj,
        /// Brazilian taxpayer number: two check digits.
        BrCpf,
        /// Chinese resident identity number: date and check character.
        CnResidentId,
        /// Serial number of a German identity card or passport.
        DeIdCard,
        /// German social insurance number: date and check digit.
        DeSocialSecurity,
        /// German tax identification number: how often digits stand, and check digit.
        DeTaxId,
        /// E-mail address that is no account of a code host and no file name.
        Email,
        /// Spanish identity number of a citizen or foreigner: check letter.
        EsDni,
        /// Spanish social security number: two check digits.
        EsSocialSecurity,
        /// French social security number: month and key.
        FrNir,
        /// Indian Aadhaar number: check digit.
        InAadhaar,
        /// IPv4 or IPv6 address that can be somebody's.
        Ip,
        /// Italian codice fiscale: shape and check character.
        ItFiscalCode,
        /// Japanese individual number: check digit.
        JpMyNumber,
        /// Korean resident registration number: date and check digit.
        KrResidentNumber,
        /// Hardware address of one device.
        Mac,
        /// Line of a machine-readable zone: check digits.
        Mrz,
        /// Dutch citizen service number: eleven test.
        NlBsn,
        /// Telephone number: calling code, length and first digits.
        Phone,
        /// Polish tax number: check digit.
        PlNip,
        /// Polish PESEL: date and check digit.
        PlPesel,
        /// British NHS number: check digit.
        UkNhs,
        /// United States social security or taxpayer number: numbers that are given out.
        UsSsn,
    }
}

words! {
    /// How a rule without keywords begins.
    pub enum Trigger {
        /// More than 64 ignorable characters in a row.
        InvisibleRun,
        /// The score reaches the threshold of the pack's `sensitivity`; for built-in rules.
        Score,
    }
}

words! {
    /// From which level on a rule is active.
    pub enum Sensitivity {
        Low,
        Medium,
        High,
    }
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
}

impl Default for Mask {
    fn default() -> Mask {
        Mask::Label(None)
    }
}

impl Read for Mask {
    fn read(at: &At<'_>) -> Option<Mask> {
        match at.node {
            Node::Text(word) if word == "Label" => return Some(Mask::Label(None)),
            Node::Text(word) if word == "SameLength" => return Some(Mask::SameLength),
            Node::Map(members) if members.len() == 1 => {
                let fields = at.fields(&["label", "keepLast"], &[])?;
                return match at.node.get("label") {
                    Some(_) => fields.required("label").map(|text| Mask::Label(Some(text))),
                    None => fields.required("keepLast").map(Mask::KeepLast),
                };
            }
            _ => {}
        }
        at.error("it is no mask", "write Label, SameLength, {label: text} or {keepLast: 4}")
    }
}

/// A list of channels; `*` stands for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channels {
    pub set: ChannelSet,
}

impl Read for Channels {
    fn read(at: &At<'_>) -> Option<Channels> {
        let names = Vec::<Named>::read(at)?;
        if names.is_empty() {
            return at.error("the list is empty", "name a channel, or leave the field out");
        }
        let set = names.iter().fold(ChannelSet::EMPTY, |all, one| all.union(one.0));
        Some(Channels { set })
    }
}

/// One name of a list of channels.
struct Named(ChannelSet);

impl Read for Named {
    fn read(at: &At<'_>) -> Option<Named> {
        let name = at.text()?;
        if name == "*" {
            return Some(Named(ChannelSet::ALL));
        }
        match name.parse::<Channel>() {
            Ok(channel) => Some(Named(ChannelSet::from(channel))),
            Err(()) => {
                let known: Vec<&str> = Channel::LIST.iter().map(|c| c.name()).collect();
                let cure = format!("name one of *, {}", known.join(", "));
                at.error(format!("unknown channel `{name}`"), cure)
            }
        }
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
