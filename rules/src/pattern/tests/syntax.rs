use super::super::program::Inst;
use super::*;

#[test]
fn refuses_with_place_reason_and_cure() {
    // Pattern, place, a word of the reason, a word of the cure.
    let table = [
        ("a^b", 1, "`^`", r"\^"),
        ("ab$", 2, "`$`", r"\b"),
        ("a*?", 2, "lazy", "leave out"),
        ("a??", 2, "lazy", "leave out"),
        ("a{2,3}?", 6, "lazy", "leave out"),
        ("a++", 2, "possessive", "leave out"),
        ("a**", 2, "repeated", "(?:..)"),
        ("a{2}{3}", 4, "repeated", "(?:..)"),
        ("*a", 0, "nothing to repeat", r"\*"),
        ("(+)", 1, "nothing to repeat", r"\+"),
        ("a|?", 2, "nothing to repeat", r"\?"),
        ("{2}", 0, "nothing to repeat", r"\{"),
        ("a{", 1, "not a repeat", r"\{"),
        ("a{,3}", 1, "not a repeat", "{n,m}"),
        ("a{2,x}", 1, "not a repeat", "{n,m}"),
        ("a{3,2}", 1, "below", "smaller"),
        ("a{1001}", 2, "above 1000", "maxLength"),
        ("a{99999999999999999999}", 2, "above 1000", "maxLength"),
        ("(ab", 0, "never closed", "`)`"),
        ("ab)", 2, "closes no group", r"\)"),
        ("(?=a)", 0, "look-around", r"\b"),
        ("x(?!a)", 1, "look-around", r"\b"),
        ("(?<=a)", 0, "look-around", r"\b"),
        ("(?<!a)", 0, "look-around", r"\b"),
        ("(?<n>a)", 0, "named groups", "(..)"),
        ("(?P<n>a)", 0, "named groups", "(..)"),
        ("(?>a)", 0, "atomic", "(?:..)"),
        ("(?#a)", 0, "comments", "description"),
        ("a(?i)b", 1, "flags", "very start"),
        ("(?i:b)", 0, "flags", "very start"),
        ("(?s).", 0, "flags", "very start"),
        ("(?", 0, "flags", "very start"),
        ("[ab", 0, "never closed", r"\["),
        ("[a-", 0, "never closed", r"\["),
        ("[]", 0, "empty", r"\]"),
        ("[^]", 0, "empty", r"\]"),
        ("[]a]", 0, "empty", r"\]"),
        ("[z-a]", 1, "below", "swap"),
        (r"[\d-z]", 3, "both sides", r"\-"),
        (r"[a-\d]", 2, "both sides", r"\-"),
        ("[[:alpha:]]", 1, "named classes", r"\w"),
        ("[a-z&&b]", 4, "intersected", "once"),
        (r"[\b]", 1, "word boundary", "outside"),
        (r"[^\d\D]", 0, "no character", "leave"),
        (r"(a)\1", 3, "back-references", "write"),
        (r"\k<a>", 0, "back-references", "write"),
        (r"\Aa", 0, r"`\A`", r"\b"),
        (r"a\z", 1, r"`\z`", r"\b"),
        (r"\pL", 0, "Unicode", "class"),
        (r"\q", 0, r"`\q`", "write q"),
        (r"\0", 0, r"`\0`", r"\u{"),
        ("a\\", 1, "backslash", r"\\"),
        (r"\x4", 0, "two hexadecimal", r"\xHH"),
        (r"\xg0", 0, "two hexadecimal", r"\xHH"),
        (r"\u0041", 0, "in braces", r"\u{HEX}"),
        (r"\u{}", 0, "in braces", r"\u{HEX}"),
        (r"\u{D800}", 0, "in braces", r"\u{HEX}"),
        (r"\u{110000}", 0, "in braces", r"\u{HEX}"),
        (r"\u{FFFFFFFFFF}", 0, "in braces", r"\u{HEX}"),
        ("é中a{4097}", 4, "above 1000", "maxLength"),
        ("(a{1000}){5}", 9, "4096 instructions", "lower"),
        ("((((a{10}){10}){10}){10}){1000}", 20, "4096 instructions", "lower"),
    ];
    for (pattern, at, why, cure) in table {
        match Program::parse(pattern, &Options::default()) {
            Ok(_) => panic!("{pattern:?} was taken"),
            Err(error) => {
                assert_eq!(error.at, at, "{pattern:?}: {error}");
                assert!(error.why.contains(why), "{pattern:?}: {error}");
                assert!(error.cure.contains(cure), "{pattern:?}: {error}");
                assert!(error.to_string().contains(&format!("at character {at}: ")), "{error}");
            }
        }
    }
}

