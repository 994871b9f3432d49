//! Document trees to typed sections: every error is collected, each with its place, reason and cure.
//!
//! Derived parsers would do the same with a copy of themselves for every type: three quarters of the module's code
//! that read policies, and the first error only.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::{Node, PolicyError};

/// The reason with which a section is refused that is not enforced yet.
pub const REASON: &str = "is part of the format, but not enforced by this version";

/// A section of the format.
pub trait Read: Sized {
    /// Reads the value at a place; `None` after an error was reported.
    fn read(at: &At<'_>) -> Option<Self>;
}

enum Step<'a> {
    Root(&'a str),
    Member(&'a At<'a>, &'a str),
    Item(&'a At<'a>, usize),
}

/// A value and its place in the document.
pub struct At<'a> {
    pub node: &'a Node,
    step: Step<'a>,
    errors: &'a RefCell<Vec<PolicyError>>,
}

impl<'a> At<'a> {
    /// The document itself; `pointer` is where it stands in a larger one.
    pub fn root(node: &'a Node, pointer: &'a str, errors: &'a RefCell<Vec<PolicyError>>) -> At<'a> {
        At { node, step: Step::Root(pointer), errors }
    }

    /// JSON pointer of the place.
    pub fn pointer(&self) -> String {
        match &self.step {
            Step::Root(pointer) => (*pointer).to_owned(),
            Step::Member(parent, name) => {
                format!("{}/{}", parent.pointer(), name.replace('~', "~0").replace('/', "~1"))
            }
            Step::Item(parent, index) => format!("{}/{index}", parent.pointer()),
        }
    }

    /// Reports an error here.
    pub fn error<T>(&self, reason: impl Into<String>, cure: impl Into<String>) -> Option<T> {
        let error =
            PolicyError { pointer: self.pointer(), reason: reason.into(), cure: cure.into() };
        self.errors.borrow_mut().push(error);
        None
    }

    /// Reports that the value is of another type.
    pub fn expected<T>(&self, what: &str) -> Option<T> {
        let quote = what == "a string" && !matches!(self.node, Node::List(_) | Node::Map(_));
        let cure = if quote { "quote it".to_owned() } else { format!("write {what}") };
        self.error(format!("invalid type: {}", self.node.kind()), cure)
    }

    /// The text here.
    pub fn text(&self) -> Option<&'a str> {
        match self.node {
            Node::Text(text) => Some(text),
            _ => self.expected("a string"),
        }
    }

    /// Which of `words` stands here; those of `later` are refused as not enforced yet.
    pub fn word(&self, words: &[&str], later: &[&str]) -> Option<usize> {
        let Node::Text(text) = self.node else {
            return self.error(
                "this is no value of the field",
                format!("write one of {}", words.join(", ")),
            );
        };
        if later.contains(&text.as_str()) {
            return self.error(format!("`{text}` {REASON}"), suggestion(text, words));
        }
        match words.iter().position(|word| word == text) {
            Some(at) => Some(at),
            None => self.error(format!("unknown value `{text}`"), suggestion(text, words)),
        }
    }

    /// The members of the object here, all of them among `known`.
    pub fn fields(&'a self, known: &[&str], later: &[&str]) -> Option<Fields<'a>> {
        let Node::Map(members) = self.node else { return self.expected("an object") };
        let mut good = true;
        for (at, (name, node)) in members.iter().enumerate() {
            let here = At { node, step: Step::Member(self, name), errors: self.errors };
            if later.contains(&name.as_str()) {
                here.error::<()>(format!("`{name}` {REASON}"), "remove it");
                good = false;
            } else if !known.contains(&name.as_str()) {
                here.error::<()>(format!("unknown field `{name}`"), suggestion(name, known));
                good = false;
            } else if members.iter().take(at).any(|(other, _)| other == name) {
                here.error::<()>(format!("duplicate field `{name}`"), "keep one");
                good = false;
            }
        }
        Some(Fields { at: self, good })
    }

    fn member(&'a self, name: &'a str) -> Option<At<'a>> {
        let node = self.node.get(name)?;
        Some(At { node, step: Step::Member(self, name), errors: self.errors })
    }
}

/// The members of an object while a section is read from them.
pub struct Fields<'a> {
    at: &'a At<'a>,
    /// No member is unknown, twice, or not enforced yet.
    pub good: bool,
}

impl<'a> Fields<'a> {
    /// A member that must be there.
    pub fn required<T: Read>(&self, name: &'a str) -> Option<T> {
        match self.at.member(name) {
            Some(at) => T::read(&at),
            None => self.at.error(format!("missing field `{name}`"), format!("add `{name}`")),
        }
    }

    /// A member that may be left out.
    pub fn optional<T: Read>(&self, name: &'a str, default: T) -> Option<T> {
        match self.at.member(name) {
            Some(at) => T::read(&at),
            None => Some(default),
        }
    }
}

/// The nearest of the known names, or all of them.
fn suggestion(wrong: &str, known: &[&str]) -> String {
    match known.iter().min_by_key(|name| distance(wrong, name)) {
        Some(name) if distance(wrong, name) <= 2.max(wrong.len() / 3) => {
            format!("did you mean `{name}`?")
        }
        _ => format!("write one of {}", known.join(", ")),
    }
}

