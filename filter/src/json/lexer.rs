//! A push lexer for JSON, strict by RFC 8259. What readers could understand differently is a fault, never a guess:
//! duplicate members, lone surrogates, text after the document, a byte order mark.

use std::collections::BinaryHeap;
use std::ops::Range;

use super::fragment::simple_escape;
use super::number::is_scalar;
use super::plain::plain;
use super::token::{Event, Fault, Limits, Sink, Token};
use crate::engine::fnv;

/// Members of an object that are compared one by one.
const FEW: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A value must come.
    Value,
    /// A value or the end of the array just begun.
    FirstValue,
    /// A member name or the end of the object just begun.
    FirstKey,
    /// A member name.
    Key,
    /// The colon after a name.
    Colon,
    /// A comma or the end of the container.
    Next,
    /// The document is complete.
    Done,
    Text,
    Scalar,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Container {
    Object { names: usize },
    Array,
}

/// Lexes one document that arrives in pieces.
#[derive(Debug)]
pub struct Lexer {
    limits: Limits,
    state: State,
    stack: Vec<Container>,
    /// Hashes of the member names of all open objects, outermost first.
    names: Vec<u64>,
    /// The open string is a member name.
    in_key: bool,
    key: String,
    scalar: String,
    /// Raw start of the open key or scalar.
    token_start: u64,
    /// Raw bytes of an escape or character that is not complete, and where they began.
    pending: Vec<u8>,
    pending_start: u64,
    fault: Option<Fault>,
    /// Memory for text with escapes.
    decoded: String,
}

impl Lexer {
    pub fn new(limits: Limits) -> Lexer {
        Lexer {
            limits,
            state: State::Value,
            stack: Vec::new(),
            names: Vec::new(),
            in_key: false,
            key: String::new(),
            scalar: String::new(),
            token_start: 0,
            pending: Vec::new(),
            pending_start: 0,
            fault: None,
            decoded: String::new(),
        }
    }

    /// Ready for another document, keeping the allocations.
    pub fn reset(&mut self) {
        self.state = State::Value;
        self.stack.clear();
        self.names.clear();
        self.pending.clear();
        self.scalar.clear();
        self.key.clear();
        self.in_key = false;
        self.fault = None;
    }

    /// Whether nothing of a token is open.
    pub fn between_tokens(&self) -> bool {
        !matches!(self.state, State::Text | State::Scalar)
    }

