//! Texts written as codes: a reader has to decode them.

use std::fmt::Write;

use super::dice::Dice;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 with padding (RFC 4648, section 4).
pub fn base64(text: &str, _: &mut Dice) -> String {
    let mut out = String::new();
    for group in text.as_bytes().chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let digit = BASE64.get((bits >> (18 - 6 * at) & 63) as usize).copied();
            out.push(if at > group.len() { '=' } else { char::from(digit.unwrap_or_default()) });
        }
    }
    out
}

/// Two hex digits a byte.
pub fn hex(text: &str, _: &mut Dice) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// Every byte behind a percent sign.
pub fn percent(text: &str, _: &mut Dice) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// As an address has it: what is unreserved stays (RFC 3986, section 2.3).
pub fn address(text: &str, _: &mut Dice) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// Numeric character references, decimal and hexadecimal ones.
pub fn entities(text: &str, dice: &mut Dice) -> String {
    let reference = |c: char| match dice.below(2) {
        0 => format!("&#{};", u32::from(c)),
        _ => format!("&#x{:x};", u32::from(c)),
    };
    text.chars().map(reference).collect()
}

/// JSON's escapes of UTF-16 units.
pub fn escapes(text: &str, _: &mut Dice) -> String {
    text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect()
}

/// Tag characters (Unicode 16, section 23.9), which nobody sees.
pub fn tags(text: &str, _: &mut Dice) -> String {
    let tag = |c: char| match c {
        ' '..='~' => char::from_u32(0xe0000 + u32::from(c)).unwrap_or(c),
        c => c,
    };
    text.chars().map(tag).collect()
}

/// Letters moved by 13.
pub fn rot13(text: &str, _: &mut Dice) -> String {
    let turn = |c: char| {
        let base = if c.is_ascii_lowercase() { b'a' } else { b'A' };
        match u8::try_from(c) {
            Ok(byte) if byte.is_ascii_alphabetic() => char::from((byte - base + 13) % 26 + base),
            _ => c,
        }
    };
    text.chars().map(turn).collect()
}

/// The same behind its name.
pub fn rot13_named(text: &str, dice: &mut Dice) -> String {
    format!("In ROT13: {}", rot13(text, dice))
}

/// From the last character to the first.
pub fn reversed(text: &str, _: &mut Dice) -> String {
    text.chars().rev().collect()
}

/// The same behind its name.
pub fn reversed_named(text: &str, dice: &mut Dice) -> String {
    let mut out = String::new();
    let _ = write!(out, "Reversed text: {}", reversed(text, dice));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(apply: fn(&str, &mut Dice) -> String, pairs: &[(&str, &str)]) {
        for (text, expected) in pairs {
            assert_eq!(apply(text, &mut Dice::new(1, text)), *expected, "{text}");
        }
    }

    #[test]
    fn base64_pads() {
        // The vectors of RFC 4648, section 10.
        check(
            base64,
            &[("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")],
        );
    }

    #[test]
    fn hex_is_of_bytes() {
        check(hex, &[("a~", "617e"), ("é", "c3a9")]);
    }

    #[test]
    fn percent_is_of_every_byte() {
        check(percent, &[("a b", "%61%20%62"), ("é", "%C3%A9")]);
    }

    #[test]
    fn an_address_keeps_what_is_unreserved() {
        check(address, &[("a b-c", "a%20b-c"), ("é!", "%C3%A9%21")]);
    }

    #[test]
    fn entities_are_decimal_and_hexadecimal() {
        let text = "ab".repeat(20);
        let out = entities(&text, &mut Dice::new(1, &text));
        assert!(out.contains("&#97;") && out.contains("&#x61;") && out.matches(';').count() == 40);
        assert_eq!(out, entities(&text, &mut Dice::new(1, &text)), "the same at every run");
    }

    #[test]
    fn escapes_are_of_utf16() {
        check(escapes, &[("a", "\\u0061"), ("𝄞", "\\ud834\\udd1e")]);
    }

    #[test]
    fn tags_are_of_ascii() {
        check(tags, &[("a é", "\u{e0061}\u{e0020}é")]);
    }

    #[test]
    fn rot13_twice_is_the_text() {
        check(rot13, &[("Hello, é 1", "Uryyb, é 1"), ("Uryyb", "Hello")]);
        check(rot13_named, &[("a", "In ROT13: n")]);
    }

    #[test]
    fn reversed_begins_at_the_end() {
        check(reversed, &[("abc é", "é cba")]);
        check(reversed_named, &[("ab", "Reversed text: ba")]);
    }
}
