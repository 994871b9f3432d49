//! Days and moments in UTC, as RFC 3339 writes them.

use super::read::{At, Read};

/// A moment, in microseconds since the Unix epoch. A day stands for its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(pub u64);

/// Microseconds of a day.
pub const DAY: u64 = 86_400 * 1_000_000;

impl Date {
    /// Parses `2026-12-31` or `2026-12-31T18:00:00Z`.
    pub fn parse(text: &str) -> Option<Date> {
        let (day, time) = match text.split_once('T') {
            Some((day, time)) => (day, Some(time.strip_suffix('Z')?)),
            None => (text, None),
        };
        let [year, month, day] = numbers(day, '-', [4, 2, 2])?;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            4 | 6 | 9 | 11 => 30,
            2 => 28 + u64::from(leap),
            1..=12 => 31,
            _ => return None,
        };
        if year < 1970 || !(1..=length).contains(&day) {
            return None;
        }
        let start = days(year, month, day)?.checked_mul(DAY)?;
        let Some(time) = time else { return Some(Date(start + DAY)) };
        let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        Some(Date(start + (hour * 3600 + minute * 60 + second) * 1_000_000))
    }
}

/// As RFC 3339 writes it, in UTC with microseconds.
impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The civil calendar counted from March of year 0, in eras of 400 years.
        let days = self.0 / DAY + 719_468;
        let (era, of_era) = (days / 146_097, days % 146_097);
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let shifted = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = era * 400 + year + u64::from(month <= 2);
        let (seconds, micros) = (self.0 % DAY / 1_000_000, self.0 % 1_000_000);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
    }
}

/// Three numbers with so many digits each.
fn numbers(text: &str, separator: char, digits: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; 3];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next()?;
        if part.len() != digits || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

/// Days from 1970-01-01, by counting years from March so that the leap day comes last.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = if month > 2 { year } else { year - 1 };
    let month = if month > 2 { month - 3 } else { month + 9 };
    let before = year * 365 + year / 4 - year / 100 + year / 400;
    (before + (153 * month + 2) / 5 + day - 1).checked_sub(719_468)
}

impl Read for Date {
    fn read(at: &At<'_>) -> Option<Date> {
        at.node.text().and_then(Date::parse).or_else(|| {
            at.error("it is no date", "write a day such as 2026-12-31, or 2026-12-31T18:00:00Z")
        })
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Date {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Date".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A day or a moment in UTC.",
            "type": "string",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Date;

    #[test]
    fn days_and_moments() {
        for (text, seconds) in [
            ("1970-01-01", Some(86_400)),
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29T12:00:00Z", Some(951_825_600)),
            ("2026-12-31", Some(1_798_761_600)),
            ("2026-11-24T18:00:00Z", Some(1_795_543_200)),
            ("2026-02-29", None),
            ("2026-13-01", None),
            ("2026-00-01", None),
            ("2026-1-1", None),
            ("1969-12-31", None),
            ("2026-12-31T24:00:00Z", None),
            ("2026-12-31T18:00:00", None),
            ("2026-12-31T18:00:00+01:00", None),
            ("soon", None),
        ] {
            assert_eq!(Date::parse(text).map(|d| d.0 / 1_000_000), seconds, "{text}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for text in ["1970-01-01T00:00:00", "2000-02-29T12:00:07", "2026-12-31T23:59:59"] {
            let date = Date::parse(&format!("{text}Z")).map(|d| d.to_string());
            assert_eq!(date, Some(format!("{text}.000000Z")));
        }
        assert_eq!(Date(1_700_000_000_123_456).to_string(), "2023-11-14T22:13:20.123456Z");
    }
}