    /// Reads `bytes`, the first of which has the absolute offset `at`. Offsets may jump between tokens.
    ///
    /// # Errors
    /// The document cannot be read on; every later call says the same.
    pub fn feed(&mut self, bytes: &[u8], at: u64, sink: &mut dyn Sink) -> Result<(), Fault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let result = self.run(bytes, at, sink);
        self.fault = result.err();
        result
    }

    /// The document ends at `at`.
    ///
    /// # Errors
    /// It is not complete.
    pub fn end(&mut self, at: u64, sink: &mut dyn Sink) -> Result<(), Fault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let result = match self.state {
            State::Done => Ok(()),
            State::Scalar if self.stack.is_empty() => self.scalar_end(at, sink),
            _ => Err(Fault::Syntax { at, why: "the document is not complete" }),
        };
        self.fault = result.err();
        result
    }

    fn run(&mut self, bytes: &[u8], base: u64, sink: &mut dyn Sink) -> Result<(), Fault> {
        let mut index = 0;
        while let Some(&byte) = bytes.get(index) {
            let at = base + index as u64;
            match self.state {
                State::Text => {
                    index = self.text(bytes, index, base, sink)?;
                    continue;
                }
                State::Scalar => {
                    if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.') {
                        if self.scalar.len() >= self.limits.number {
                            return Err(Fault::Limit { at, what: "number" });
                        }
                        self.scalar.push(char::from(byte));
                        index += 1;
                        continue;
                    }
                    self.scalar_end(at, sink)?;
                    continue;
                }
                _ => self.structure(byte, at, sink)?,
            }
            index += 1;
        }
        Ok(())
    }

    fn structure(&mut self, byte: u8, at: u64, sink: &mut dyn Sink) -> Result<(), Fault> {
        if matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
            return Ok(());
        }
        match (self.state, byte) {
            (State::Done, _) => Err(Fault::Ambiguous { at, why: "text follows the document" }),
            (State::FirstKey | State::Key, b'"') => {
                self.in_key = true;
                self.key.clear();
                self.token_start = at;
                self.state = State::Text;
                Ok(())
            }
            (State::FirstKey, b'}') => self.close(Event::ObjectEnd, at, sink),
            (State::FirstValue, b']') => self.close(Event::ArrayEnd, at, sink),
            (State::Colon, b':') => {
                self.state = State::Value;
                Ok(())
            }
            (State::Next, b',') => {
                self.state = match self.stack.last() {
                    Some(Container::Object { .. }) => State::Key,
                    _ => State::Value,
                };
                Ok(())
            }
            (State::Next, b'}') if matches!(self.stack.last(), Some(Container::Object { .. })) => {
                self.close(Event::ObjectEnd, at, sink)
            }
            (State::Next, b']') if matches!(self.stack.last(), Some(Container::Array)) => {
                self.close(Event::ArrayEnd, at, sink)
            }
            (State::Value | State::FirstValue, _) => self.value(byte, at, sink),
            _ => Err(Fault::Syntax { at, why: "unexpected character" }),
        }
    }

    fn value(&mut self, byte: u8, at: u64, sink: &mut dyn Sink) -> Result<(), Fault> {
        match byte {
            b'{' => {
                self.open(Container::Object { names: self.names.len() }, at)?;
                self.state = State::FirstKey;
                sink.token(Token { event: Event::ObjectBegin, raw: at..at + 1 })
            }
            b'[' => {
                self.open(Container::Array, at)?;
                self.state = State::FirstValue;
                sink.token(Token { event: Event::ArrayBegin, raw: at..at + 1 })
            }
            b'"' => {
                self.in_key = false;
                self.state = State::Text;
                sink.token(Token { event: Event::StringBegin, raw: at + 1..at + 1 })
            }
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                self.scalar.clear();
                self.scalar.push(char::from(byte));
                self.token_start = at;
                self.state = State::Scalar;
                Ok(())
            }
            0xef if self.stack.is_empty() => Err(Fault::Ambiguous { at, why: "byte order mark" }),
            _ => Err(Fault::Syntax { at, why: "unexpected character" }),
        }
    }

    fn open(&mut self, container: Container, at: u64) -> Result<(), Fault> {
        if self.stack.len() >= usize::from(self.limits.depth) {
            return Err(Fault::Limit { at, what: "depth" });
        }
        self.stack.push(container);
        Ok(())
    }

    fn close(&mut self, event: Event<'_>, at: u64, sink: &mut dyn Sink) -> Result<(), Fault> {
        if let Some(Container::Object { names }) = self.stack.pop() {
            self.check_duplicates(names, at)?;
        }
        self.after_value();
        sink.token(Token { event, raw: at..at + 1 })
    }

    /// A hash that two different names share refuses a document: rare, and never a wrong reading.
    fn check_duplicates(&mut self, from: usize, at: u64) -> Result<(), Fault> {
        let own = self.names.get(from..).unwrap_or_default();
        let twice = if own.len() <= FEW {
            own.iter().enumerate().any(|(at, name)| own.iter().take(at).any(|n| n == name))
        } else {
            // The standard library's sort would add 7 KB to the module.
            let sorted = BinaryHeap::from(own.to_vec()).into_sorted_vec();
            sorted.windows(2).any(|pair| pair.first() == pair.last())
        };
        self.names.truncate(from);
        if twice {
            return Err(Fault::Ambiguous { at, why: "duplicate member" });
        }
        Ok(())
    }

    fn after_value(&mut self) {
        self.state = if self.stack.is_empty() { State::Done } else { State::Next };
    }

    fn scalar_end(&mut self, at: u64, sink: &mut dyn Sink) -> Result<(), Fault> {
        if !is_scalar(&self.scalar) {
            return Err(Fault::Syntax { at: self.token_start, why: "not a number or literal" });
        }
        self.after_value();
        let raw = self.token_start..at;
        sink.token(Token { event: Event::Scalar(&self.scalar), raw })
    }

    /// Reads string content from `index`; returns where reading goes on.
    fn text(
        &mut self,
        bytes: &[u8],
        index: usize,
        base: u64,
        sink: &mut dyn Sink,
    ) -> Result<usize, Fault> {
        if !self.pending.is_empty() {
            return self.complete_pending(bytes, index, base, sink);
        }
        let mut decoded = std::mem::take(&mut self.decoded);
        decoded.clear();
        let read = self.run_of_text(bytes, index, base, &mut decoded, sink);
        self.decoded = decoded;
        read
    }

    /// Reads up to what is more than plain text and two-character escapes. Decoded text is told in one piece; what
    /// stands before a fault too, so that of two faults the first one counts at any cut.
    fn run_of_text(
        &mut self,
        bytes: &[u8],
        index: usize,
        base: u64,
        decoded: &mut String,
        sink: &mut dyn Sink,
    ) -> Result<usize, Fault> {
        let begin = base + index as u64;
        let mut at = index;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let length = plain(rest);
            let run = rest.get(..length).unwrap_or_default();
            let stop = at + length;
            let place = base + stop as u64;
            let (text, cut) = match std::str::from_utf8(run) {
                Ok(text) => (text, None),
                Err(error) => {
                    let (good, bad) =
                        run.split_at_checked(error.valid_up_to()).unwrap_or((run, &[]));
                    let is_cut = error.error_len().is_none() && length == rest.len();
                    (std::str::from_utf8(good).unwrap_or_default(), Some((bad, is_cut)))
                }
            };
            let escape = match (bytes.get(stop..), cut) {
                (Some([b'\\', escape, ..]), None) => simple_escape(*escape),
                _ => None,
            };
            if let Some(escape) = escape {
                decoded.push_str(text);
                decoded.push(escape);
                at = stop + 2;
                continue;
            }
            let end = at as u64 + base + text.len() as u64;
            if decoded.is_empty() {
                self.piece(text, begin..end, sink)?;
            } else {
                decoded.push_str(text);
                self.piece(decoded, begin..end, sink)?;
            }
            return match (cut, bytes.get(stop)) {
                (Some((_, false)), _) => Err(Fault::Syntax { at: end, why: "invalid UTF-8" }),
                (Some((bad, true)), _) => {
                    self.pending.extend_from_slice(bad);
                    self.pending_start = end;
                    Ok(stop)
                }
                (None, None) => Ok(stop),
                (None, Some(0..0x20)) => {
                    Err(Fault::Syntax { at: place, why: "control character in a string" })
                }
                (None, Some(b'"')) => {
                    self.string_end(place, sink)?;
                    Ok(stop + 1)
                }
                (None, Some(_)) => {
                    self.pending.push(b'\\');
                    self.pending_start = place;
                    Ok(stop + 1)
                }
            };
        }
    }

    /// Takes byte by byte what completes an escape or a character.
    fn complete_pending(
        &mut self,
        bytes: &[u8],
        mut index: usize,
        base: u64,
        sink: &mut dyn Sink,
    ) -> Result<usize, Fault> {
        while let Some(&byte) = bytes.get(index) {
            self.pending.push(byte);
            index += 1;
            let at = self.pending_start;
            match decode(&self.pending) {
                Decoded::More => {}
                Decoded::Char(c) => {
                    let mut buffer = [0; 4];
                    let text = c.encode_utf8(&mut buffer);
                    self.pending.clear();
                    self.piece(text, at..base + index as u64, sink)?;
                    return Ok(index);
                }
                Decoded::Lone => return Err(Fault::Ambiguous { at, why: "lone surrogate" }),
                Decoded::Invalid(why) => return Err(Fault::Syntax { at, why }),
            }
        }
        Ok(index)
    }

    fn piece(&mut self, text: &str, raw: Range<u64>, sink: &mut dyn Sink) -> Result<(), Fault> {
        if text.is_empty() {
            return Ok(());
        }
        if !self.in_key {
            return sink.token(Token { event: Event::Text(text), raw });
        }
        if self.key.len() + text.len() > self.limits.key {
            return Err(Fault::Limit { at: raw.start, what: "key" });
        }
        self.key.push_str(text);
        Ok(())
    }

    fn string_end(&mut self, at: u64, sink: &mut dyn Sink) -> Result<(), Fault> {
        if !self.in_key {
            self.after_value();
            return sink.token(Token { event: Event::StringEnd, raw: at..at + 1 });
        }
        if self.names.len() >= self.limits.keys {
            return Err(Fault::Limit { at, what: "keys" });
        }
        self.names.push(fnv(self.key.as_bytes()));
        self.state = State::Colon;
        let raw = self.token_start..at + 1;
        sink.token(Token { event: Event::Key(&self.key), raw })
    }
}

