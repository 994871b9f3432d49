//! Germany.

use super::digits::{characters, exactly, number, weighted};
use super::machine::check_digit;

/// A tax identification number: among the first ten digits exactly one stands twice or three times, and the last is a
/// check digit of ISO 7064 MOD 11,10 (Bundeszentralamt für Steuern, "Steuerliches Info-Center: Aufbau der IdNr"; Abgabenordnung 139b).
pub(super) fn tax_id(text: &str) -> bool {
    let Some(digits) = exactly::<11>(text) else { return false };
    let [head @ .., last] = &digits;
    let mut times = [0; 10];
    for (digit, count) in (0..).zip(&mut times) {
        *count = head.iter().filter(|other| **other == digit).count();
    }
    let once = times.iter().filter(|count| **count == 1).count();
    let shaped = match times.iter().max() {
        Some(2) => once == 8,
        Some(3) => once == 7,
        _ => false,
    };
    let product = head.iter().fold(10, |product, digit| match (digit + product) % 10 {
        0 => 20 % 11,
        sum => 2 * sum % 11,
    });
    shaped && head.first() != Some(&0) && (11 - product) % 10 == *last
}

/// The serial number of an identity card or passport, with or without its check digit: letters that are no vowels and
/// cannot be mistaken for digits (Bundesamt für Sicherheit in der Informationstechnik, TR-03110; the check digit is
/// that of ICAO Doc 9303-3).
pub(super) fn id_card(text: &str) -> bool {
    let serial = |bytes: &[u8]| {
        let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
        let known = |byte: &u8| byte.is_ascii_digit() || b"CFGHJKLMNPRTVWXYZ".contains(byte);
        bytes.iter().all(known) && digits >= 2
    };
    if let Some(bytes) = characters::<9>(text) {
        return serial(&bytes) && bytes.first().is_some_and(u8::is_ascii_alphabetic);
    }
    let Some([head @ .., last]) = characters::<10>(text) else { return false };
    serial(&head) && check_digit(&head) == char::from(last).to_digit(10)
}

/// A social insurance number: area, date of birth, initial, serial and check digit (Deutsche Rentenversicherung,
/// Verordnung über die Vergabe der Versicherungsnummer, § 2).
pub(super) fn social_security(text: &str) -> bool {
    let Some(bytes) = characters::<12>(text) else { return false };
    let [a, b, c, d, e, f, g, h, initial, i, j, check] = bytes;
    if !initial.is_ascii_uppercase() {
        return false;
    }
    let letter = u32::from(initial - b'A' + 1);
    let digit = |byte: u8| char::from(byte).to_digit(10).unwrap_or(u32::MAX);
    let [a, b, c, d, e, f, g, h, i, j, check] = [a, b, c, d, e, f, g, h, i, j, check].map(digit);
    let digits = [a, b, c, d, e, f, g, h, letter / 10, letter % 10, i, j];
    if digits.contains(&u32::MAX) || check == u32::MAX {
        return false;
    }
    // Days from 51 on are of persons who share the rest.
    let (day, month) = (number(&[c, d]) % 50, number(&[e, f]));
    let products = digits.iter().zip([2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1]);
    let sum: u32 = products
        .map(|(digit, weight)| weighted(&[digit * weight / 10, digit * weight % 10], &[1, 1]))
        .sum();
    (1..=31).contains(&day) && (1..=12).contains(&month) && sum % 10 == check
}
