use std::ops::Range;

use super::super::{Arguments, Layers, Piece, Units};
use super::{CONTENT, Random};

/// Texts and bare words, joined, with their ranges; strings marked by a quote.
fn texts(input: &str, cuts: &[usize]) -> Vec<(String, Range<u64>)> {
    let mut arguments = Arguments::default();
    let mut seen: Vec<(String, Range<u64>)> = Vec::new();
    let mut fresh = true;
    let mut sink = |piece: Piece<'_>, at: Range<u64>| match piece {
        Piece::Text(text) | Piece::Bare(text) => {
            if fresh {
                let mark = if matches!(piece, Piece::Text(_)) { "\"" } else { "" };
                seen.push((mark.to_owned(), at.start..at.start));
                fresh = false;
            }
            let (joined, range) = seen.last_mut().unwrap();
            assert_eq!(range.end, at.start, "pieces touch: {input:?} {cuts:?}");
            joined.push_str(text);
            range.end = at.end;
        }
        Piece::TextEnd | Piece::BareEnd => fresh = true,
    };
    let mut at = 0;
    for &cut in cuts.iter().chain([&input.len()]) {
        arguments.feed(&input[at..cut], at as u64, &mut sink);
        at = cut;
    }
    arguments.end(&mut sink);
    seen
}

fn cuts(input: &str) -> Vec<Vec<usize>> {
    let places: Vec<usize> = (1..input.len()).filter(|i| input.is_char_boundary(*i)).collect();
    places.iter().map(|c| vec![*c]).chain([places.clone()]).collect()
}

#[test]
fn every_text_is_shown() {
    for (input, expected) in [
        (r#"{"a":"b c","n":12}"#, vec!["\"a", "\"b c", "\"n", "12"]),
        (r#"["x\ny","\u0041","\ud83d\ude00"]"#, vec!["\"x\ny", "\"A", "\"😀"]),
        (r#"{"a": tru, 'b': x}"#, vec!["\"a", "tru", "'b'", "x"]),
        (r#""cut off"#, vec!["\"cut off"]),
        (r#""a\q\"#, vec!["\"aq\\"]),
        (r#""\u12zz""#, vec!["\"u12zz"]),
        (r#""\ud83dx""#, vec!["\"\u{fffd}x"]),
        (r#""\ud83d\n""#, vec!["\"\u{fffd}\n"]),
        (r#""\ud83d\u0041""#, vec!["\"\u{fffd}A"]),
        (r#""\ud83d\ud83d\ude00""#, vec!["\"\u{fffd}😀"]),
        (r#""\ud83d""#, vec!["\"\u{fffd}"]),
        (r#""\u"x"#, vec!["\"u", "x"]),
        (r#""\""#, vec!["\"\""]),
        ("AKIA in prose", vec!["AKIA", "in", "prose"]),
        ("", vec![]),
    ] {
        let whole = texts(input, &[]);
        let words: Vec<&str> = whole.iter().map(|(t, _)| t.as_str()).collect();
        assert_eq!(words, expected, "{input:?}");
        for cuts in cuts(input) {
            assert_eq!(texts(input, &cuts), whole, "{input:?} cut at {cuts:?}");
        }
    }
}

#[test]
fn texts_decode_as_their_ranges_do() {
    let broken = ["\\q", "\\u12", "\\ud83d", "\\ude00", "\\", "\"", ",", "\\u", "x"];
    let mut random = Random(5);
    for _ in 0..5000 {
        let mut input = String::from("{\"k\":\"");
        for _ in 0..random.below(8) {
            let piece =
                if random.below(3) == 0 { random.pick(&broken) } else { random.pick(&CONTENT) };
            input.push_str(piece);
        }
        let whole = texts(&input, &[]);
        for (text, range) in &whole {
            let raw = &input.as_bytes()[range.start as usize..range.end as usize];
            if let Some(text) = text.strip_prefix('"') {
                let decoded: String = Units::new(raw, Layers::Plain).map(|u| u.ch).collect();
                assert_eq!(decoded, *text, "{input:?}");
            } else {
                assert_eq!(raw, text.as_bytes(), "{input:?}");
            }
        }
        for cuts in cuts(&input) {
            assert_eq!(texts(&input, &cuts), whole, "{input:?} cut at {cuts:?}");
        }
    }
}
