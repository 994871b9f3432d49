use super::super::{Layers, Units, escape_into, raw_offset};
use super::{CONTENT, Random};

fn content(random: &mut Random) -> String {
    (0..random.below(10)).map(|_| random.pick(&CONTENT)).collect()
}

fn decoded(raw: &str) -> String {
    serde_json::from_str(&format!("\"{raw}\"")).unwrap()
}

#[test]
fn offsets_lead_back_to_the_raw_bytes() {
    let mut random = Random(11);
    for _ in 0..3000 {
        let inner = content(&mut random);
        let mut outer = Vec::new();
        // Content of a JSON string whose decoded content is again content: escape the inner text as it stands.
        escape_into(&inner, Layers::Plain, &mut outer);
        let outer = String::from_utf8(outer).unwrap();
        for (raw, layers, text) in [
            (&inner, Layers::Plain, decoded(&inner)),
            (&outer, Layers::Nested, decoded(&decoded(&outer))),
        ] {
            let chars: String = Units::new(raw.as_bytes(), layers).map(|u| u.ch).collect();
            assert_eq!(chars, text, "{raw:?} {layers:?}");
            for (offset, _) in text.char_indices().chain([(text.len(), ' ')]) {
                let at = raw_offset(raw.as_bytes(), layers, offset).unwrap();
                let head: String =
                    Units::new(&raw.as_bytes()[..at], layers).map(|u| u.ch).collect();
                assert_eq!(head, text[..offset], "{raw:?} {layers:?} {offset}");
            }
            assert_eq!(raw_offset(raw.as_bytes(), layers, text.len() + 1), None);
        }
    }
}

#[test]
fn what_is_escaped_reads_back() {
    for text in ["", "a\"b\\c", "\n\r\t\u{0}\u{1f}", "é世😀", "</script>"] {
        for (layers, times) in [(Layers::Plain, 1), (Layers::Nested, 2)] {
            let mut out = Vec::new();
            escape_into(text, layers, &mut out);
            let mut back = String::from_utf8(out).unwrap();
            for _ in 0..times {
                back = decoded(&back);
            }
            assert_eq!(back, text, "{layers:?}");
        }
    }
}

#[test]
fn an_inner_escape_may_be_escaped_itself() {
    // The inner backslash written as \u005c.
    let units: Vec<_> = Units::new(br"a\u005cu0041\u005c\u005cn", Layers::Nested).collect();
    let chars: String = units.iter().map(|u| u.ch).collect();
    assert_eq!(chars, "aA\\n");
}
