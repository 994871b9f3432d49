mod differential;
mod lead;
mod syntax;

use super::*;

pub(super) fn program(pattern: &str) -> Program {
    match Program::parse(pattern, &Options::default()) {
        Ok(program) => program,
        Err(error) => panic!("{pattern:?}: {error}"),
    }
}

/// The match of the text up to `length` characters, tried at every offset. Offsets count characters.
pub(super) fn find(program: &Program, text: &[char]) -> Option<(u64, u64)> {
    let mut threads = Threads::new();
    feed(program, &mut threads, text, 0..text.len());
    end(program, &threads, text)
}

/// Starts at and feeds every character of `range`.
pub(super) fn feed(
    program: &Program,
    threads: &mut Threads,
    text: &[char],
    range: std::ops::Range<usize>,
) {
    for at in range {
        let previous = at.checked_sub(1).map(|before| text[before]);
        threads.start(program, at as u64);
        threads.step(program, previous, text[at], at as u64, at as u64 + 1);
    }
}

/// What is matched if the text ends here.
pub(super) fn end(program: &Program, threads: &Threads, text: &[char]) -> Option<(u64, u64)> {
    let mut threads = threads.clone();
    threads.start(program, text.len() as u64);
    threads.finish(program, text.last().copied(), text.len() as u64);
    assert!(threads.is_dead(), "open behind the end of the text");
    threads.best()
}

fn check(pattern: &str, text: &str, expected: Option<(u64, u64)>) {
    let program = program(pattern);
    let text: Vec<char> = text.chars().collect();
    assert_eq!(find(&program, &text), expected, "{pattern:?} in {text:?}");
    for cut in 0..=text.len() {
        let mut before = Threads::new();
        feed(&program, &mut before, &text, 0..cut);
        let mut after = before.clone();
        feed(&program, &mut after, &text, cut..text.len());
        assert_eq!(end(&program, &after, &text), expected, "{pattern:?} in {text:?} cut at {cut}");
        if let Some(earliest) = before.earliest() {
            assert!(
                expected.is_none_or(|(start, _)| earliest <= start),
                "{pattern:?}, {text:?}, {cut}"
            );
        }
    }
}

#[test]
fn finds_the_leftmost_longest_match() {
    let table = [
        ("abc", "xabcabc", Some((1, 4))),
        ("a|ab|abc", "xabcd", Some((1, 4))),
        ("bcd|abcde", "xabcdx", Some((2, 5))),
        ("bcd|abcde", "xabcdex", Some((1, 6))),
        ("ab(cd)?", "abc", Some((0, 2))),
        ("a.c", "a\nc a\tc", Some((4, 7))),
        ("a.c", "a中c", Some((0, 3))),
        ("[a-c-]+", "x-b-d", Some((1, 4))),
        ("[^a-c]+", "abxyz中c", Some((2, 6))),
        (r"[\]\-\\^]+", r"a]-\^b", Some((1, 5))),
        (r"[\D]+", "12ab中3", Some((2, 5))),
        (r"[^\W\d]+", "12ab_-", Some((2, 5))),
        (r"\d{2,3}", "1 1234", Some((2, 5))),
        (r"\d{2,}", "1 1234", Some((2, 6))),
        (r"\d{2}", "1 1234", Some((2, 4))),
        (r"\d{0}x", "1x", Some((1, 2))),
        (r"(\d\d){2}", "12345", Some((0, 4))),
        (r"(ab){1,2}c", "abababc", Some((2, 7))),
        (r"(ab)*c", "abababc", Some((0, 7))),
        (r"(ab|c)+d", "xabccabd", Some((1, 8))),
        (r"(a*)*b", "aaab", Some((0, 4))),
        (r"(a|b*)+c", "abbac", Some((0, 5))),
        (r"(?:)*a", "ba", Some((1, 2))),
        (r"(|a)b", "ab", Some((0, 2))),
        (r"\x41\u{4E2D}\u{1F600}", "A中😀", Some((0, 3))),
        (r"\/\.\-\{\}\n\t\r\_\@", "/.-{}\n\t\r_@", Some((0, 10))),
        (r"}]", "}]", Some((0, 2))),
        (r"\s+", "a \t\u{a0}\u{3000}\u{b}b", Some((1, 6))),
        (r"\S+", "\u{a0}é\u{3000}", Some((1, 2))),
        (r"\w+", "éab_9é", Some((1, 5))),
        (r"\d+", "٣4", Some((1, 2))),
        ("(?i)aBc[x-z]", "xAbCY", Some((1, 5))),
        ("(?i)[^a]b", "Ab xB", Some((3, 5))),
        ("(?i)é", "É", None),
        ("(?i)k", "\u{212a}", None),
        (r"\bcat\b", "concat cat", Some((7, 10))),
        (r"\bcat\b", "cat", Some((0, 3))),
        (r"\bcat\b", "cats écaté", Some((6, 9))),
        (r"\Bcat\B", "cat concat concats", Some((14, 17))),
        (r"a\b", "aa", Some((1, 2))),
        (r"a\B", "a", None),
        (r"\b\w+\b ?\b", "ab cd", Some((0, 3))),
        (r"(\b)*a(\b|b)+", "abab", Some((0, 2))),
        (r"(\b|x)+y", "xxy", Some((0, 3))),
        (r"\bb", "a_b éb", Some((5, 6))),
        (r"a{2,2}", "aaa", Some((0, 2))),
        (r"\b{2}a", " a", Some((1, 2))),
        (r"a\bb", "ab", None),
        (r"AKIA[A-Z0-9]{16}", "xAKIAIOSFODNN7EXAMPLE.", Some((1, 21))),
        (r"AKIA[A-Z0-9]{16}\b", "AKIAIOSFODNN7EXAMPLEX", None),
        (r"\b[A-Z]{3,24}\b-[0-9]{4}", "x ABCD-1234", Some((2, 11))),
    ];
    for (pattern, text, expected) in table {
        check(pattern, text, expected);
    }
}

