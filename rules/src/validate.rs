//! Checks that tell a finding from a look-alike: check digits and disorder.

pub mod credentials;
pub(crate) mod personal;

/// The fewest and the most digits of a payment card number (ISO/IEC 7812-1; 12 are still in use for Maestro).
pub const CARD_DIGITS: std::ops::RangeInclusive<u32> = 12..=19;
/// The most characters of an IBAN (ISO 13616).
pub const IBAN_MAX: usize = 34;

/// Whether the digits of a card number pass the Luhn check (ISO/IEC 7812-1, annex B). Spaces and hyphens do not count;
/// any other character, a length outside [`CARD_DIGITS`], or one digit repeated throughout is refused.
pub fn luhn(digits_and_separators: &str) -> bool {
    let mut count = 0u32;
    let mut sum = 0u32;
    let mut first = None;
    let mut mixed = false;
    for c in digits_and_separators.chars().rev() {
        if matches!(c, ' ' | '-') {
            continue;
        }
        let Some(digit) = c.to_digit(10) else { return false };
        if count >= *CARD_DIGITS.end() {
            return false;
        }
        mixed |= *first.get_or_insert(digit) != digit;
        let doubled = if count & 1 == 1 { digit.saturating_mul(2) } else { digit };
        sum = sum.saturating_add(if doubled > 9 { doubled.saturating_sub(9) } else { doubled });
        count = count.saturating_add(1);
    }
    mixed && CARD_DIGITS.contains(&count) && sum.is_multiple_of(10)
}

/// Whether this is an IBAN: a country of the registry, its length, letters and digits, and the mod 97 check
/// (ISO 13616, ISO/IEC 7064). Spaces do not count, letters may have either case.
pub fn iban(text: &str) -> bool {
    let mut buffer = [0u8; IBAN_MAX];
    let mut length = 0usize;
    for c in text.chars().filter(|c| *c != ' ') {
        let (Some(slot), true) = (buffer.get_mut(length), c.is_ascii_alphanumeric()) else {
            return false;
        };
        *slot = u8::try_from(c.to_ascii_uppercase()).unwrap_or_default();
        length = length.saturating_add(1);
    }
    let Some((&[a, b, c, d], account)) = buffer.get(..length).and_then(<[u8]>::split_first_chunk)
    else {
        return false;
    };
    let known = IBAN_LENGTHS.iter().any(|(country, expected)| {
        country.as_bytes() == [a, b] && usize::from(*expected) == length
    });
    // Check digits run from 02 to 98: 97 - n + 1 for a remainder n of 0 to 96.
    let check = matches!((c, d), (b'0'..=b'9', b'0'..=b'9'))
        && !matches!((c, d), (b'0', b'0' | b'1') | (b'9', b'9'));
    known && check && remainder_97(account.iter().chain(&[a, b, c, d])) == 1
}

/// The remainder of a number whose letters stand for 10 (A) to 35 (Z).
fn remainder_97<'a>(characters: impl Iterator<Item = &'a u8>) -> u32 {
    characters.fold(0u32, |rest, byte| {
        let value = char::from(*byte).to_digit(36).unwrap_or_default();
        let shift = if value < 10 { 10 } else { 100 };
        rest.saturating_mul(shift).saturating_add(value) % 97
    })
}

/// Country code and IBAN length, from the IBAN Registry that SWIFT publishes, release 101.
const IBAN_LENGTHS: &[(&str, u8)] = &[
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BI", 27),
    ("BR", 29),
    ("BY", 28),
    ("CH", 21),
    ("CR", 22),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DJ", 27),
    ("DK", 18),
    ("DO", 28),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FK", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GL", 18),
    ("GR", 27),
    ("GT", 28),
    ("HN", 28),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IQ", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LC", 32),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("LY", 25),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MN", 20),
    ("MR", 27),
    ("MT", 31),
    ("MU", 30),
    ("NI", 28),
    ("NL", 18),
    ("NO", 15),
    ("OM", 23),
    ("PK", 24),
    ("PL", 28),
    ("PS", 29),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("RU", 33),
    ("SA", 24),
    ("SC", 31),
    ("SD", 18),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("SO", 23),
    ("ST", 25),
    ("SV", 28),
    ("TL", 23),
    ("TN", 24),
    ("TR", 26),
    ("UA", 29),
    ("VA", 22),
    ("VG", 24),
    ("XK", 20),
    ("YE", 30),
];

/// The Shannon entropy of the text's characters, in thousandths of a bit per character, rounded to the nearest; 0 for
/// an empty text. Integers only, so that every platform answers the same.
pub fn entropy(text: &str) -> u32 {
    let mut counts = std::collections::BTreeMap::<char, u32>::new();
    let mut total = 0u32;
    for c in text.chars() {
        let count = counts.entry(c).or_default();
        *count = count.saturating_add(1);
        total = total.saturating_add(1);
    }
    let weighted = |count: u32| u64::from(count).saturating_mul(log2(count));
    let apart = counts.values().fold(0u64, |sum, count| sum.saturating_add(weighted(*count)));
    let sum = weighted(total).saturating_sub(apart);
    let bits = sum.checked_div(u64::from(total)).unwrap_or_default();
    let thousandths = bits.saturating_mul(1000).saturating_add(HALF) >> FRACTION;
    u32::try_from(thousandths).unwrap_or(u32::MAX)
}

/// Bits behind the point of [`log2`].
const FRACTION: u32 = 24;
const HALF: u64 = 1 << (FRACTION - 1);

/// The binary logarithm of `n`, 0 for 0, with [`FRACTION`] bits behind the point: each squaring of the mantissa
/// (31 bits behind the point) gives one.
fn log2(n: u32) -> u64 {
    let whole = n.checked_ilog2().unwrap_or_default();
    let mut mantissa = (u64::from(n) << 31) >> whole;
    let mut log = u64::from(whole);
    for _ in 0..FRACTION {
        mantissa = mantissa.saturating_mul(mantissa) >> 31;
        let bit = mantissa >> 32;
        mantissa >>= bit;
        log = log << 1 | bit;
    }
    log
}

#[cfg(test)]
mod tests;
