//! What a backslash and what brackets mean.

use super::PatternError;
use super::ast::Node;
use super::class::{Class, DIGIT, Range, SPACE, WORD};
use super::parse::Parser;

/// What one escape stands for.
enum Escaped {
    Char(char),
    Set(&'static [Range], bool),
    Boundary(bool),
}

impl Parser {
    /// An escape outside brackets; the backslash at `at` is read.
    pub(super) fn escape(&mut self, at: usize) -> Result<Node, PatternError> {
        Ok(match self.escaped(at)? {
            Escaped::Char(c) => self.literal(c),
            Escaped::Set(ranges, negated) => self.class_node(Class::new(ranges, false, negated)),
            Escaped::Boundary(wanted) => Node::Boundary(wanted),
        })
    }

    /// A class; the bracket at `at` is read.
    pub(super) fn class(&mut self, at: usize) -> Result<Node, PatternError> {
        let negated = self.eat('^');
        let mut ranges = Vec::new();
        loop {
            match self.peek() {
                None => {
                    return self.refuse(at, "this class is never closed", r"add `]`, or write \[");
                }
                Some(']') if ranges.is_empty() => {
                    return self.refuse(at, "this class is empty", r"write \] for the character");
                }
                Some(']') => break,
                Some(_) => self.class_item(&mut ranges)?,
            }
        }
        self.at = self.at.saturating_add(1);
        let class = Class::new(&ranges, self.ignore_case, negated);
        if class.is_empty() {
            return self.refuse(
                at,
                "this class matches no character",
                "leave a character out of it",
            );
        }
        Ok(self.class_node(class))
    }

    fn class_item(&mut self, ranges: &mut Vec<Range>) -> Result<(), PatternError> {
        let at = self.at;
        if self.eat_all("[:") {
            return self.refuse(
                at,
                "named classes are not supported",
                r"write \w, \d, \s or ranges",
            );
        }
        if self.eat_all("&&") {
            return self.refuse(
                at,
                "classes cannot be intersected",
                "write `&` once for the character",
            );
        }
        let low = self.class_char(ranges)?;
        let next = self.at;
        if !self.eat('-') {
            ranges.extend(low.map(single));
            return Ok(());
        }
        if matches!(self.peek(), None | Some(']')) {
            ranges.extend(low.map(single));
            ranges.push(single('-'));
            return Ok(());
        }
        let high = self.class_char(ranges)?;
        match (low, high) {
            (Some(low), Some(high)) if low <= high => ranges.push((low.into(), high.into())),
            (Some(_), Some(_)) => {
                return self.refuse(at, "the range ends below where it begins", "swap its ends");
            }
            _ => {
                let cure = r"write \- for the character";
                return self.refuse(next, "a range needs a character on both sides", cure);
            }
        }
        Ok(())
    }

    /// One character of a class, or none if it was a set, which is added to `ranges`.
    fn class_char(&mut self, ranges: &mut Vec<Range>) -> Result<Option<char>, PatternError> {
        let at = self.at;
        match self.next() {
            Some('\\') => match self.escaped(at)? {
                Escaped::Char(c) => Ok(Some(c)),
                Escaped::Set(set, negated) => {
                    ranges.extend(Class::new(set, false, negated).ranges());
                    Ok(None)
                }
                Escaped::Boundary(_) => self.refuse(
                    at,
                    "a class has no word boundary",
                    r"write \b outside the brackets",
                ),
            },
            c => Ok(c),
        }
    }

    fn escaped(&mut self, at: usize) -> Result<Escaped, PatternError> {
        let Some(c) = self.next() else {
            return self.refuse(
                at,
                "the pattern ends in a backslash",
                r"write \\ for the character",
            );
        };
        Ok(match c {
            'd' | 'D' => Escaped::Set(DIGIT, c == 'D'),
            'w' | 'W' => Escaped::Set(WORD, c == 'W'),
            's' | 'S' => Escaped::Set(SPACE, c == 'S'),
            'b' | 'B' => Escaped::Boundary(c == 'b'),
            'n' => Escaped::Char('\n'),
            't' => Escaped::Char('\t'),
            'r' => Escaped::Char('\r'),
            'x' => Escaped::Char(self.two_hex_digits(at)?),
            'u' => Escaped::Char(self.braced_hex(at)?),
            c if c == ' ' || c.is_ascii_punctuation() || !c.is_ascii() => Escaped::Char(c),
            '1'..='9' | 'k' => {
                self.refuse(at, "back-references are not supported", "write what may stand there")?
            }
            'A' | 'z' | 'Z' | 'G' => self.refuse(
                at,
                format!(r"`\{c}` is not supported: a match is found anywhere in the text"),
                r"leave it out, or use \b",
            )?,
            'p' | 'P' => self.refuse(
                at,
                "Unicode classes are not supported",
                r"write a class such as [\u{400}-\u{4FF}]",
            )?,
            c => self.refuse(
                at,
                format!(r"`\{c}` has no meaning here"),
                format!(r"write {c}, or \u{{HEX}} for any character"),
            )?,
        })
    }

    fn two_hex_digits(&mut self, at: usize) -> Result<char, PatternError> {
        let high = self.next().and_then(|c| c.to_digit(16));
        let low = self.next().and_then(|c| c.to_digit(16));
        match high.zip(low).and_then(|(high, low)| char::from_u32(high << 4 | low)) {
            Some(c) => Ok(c),
            None => self.refuse(at, r"`\x` needs two hexadecimal digits", r"write \xHH or \u{HEX}"),
        }
    }

    fn braced_hex(&mut self, at: usize) -> Result<char, PatternError> {
        let mut code = self.eat('{').then_some(0u32);
        let mut digits = 0usize;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(16)) {
            code = code.and_then(|code| code.checked_mul(16)?.checked_add(digit));
            digits = digits.saturating_add(1);
            self.at = self.at.saturating_add(1);
        }
        let closed = self.eat('}') && digits > 0;
        match code.filter(|_| closed).and_then(char::from_u32) {
            Some(c) => Ok(c),
            None => self.refuse(
                at,
                r"`\u` needs a character's code in braces",
                r"write \u{HEX}, such as \u{20AC}",
            ),
        }
    }
}

fn single(c: char) -> Range {
    (c.into(), c.into())
}
