use std::ops::Range;

use super::super::{Event, Fault, Lexer, Limits, Sink, Token};
use super::{CONTENT, Random};

/// Tokens with adjacent texts joined.
#[derive(Default, Debug, PartialEq)]
struct Seen(Vec<(String, Range<u64>)>);

impl Sink for Seen {
    fn token(&mut self, token: Token<'_>) -> Result<(), Fault> {
        if let Event::Text(text) = token.event
            && let Some((last, raw)) = self.0.last_mut()
            && let Some(joined) = last.strip_prefix("Text ")
        {
            assert_eq!(raw.end, token.raw.start, "texts of one string touch");
            *last = format!("Text {joined}{text}");
            raw.end = token.raw.end;
            return Ok(());
        }
        let name = match token.event {
            Event::Text(text) => format!("Text {text}"),
            Event::Key(name) => format!("Key {name}"),
            Event::Scalar(text) => format!("Scalar {text}"),
            other => format!("{other:?}"),
        };
        self.0.push((name, token.raw));
        Ok(())
    }
}

fn lex(input: &[u8], cuts: &[usize]) -> Result<Seen, Fault> {
    let mut lexer = Lexer::new(Limits { depth: 8, key: 16, number: 20, keys: 8 });
    let mut seen = Seen::default();
    let mut at = 0;
    for &cut in cuts.iter().chain([&input.len()]) {
        lexer.feed(&input[at..cut], at as u64, &mut seen)?;
        at = cut;
    }
    lexer.end(at as u64, &mut seen)?;
    Ok(seen)
}

fn kind(fault: Fault) -> &'static str {
    match fault {
        Fault::Syntax { .. } => "syntax",
        Fault::Ambiguous { .. } => "ambiguous",
        Fault::Limit { .. } => "limit",
    }
}

#[test]
fn verdicts_are_the_same_at_every_cut() {
    for (input, expected) in [
        ("{}", "good"),
        (" [1, -0.5e+3, true, null, \"\"] \n", "good"),
        ("\"a\\u00e9\\ud83d\\ude00é😀\\n\"", "good"),
        ("0", "good"),
        ("{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":2}]}", "good"),
        ("", "syntax"),
        ("{", "syntax"),
        ("[1,]", "syntax"),
        ("{\"a\":1,}", "syntax"),
        ("{a:1}", "syntax"),
        ("{'a':1}", "syntax"),
        ("[1 2]", "syntax"),
        ("[01]", "syntax"),
        ("[+1]", "syntax"),
        ("[.5]", "syntax"),
        ("[1.]", "syntax"),
        ("[1e]", "syntax"),
        ("[NaN]", "syntax"),
        ("[-Infinity]", "syntax"),
        ("[tru]", "syntax"),
        ("[truex]", "syntax"),
        ("// c\n1", "syntax"),
        ("\"a\nb\"", "syntax"),
        ("\"\\x\"", "syntax"),
        ("\"\\u12g4\"", "syntax"),
        ("]", "syntax"),
        ("{]", "syntax"),
        ("[}", "syntax"),
        ("{} {}", "ambiguous"),
        ("1 2", "ambiguous"),
        ("{\"a\":1,\"a\":2}", "ambiguous"),
        ("{\"a\":1,\"\\u0061\":2}", "ambiguous"),
        ("[{\"b\":1,\"a\":{},\"b\":2}]", "ambiguous"),
        ("\u{feff}{}", "ambiguous"),
        ("\"\\ud83d\"", "ambiguous"),
        ("\"\\ude00\"", "ambiguous"),
        ("\"\\ud83dx\"", "ambiguous"),
        ("\"\\ud83d\\n\"", "ambiguous"),
        ("\"\\ud83d\\ud83d\"", "ambiguous"),
        ("[[[[[[[[[]]]]]]]]]", "limit"),
        ("{\"aaaaaaaaaaaaaaaaa\":1}", "limit"),
        ("[111111111111111111111]", "limit"),
    ] {
        let bytes = input.as_bytes();
        let bytewise: Vec<usize> = (1..bytes.len()).collect();
        let whole = lex(bytes, &[]);
        let word = whole.as_ref().map_or_else(|f| kind(*f), |_| "good");
        assert_eq!(word, expected, "{input:?} {whole:?}");
        for cuts in (1..bytes.len()).map(|c| vec![c]).chain([bytewise]) {
            let cut = lex(bytes, &cuts);
            match (&whole, &cut) {
                (Ok(whole), Ok(cut)) => assert_eq!(whole, cut, "{input:?} {cuts:?}"),
                (Err(whole), Err(cut)) => {
                    assert_eq!(kind(*whole), kind(*cut), "{input:?} {cuts:?}")
                }
                other => panic!("{input:?} {cuts:?} {other:?}"),
            }
        }
    }
}

