//! France, the Netherlands and Poland.

use super::date;
use super::digits::{characters, exactly, is_one_digit, number, weighted};

/// A French NIR (numéro de sécurité sociale): sex, year and month of birth, place, order, and 97 less the remainder
/// modulo 97; Corsica's 2A and 2B count as 19 and 18 (INSEE, "Numéro d'inscription au répertoire").
pub(super) fn nir(text: &str) -> bool {
    let Some(mut bytes) = characters::<15>(text) else { return false };
    if let [_, _, _, _, _, b'2', letter @ (b'A' | b'B'), ..] = &mut bytes {
        let second = if *letter == b'A' { b'9' } else { b'8' };
        *letter = second;
        if let Some(first) = bytes.get_mut(5) {
            *first = b'1';
        }
    }
    let digits = bytes.map(|byte| char::from(byte).to_digit(10).unwrap_or(u32::MAX));
    if digits.contains(&u32::MAX) {
        return false;
    }
    let [sex, _, _, m1, m2, ..] = digits;
    let [head @ .., c1, c2] = &digits;
    let month = number(&[m1, m2]);
    matches!(sex, 1 | 2)
        && matches!(month, 1..=12 | 20 | 30..=42 | 50..=99)
        && 97 - number(head) % 97 == number(&[*c1, *c2])
}

/// A Dutch burgerservicenummer: the eleven test with -1 for the last digit (Rijksdienst voor Identiteitsgegevens,
/// "Logisch ontwerp BSN").
pub(super) fn bsn(text: &str) -> bool {
    let Some(digits) = exactly::<9>(text) else { return false };
    let [head @ .., last] = &digits;
    let sum = weighted(head, &[9, 8, 7, 6, 5, 4, 3, 2]);
    !is_one_digit(&digits) && sum >= *last && (sum - last).is_multiple_of(11)
}

/// A Polish PESEL: date of birth with the century in the month, serial, and a check digit (Ustawa o ewidencji
/// ludności, art. 15).
pub(super) fn pesel(text: &str) -> bool {
    let Some(digits) = exactly::<11>(text) else { return false };
    let [head @ .., last] = &digits;
    let [y1, y2, m1, m2, d1, d2, ..] = digits;
    let century = match m1 / 2 {
        4 => 1800,
        other => 1900 + 100 * u64::from(other),
    };
    let born = date::of_six(&[y1, y2, m1 % 2, m2, d1, d2], century);
    let check = (10 - weighted(head, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10) % 10;
    born.is_some() && check == *last
}

/// A Polish tax number: nine digits and their weighted sum modulo 11, which is never 10 (Ustawa o zasadach ewidencji i
/// identyfikacji podatników).
pub(super) fn nip(text: &str) -> bool {
    let Some(digits) = exactly::<10>(text) else { return false };
    let [head @ .., last] = &digits;
    let sum = weighted(head, &[6, 5, 7, 2, 3, 4, 5, 6, 7]);
    !is_one_digit(&digits) && sum % 11 == *last
}