#[test]
fn says_when_a_match_is_open_complete_or_dead() {
    // After each character: open (o) or dead (x), and the end of the match so far.
    type State = (char, Option<u64>);
    let table: [(&str, &str, &[State]); 7] = [
        ("abc", "abc", &[('o', None), ('o', None), ('x', Some(3))]),
        ("abc", "abd", &[('o', None), ('o', None), ('x', None)]),
        ("ab(cd)?", "abce", &[('o', None), ('o', Some(2)), ('o', Some(2)), ('x', Some(2))]),
        ("a+", "aa.", &[('o', Some(1)), ('o', Some(2)), ('x', Some(2))]),
        (r"ab\b", "ab.", &[('o', None), ('o', None), ('x', Some(2))]),
        (r"ab\b", "abc", &[('o', None), ('o', None), ('x', None)]),
        (r"a{2,3}", "aaa", &[('o', None), ('o', Some(2)), ('x', Some(3))]),
    ];
    for (pattern, text, expected) in table {
        let program = program(pattern);
        let text: Vec<char> = text.chars().collect();
        let mut threads = Threads::new();
        assert!(threads.is_dead() && threads.earliest().is_none());
        threads.start(&program, 0);
        for (at, &(state, match_end)) in expected.iter().enumerate() {
            let previous = at.checked_sub(1).map(|before| text[before]);
            threads.step(&program, previous, text[at], at as u64, at as u64 + 1);
            let got = (if threads.is_dead() { 'x' } else { 'o' }, threads.best().map(|m| m.1));
            assert_eq!(got, (state, match_end), "{pattern:?} in {text:?} behind {at}");
        }
    }
}

#[test]
fn offsets_are_the_callers() {
    let program = program("中+");
    let mut threads = Threads::new();
    threads.start(&program, 1000);
    threads.step(&program, None, '中', 1000, 1003);
    threads.step(&program, Some('中'), '中', 1003, 1012);
    assert_eq!(threads.best(), Some((1000, 1012)));
}

#[test]
fn a_match_ends_where_its_last_character_does() {
    for (pattern, next) in
        [("ab", Some(' ')), (r"ab\b", Some(' ')), (r"ab\B", Some('c')), (r"ab\b", None)]
    {
        let program = program(pattern);
        let mut threads = Threads::new();
        threads.start(&program, 1);
        threads.step(&program, None, 'a', 1, 2);
        threads.step(&program, Some('a'), 'b', 4, 5);
        match next {
            Some(next) => threads.step(&program, Some('b'), next, 8, 9),
            None => threads.finish(&program, Some('b'), 8),
        }
        assert_eq!(threads.best(), Some((1, 5)), "{pattern:?} before {next:?}");
    }
}

#[test]
fn an_empty_match_lies_at_its_start() {
    let program = program(r"\b");
    let mut threads = Threads::new();
    threads.step(&program, None, 'a', 1, 2);
    threads.start(&program, 5);
    threads.step(&program, Some('a'), '.', 5, 6);
    assert_eq!(threads.best(), Some((5, 5)));
    threads.clear();
    threads.start(&program, 0);
    threads.step(&program, None, 'a', 0, 1);
    assert_eq!(threads.best(), Some((0, 0)), "an offset from before it was cleared");
}

#[test]
fn it_can_begin_anew_at_once() {
    let program = program("a");
    let mut threads = Threads::new();
    threads.start(&program, 0);
    threads.clear();
    assert!(threads.start(&program, 0) && !threads.is_dead());
}

#[test]
fn a_match_drops_what_began_later() {
    let program = program("ab|bcd");
    let text: Vec<char> = "ab".chars().collect();
    let mut threads = Threads::new();
    feed(&program, &mut threads, &text, 0..2);
    assert_eq!((threads.best(), threads.is_dead()), (Some((0, 2)), true));
}

