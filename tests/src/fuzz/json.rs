//! The JSON lexer: no cut changes what it says, and what it reads `serde_json` reads the same.

use serde_json::Value;
use weir_filter::json::{Arguments, Event, Fault, Lexer, Limits, Piece, Sink, Token};

use super::bytes::{Bytes, pieces};

/// Events as text; neighboring pieces of a string are one.
#[derive(Default)]
struct Events {
    said: Vec<String>,
    texts: Vec<String>,
}

impl Sink for Events {
    fn token(&mut self, token: Token<'_>) -> Result<(), Fault> {
        match token.event {
            Event::Text(text) => {
                if let Some(open) = self.texts.last_mut() {
                    open.push_str(text);
                }
            }
            Event::StringBegin => {
                self.texts.push(String::new());
                self.said.push(format!("begin {:?}", token.raw));
            }
            event => self.said.push(format!("{event:?} {:?}", token.raw)),
        }
        Ok(())
    }
}

fn read(pieces: &[&[u8]]) -> (Result<(), Fault>, Events) {
    let (mut lexer, mut events, mut at) = (Lexer::new(Limits::default()), Events::default(), 0);
    for piece in pieces {
        if let Err(fault) = lexer.feed(piece, at, &mut events) {
            return (Err(fault), events);
        }
        at += piece.len() as u64;
    }
    let ended = lexer.end(at, &mut events);
    (ended, events)
}

fn strings(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| strings(item, out)),
        Value::Object(fields) => fields.values().for_each(|field| strings(field, out)),
        _ => {}
    }
}

/// What the lenient reader of tool-call arguments shows.
fn arguments(pieces: &[&str]) -> Vec<String> {
    let (mut reader, mut base, mut out) = (Arguments::default(), 0, vec![String::new()]);
    let mut emit = |piece: Piece<'_>| match piece {
        Piece::Text(text) | Piece::Bare(text) => out.last_mut().unwrap().push_str(text),
        Piece::TextEnd | Piece::BareEnd => out.push(String::new()),
    };
    for piece in pieces {
        reader.feed(piece, base, &mut |piece, _| emit(piece));
        base += piece.len() as u64;
    }
    reader.end(&mut |piece, _| emit(piece));
    out
}

/// Checks one document.
pub fn json(input: &[u8]) {
    let mut bytes = Bytes(input);
    let cut = (bytes.byte(), bytes.byte());
    let document = bytes.0;
    let (result, events) = read(&[document]);
    let each: Vec<&[u8]> = document.chunks(1).collect();
    for pieces in [pieces(document, cut), each] {
        let (other, others) = read(&pieces);
        // Which of two faults is met first depends on the pieces.
        assert_eq!(other.is_ok(), result.is_ok());
        // Of a document that is none, as much was said as had arrived.
        if result.is_ok() {
            assert_eq!(others.said, events.said);
            assert_eq!(others.texts, events.texts);
        }
    }
    let theirs: Result<Value, _> = serde_json::from_slice(document);
    match (&result, theirs) {
        (Ok(()), Ok(value)) => {
            let (mut expected, mut texts) = (Vec::new(), events.texts);
            strings(&value, &mut expected);
            expected.sort();
            texts.sort();
            assert_eq!(texts, expected);
        }
        // A number may be JSON and too large for them.
        (Ok(()), Err(error)) => {
            assert!(error.to_string().starts_with("number out of range"), "{error}")
        }
        (Err(Fault::Syntax { why, .. }), Ok(_)) => panic!("is JSON, but {why}"),
        (Err(_), _) => {}
    }
    if let Ok(text) = std::str::from_utf8(document) {
        let each: Vec<&str> =
            text.char_indices().map(|(at, c)| &text[at..at + c.len_utf8()]).collect();
        assert_eq!(arguments(&each), arguments(&[text]));
    }
}
