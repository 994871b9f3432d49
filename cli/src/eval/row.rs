//! A row of a corpus: a text, and what is known of it.

use serde_json::Value;
use weir_rules::Channel;

/// The most characters of a name that is taken over into a report.
const NAME: usize = 60;

/// A text, and what is known of it.
pub struct Row {
    pub id: String,
    pub text: String,
    pub channel: Option<Channel>,
    pub truth: Truth,
    pub kind: Option<String>,
    pub language: Option<String>,
    pub source: Option<String>,
    pub encoding: Option<String>,
}

/// What must be found in a text.
pub enum Truth {
    Attack,
    Benign,
    /// These places and nothing else.
    Spans(Vec<Span>),
}

/// A place in a text, in bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Span {
    pub start: u64,
    pub end: u64,
    pub kind: String,
}

impl Row {
    /// Reads a line.
    ///
    /// # Errors
    /// Why it is no row; nothing of the text is in it.
    pub fn read(line: &[u8]) -> Result<Row, String> {
        let row: Value = serde_json::from_slice(line)
            .map_err(|e| format!("not JSON at column {}", e.column()))?;
        let text = row.get("text").and_then(Value::as_str).ok_or("`text` is no string")?;
        let id = match row.get("id") {
            Some(Value::String(id)) => name(id),
            Some(Value::Number(id)) => id.to_string(),
            _ => return Err("`id` is neither a string nor a number".to_owned()),
        };
        let truth = match (row.get("spans"), row.get("label").and_then(Value::as_str)) {
            (Some(spans), _) => Truth::Spans(read_spans(spans, text)?),
            (None, Some("attack")) => Truth::Attack,
            (None, Some("benign")) => Truth::Benign,
            _ => return Err("neither `spans`, nor a `label` attack or benign".to_owned()),
        };
        let channel = match row.get("channel") {
            None | Some(Value::Null) => None,
            Some(channel) => Some(
                channel.as_str().and_then(|c| c.parse().ok()).ok_or("`channel` is none we know")?,
            ),
        };
        let member = |of: &str| row.get(of).and_then(Value::as_str).map(name);
        Ok(Row {
            id,
            channel,
            truth,
            kind: member("kind"),
            language: member("lang"),
            source: member("source"),
            encoding: member("method"),
            text: text.to_owned(),
        })
    }
}

/// A name as it may stand in a report: short, without what a terminal would obey.
fn name(text: &str) -> String {
    crate::caret::visible(&text.chars().take(NAME).collect::<String>()).replace('\n', " ")
}

/// `[[start, end, type], …]` in characters, brought to bytes.
fn read_spans(spans: &Value, text: &str) -> Result<Vec<Span>, String> {
    let wrong = || "`spans` is no list of [start, end, type] within the text".to_owned();
    let mut places: Vec<u64> = text.char_indices().map(|(at, _)| at as u64).collect();
    places.push(text.len() as u64);
    let byte = |of: Option<&Value>| {
        let at = usize::try_from(of.and_then(Value::as_u64)?).ok()?;
        places.get(at).copied()
    };
    let span = |span: &Value| {
        let (start, end) = (byte(span.get(0))?, byte(span.get(1))?);
        let kind = name(span.get(2)?.as_str()?);
        (start < end).then_some(Span { start, end, kind })
    };
    let spans = spans.as_array().ok_or_else(wrong)?;
    spans.iter().map(|one| span(one).ok_or_else(wrong)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_become_bytes() {
        let line = r#"{"id":7,"text":"é key: 𝄞x","spans":[[2,5,"a"],[7,9,"b"]]}"#;
        let row = Row::read(line.as_bytes()).ok().unwrap();
        let Truth::Spans(spans) = row.truth else { panic!() };
        let span = |start, end, kind: &str| Span { start, end, kind: kind.to_owned() };
        assert_eq!((row.id.as_str(), spans), ("7", vec![span(3, 6, "a"), span(8, 13, "b")]));
    }

    #[test]
    fn what_is_no_row() {
        for (line, reason) in [
            ("{", "not JSON at column 1"),
            (r#"{"id":"a","label":"attack"}"#, "`text`"),
            (r#"{"text":"secret","label":"attack"}"#, "`id`"),
            (r#"{"id":"a","text":"secret"}"#, "`label`"),
            (r#"{"id":"a","text":"secret","label":"good"}"#, "`label`"),
            (r#"{"id":"a","text":"secret","label":"benign","channel":"x"}"#, "`channel`"),
            (r#"{"id":"a","text":"secret","spans":[[0,7,"t"]]}"#, "`spans`"),
            (r#"{"id":"a","text":"secret","spans":[[3,3,"t"]]}"#, "`spans`"),
            (r#"{"id":"a","text":"secret","spans":[[3,4]]}"#, "`spans`"),
            (r#"{"id":"a","text":"secret","spans":{}}"#, "`spans`"),
        ] {
            let error = Row::read(line.as_bytes()).err().unwrap();
            assert!(error.contains(reason) && !error.contains("secret"), "{line}: {error}");
        }
    }
}
