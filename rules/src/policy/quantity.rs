//! Kubernetes quantities and Gateway API durations.

use super::Node;
use super::read::{At, Read};

/// A number of bytes, written as a Kubernetes quantity (`64Ki`, `8Mi`, `1M`) or as a plain number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(pub u64);

impl Quantity {
    /// The number of bytes.
    pub fn bytes(self) -> u64 {
        self.0
    }

    /// Parses a quantity.
    pub fn parse(text: &str) -> Option<Quantity> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at_checked(digits)?;
        let factor: u64 = match unit {
            "" => 1,
            "k" => 1000,
            "M" => 1_000_000,
            "G" => 1_000_000_000,
            "Ki" => 1 << 10,
            "Mi" => 1 << 20,
            "Gi" => 1 << 30,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(factor).map(Quantity)
    }
}

/// A span of time, written as a Gateway API duration (GEP-2257): `10s`, `1h30m`, `500ms`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(pub u64);

impl Period {
    /// The number of milliseconds.
    pub fn millis(self) -> u64 {
        self.0
    }

    /// Parses a duration: up to four of `h`, `m`, `s`, `ms`, each a number of at most five digits.
    pub fn parse(text: &str) -> Option<Period> {
        let mut rest = text;
        let mut total = 0u64;
        let mut parts = 0;
        while !rest.is_empty() {
            parts += 1;
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            if digits == 0 || digits > 5 || parts > 4 {
                return None;
            }
            let (number, after) = rest.split_at_checked(digits)?;
            let (factor, after) = match after {
                a if a.starts_with("ms") => (1, a.strip_prefix("ms")?),
                a if a.starts_with('h') => (3_600_000, a.strip_prefix('h')?),
                a if a.starts_with('m') => (60_000, a.strip_prefix('m')?),
                a if a.starts_with('s') => (1000, a.strip_prefix('s')?),
                _ => return None,
            };
            total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(factor)?)?;
            rest = after;
        }
        (parts > 0).then_some(Period(total))
    }
}

impl Read for Quantity {
    fn read(at: &At<'_>) -> Option<Quantity> {
        let quantity = match at.node {
            Node::Text(text) => Quantity::parse(text),
            Node::Unsigned(bytes) => Some(Quantity(*bytes)),
            _ => None,
        };
        quantity
            .or_else(|| at.error("it is no quantity such as 64Ki", "write a quantity such as 64Ki"))
    }
}

impl Read for Period {
    fn read(at: &At<'_>) -> Option<Period> {
        let period = at.node.text().and_then(Period::parse);
        period.or_else(|| at.error("it is no duration such as 10s", "write a duration such as 10s"))
    }
}

#[cfg(feature = "schema")]
mod schema {
    use super::{Period, Quantity};
    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    impl JsonSchema for Quantity {
        fn schema_name() -> std::borrow::Cow<'static, str> {
            "Quantity".into()
        }
        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({
                "description": "Bytes as a Kubernetes quantity.",
                "anyOf": [
                    { "type": "string", "pattern": "^[0-9]+(Ki|Mi|Gi|k|M|G)?$" },
                    { "type": "integer", "minimum": 0 }
                ]
            })
        }
    }

    impl JsonSchema for Period {
        fn schema_name() -> std::borrow::Cow<'static, str> {
            "Duration".into()
        }
        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({
                "description": "A Gateway API duration.",
                "type": "string",
                "pattern": "^([0-9]{1,5}(h|m|s|ms)){1,4}$"
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities() {
        for (text, expected) in [
            ("0", Some(0)),
            ("64Ki", Some(65536)),
            ("8Mi", Some(8 << 20)),
            ("1M", Some(1_000_000)),
            ("1Gi", Some(1 << 30)),
            ("Mi", None),
            ("1.5Mi", None),
            ("-1", None),
            ("1mi", None),
            ("99999999999999999999", None),
            ("18446744073709551615Ki", None),
        ] {
            assert_eq!(Quantity::parse(text).map(|q| q.0), expected, "{text}");
        }
    }

    #[test]
    fn durations() {
        for (text, expected) in [
            ("10s", Some(10_000)),
            ("1h30m", Some(5_400_000)),
            ("500ms", Some(500)),
            ("1m500ms", Some(60_500)),
            ("", None),
            ("10", None),
            ("s", None),
            ("100000s", None),
            ("1d", None),
        ] {
            assert_eq!(Period::parse(text).map(|p| p.0), expected, "{text}");
        }
    }
}
