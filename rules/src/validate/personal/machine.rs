//! Machine-readable zones of travel documents.

/// Whether this is a line with a document number or a date of birth, and their check digits are right: the second line
/// of a passport or visa (44 characters) or of a card of size TD2 (36), the first or second of one of size TD1 (30), as
/// ICAO Doc 9303 parts 4 to 6 lay them out. A line of names has no digit, and two fillers between and behind them.
pub(super) fn readable(text: &str) -> bool {
    let line = text.as_bytes();
    let names =
        || text.contains("<<") && text.ends_with("<<") && !line.iter().any(u8::is_ascii_digit);
    let checked = |from: usize, to: usize| {
        let digit = line.get(to).and_then(|byte| char::from(*byte).to_digit(10));
        digit.is_some() && line.get(from..to).and_then(check_digit) == digit
    };
    match line.len() {
        44 | 36 => names() || checked(0, 9) && checked(13, 19) && checked(21, 27),
        30 if line.first().is_some_and(u8::is_ascii_digit) => checked(0, 6) && checked(8, 14),
        30 => names() || checked(5, 14),
        _ => false,
    }
}

/// The check digit of ICAO Doc 9303-3, 4.9: weights 7, 3, 1, letters from 10 on, `<` for 0.
pub(super) fn check_digit(field: &[u8]) -> Option<u32> {
    let mut sum = 0;
    for (byte, weight) in field.iter().zip([7, 3, 1].into_iter().cycle()) {
        let value = match byte {
            b'<' => 0,
            other => char::from(*other).to_digit(36)?,
        };
        sum += value * weight;
    }
    Some(sum % 10)
}
