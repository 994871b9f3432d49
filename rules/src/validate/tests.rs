use super::*;

#[test]
fn luhn_takes_the_test_numbers_of_the_card_networks() {
    // Test numbers from the public documentation of Stripe, PayPal and Adyen.
    let table = [
        ("4111111111111111", true),
        ("4242 4242 4242 4242", true),
        ("4012-8888-8888-1881", true),
        ("4222222222222", true),
        ("5555555555554444", true),
        ("5105 1051 0510 5100", true),
        ("2223003122003222", true),
        ("3782 822463 10005", true),
        ("371449635398431", true),
        ("6011111111111117", true),
        ("30569309025904", true),
        ("3530111333300000", true),
        ("6205500000000000004", true),
        ("6304900017740292441", true),
        ("4111111111111112", false),
        ("1411111111111111", false),
        ("4242 4242 4242 4241", false),
        ("0000000000000000", false),
        ("0000-0000-0000", false),
        ("00000000018", false),
        ("000000000018", true),
        ("62055000000000000040", false),
        ("4111.1111.1111.1111", false),
        ("４１１１１１１１１１１１１１１１", false),
        ("", false),
        (" - ", false),
    ];
    for (text, expected) in table {
        assert_eq!(luhn(text), expected, "{text:?}");
    }
}

#[test]
fn luhn_sees_every_wrong_digit() {
    let right = "4242424242424242";
    for at in 0..right.len() {
        for digit in b'0'..=b'9' {
            let mut text = right.as_bytes().to_vec();
            let same = std::mem::replace(&mut text[at], digit) == digit;
            assert_eq!(luhn(std::str::from_utf8(&text).unwrap()), same, "digit {at} is {digit}");
        }
    }
}

/// The examples that the IBAN Registry prints for these countries.
const REGISTRY_EXAMPLES: &[&str] = &[
    "AD12 0001 2030 2003 5910 0100",
    "AE07 0331 2345 6789 0123 456",
    "AL47 2121 1009 0000 0002 3569 8741",
    "AT61 1904 3002 3457 3201",
    "AZ21 NABZ 0000 0000 1370 1000 1944",
    "BE68 5390 0754 7034",
    "BR18 0036 0305 0000 1000 9795 493C 1",
    "CH93 0076 2011 6238 5295 7",
    "CR05 0152 0200 1026 2840 66",
    "DE89 3704 0044 0532 0130 00",
    "DK50 0040 0440 1162 43",
    "ES91 2100 0418 4502 0005 1332",
    "FI21 1234 5600 0007 85",
    "FR14 2004 1010 0505 0001 3M02 606",
    "GB29 NWBK 6016 1331 9268 19",
    "GR16 0110 1250 0000 0001 2300 695",
    "IE29 AIBK 9311 5212 3456 78",
    "IT60 X054 2811 1010 0000 0123 456",
    "KZ86 125K ZT50 0410 0100",
    "LC55 HEMM 0001 0001 0012 0012 0002 3015",
    "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
    "NL91 ABNA 0417 1643 00",
    "NO93 8601 1117 947",
    "PL61 1090 1014 0000 0712 1981 2874",
    "PT50 0002 0123 1234 5678 9015 4",
    "SA03 8000 0000 6080 1016 7519",
    "SE45 5000 0000 0583 9825 7466",
    "TR33 0006 1005 1978 6457 8413 26",
];

#[test]
fn iban_takes_the_examples_of_the_registry() {
    for example in REGISTRY_EXAMPLES {
        let compact = example.replace(' ', "");
        let shorter: String = compact.chars().take(compact.len() - 1).collect();
        assert!(iban(example), "{example}");
        assert!(iban(&compact), "{compact}");
        assert!(iban(&compact.to_lowercase()), "{compact} in lower case");
        assert!(!iban(&shorter), "{shorter}");
        assert!(!iban(&format!("{compact}0")), "{compact} longer");
    }
}

#[test]
fn iban_sees_every_wrong_or_swapped_character() {
    for example in REGISTRY_EXAMPLES {
        let right = example.replace(' ', "").into_bytes();
        for at in 2..right.len() {
            let mut text = right.clone();
            text[at] = if text[at] == b'7' { b'8' } else { b'7' };
            assert!(!iban(std::str::from_utf8(&text).unwrap()), "{example}, character {at}");
            let mut text = right.clone();
            if at > 4 && text[at] != text[at - 1] {
                text.swap(at, at - 1);
                assert!(!iban(std::str::from_utf8(&text).unwrap()), "{example}, swapped at {at}");
            }
        }
    }
}

#[test]
fn iban_refuses() {
    for text in [
        "",
        "D",
        "DE89",
        "ZZ89370400440532013000",
        "US89370400440532013000",
        "DE8A370400440532013000",
        "DE89-3704-0044-0532-0130-00",
        "DE89370400440532013000\u{e9}",
        "ＤＥ89370400440532013000",
        "DE89370400440532013000DE89370400440532013000",
    ] {
        assert!(!iban(text), "{text:?}");
    }
}

#[test]
fn check_digits_outside_02_to_98_are_refused_even_if_the_remainder_is_right() {
    let mut tried = 0;
    for serial in 0..2000u32 {
        for check in ["00", "01", "99"] {
            let text = format!("DE{check}37040044{serial:010}");
            let right = remainder_97(text.as_bytes()[4..].iter().chain(&text.as_bytes()[..4])) == 1;
            tried += u32::from(right);
            assert!(!iban(&text), "{text}");
        }
    }
    assert!(tried > 0, "no number had such check digits");
}

#[test]
fn the_table_is_sorted_and_within_bounds() {
    assert!(IBAN_LENGTHS.is_sorted_by(|a, b| a.0 < b.0));
    assert!(
        IBAN_LENGTHS
            .iter()
            .all(|(c, n)| c.len() == 2 && (15..=IBAN_MAX).contains(&usize::from(*n)))
    );
}

#[test]
fn entropy_of_known_distributions() {
    let all_bytes: String = (0..=255u8).map(char::from).collect();
    let table = [
        ("", 0),
        ("a", 0),
        ("aaaaaaaa", 0),
        ("ab", 1000),
        ("aabb", 1000),
        ("aaab", 811),
        ("abc", 1585),
        ("abcd", 2000),
        ("aabc", 1500),
        ("0123456789abcdef", 4000),
        ("mississippi", 1823),
        ("\u{4e2d}\u{6587}", 1000),
        (&all_bytes, 8000),
    ];
    for (text, expected) in table {
        assert_eq!(entropy(text), expected, "{text:?}");
    }
}

#[test]
fn entropy_agrees_with_floating_point() {
    let mut seed = 1u64;
    for length in 1..400usize {
        let mut text = String::new();
        for _ in 0..length {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            text.push(char::from(b'!' + (seed >> 33) as u8 % (1 + (length % 90) as u8)));
        }
        let bits: f64 = ('!'..='~')
            .map(|c| text.matches(c).count() as f64 / length as f64)
            .filter(|share| *share > 0.0)
            .map(|share| -share * share.log2())
            .sum();
        let expected = bits * 1000.0;
        assert!((f64::from(entropy(&text)) - expected).abs() <= 0.501, "length {length}");
    }
}
