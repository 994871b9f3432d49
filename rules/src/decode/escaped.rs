//! Text in which many characters are written as escapes: percent encoding, HTML entities, and the escapes of
//! programming languages. What stands between them stays.

use super::Kind;
use super::block::Past;
use super::entities::named;
use super::run::{MAX_RUN, Run, Sink, valid};

/// The fewest escapes that make a run.
const LEAST: u32 = 4;
/// The most bytes between two escapes of a run.
const GAP: u32 = 32;
/// The longest escape.
const LONGEST: usize = 12;
/// How far back a run begins at most, with the word that its first escape is in.
pub(super) const BACK: u64 = 24;

/// Whether a byte belongs to the word that an escape is in.
pub(super) fn is_beside(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'_' | b'.')
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Syntax {
    #[default]
    Percent,
    Entities,
    Escapes,
}

/// What some bytes are.
#[derive(Debug, PartialEq, Eq)]
enum Unit {
    /// The beginning of an escape.
    Part,
    Byte(u8),
    /// A character, or half of one in UTF-16.
    Code(u32),
    /// The same, and the last byte is no longer of it.
    CodeBefore(u32),
    Nothing,
}

impl Syntax {
    pub fn of(lead: u8) -> Option<Syntax> {
        match lead {
            b'%' => Some(Syntax::Percent),
            b'&' => Some(Syntax::Entities),
            b'\\' => Some(Syntax::Escapes),
            _ => None,
        }
    }

    /// Whether an escape may begin with a lead and what follows it, as far as that has been read.
    pub fn may_begin(self, past: &Past, at: u64) -> bool {
        let mut rest = [0; LONGEST];
        let length = rest.iter_mut().zip(past.bytes(at + 1..at + LONGEST as u64));
        let length = length.map(|(to, byte)| *to = byte).count();
        let longer = |length| rest.get(..length).map(|rest| self.unit(rest));
        (0..=length).find_map(|length| longer(length).filter(|unit| *unit != Unit::Part))
            != Some(Unit::Nothing)
    }

    fn lead(self) -> u8 {
        match self {
            Syntax::Percent => b'%',
            Syntax::Entities => b'&',
            Syntax::Escapes => b'\\',
        }
    }

    fn kind(self) -> Kind {
        match self {
            Syntax::Percent => Kind::Percent,
            Syntax::Entities => Kind::Entities,
            Syntax::Escapes => Kind::Escapes,
        }
    }

    /// What bytes behind a lead are.
    fn unit(self, rest: &[u8]) -> Unit {
        match (self, rest) {
            (_, []) => Unit::Part,
            (Syntax::Percent, [b'u' | b'U', digits @ ..]) => fixed(digits, 4, 16, Unit::Code),
            (Syntax::Percent, digits) => fixed(digits, 2, 16, byte),
            (Syntax::Entities, [b'#']) => Unit::Part,
            (Syntax::Entities, [b'#', b'x' | b'X', digits @ ..]) => reference(digits, 16),
            (Syntax::Entities, [b'#', digits @ ..]) => reference(digits, 10),
            (Syntax::Entities, [name @ .., b';']) => named(name).map_or(Unit::Nothing, Unit::Code),
            (Syntax::Entities, name) => match name.iter().all(u8::is_ascii_alphabetic) {
                true => Unit::Part,
                false => Unit::Nothing,
            },
            (Syntax::Escapes, [b'u' | b'x', b'{', digits @ .., b'}']) => braced(digits),
            (Syntax::Escapes, [b'u' | b'x', b'{', digits @ ..]) => match number(digits, 16) {
                None if !digits.is_empty() => Unit::Nothing,
                _ => Unit::Part,
            },
            (Syntax::Escapes, [b'u', digits @ ..]) => fixed(digits, 4, 16, Unit::Code),
            (Syntax::Escapes, [b'U', digits @ ..]) => fixed(digits, 8, 16, Unit::Code),
            (Syntax::Escapes, [b'x' | b'X', digits @ ..]) => fixed(digits, 2, 16, byte),
            (Syntax::Escapes, digits @ [b'0'..=b'3', ..]) => fixed(digits, 3, 8, byte),
            (Syntax::Escapes, _) => Unit::Nothing,
        }
    }
}

