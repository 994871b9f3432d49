//! A lenient tokenizer of tool-call arguments. They are JSON most of the time, but models write broken JSON too: it
//! never fails, and every character is shown, decoded where it stands in a string.

use std::ops::Range;

use super::fragment::{hex, simple_escape};

/// A piece of the arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Decoded content of a string, name or value.
    Text(&'a str),
    TextEnd,
    /// Characters outside strings that are no structure: numbers, literals, junk.
    Bare(&'a str),
    BareEnd,
}

/// Where a piece stands, in the once-decoded arguments.
type Emit<'s> = &'s mut dyn FnMut(Piece<'_>, Range<u64>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Outside,
    Bare,
    String,
}

/// Tokenizes arguments that arrive in pieces.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    state: State,
    /// An escape that is not complete: its characters, all ASCII, and where it began.
    escape: Vec<u8>,
    escape_start: u64,
}

impl Arguments {
    /// An inner escape that has begun and is not complete.
    pub fn partial(&self) -> Option<Range<u64>> {
        let length = self.escape.len() as u64;
        (length > 0).then(|| self.escape_start..self.escape_start + length)
    }

    /// Reads more. `base` is the offset of `text` in the once-decoded arguments; pieces of a character that began
    /// in an earlier text have a range that begins before it.
    pub fn feed(&mut self, text: &str, base: u64, emit: Emit<'_>) {
        let mut run = 0;
        for (index, c) in text.char_indices() {
            let at = base + index as u64;
            let end = at + c.len_utf8() as u64;
            let flush = |from: usize, emit: Emit<'_>, state: State| {
                let piece = text.get(from..index).unwrap_or_default();
                let range = base + from as u64..at;
                match state {
                    _ if piece.is_empty() => {}
                    State::String => emit(Piece::Text(piece), range),
                    _ => emit(Piece::Bare(piece), range),
                }
            };
            match self.state {
                State::Outside => {
                    run = index;
                    match c {
                        '"' => {
                            self.state = State::String;
                            run = index + 1;
                        }
                        c if is_structure(c) => {}
                        _ => self.state = State::Bare,
                    }
                }
                State::Bare => {
                    if c == '"' || is_structure(c) {
                        flush(run, emit, State::Bare);
                        emit(Piece::BareEnd, at..at);
                        self.state = if c == '"' { State::String } else { State::Outside };
                        run = index + c.len_utf8();
                    }
                }
                State::String if !self.escape.is_empty() => {
                    self.escaped(c, at, end, emit);
                    run = if self.escape.is_empty() { self.after(c, index) } else { text.len() };
                    // The character that broke an escape off is read anew.
                    if self.escape.is_empty() && run == index {
                        self.restart(c, index, at, &mut run, emit);
                    }
                }
                State::String => match c {
                    '"' => {
                        flush(run, emit, State::String);
                        emit(Piece::TextEnd, at..end);
                        self.state = State::Outside;
                        run = index + 1;
                    }
                    '\\' => {
                        flush(run, emit, State::String);
                        self.escape.push(b'\\');
                        self.escape_start = at;
                        run = text.len();
                    }
                    _ => {}
                },
            }
        }
        let rest = text.get(run..).unwrap_or_default();
        let range = base + run as u64..base + text.len() as u64;
        match self.state {
            _ if rest.is_empty() => {}
            State::String if self.escape.is_empty() => emit(Piece::Text(rest), range),
            State::Bare => emit(Piece::Bare(rest), range),
            _ => {}
        }
    }

    /// The arguments end here.
    pub fn end(&mut self, emit: Emit<'_>) {
        let at = self.escape_start + self.escape.len() as u64;
        if !self.escape.is_empty() {
            self.give_up(self.escape_start, at, emit);
        }
        match self.state {
            State::String => emit(Piece::TextEnd, at..at),
            State::Bare => emit(Piece::BareEnd, at..at),
            State::Outside => {}
        }
        self.state = State::Outside;
    }

    /// Where plain text goes on after `c`: behind it if it ended the escape, at it if it broke it off.
    fn after(&mut self, c: char, index: usize) -> usize {
        if std::mem::take(&mut self.escape_start) == u64::MAX {
            index
        } else {
            index + c.len_utf8()
        }
    }

    fn restart(&mut self, c: char, index: usize, at: u64, run: &mut usize, emit: Emit<'_>) {
        match c {
            '"' => {
                emit(Piece::TextEnd, at..at + 1);
                self.state = State::Outside;
                *run = index + 1;
            }
            '\\' => {
                self.escape.push(b'\\');
                self.escape_start = at;
                *run = index + 1;
            }
            _ => {}
        }
    }

    /// Takes the next character of an escape. Marks in `escape_start` (`u64::MAX`) that `c` is not part of it.
    fn escaped(&mut self, c: char, at: u64, end: u64, emit: Emit<'_>) {
        let start = self.escape_start;
        let whole =
            |c: char, emit: Emit<'_>| emit(Piece::Text(c.encode_utf8(&mut [0; 4])), start..end);
        match (self.escape.as_slice(), c) {
            ([b'\\'], 'u') => self.escape.push(b'u'),
            ([b'\\'], c) => {
                let byte = u8::try_from(c).unwrap_or(0);
                whole(simple_escape(byte).unwrap_or(c), emit);
                self.escape.clear();
            }
            ([b'\\', b'u', digits @ ..], c) if digits.len() < 4 && c.is_ascii_hexdigit() => {
                self.escape.push(c as u8);
                if let Some(code) = hex(self.escape.get(2..6)) {
                    if (0xd800..0xdc00).contains(&code) {
                        return;
                    }
                    whole(char::from_u32(code).unwrap_or('\u{fffd}'), emit);
                    self.escape.clear();
                }
            }
            ([_, _, _, _, _, _], '\\') => self.escape.push(b'\\'),
            ([_, _, _, _, _, _, b'\\'], 'u') => self.escape.push(b'u'),
            ([_, _, _, _, _, _, b'\\', b'u', low @ ..], c)
                if low.len() < 4 && c.is_ascii_hexdigit() =>
            {
                self.escape.push(c as u8);
                let (high, low) = (hex(self.escape.get(2..6)), hex(self.escape.get(8..12)));
                let (Some(high), Some(low)) = (high, low) else { return };
                if (0xdc00..0xe000).contains(&low) {
                    let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                    whole(char::from_u32(code).unwrap_or('\u{fffd}'), emit);
                    self.escape.clear();
                    return;
                }
                // Two escapes, the first of them a lone half; the second may begin a pair of its own.
                emit(Piece::Text("\u{fffd}"), start..start + 6);
                self.escape.drain(..6);
                self.escape_start = start + 6;
                if !(0xd800..0xdc00).contains(&low) {
                    let c = char::from_u32(low).unwrap_or('\u{fffd}');
                    emit(Piece::Text(c.encode_utf8(&mut [0; 4])), start + 6..end);
                    self.escape.clear();
                }
            }
            ([_, _, _, _, _, _, b'\\'], _) => {
                // Not a second half: the lone one is shown, and this escape stands for itself.
                emit(Piece::Text("\u{fffd}"), start..start + 6);
                self.escape = vec![b'\\'];
                self.escape_start = start + 6;
                self.escaped(c, at, end, emit);
            }
            _ => {
                self.give_up(start, at, emit);
                self.escape_start = u64::MAX;
            }
        }
    }

    /// The escape is none: a lone surrogate is U+FFFD, what follows it or a broken escape is shown as it stands.
    fn give_up(&mut self, start: u64, end: u64, emit: Emit<'_>) {
        let escape = std::mem::take(&mut self.escape);
        let lone = escape.len() >= 6;
        let (head, tail) =
            escape.split_at_checked(if lone { 6 } else { 0 }).unwrap_or((&escape, &[]));
        let cut = start + head.len() as u64;
        if lone {
            emit(Piece::Text("\u{fffd}"), start..cut);
        }
        // A broken `\u` is the letter, as for every unknown escape.
        let tail = match tail {
            [b'\\', rest @ ..] if !rest.is_empty() => rest,
            tail => tail,
        };
        if !tail.is_empty() {
            emit(Piece::Text(std::str::from_utf8(tail).unwrap_or_default()), cut..end);
        }
    }
}

fn is_structure(c: char) -> bool {
    c.is_ascii_whitespace() || matches!(c, '{' | '}' | '[' | ']' | ',' | ':')
}
