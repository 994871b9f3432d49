//! Checks that tell a credential from what only stands in its place: a placeholder, a name, a word.

/// The fewest characters of a value that is judged by its disorder, if a rule says nothing else.
pub const LEAST: usize = 10;
/// From here on a value of letters alone may be judged.
const LETTERS: usize = 20;
/// Disorder in thousandths from which on a value is random: of 1,000 tokens of base 36 or 62 that are 16 characters long
/// less than 5 have less, of words and names nearly all.
const DISORDER: usize = 400;
/// The same of values shorter than [`SURE`].
const SHORT_DISORDER: usize = 500;
const SURE: usize = 16;
/// Different digits of a hexadecimal value at least.
const HEX_DIGITS: u32 = 6;

/// Letter pairs that make up 95 of 100 in English prose and code: for each first letter a bit for each second one.
/// Counted in this project's own files.
const PAIRS: [u32; 26] = [
    0x15ebd6e, 0x1104811, 0x11a4d91, 0x1044111, 0x1efb97d, 0x0126131, 0x0160110, 0x0084111,
    0x22ef87d, 0x0040010, 0x0040110, 0x11c4939, 0x010c113, 0x05c615d, 0x07efd2c, 0x01e4911,
    0x0100000, 0x11e715d, 0x05cc595, 0x11e4195, 0x00eb817, 0x0000111, 0x0026191, 0x088800c,
    0x00c0000, 0x0000010,
];

/// What parts of a value say that it stands for one, in lower case.
const PLACEHOLDERS: [&str; 17] = [
    "abc123",
    "example",
    "placeholder",
    "your_",
    "your-",
    "yourt",
    "yourk",
    "yoursecret",
    "changeme",
    "change-me",
    "change_me",
    "dummy",
    "redacted",
    "insert",
    "replace",
    "sample",
    "xxxx",
];
/// What a password has that is no password.
const NO_PASSWORDS: [&str; 22] = [
    "passw", "secret", "token", "test", "pass123", "user", "admin", "letmein", "qwerty", "default",
    "hello", "welcome", "foo", "demo", "none", "null", "true", "false", "env", "config", "getpass",
    "input",
];

/// How tokens begin that have rules of their own, which know better what they are: a value that has a name as well is
/// left to those.
const FORMS: [&str; 24] = [
    "sk-",
    "sk_live_",
    "rk_live_",
    "sk_test_",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "xapp-",
    "npm_",
    "pypi-",
    "hf_",
    "AKIA",
    "ASIA",
    "AIza",
    "SG.",
    "eyJhbGci",
    "eyJ0eXAi",
];
/// The fewest characters of such a token.
const FORM: usize = 20;

/// Whether the last six characters of a token are the CRC-32 of those before, behind its prefix, in base 62 (digits, upper
/// case, lower case): the form of tokens of GitHub and npm
/// (<https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/>).
pub fn crc32_base62(token: &str) -> bool {
    let body = token.split_once('_').map_or(token, |(_, body)| body).as_bytes();
    let Some((random, sum)) = body.split_last_chunk::<6>() else { return false };
    let mut left = crc32(random);
    let mut expected = [b'0'; 6];
    for slot in expected.iter_mut().rev() {
        let digit = u8::try_from(left % 62).unwrap_or_default();
        *slot = match digit {
            0..=9 => b'0'.saturating_add(digit),
            10..=35 => b'A'.saturating_add(digit.saturating_sub(10)),
            _ => b'a'.saturating_add(digit.saturating_sub(36)),
        };
        left /= 62;
    }
    !random.is_empty() && expected == *sum
}

/// CRC-32 as in ISO 3309 and gzip, bit by bit: tokens are short.
fn crc32(bytes: &[u8]) -> u32 {
    let shift = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |c, _| shift(c)))
}