fn byte(value: u32) -> Unit {
    u8::try_from(value).map_or(Unit::Nothing, Unit::Byte)
}

/// The value of digits; nothing if there are none.
fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let value = digits.iter().try_fold(0u32, |value, digit| {
        value.checked_mul(radix)?.checked_add(char::from(*digit).to_digit(radix)?)
    });
    value.filter(|_| !digits.is_empty())
}

fn fixed(digits: &[u8], count: usize, radix: u32, unit: fn(u32) -> Unit) -> Unit {
    match number(digits, radix) {
        None if !digits.is_empty() => Unit::Nothing,
        Some(value) if digits.len() == count => unit(value),
        _ => Unit::Part,
    }
}

/// Digits up to a semicolon, which may be missing.
fn reference(digits: &[u8], radix: u32) -> Unit {
    match (number(digits, radix), digits) {
        (Some(_), _) if digits.len() < LONGEST - 4 => Unit::Part,
        (_, []) => Unit::Part,
        (_, [digits @ .., last]) => match number(digits, radix) {
            Some(code) if *last == b';' => Unit::Code(code),
            Some(code) => Unit::CodeBefore(code),
            None => Unit::Nothing,
        },
    }
}

fn braced(digits: &[u8]) -> Unit {
    number(digits, 16).map_or(Unit::Nothing, Unit::Code)
}

#[derive(Default)]
pub(super) struct Escaped {
    pub syntax: Syntax,
    start: u64,
    /// What the run says so far, and what follows it.
    text: Vec<u8>,
    /// An escape that has begun.
    unit: Vec<u8>,
    units: u32,
    /// The first half of a character in UTF-16.
    high: Option<u32>,
    /// Bytes since the last escape.
    gap: u32,
    /// Where the run ends unless another escape follows: in `text`, and in the text that is read.
    keep: usize,
    end: u64,
    /// The word of the last escape goes on.
    in_word: bool,
    /// There has been a space, so `+` stands for itself.
    spaced: bool,
}

impl Escaped {
    fn code(&mut self, code: u32, end: u64) {
        let high = self.high.take();
        let c = match (high, code) {
            (_, 0xD800..=0xDBFF) => {
                self.high = Some(code);
                None
            }
            (Some(high), 0xDC00..=0xDFFF) => {
                char::from_u32(0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00))
            }
            _ => char::from_u32(code),
        };
        if let Some(c) = c {
            self.text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        self.escape(end);
    }

    fn escape(&mut self, end: u64) {
        self.units += 1;
        self.gap = 0;
        self.keep = self.text.len();
        self.end = end;
        self.in_word = true;
    }

    fn literal(&mut self, byte: u8, at: u64) {
        self.gap += 1;
        self.high = None;
        self.spaced |= byte.is_ascii_whitespace();
        let plus = self.syntax == Syntax::Percent && byte == b'+' && !self.spaced;
        self.text.push(if plus { b' ' } else { byte });
        self.in_word &= is_beside(byte);
        if self.in_word {
            self.keep = self.text.len();
            self.end = at + 1;
        }
    }

    /// What had begun as an escape and is none.
    fn literals(&mut self, before: u64) {
        let unit = std::mem::take(&mut self.unit);
        for (byte, back) in unit.iter().zip((1..=unit.len() as u64).rev()) {
            self.literal(*byte, before - back);
        }
        self.unit = unit;
        self.unit.clear();
    }

    fn close(&mut self, sink: &mut Sink) {
        if self.units >= LEAST {
            let text = valid(self.text.get(..self.keep).unwrap_or_default());
            sink.put(self.syntax.kind(), self.start..self.end, text);
        }
    }