/// Levenshtein distance, for names of a few letters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (j, y) in b.iter().enumerate() {
            let above = row.get(j + 1).copied().unwrap_or(usize::MAX - 1);
            let cost = usize::from(x != *y);
            let here = (diagonal + cost).min(above + 1).min(left + 1);
            diagonal = above;
            if let Some(slot) = row.get_mut(j) {
                *slot = left;
            }
            left = here;
        }
        if let Some(slot) = row.get_mut(b.len()) {
            *slot = left;
        }
    }
    row.last().copied().unwrap_or(0)
}

impl Read for String {
    fn read(at: &At<'_>) -> Option<String> {
        at.text().map(str::to_owned)
    }
}

impl Read for bool {
    fn read(at: &At<'_>) -> Option<bool> {
        match at.node {
            Node::Bool(value) => Some(*value),
            _ => at.expected("true or false"),
        }
    }
}

macro_rules! unsigned {
    ($($type:ty)*) => {$(
        impl Read for $type {
            fn read(at: &At<'_>) -> Option<$type> {
                match at.node {
                    Node::Unsigned(value) => match <$type>::try_from(*value) {
                        Ok(value) => Some(value),
                        Err(_) => at.error("it is out of range", format!("write 0 to {}", <$type>::MAX)),
                    },
                    _ => at.expected("a whole number"),
                }
            }
        }
    )*};
}

unsigned!(u8 u16);

impl Read for f64 {
    fn read(at: &At<'_>) -> Option<f64> {
        match at.node {
            Node::Unsigned(value) => Some(*value as f64),
            Node::Real(value) => Some(*value),
            _ => at.expected("a number"),
        }
    }
}

impl<T: Read> Read for Option<T> {
    fn read(at: &At<'_>) -> Option<Option<T>> {
        match at.node {
            Node::Null => Some(None),
            _ => T::read(at).map(Some),
        }
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(at: &At<'_>) -> Option<Vec<T>> {
        let Node::List(items) = at.node else { return at.expected("a list") };
        let mut all = Vec::with_capacity(items.len());
        for (index, node) in items.iter().enumerate() {
            let item = At { node, step: Step::Item(at, index), errors: at.errors };
            all.extend(T::read(&item));
        }
        (all.len() == items.len()).then_some(all)
    }
}

impl Read for BTreeMap<String, String> {
    fn read(at: &At<'_>) -> Option<BTreeMap<String, String>> {
        let Node::Map(members) = at.node else { return at.expected("an object") };
        let mut all = BTreeMap::new();
        for (name, node) in members {
            let here = At { node, step: Step::Member(at, name), errors: at.errors };
            let value = String::read(&here)?;
            if all.insert(name.clone(), value).is_some() {
                return here.error(format!("duplicate field `{name}`"), "keep one");
            }
        }
        Some(all)
    }
}

/// Declares a section: its struct, its reader, its schema. A field is its name in documents, its name here, its type
/// and, where it may be left out, `=> default` and a value. `later` names fields that are refused as not enforced yet.
/// With `default` after the name there is a `Default` of all defaults.
macro_rules! document {
    (
        $(#[$meta:meta])*
        pub struct $name:ident $($all:ident)? {
            $($(#[$doc:meta])* $key:literal $field:ident: $type:ty $(=> $opt:ident $value:expr)?,)*
        }
        $(later [$($later:literal),* $(,)?])?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
        pub struct $name {
            $(
                $(#[$doc])*
                #[cfg_attr(feature = "schema", schemars(rename = $key))]
                $(#[cfg_attr(feature = "schema", schemars($opt))])?
                pub $field: $type,
            )*
        }

        impl $crate::policy::read::Read for $name {
            fn read(at: &$crate::policy::read::At<'_>) -> Option<$name> {
                let fields = at.fields(&[$($key),*], &[$($($later),*)?])?;
                $(let $field: Option<$type> = $crate::policy::read::field!(fields, $key $(, $value)?);)*
                let good = fields.good;
                let read = $name { $($field: $field?),* };
                good.then_some(read)
            }
        }

        $crate::policy::read::all_defaults!($($all)? $name { $($field $($value)?),* });
    };
}

macro_rules! field {
    ($fields:ident, $key:literal) => {
        $fields.required($key)
    };
    ($fields:ident, $key:literal, $value:expr) => {
        $fields.optional($key, $value)
    };
}

macro_rules! all_defaults {
    (default $name:ident { $($field:ident $value:expr),* }) => {
        impl Default for $name {
            fn default() -> $name {
                $name { $($field: $value),* }
            }
        }
    };
    ($name:ident $rest:tt) => {};
}

/// Declares a closed list of words: its enum, its reader, its schema. `later` names words that are refused as not
/// enforced yet.
macro_rules! words {
    (
        $(#[$meta:meta])*
        pub enum $name:ident { $($(#[$doc:meta])* $variant:ident,)* }
        $(later [$($later:literal),*])?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            const ALL: &[$name] = &[$($name::$variant),*];

            /// The word in documents.
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => stringify!($variant),)* }
            }
        }

        impl $crate::policy::read::Read for $name {
            fn read(at: &$crate::policy::read::At<'_>) -> Option<$name> {
                let index = at.word(&[$(stringify!($variant)),*], &[$($($later),*)?])?;
                $name::ALL.get(index).copied()
            }
        }
    };
}

pub(crate) use {all_defaults, document, field, words};
