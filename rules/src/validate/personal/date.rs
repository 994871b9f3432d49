//! Dates inside numbers.

use super::digits::number;

/// Whether there is such a day in that year of the Gregorian calendar.
pub(super) fn exists(year: u64, month: u64, day: u64) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// Year, month and day of six digits, the year in a century.
pub(super) fn of_six(digits: &[u32], century: u64) -> Option<(u64, u64, u64)> {
    let [a, b, c, d, e, f] = digits else { return None };
    let two = |a: &u32, b: &u32| number(&[*a, *b]);
    let date = (century + two(a, b), two(c, d), two(e, f));
    exists(date.0, date.1, date.2).then_some(date)
}