    fn step(&mut self, byte: u8, at: u64) {
        if self.unit.is_empty() && byte != self.syntax.lead() {
            return self.literal(byte, at);
        }
        self.unit.push(byte);
        let unit = match self.unit.split_first() {
            Some((_, rest)) if rest.len() < LONGEST => self.syntax.unit(rest),
            _ => Unit::Nothing,
        };
        match unit {
            Unit::Part => return,
            Unit::Byte(byte) => {
                self.text.push(byte);
                self.escape(at + 1);
            }
            Unit::Code(code) => self.code(code, at + 1),
            Unit::CodeBefore(code) => {
                self.code(code, at);
                self.unit.clear();
                return self.step(byte, at);
            }
            // Only the last byte may begin another one.
            Unit::Nothing if self.unit.len() > 1 => {
                self.unit.pop();
                self.literals(at);
                return self.step(byte, at);
            }
            Unit::Nothing => self.literals(at + 1),
        }
        self.unit.clear();
    }
}

impl Run for Escaped {
    fn begin(&mut self, at: u64) {
        self.text.clear();
        self.unit.clear();
        (self.start, self.end, self.keep) = (at, at, 0);
        (self.units, self.gap, self.high) = (0, 0, None);
        (self.in_word, self.spaced) = (false, false);
    }

    fn read(&mut self, byte: u8, at: u64, sink: &mut Sink) -> bool {
        if self.gap > GAP || self.text.len() + LONGEST > MAX_RUN {
            self.close(sink);
            return false;
        }
        self.step(byte, at);
        true
    }

    fn end(&mut self, at: u64, sink: &mut Sink) {
        // A number at the very end needs no semicolon either.
        match self.unit.is_empty() {
            false if self.syntax == Syntax::Entities => {
                self.step(b' ', at);
                self.end = self.end.min(at);
            }
            _ => self.literals(at),
        }
        self.close(sink);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::said as says;

    #[test]
    fn percent_encoding_is_read_with_what_stands_between() {
        let found = says("see ?q=please%20stop%20and+tell%2C%20now&x=1 done");
        assert_eq!(
            found,
            [(
                Kind::Percent,
                "please stop and tell, now".into(),
                "please%20stop%20and+tell%2C%20now"
            )]
        );
        assert_eq!(says("%E4%B8%96%E7%95%8C")[0].1, "世界");
        assert_eq!(says("%u0041%u0042%u0043%u0044")[0].1, "ABCD");
        // A percent sign that is none, a broken escape, too few.
        assert!(says("100% of 50% or %4G%zz %41%42%43").is_empty());
        assert_eq!(says("%%41%4%42%43%44%")[0].1, "A%4BCD");
    }

    #[test]
    fn entities_are_read_by_number_and_by_name() {
        let found = says("a &#72;&#x69;&comma; &lt;all&gt; of");
        assert_eq!(found, [(Kind::Entities, "Hi, <all>".into(), "&#72;&#x69;&comma; &lt;all&gt;")]);
        assert_eq!(says("&#72&#105 &#72&#105")[0].1, "Hi Hi");
        assert_eq!(says("&#0000072&#0000105;&#72;&#105")[0].1, "HiHi");
        assert!(says("a && b &c; d & e &nosuch; &amp; &#; &#x;").is_empty());
    }

    #[test]
    fn escapes_of_programs_are_read() {
        assert_eq!(says(r"\u0048\u0069\u0020\ud83d\ude00!")[0].1, "Hi 😀");
        assert_eq!(says(r"\x48\x69\u{21}\u{1F600}")[0].1, "Hi!😀");
        assert_eq!(says(r"\110\151\041\x0a")[0].1, "Hi!\n");
        assert_eq!(says(r"i\u0067no\u0072e \u0061l\u006c")[0].1, "ignore all");
        assert!(says(r"C:\users\x\new\11 \u00zz \d+\w+\s*").is_empty());
        assert_eq!(says(r"\xe4\xb8\x96\xe7\x95\x8c")[0].1, "世界");
    }

    #[test]
    fn a_run_ends_where_escapes_are_far_apart() {
        let far = format!("%41%42%43%44 {} %45%46%47%48", "word ".repeat(10));
        let found = says(&far);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].2, found[1].2), ("%41%42%43%44", "%45%46%47%48"));
    }

    #[test]
    fn a_long_run_is_cut() {
        let text = "%41".repeat(40_000);
        let found = says(&text);
        let lengths: Vec<usize> = found.iter().map(|f| f.1.len()).collect();
        assert!(lengths.iter().all(|length| *length <= MAX_RUN));
        assert_eq!(lengths.iter().sum::<usize>(), 40_000);
    }
}
