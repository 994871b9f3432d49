//! Italy.

use super::digits::characters;

/// What a character counts at an odd place, by its place in the alphabet or its digit.
const ODD: [u32; 26] =
    [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

/// A codice fiscale: letters of the names, year, month, day and place of birth, and a check character modulo 26
/// (Ministero delle Finanze, decreto 23 dicembre 1976). Letters L to V may stand for digits, where two persons would
/// share a code.
pub(super) fn fiscal_code(text: &str) -> bool {
    let Some(bytes) = characters::<16>(text) else { return false };
    let [head @ .., check] = &bytes;
    let digits = [6, 7, 9, 10, 12, 13, 14];
    let shaped = head.iter().enumerate().all(|(place, byte)| match place {
        place if digits.contains(&place) => byte.is_ascii_digit() || b"LMNPQRSTUV".contains(byte),
        8 => b"ABCDEHLMPRST".contains(byte),
        _ => byte.is_ascii_uppercase(),
    });
    let value = |byte: u8| u32::from(byte - if byte.is_ascii_digit() { b'0' } else { b'A' });
    let sum: u32 = head
        .iter()
        .enumerate()
        .map(|(place, byte)| match (place % 2, value(*byte)) {
            (0, value) => ODD.get(value as usize).copied().unwrap_or_default(),
            (_, value) => value,
        })
        .sum();
    shaped && check.is_ascii_uppercase() && value(*check) == sum % 26
}