#[test]
fn limits_hold() {
    let nested = |depth| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    let options = |max_instructions| Options { max_instructions, ..Options::default() };
    let empty = |depth| format!("{}{}", "(".repeat(depth), "){1000}".repeat(depth));
    let table = [
        (nested(MAX_DEPTH), 4096, true),
        (nested(MAX_DEPTH + 1), 4096, false),
        ("a".repeat(MAX_PATTERN_CHARS), usize::MAX, true),
        ("a".repeat(MAX_PATTERN_CHARS + 1), usize::MAX, false),
        ("a".repeat(MAX_PATTERN_CHARS), 4096, false),
        ("[a-z]{99}".into(), 100, true),
        ("[a-z]{100}".into(), 100, false),
        ("(?:[a-z]{1000}){65}".into(), usize::MAX, true),
        ("(?:[a-z]{1000}){66}".into(), usize::MAX, false),
        // Nothing is written out for a repeat of nothing, however often.
        (empty(MAX_DEPTH), 4096, true),
        ("(((a|){1000}){1000}){1000}".into(), usize::MAX, false),
        ("a".into(), 0, false),
    ];
    for (pattern, limit, taken) in table {
        let head: String = pattern.chars().take(20).collect();
        assert_eq!(
            Program::parse(&pattern, &options(limit)).is_ok(),
            taken,
            "{head}, limit {limit}"
        );
    }
}

#[test]
fn lengths_firsts_and_sizes() {
    // Pattern, shortest and longest match, what one can begin with, only at a boundary, instructions.
    let table = [
        ("", 0, Some(0), "", false, 1),
        ("abc", 3, Some(3), "a", false, 4),
        ("a|bc", 1, Some(2), "ab", false, 6),
        ("(a|bc)?d", 1, Some(3), "abd", false, 8),
        ("a*b", 1, None, "ab", false, 3),
        ("a+b", 2, None, "a", false, 4),
        ("[ab]{2,5}c", 3, Some(6), "ab", false, 7),
        ("[ab]{0,255}", 0, Some(255), "ab", false, 256),
        ("(ab){2,3}", 4, Some(6), "a", false, 8),
        ("(ab)+", 2, None, "a", false, 4),
        ("(ab)*", 0, None, "a", false, 5),
        ("(ab){3,}", 6, None, "a", false, 8),
        (r"(\b)*", 0, Some(0), "", false, 4),
        (r"\b(a|b)", 1, Some(1), "ab", true, 6),
        (r"\ba|\bb", 1, Some(1), "ab", true, 7),
        (r"\ba|b", 1, Some(1), "ab", false, 6),
        (r"\Ba", 1, Some(1), "a", false, 3),
        (r"(x|\b)\Ba", 1, Some(2), "xa", false, 7),
    ];
    for (pattern, min, max, first, boundary, size) in table {
        let program = program(pattern);
        assert_eq!((program.min_len(), program.max_len()), (min, max), "{pattern:?}");
        assert_eq!(program.can_be_empty(), min == 0, "{pattern:?}");
        let found: String = ('\0'..='\u{7f}').filter(|c| program.first().contains(*c)).collect();
        let mut expected: Vec<char> = first.chars().collect();
        expected.sort_unstable();
        assert_eq!(found, expected.into_iter().collect::<String>(), "{pattern:?}");
        assert_eq!(program.first().boundary, boundary, "{pattern:?}");
        assert_eq!(program.len(), size, "{pattern:?}");
        assert!(program.memory() >= size * 8);
    }
    assert!(program("é|a").first().contains('é') && !program("a").first().contains('é'));
    assert!(program("(?i)a").first().contains('A'));
    assert_eq!(size_of::<Inst>(), 8);
}

#[test]
fn options_turn_case_off() {
    let options = Options { ignore_case: true, ..Options::default() };
    let program = Program::parse("Ab[C-D]{1,2}e?", &options).unwrap();
    let text: Vec<char> = "xaBcDE".chars().collect();
    assert_eq!(find(&program, &text), Some((1, 6)));
}

#[test]
fn a_class_on_its_own() {
    let table = [
        (r"[A-Za-z0-9+/=\s]", "Az9+/= \n\u{3000}", "-_.é"),
        (r"[^a-z]", "A1é\u{10FFFF}", "az"),
        (r"[^\u{80}-\u{3000}]", "a\u{7f}\u{3001}\u{10FFFF}", "\u{80}é\u{3000}"),
        (r"[^\u{80}-\u{10FFFE}]", "a\u{10FFFF}", "\u{80}\u{10FFFE}"),
        (r"[а-яё]", "аяё", "Аaб\u{451}\u{450}"),
        (r"\w", "aZ_0", "-é"),
        (".", "aé\r", "\n"),
        (r"\.", ".", "a"),
        ("{", "{", "}"),
        ("é", "é", "e"),
        ("[[(*.]", "[(*.", "])"),
        ("[+--]", "+,-", "*."),
        ("[a-c-e]", "abc-e", "d"),
        (r"[\x00-\x1F\x7F]", "\0\u{1f}\u{7f}", " "),
    ];
    for (source, inside, outside) in table {
        let class = Class::parse(source).unwrap();
        for c in inside.chars() {
            assert!(class.contains(c), "{source} lacks {c:?}");
        }
        for c in outside.chars().filter(|c| !inside.contains(*c)) {
            let listed = source == r"[а-яё]" && c == 'б';
            assert_eq!(class.contains(c), listed, "{source} and {c:?}");
        }
    }
    let same =
        [(r"[а-вг-д]", "[а-д]"), ("[дгвба]", "[а-д]"), ("[б-да-в]", "[а-д]"), (r"\.", "[.]")];
    for (one, other) in same {
        assert_eq!(Class::parse(one), Class::parse(other), "{one} and {other}");
    }
    for source in ["", "ab", "[a]b", "[a]+", "[a", r"\b", "(a)", r"[a]|b"] {
        assert!(Class::parse(source).is_err(), "{source} was taken");
    }
}