enum Decoded {
    More,
    Char(char),
    Lone,
    Invalid(&'static str),
}

/// Decodes an escape, a pair of surrogate escapes, or one UTF-8 character.
fn decode(bytes: &[u8]) -> Decoded {
    match bytes {
        [b'\\'] => Decoded::More,
        [b'\\', b'u', rest @ ..] => unicode(rest),
        [b'\\', c] => match super::fragment::simple_escape(*c) {
            Some(c) => Decoded::Char(c),
            None => Decoded::Invalid("unknown escape"),
        },
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => text.chars().next().map_or(Decoded::More, Decoded::Char),
            Err(error) if error.error_len().is_none() => Decoded::More,
            Err(_) => Decoded::Invalid("invalid UTF-8"),
        },
    }
}

fn unicode(rest: &[u8]) -> Decoded {
    let digits = rest.iter().take(4);
    if !digits.clone().all(u8::is_ascii_hexdigit) {
        return Decoded::Invalid("bad unicode escape");
    }
    if digits.count() < 4 {
        return Decoded::More;
    }
    let Some(high) = super::fragment::hex(rest.get(..4)) else {
        return Decoded::Invalid("bad unicode escape");
    };
    match high {
        0xdc00..=0xdfff => Decoded::Lone,
        0xd800..=0xdbff => match rest.get(4..).unwrap_or_default() {
            [] | [b'\\'] => Decoded::More,
            [b'\\', b'u', low @ ..] if low.len() < 4 => {
                if low.iter().all(u8::is_ascii_hexdigit) {
                    Decoded::More
                } else {
                    Decoded::Lone
                }
            }
            [b'\\', b'u', low @ ..] => match super::fragment::hex(Some(low)) {
                Some(low @ 0xdc00..=0xdfff) => {
                    let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                    char::from_u32(code).map_or(Decoded::Lone, Decoded::Char)
                }
                _ => Decoded::Lone,
            },
            _ => Decoded::Lone,
        },
        code => char::from_u32(code).map_or(Decoded::Lone, Decoded::Char),
    }
}