#[test]
fn bytes_that_are_no_text() {
    for bytes in [&b"\"\xff\""[..], b"\"\xc0\xaf\"", b"\"\xed\xa0\x80\"", b"\"\xe4\xb8\"", b"\xff"]
    {
        for cut in 0..bytes.len() {
            assert!(lex(bytes, &[cut]).is_err(), "{bytes:?} cut at {cut}");
        }
    }
}

#[test]
fn a_fault_stays() {
    let mut lexer = Lexer::new(Limits::default());
    let fault = lexer.feed(b"[x", 0, &mut Seen::default()).unwrap_err();
    assert_eq!(lexer.feed(b"1]", 2, &mut Seen::default()), Err(fault));
    assert_eq!(lexer.end(4, &mut Seen::default()), Err(fault));
    lexer.reset();
    assert_eq!(lexer.feed(b"[1]", 0, &mut Seen::default()), Ok(()));
}

#[test]
fn strings_are_what_serde_json_reads() {
    let mut random = Random(7);
    for _ in 0..2000 {
        let content: String = (0..random.below(12)).map(|_| random.pick(&CONTENT)).collect();
        let literal = format!("\"{content}\"");
        let expected: String = serde_json::from_str(&literal).unwrap();
        let cut = random.below(literal.len());
        let seen = lex(literal.as_bytes(), &[cut]).unwrap();
        let text: Vec<_> =
            seen.0.iter().filter_map(|(t, r)| Some((t.strip_prefix("Text ")?, r))).collect();
        match text.as_slice() {
            [] => assert_eq!(expected, ""),
            [(text, raw)] => {
                assert_eq!(*text, expected, "{literal}");
                assert_eq!(**raw, 1..literal.len() as u64 - 1, "{literal}");
            }
            more => panic!("{literal}: {more:?}"),
        }
    }
}

#[test]
fn mutations_are_judged_as_serde_json_does_or_stricter() {
    let seed = r#"{"a":[1,-2.5e3,true,null,"x\u0041\n"],"b":{"c":"d"},"e":""}"#;
    let mut random = Random(99);
    let mut rejected = 0;
    for _ in 0..20_000 {
        let mut bytes = seed.as_bytes().to_vec();
        for _ in 0..=random.below(2) {
            let at = random.below(bytes.len());
            match random.below(3) {
                0 => bytes[at] = b"{}[]\",:\\u01ax- \n\xff"[random.below(17)],
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, b"{}[]\",:\\u01ax- \n\xc3"[random.below(17)]),
            }
        }
        let theirs = serde_json::from_slice::<serde_json::Value>(&bytes).is_ok();
        let ours = lex(&bytes, &[random.below(bytes.len())]);
        match ours {
            Ok(_) => assert!(theirs, "{}", String::from_utf8_lossy(&bytes)),
            Err(fault) if theirs => {
                assert_ne!(kind(fault), "syntax", "{} {fault:?}", String::from_utf8_lossy(&bytes));
                rejected += 1;
            }
            Err(_) => {}
        }
    }
    assert!(rejected > 0, "no duplicate was ever made");
}

#[test]
fn a_member_that_stands_twice_is_found_among_few_and_many() {
    for count in [2, 15, 16, 17, 40, 1000] {
        for twin in [0, count / 3, count - 2] {
            let member = |at: usize| format!("\"m{at}\":{at}");
            let once: Vec<String> = (0..count).map(member).collect();
            let twice: Vec<String> =
                (0..count).map(|at| member(if at == count - 1 { twin } else { at })).collect();
            let read = |members: &[String]| {
                let body = format!("{{{}}}", members.join(","));
                let mut lexer = Lexer::new(Limits::default());
                lexer.feed(body.as_bytes(), 0, &mut Seen::default())
            };
            assert_eq!(read(&once), Ok(()), "{count} members");
            assert!(
                matches!(read(&twice), Err(Fault::Ambiguous { .. })),
                "{twin} of {count} twice"
            );
        }
    }
}