/// The value in a match: what stands behind its last white space, quote, bracket, comma or sign of assignment. Padding
/// of base64 is none.
pub fn value(text: &str) -> &str {
    let quote = |c: char| c.is_whitespace() || "\"'`,(>|[{\\<;".contains(c);
    let text = text.trim_end_matches(|c| quote(c) || c == '@');
    let text = text.rsplit(quote).next().unwrap_or_default();
    let bare = text.trim_end_matches('=');
    match bare.rfind([':', '=']) {
        Some(at) => text.get(at.saturating_add(1)..).unwrap_or_default(),
        None => text,
    }
}

/// Whether the value in a match stands for another: it says so, or is one character or one row of neighbors for the
/// most part.
pub fn placeholder(text: &str) -> bool {
    let value = value(text);
    let lower = value.to_ascii_lowercase();
    if PLACEHOLDERS.iter().any(|word| lower.contains(word)) {
        return true;
    }
    let bytes = value.as_bytes();
    let (mut rows, mut same, mut run, mut most) = (0usize, 0usize, 1usize, 1usize);
    let mut step = None;
    for two in bytes.windows(2) {
        let [a, b] = *two else { continue };
        let next = b.wrapping_sub(a);
        run = if a == b { run.saturating_add(1) } else { 1 };
        most = most.max(run);
        same = same.saturating_add(usize::from(a == b));
        let wraps = (a, b) == (b'9', b'0');
        let row = (next == 1 || wraps) && a.is_ascii_alphanumeric() && b.is_ascii_alphanumeric();
        let goes_on = row && step == Some(true);
        rows = rows.saturating_add(if goes_on { 1 } else { 0 });
        step = Some(row);
    }
    let much = |count: usize| count.saturating_mul(2) >= bytes.len();
    bytes.len() > 3 && (much(rows) || much(same) || most.saturating_mul(3) >= bytes.len().max(18))
}

/// What a value is made of.
#[derive(Default)]
struct Makeup {
    length: usize,
    letters: usize,
    digits: usize,
    /// Neighbors of different kinds, a capital before a small letter left aside, and unusual letter pairs.
    odd: usize,
}

fn makeup(value: &str) -> Makeup {
    let mut makeup = Makeup::default();
    let mut previous = None;
    for byte in value.bytes() {
        makeup.length = makeup.length.saturating_add(1);
        makeup.letters = makeup.letters.saturating_add(usize::from(byte.is_ascii_alphabetic()));
        makeup.digits = makeup.digits.saturating_add(usize::from(byte.is_ascii_digit()));
        if let Some(before) = previous {
            makeup.odd = makeup.odd.saturating_add(odd(before, byte));
        }
        previous = Some(byte);
    }
    makeup
}

/// How unusual it is that `b` follows `a`: 0, 1 or 2.
fn odd(a: u8, b: u8) -> usize {
    let other = |byte: u8| !byte.is_ascii_alphanumeric();
    if other(a) || other(b) {
        return 0;
    }
    let letters = a.is_ascii_alphabetic() && b.is_ascii_alphabetic();
    let place = |byte: u8| byte.to_ascii_lowercase().wrapping_sub(b'a');
    let known = PAIRS.get(usize::from(place(a))).copied().unwrap_or_default();
    let unusual = letters && known >> (place(b) & 31) & 1 == 0;
    let kinds = if letters {
        a.is_ascii_lowercase() && b.is_ascii_uppercase()
    } else {
        a.is_ascii_digit() != b.is_ascii_digit()
    };
    usize::from(unusual).saturating_add(usize::from(kinds))
}

/// Words with which names of values end that are no secrets.
const OPEN_NAMES: [&str; 26] = [
    "hash",
    "sha1",
    "sha256",
    "md5",
    "digest",
    "checksum",
    "fingerprint",
    "thumbprint",
    "name",
    "version",
    "path",
    "file",
    "url",
    "uri",
    "size",
    "length",
    "index",
    "count",
    "type",
    "id",
    "ids",
    "keyid",
    "tokenid",
    "prefix",
    "audience",
    "issuer",
];

