//! Texts with `[[` and `]]` around what a rule must find, as rule examples have them.

/// A text without its marks, and the byte ranges that they enclose.
#[derive(Debug, PartialEq, Eq)]
pub struct Marked {
    pub text: String,
    pub spans: Vec<(u64, u64)>,
}

impl Marked {
    /// Takes the marks out; `None` where they do not pair.
    pub fn read(marked: &str) -> Option<Marked> {
        let (mut text, mut spans, mut rest) = (String::new(), Vec::new(), marked);
        while let Some((before, after)) = rest.split_once("[[") {
            let (found, behind) = after.split_once("]]")?;
            if found.contains("[[") {
                return None;
            }
            text.push_str(before);
            let start = text.len() as u64;
            text.push_str(found);
            spans.push((start, text.len() as u64));
            rest = behind;
        }
        text.push_str(rest);
        Some(Marked { text, spans })
    }
}

#[cfg(test)]
mod tests {
    use super::Marked;

    #[test]
    fn marks_come_in_pairs() {
        for (marked, expected) in [
            ("plain", Some(("plain", vec![]))),
            ("a [[b]] c", Some(("a b c", vec![(2, 3)]))),
            ("[[é]][[x]]", Some(("éx", vec![(0, 2), (2, 3)]))),
            ("a]] b", Some(("a]] b", vec![]))),
            ("a [[b", None),
            ("a [[b [[c]] d]]", None),
        ] {
            let expected = expected.map(|(text, spans)| Marked { text: text.to_owned(), spans });
            assert_eq!(Marked::read(marked), expected, "{marked}");
        }
    }
}
