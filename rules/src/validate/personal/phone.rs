//! Telephone numbers.

use super::plans::PLANS;

/// The fewest and the most digits of a national number as it is dialled.
const NATIONAL: std::ops::RangeInclusive<usize> = 7..=12;
/// The most digits of an international number behind its prefix (ITU-T E.164).
const LONGEST: usize = 15;

/// A telephone number. In international form, behind `+` or 00, its calling code is one, and its length and first digits
/// are of that code's numbering plan. In national form it is no date, version or address, and long enough.
pub(super) fn plausible(text: &str) -> bool {
    let number = without_extension(text);
    let (digits, length) = digits(number);
    let Some(digits) = digits.get(..length) else { return false };
    match digits {
        _ if number.starts_with('+') => international(digits),
        [0, 0, rest @ ..] => international(rest),
        [0, 1, 1, rest @ ..] if international(rest) => true,
        _ if is_date(number) || !NATIONAL.contains(&length) || !varies(digits) => false,
        [0, ..] => has_trunk_layout(number),
        _ => !is_listing(number),
    }
}

/// The number before `x 12` or `ext. 12`.
fn without_extension(text: &str) -> &str {
    text.split(|c: char| c.is_ascii_alphabetic()).next().unwrap_or_default()
}

/// The digits and how many there are, one more than is kept if there are too many. A trunk prefix in brackets behind a
/// calling code is not dialled.
fn digits(number: &str) -> ([u8; LONGEST + 3], usize) {
    let mut found = [0; LONGEST + 3];
    let (mut length, mut rest) = (0, number);
    while let Some(c) = rest.chars().next() {
        rest = match rest.strip_prefix("(0)") {
            Some(behind) => behind,
            None => rest.get(c.len_utf8()..).unwrap_or_default(),
        };
        let digit = c.to_digit(10).and_then(|digit| u8::try_from(digit).ok());
        let Some(digit) = digit else { continue };
        if let Some(slot) = found.get_mut(length) {
            *slot = digit;
        }
        length += 1;
    }
    (found, length)
}

/// Whether a plan has a number behind its calling code. The trunk prefix 0 is often left standing.
fn international(digits: &[u8]) -> bool {
    (1..=3).any(|length| {
        let (Some(code), Some(national)) = (digits.get(..length), digits.get(length..)) else {
            return false;
        };
        let code = code.iter().fold(0, |sum, digit| sum * 10 + u16::from(*digit));
        let Ok(at) = PLANS.binary_search_by_key(&code, |plan| plan.0) else { return false };
        let Some((_, runs)) = PLANS.get(at) else { return false };
        let dialled = national.strip_prefix(&[0]).unwrap_or(national);
        allowed(runs, national) || allowed(runs, dialled)
    })
}

fn allowed(runs: &[(u8, u16)], national: &[u8]) -> bool {
    let [a, b, ..] = national else { return false };
    let lead = a * 10 + b;
    let run = runs.partition_point(|(from, _)| *from <= lead).checked_sub(1);
    let lengths = run.and_then(|at| runs.get(at)).map_or(0, |(_, lengths)| *lengths);
    national.len() <= LONGEST && lengths >> national.len() & 1 == 1 && varies(national)
}

/// Not one digit throughout behind the first.
fn varies(digits: &[u8]) -> bool {
    digits.iter().skip(2).any(|digit| Some(digit) != digits.get(1))
}

/// The lengths of the groups of digits; too many are cut.
fn groups(number: &str) -> ([usize; 6], usize) {
    let mut lengths = [0; 6];
    let mut count = 0;
    for group in number.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()) {
        if let Some(slot) = lengths.get_mut(count) {
            *slot = group.len();
        }
        count += 1;
    }
    (lengths, count)
}

/// Year, month and day in any order, with one separator.
fn is_date(number: &str) -> bool {
    let (lengths, count) = groups(number);
    let mut parts = number.split(['-', '.', '/', ' ']).map(|part| part.parse::<u16>());
    let (Some(Ok(a)), Some(Ok(b)), Some(Ok(c))) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let year = |n: u16| (1000..2200).contains(&n);
    let day = |n: u16| (1..=31).contains(&n);
    count >= 3
        && match lengths {
            [4, 1 | 2, 1 | 2, ..] => year(a) && day(b) && day(c),
            [1 | 2, 1 | 2, 4, ..] => day(a) && day(b) && year(c),
            _ => false,
        }
}

/// Whether a number that begins with a trunk prefix is grouped as one is: an area code of two to five digits, then
/// pairs, or groups of two to four, or one group. Parts of longer numbers in groups of four, and numbers of the United
/// States with that much of a shape of their own, are not.
fn has_trunk_layout(number: &str) -> bool {
    let (lengths, count) = groups(number);
    let total: usize = lengths.iter().sum();
    let mut separators = number.chars().filter(|c| matches!(c, ' ' | '-' | '.' | '/'));
    let first = separators.next();
    let even = separators.all(|c| Some(c) == first) || number.starts_with('(');
    let dotted = first != Some('.') || lengths == [2, 2, 2, 2, 2, 0];
    let grouped = match lengths {
        [1, ..] | [3, 2, 4, 0, 0, 0] => false,
        [_, 0, ..] => true,
        [2..=5, 5..=8, 0, ..] => true,
        [5, 3, 3, 0, ..] | [4, 3, 3, 0, ..] => true,
        [4, 2 | 3, 2..=4, ..] => true,
        [2 | 3, 2..=4, 2..=4, ..] => true,
        _ => false,
    };
    even && dotted && grouped && count <= 5 && (9..=12).contains(&total)
}

/// What has the shape of an amount in thousands, of two years or of an address of a host.
fn is_listing(number: &str) -> bool {
    let (lengths, count) = groups(number);
    let thousands = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    match lengths {
        [1..=3, 1..=3, 1..=3, 1..=3, 0, 0] if thousands => true,
        [4, 4, 0, ..] => {
            let years = number.split(|c: char| !c.is_ascii_digit());
            let mut years = years.filter_map(|year| year.parse::<u16>().ok());
            years.all(|year| (1900..2100).contains(&year))
        }
        _ => count > 6,
    }
}
