//! Numbers as people write them, as digits.

/// The `N` digits of a number that is written with any separators; none if there are more, fewer or letters.
pub(super) fn exactly<const N: usize>(text: &str) -> Option<[u32; N]> {
    let mut found = [0; N];
    let mut slots = found.iter_mut();
    for c in text.chars().filter(|c| !is_separator(*c)) {
        *slots.next()? = c.to_digit(10)?;
    }
    slots.next().is_none().then_some(found)
}

/// The `N` letters and digits, in upper case.
pub(super) fn characters<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut found = [0; N];
    let mut slots = found.iter_mut();
    for c in text.chars().filter(|c| !is_separator(*c)) {
        let byte = u8::try_from(c).ok().filter(u8::is_ascii_alphanumeric)?;
        *slots.next()? = byte.to_ascii_uppercase();
    }
    slots.next().is_none().then_some(found)
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || c.is_ascii_punctuation()
}

/// Digits times weights.
pub(super) fn weighted(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
}

/// The number that digits stand for.
pub(super) fn number(digits: &[u32]) -> u64 {
    digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(*digit))
}

/// Whether all are the same.
pub(super) fn is_one_digit(digits: &[u32]) -> bool {
    digits.windows(2).all(|two| two.first() == two.last())
}