#[test]
fn a_match_before_the_anchor_shuts_out_none_around_it() {
    let program = program(r"[a-z]{1,9}@[a-z]{1,9}\.org");
    let text: Vec<char> = "ab@cd.org, ef@gh.org".chars().collect();
    let table = [
        (0, Some((0, 9))),
        (9, Some((0, 9))),
        (10, Some((11, 20))),
        (14, Some((11, 20))),
        (21, None),
    ];
    for (least_end, expected) in table {
        let mut threads = Threads::new();
        threads.reach_at_least(least_end);
        feed(&program, &mut threads, &text, 0..text.len());
        assert_eq!(end(&program, &threads, &text), expected, "reaching {least_end}");
    }
}

#[test]
fn a_known_match_shuts_out_later_starts() {
    let program = program(r"ab(\w+!)?");
    let text: Vec<char> = "abxxab yy".chars().collect();
    let mut threads = Threads::new();
    feed(&program, &mut threads, &text, 0..4);
    assert!(!threads.start(&program, 4), "a later start began");
    feed(&program, &mut threads, &text, 4..7);
    assert!(threads.is_dead());
    assert_eq!(threads.best(), Some((0, 2)));
    threads.clear();
    assert!(threads.is_dead() && threads.best().is_none() && threads.earliest().is_none());
    feed(&program, &mut threads, &text, 2..7);
    assert_eq!(threads.best(), Some((4, 6)));
}

#[test]
fn an_earlier_start_that_matches_later_wins() {
    let program = program("abcde|c");
    let text: Vec<char> = "abcde".chars().collect();
    let mut threads = Threads::new();
    feed(&program, &mut threads, &text, 0..3);
    assert_eq!((threads.best(), threads.earliest()), (Some((2, 3)), Some(0)));
    feed(&program, &mut threads, &text, 3..5);
    assert_eq!((threads.best(), threads.earliest()), (Some((0, 5)), Some(0)));
}

#[test]
fn tells_the_class_of_an_endless_repeat() {
    let table = [
        (r"key=[a-f]+", "key=ab", Some("[a-f]")),
        (r"key=[a-f]{3,}", "key=ab", None),
        (r"key=[a-f]{3,}", "key=abc", Some("[a-f]")),
        (r"key=[a-f]{2,9}", "key=abc", None),
        (r"eyJ\w+\.[a-f]+", "eyJab", Some(r"\w")),
        (r"eyJ\w+\.[a-f]+", "eyJab.", None),
        (r"eyJ\w+\.[a-f]+", "eyJab.a", Some("[a-f]")),
        (r"a+", "aa", Some("a")),
        (r"(ab)+", "abab", None),
        (r"a[b-c]*d*", "abb", Some("[b-c]")),
        (r"(?i)x[a-b]*", "xA", Some("[a-bA-B]")),
    ];
    for (pattern, text, expected) in table {
        let program = program(pattern);
        let text: Vec<char> = text.chars().collect();
        let mut threads = Threads::new();
        threads.start(&program, 0);
        for (at, &c) in text.iter().enumerate() {
            threads.step(&program, None, c, at as u64, at as u64 + 1);
        }
        let expected = expected.map(|class| Class::parse(class).unwrap());
        assert_eq!(threads.looping_class(&program), expected.as_ref(), "{pattern:?} in {text:?}");
    }
}

#[test]
fn work_stays_within_the_program_whatever_arrives() {
    for pattern in [
        r"(a?){50}a{50}",
        r"(a*)*b",
        r"(a|aa)+b",
        r"(\b|a|a*)+b",
        r"[a-z]{0,255}!",
        r".{0,100}.{0,100}x",
    ] {
        let program = program(pattern);
        let text = ['a'; 600];
        let most = 3 * program.len() as u32 + 3;
        let mut threads = Threads::new();
        let mut total = 0;
        for at in 0..text.len() {
            feed(&program, &mut threads, &text, at..at + 1);
            let cost = threads.cost();
            total += cost;
            assert!(cost <= most, "{pattern:?} cost {cost} at {at}, most is {most}");
            assert_eq!(threads.cost(), 0, "cost is not reset");
        }
        assert!(total >= 100, "{pattern:?} cost nothing");
    }
}

#[test]
fn a_counted_class_is_one_thread() {
    let program = program("AKIA[A-Z0-9]{16,255}");
    let text: Vec<char> = format!("AKIA{}", "Q7".repeat(100)).chars().collect();
    let mut threads = Threads::new();
    threads.start(&program, 0);
    for (at, &c) in text.iter().enumerate() {
        threads.step(&program, None, c, at as u64, at as u64 + 1);
    }
    let each = threads.cost() / text.len() as u32;
    assert!(each <= 3, "{each} visits a character");
    assert_eq!(threads.best(), Some((0, 204)));
}
