//! Spain.

use super::digits::{characters, exactly, number};

/// An identity number of a citizen (DNI) or a foreigner (NIE, with X, Y or Z for 0, 1 or 2): the letter is the
/// remainder modulo 23 (Ministerio del Interior, "Cálculo del dígito de control del NIF/NIE").
pub(super) fn dni(text: &str) -> bool {
    let Some([first, head @ .., letter]) = characters::<9>(text) else { return false };
    let first = match first {
        b'X'..=b'Z' => first - b'X' + b'0',
        other => other,
    };
    let digits = |byte: u8| char::from(byte).to_digit(10);
    let mut value = 0;
    for byte in [first].into_iter().chain(head) {
        let Some(digit) = digits(byte) else { return false };
        value = value * 10 + digit;
    }
    let expected = b"TRWAGMYFPDXBNJZSQVHLCKE".get(value as usize % 23);
    value > 0 && expected == Some(&letter)
}

/// A social security number: province, number, and both modulo 97 (Tesorería General de la Seguridad Social, "Manual
/// de instrucciones técnicas del sistema RED"). A number below ten million counts with seven digits.
pub(super) fn social_security(text: &str) -> bool {
    let Some(digits) = exactly::<12>(text) else { return false };
    let [p1, p2, serial @ .., c1, c2] = &digits;
    let (province, serial) = (number(&[*p1, *p2]), number(serial));
    let places = if serial < 10_000_000 { 10_000_000 } else { 100_000_000 };
    let known = matches!(province, 1..=53 | 66);
    known && serial > 0 && (province * places + serial) % 97 == number(&[*c1, *c2])
}
