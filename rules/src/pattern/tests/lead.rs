use super::*;

#[test]
fn tells_how_far_to_walk_back() {
    let email = r"\b[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,255}\.[A-Za-z]{2,24}\b";
    // Pattern, literal, and before it: the class (empty for none) and the most characters.
    type Before = Option<(&'static str, Option<usize>)>;
    let table: [(&str, &str, Before); 29] = [
        (email, "@", Some(("[A-Za-z0-9._%+-]", Some(64)))),
        (r"[a-z]{1,64}@x", "@x", Some(("[a-z]", Some(64)))),
        (r"([a-z]{1,64})@", "@", Some(("[a-z]", Some(64)))),
        (r"[a-z]+@", "@", Some(("[a-z]", None))),
        (r"[a-z][a-z0-9.]{0,63}@", "@", Some(("[a-z0-9.]", Some(64)))),
        (r"[a-z]{1,9}(\.[a-z]{1,9}){0,2}@", "@", Some(("[a-z.]", Some(29)))),
        (r"[a-z]+(\.[a-z]+)*@", "@", Some(("[a-z.]", None))),
        (r"(ab|[cd]{3})?key", "key", Some(("[a-d]", Some(3)))),
        (r"[a-z]{1,5}(@|\(at\))", "@", Some(("[a-z]", Some(5)))),
        (r"[a-z]{1,5}(@|\(at\))", "(at)", Some(("[a-z]", Some(5)))),
        (r"[a-z]{1,5} ?(@|at)", "@", Some(("[a-z ]", Some(6)))),
        (r"[a-z]{1,5}(@|x@)", "@", Some(("[a-z]", Some(6)))),
        (r"(?i)[a-z]{1,5}Token", "token", Some(("[A-Za-z]", Some(5)))),
        (r"x{2}[Tt]OKEN", "token", Some(("x", Some(2)))),
        (r"\w{1,4}-key", "-KEY", Some((r"\w", Some(4)))),
        (r"\d{1,3}colou?r", "color", Some((r"\d", Some(3)))),
        (r"\d{1,3}é", "é", Some((r"\d", Some(3)))),
        ("AKIA[A-Z0-9]{16}", "AKIA", Some(("", Some(0)))),
        (r"eyJ\w+\.eyJ\w+", "eyj", Some(("", Some(0)))),
        (r"project\s+bluebird(-\d{1,3})?", "project bluebird", Some(("", Some(0)))),
        (r"a@b@", "@", Some(("a", Some(1)))),
        (r"(a@){2}", "@", Some(("a", Some(1)))),
        (r"a@?b@", "@", Some(("[ab@]", Some(3)))),
        (r"a@*b@", "@", Some(("[ab@]", None))),
        // Another way on lies beside the first place, so that the second counts too.
        (r"a(@|b)c@", "@", Some(("[abc]", Some(3)))),
        (r"[a-z]{3,10}token", "oken", Some(("[a-z]", Some(11)))),
        (r"\w{3,10}", "token", None),
        (r"[a-z]{1,5}@", "#", None),
        (r"[a-z]{1,5}@", "", None),
    ];
    for (pattern, literal, expected) in table {
        let expected = expected.map(|(class, max)| Lead {
            class: if class.is_empty() { Class::default() } else { Class::parse(class).unwrap() },
            max,
        });
        assert_eq!(program(pattern).lead(literal), expected, "{pattern:?} and {literal:?}");
    }
}

#[test]
fn an_intricate_pattern_is_given_up_in_time() {
    let pattern = "a?".repeat(2000);
    assert_eq!(program(&pattern).lead("ab"), None);
    assert_eq!(program(&pattern).lead(&"a".repeat(64)), None);
}

/// From every occurrence of the literal the way back reaches the start of the match around it.
#[test]
fn walking_back_finds_every_start() {
    let table = [
        (r"[a-z]{1,4}(@|x@)y", "@", "abcdx@y abcd@y x@y abcdex@y @y"),
        (r"a(@|b)c@", "@", "a@c@ abc@ abca@c@"),
        (r"([a-b]@)+c", "@", "a@b@a@c"),
        (r"a@?b@", "@", "ab@ a@b@"),
        (r"(x(a|b))?xa", "xa", "xbxa xaxa xa"),
        (r"(x[ab])?xa", "xa", "xbxa xaxa xa"),
        (r"[a-z]{1,5}(@|\(at\))z", "@", "abcde@z ab(at)z@z"),
    ];
    for (pattern, literal, text) in table {
        let program = program(pattern);
        let lead = program.lead(literal).unwrap();
        let text: Vec<char> = text.chars().collect();
        let literal: Vec<char> = literal.chars().collect();
        for start in 0..text.len() {
            let mut threads = Threads::new();
            threads.start(&program, start as u64);
            for (at, &c) in text.iter().enumerate().skip(start) {
                threads.step(&program, None, c, at as u64, at as u64 + 1);
            }
            let Some((_, end)) = threads.best() else { continue };
            let inside = &text[start..end as usize];
            let Some(anchor) = inside.windows(literal.len()).position(|w| w == literal) else {
                continue;
            };
            let reached = lead.max.is_none_or(|max| anchor <= max)
                && inside[..anchor].iter().all(|c| lead.class.contains(*c));
            assert!(reached, "{pattern:?}: {inside:?} begins {anchor} before the literal");
        }
    }
}