/// Whether a match names something that is no secret before its value: `key_id`, `tokenHash`, `credentialsId`.
fn names_no_secret(text: &str, value: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '~');
    let named = text.get(..text.rfind(value).unwrap_or_default()).unwrap_or_default();
    named.split(|c| !part(c)).any(|name| {
        let lower = name.to_ascii_lowercase();
        OPEN_NAMES.iter().any(|word| {
            let Some(stem) = lower.strip_suffix(word) else { return false };
            let next = name.as_bytes().get(stem.len());
            let begins = stem.is_empty() || stem.ends_with(['_', '-', '.']);
            let capital = next.is_some_and(u8::is_ascii_uppercase)
                && name.bytes().any(|byte| byte.is_ascii_lowercase());
            (begins || capital) && !stem.ends_with("secret_") && !lower.ends_with("secretid")
        })
    })
}

/// Whether the value in a match was made by chance: of `least` characters or more, hexadecimal, or in more disorder than
/// words and names have.
pub fn random(text: &str, least: usize) -> bool {
    let value = value(text).trim_end_matches(['.', '-', '_', '/']);
    let makeup = makeup(value);
    let code = value.starts_with(['$', '%', '&', '*', '@', '#']);
    if makeup.length < least
        || makeup.letters == 0
        || code
        || is_left_to_its_form(text, value)
        || names_no_secret(text, value)
        || placeholder(text)
    {
        return false;
    }
    if hexadecimal(value) >= SURE {
        return true;
    }
    let short = makeup.length < SURE;
    let letters = makeup.digits == 0;
    if letters && makeup.length < LETTERS {
        return false;
    }
    let bar = if short || letters { SHORT_DISORDER } else { DISORDER };
    makeup.odd.saturating_mul(1000) >= makeup.length.saturating_sub(1).saturating_mul(bar)
}

fn is_left_to_its_form(text: &str, value: &str) -> bool {
    let named = value.len() < text.len();
    named && value.len() >= FORM && FORMS.iter().any(|form| value.starts_with(form))
}

/// How many hexadecimal digits of one case end a value, hyphens left aside, if letters and numbers are among them and
/// enough different ones.
fn hexadecimal(value: &str) -> usize {
    let of = |lower: bool| {
        let fits = |b: &u8| match b {
            b'0'..=b'9' | b'-' | b'_' => true,
            b'a'..=b'f' => lower,
            b'A'..=b'F' => !lower,
            _ => false,
        };
        let tail = value.bytes().rev().take_while(fits);
        let digits = tail.filter_map(|b| char::from(b).to_digit(16));
        digits.fold((0usize, 0u16), |(n, seen), d| (n.saturating_add(1), seen | 1 << d))
    };
    let (count, seen) = of(true).max(of(false));
    let letters = (seen >> 10).count_ones();
    let mixed = letters > 1 && seen.count_ones() >= letters.saturating_add(2);
    if mixed && seen.count_ones() >= HEX_DIGITS { count } else { 0 }
}

