//! China, India, Japan and Korea.

use super::date;
use super::digits::{characters, exactly, is_one_digit, number, weighted};

/// A Chinese resident identity number: region, date of birth, and a check character of ISO 7064 MOD 11-2
/// (GB 11643-1999).
pub(super) fn resident_id(text: &str) -> bool {
    let Some([head @ .., last]) = characters::<18>(text) else { return false };
    let digits = head.map(|byte| char::from(byte).to_digit(10).unwrap_or(u32::MAX));
    let [province, _, _, _, _, _, y1, y2, y3, y4, m1, m2, d1, d2, ..] = digits;
    if !(1..=8).contains(&province) || digits.contains(&u32::MAX) {
        return false;
    }
    let sum = weighted(&digits, &[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
    let expected = b"10X98765432".get(sum as usize % 11);
    let year = number(&[y1, y2, y3, y4]);
    (1900..2100).contains(&year)
        && date::exists(year, number(&[m1, m2]), number(&[d1, d2]))
        && expected == Some(&last)
}

/// An Indian Aadhaar number: twelve digits of which the first is 2 to 9, with the check digit of J. Verhoeff, "Error
/// Detecting Decimal Codes", 1969 (UIDAI, "Aadhaar numbering scheme").
pub(super) fn aadhaar(text: &str) -> bool {
    let Some(digits) = exactly::<12>(text) else { return false };
    digits.first().is_some_and(|first| *first > 1) && !is_one_digit(&digits) && verhoeff(&digits)
}

/// Products in the dihedral group D5, and what a digit becomes at each place from the right: a permutation applied
/// again and again.
fn verhoeff(digits: &[u32]) -> bool {
    const PERMUTED: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let mut rest = 0;
    for (place, digit) in digits.iter().rev().enumerate() {
        let permuted = (0..place % 8)
            .fold(*digit, |digit, _| PERMUTED.get(digit as usize).copied().unwrap_or_default());
        rest = match (rest / 5, permuted / 5) {
            (0, 0) => (rest + permuted) % 5,
            (0, _) => 5 + (rest + permuted) % 5,
            (_, 0) => 5 + (rest + 5 - permuted) % 5,
            (_, _) => (rest + 5 - permuted % 5) % 5,
        };
    }
    rest == 0
}

/// A Japanese individual number (My Number): eleven digits and a check digit (Ministry of Internal Affairs and
/// Communications, ordinance 85 of 2014, article 5).
pub(super) fn my_number(text: &str) -> bool {
    let Some(digits) = exactly::<12>(text) else { return false };
    let [head @ .., last] = &digits;
    let rest = weighted(head, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
    let check = if rest <= 1 { 0 } else { 11 - rest };
    check == *last && !is_one_digit(&digits)
}

/// A Korean resident registration number: date of birth, sex and century, and a check digit, which numbers given out
/// since October 2020 do not have (Ministry of the Interior and Safety, Resident Registration Act, enforcement rule 2).
pub(super) fn resident_number(text: &str) -> bool {
    let Some(digits) = exactly::<13>(text) else { return false };
    let [head @ .., last] = &digits;
    let [y1, y2, m1, m2, d1, d2, sex, ..] = digits;
    let century = match sex {
        1 | 2 | 5 | 6 => 1900,
        3 | 4 | 7 | 8 => 2000,
        _ => 1800,
    };
    let Some(born) = date::of_six(&[y1, y2, m1, m2, d1, d2], century) else { return false };
    let check = (11 - weighted(head, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11) % 10;
    check == *last || (2020, 10) <= (born.0, born.1) && born.0 < 2050
}