/// Whether the value in a match may be a password that a person chose: letters with digits or signs, and no word that
/// documentation and code have in its place.
pub fn password(text: &str) -> bool {
    let value = value(text);
    let lower = value.to_ascii_lowercase();
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let sign = |b: &u8| b"!@#$%^&*?+~".contains(b);
    let signs = value.bytes().filter(sign).count();
    let code =
        value.contains("${") || value.contains("$(") || value.starts_with(['$', '%', '&', '*']);
    value.len() >= 6
        && letters >= 2
        && digits.saturating_add(signs) >= 1
        && !code
        && !is_left_to_its_form(text, value)
        && !names_no_secret(text, value)
        && !placeholder(text)
        && !NO_PASSWORDS.iter().any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_a_published_token_is_right_and_every_change_is_seen() {
        // Revoked tokens that documentation of the format shows.
        for token in ["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"] {
            assert!(crc32_base62(token), "{token}");
            for at in 4..token.len() {
                let mut other = token.as_bytes().to_vec();
                other[at] = if other[at] == b'a' { b'b' } else { b'a' };
                assert!(!crc32_base62(std::str::from_utf8(&other).unwrap()), "changed at {at}");
            }
        }
        for token in ["", "ghp_", "ghp_abc", "ghp_000000", "npm_0000000000"] {
            assert!(!crc32_base62(token), "{token}");
        }
    }

    #[test]
    fn crc32_has_the_check_value_of_its_catalogue() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn the_value_is_what_stands_last() {
        for (text, expected) in [
            ("ghp_abc", "ghp_abc"),
            ("api_key = \"abc\"", "abc"),
            ("API_KEY=YWJj==", "YWJj=="),
            ("token is abc", "abc"),
            ("://user:p4ss@", "p4ss"),
            ("<token>abc", "abc"),
            ("Password=a1!;", "a1!"),
            ("", ""),
            ("é=ü", "ü"),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn placeholders_are_told_from_values() {
        for text in [
            "key=xxxxxxxxxxxxxxxx",
            "AKIAIOSFODNN7EXAMPLE",
            "token: your-token-here1",
            "key=00000000000000000000",
            "abcdefghijklmnop",
            "api_key=0123456789abcdef",
            "sk_live_XXXXXXXXXXXXXXXXXXXXXXXX",
            "secret: ********",
            "pass=changeme123",
        ] {
            assert!(placeholder(text), "{text}");
        }
        for text in
            ["key=9f2c4e7a1b8d3f60", "hvb.AAAAAQK9xLmWvTqRtNcPbJdYs8HfGa3", "n5YcK2pZw8", ""]
        {
            assert!(!placeholder(text), "{text}");
        }
    }

    #[test]
    fn chance_is_told_from_words() {
        for text in [
            "key=9f2c4e7a1b8d3f6095ac7e2d",
            "key=9f2c4e7a-1b8d-4f60-95ac-7e2d4b8f1a3c",
            "token: kQ7mXv2RtKcZ8bNw",
            "secret 'n5yck2pzw8rt'",
            "secret=qzkvbwjxhpfgmdtrlcny",
            "key = kqmXvRtKcZbNwJyHdFsGaUe",
        ] {
            assert!(random(text, LEAST), "{text}");
        }
        for text in [
            "key: primary-button-large-2",
            "token=getAccessTokenFromCookie2",
            "secret_name = 'database-credentials-v2'",
            "key_id = '9f2c4e7a1b8d3f6095ac7e2d'",
            "token_hash: 9f2c4e7a1b8d3f6095ac7e2d",
            "key=12345678901234567890",
            "key=20240131T120000",
            "token: n5Yc",
            "secret=internationalization",
            "",
        ] {
            assert!(!random(text, LEAST), "{text}");
        }
        assert!(!random("key: kQ7mXv2RtKcZ8bNw", 20));
    }

    #[test]
    fn passwords_are_told_from_code_and_words() {
        for text in ["password='j7!Zebra'", "pwd: Winter2019!", "://u:n0t%40guess@"] {
            assert!(password(text), "{text}");
        }
        for text in [
            "password='password123'",
            "password: secret123",
            "password = ${DB_PASSWORD1}",
            "password=changeme1",
            "password: string",
            "password_hash='j7!Zebra'",
            "pwd=ab1",
        ] {
            assert!(!password(text), "{text}");
        }
    }

    #[test]
    fn tokens_with_rules_of_their_own_are_left_to_those() {
        let named = |value: &str| format!("token: {value}");
        assert!(!random(&named("glpat-x8Kd93bTqLmZ0vRc71Ny"), LEAST));
        assert!(random(&named("glpot-x8Kd93bTqLmZ0vRc71Ny"), LEAST));
        assert!(random(&named("hf_x8Kd93bTqL"), LEAST), "too short to be one");
    }
}
