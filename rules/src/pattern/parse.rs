//! Pattern text to tree: alternation, sequence, group and repeat.

use super::ast::Node;
use super::class::{Class, NEWLINE};
use super::{MAX_COUNT, MAX_DEPTH, MAX_PATTERN_CHARS, Options, PatternError};

/// A recursive-descent parser; recursion is bounded by [`MAX_DEPTH`].
pub(super) struct Parser {
    chars: Vec<char>,
    pub(super) at: usize,
    depth: usize,
    limit: usize,
    pub(super) ignore_case: bool,
    pub(super) classes: Vec<Class>,
}

impl Parser {
    fn new(text: &str, options: &Options) -> Result<Parser, PatternError> {
        let chars: Vec<char> = text.chars().take(MAX_PATTERN_CHARS.saturating_add(1)).collect();
        if chars.len() > MAX_PATTERN_CHARS {
            let why = format!("the pattern is longer than {MAX_PATTERN_CHARS} characters");
            return Err(PatternError::new(
                MAX_PATTERN_CHARS,
                why,
                "split the rule, or use keywords",
            ));
        }
        Ok(Parser {
            chars,
            at: 0,
            depth: 0,
            limit: options.max_instructions.min(usize::from(u16::MAX)),
            ignore_case: options.ignore_case,
            classes: Vec::new(),
        })
    }

    /// Parses a whole pattern; the parser that comes back owns its classes.
    pub(super) fn pattern(text: &str, options: &Options) -> Result<(Node, Parser), PatternError> {
        let mut parser = Parser::new(text, options)?;
        if parser.eat_all("(?i)") {
            parser.ignore_case = true;
        }
        let tree = parser.alternation()?;
        if parser.peek().is_some() {
            return parser.refuse(parser.at, "`)` closes no group", r"write \) for the character");
        }
        parser.check_size(tree.size().saturating_add(1), 0)?;
        Ok((tree, parser))
    }

    /// Parses text that is one class and nothing else.
    pub(super) fn class_only(text: &str) -> Result<Class, PatternError> {
        let mut parser = Parser::new(text, &Options::default())?;
        let node = match parser.peek() {
            Some('[' | '\\' | '.') => parser.atom()?,
            Some(c) => {
                parser.at = 1;
                Node::Char(c)
            }
            None => Node::Empty,
        };
        let class = match node {
            Node::Class(_) => parser.classes.pop(),
            Node::Char(c) => Some(Class::new(&[(c.into(), c.into())], false, false)),
            _ => None,
        };
        match class {
            Some(class) if parser.peek().is_none() => Ok(class),
            _ => parser.refuse(parser.at, "this is not one character class", "write [..]"),
        }
    }

    fn alternation(&mut self) -> Result<Node, PatternError> {
        let mut branches = vec![self.sequence()?];
        while self.eat('|') {
            branches.push(self.sequence()?);
        }
        Ok(match branches.len() {
            1 => branches.pop().unwrap_or(Node::Empty),
            _ => Node::Alternate(branches),
        })
    }

    fn sequence(&mut self) -> Result<Node, PatternError> {
        let mut nodes = Vec::new();
        while !matches!(self.peek(), None | Some('|' | ')')) {
            let atom = self.atom()?;
            match self.repeated(atom)? {
                Node::Empty => {}
                Node::Concat(inner) => nodes.extend(inner),
                node => nodes.push(node),
            }
        }
        Ok(match nodes.len() {
            0 => Node::Empty,
            1 => nodes.pop().unwrap_or(Node::Empty),
            _ => Node::Concat(nodes),
        })
    }

    fn atom(&mut self) -> Result<Node, PatternError> {
        let at = self.at;
        match self.next() {
            None => Ok(Node::Empty),
            Some('(') => self.group(at),
            Some('[') => self.class(at),
            Some('\\') => self.escape(at),
            Some('.') => Ok(self.class_node(Class::new(NEWLINE, false, true))),
            Some(c @ ('^' | '$')) => self.refuse(
                at,
                format!("`{c}` is not supported: a match is found anywhere in the text"),
                format!(r"leave it out, use \b, or write \{c} for the character"),
            ),
            Some(c @ ('?' | '*' | '+' | '{')) => self.refuse(
                at,
                format!("`{c}` has nothing to repeat"),
                format!(r"write \{c} for the character"),
            ),
            Some(c) => Ok(self.literal(c)),
        }
    }

    fn group(&mut self, at: usize) -> Result<Node, PatternError> {
        if self.peek() == Some('?') && !self.eat_all("?:") {
            return self.refuse_group(at);
        }
        if self.depth >= MAX_DEPTH {
            let why = format!("groups nest deeper than {MAX_DEPTH}");
            return self.refuse(at, why, "leave out groups that are not needed");
        }
        self.depth = self.depth.saturating_add(1);
        let node = self.alternation()?;
        self.depth = self.depth.saturating_sub(1);
        if !self.eat(')') {
            return self.refuse(at, "this group is never closed", r"add `)`, or write \(");
        }
        Ok(node)
    }

    fn refuse_group<T>(&self, at: usize) -> Result<T, PatternError> {
        let kind = self.chars.get(at.saturating_add(2)).copied();
        let after = self.chars.get(at.saturating_add(3)).copied();
        let (why, cure) = match (kind, after) {
            (Some('=' | '!'), _) | (Some('<'), Some('=' | '!')) => {
                ("look-around is not supported", r"use \b, or match the context as well")
            }
            (Some('P' | '<' | '\''), _) => ("named groups are not supported", "write (..)"),
            (Some('>'), _) => ("atomic groups are not supported", "write (?:..)"),
            (Some('#'), _) => ("comments are not supported", "use the rule's description"),
            _ => ("flags are not supported here", "write (?i) at the very start of the pattern"),
        };
        self.refuse(at, why, cure)
    }

    fn repeated(&mut self, node: Node) -> Result<Node, PatternError> {
        let at = self.at;
        let Some((min, max)) = self.quantifier()? else {
            return Ok(node);
        };
        match self.peek() {
            Some('?') => self.refuse(
                self.at,
                "lazy repeats are not supported: the longest match counts",
                "leave out this `?`, and use a class that stops where the match should",
            )?,
            Some('+') => {
                self.refuse(self.at, "possessive repeats are not supported", "leave out this `+`")?
            }
            Some('*' | '{') => {
                self.refuse(self.at, "a repeat is repeated", "put the first one in (?:..)")?
            }
            _ => {}
        }
        if node == Node::Empty || max == Some(0) {
            return Ok(Node::Empty);
        }
        let node = match node {
            Node::Char(c) if max != Some(min) => {
                let code = u32::from(c);
                self.class_node(Class::new(&[(code, code)], self.ignore_case, false))
            }
            node => node,
        };
        let repeat = Node::Repeat { node: Box::new(node), min, max };
        self.check_size(repeat.size(), at)?;
        Ok(repeat)
    }

    fn quantifier(&mut self) -> Result<Option<(u16, Option<u16>)>, PatternError> {
        let at = self.at;
        let counts = match self.peek() {
            Some('?') => (0, Some(1)),
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('{') => {
                self.at = self.at.saturating_add(1);
                return self.counts(at).map(Some);
            }
            _ => return Ok(None),
        };
        self.at = self.at.saturating_add(1);
        Ok(Some(counts))
    }

    fn counts(&mut self, at: usize) -> Result<(u16, Option<u16>), PatternError> {
        let min = self.count()?;
        let (comma, max) = if self.eat(',') { (true, self.count()?) } else { (false, None) };
        let (Some(min), true) = (min, self.eat('}')) else {
            return self.refuse(
                at,
                "this is not a repeat",
                r"write {n}, {n,}, {n,m}, or \{ for the character",
            );
        };
        if max.is_some_and(|max| max < min) {
            return self.refuse(
                at,
                "the repeat ends below where it begins",
                "write the smaller number first",
            );
        }
        Ok((min, if comma { max } else { Some(min) }))
    }

    fn count(&mut self) -> Result<Option<u16>, PatternError> {
        let at = self.at;
        let mut count = None;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            let digit = u16::try_from(digit).unwrap_or_default();
            let value = count.unwrap_or(0u16).saturating_mul(10).saturating_add(digit);
            if value > MAX_COUNT {
                let why = format!("the count is above {MAX_COUNT}");
                return self.refuse(at, why, "use {n,}, `*` or `+`; maxLength bounds the match");
            }
            count = Some(value);
            self.at = self.at.saturating_add(1);
        }
        Ok(count)
    }

    fn check_size(&self, size: usize, at: usize) -> Result<(), PatternError> {
        if size <= self.limit {
            return Ok(());
        }
        let why = format!("the pattern needs more than {} instructions", self.limit);
        self.refuse(at, why, "lower the counts, or split the rule")
    }

    pub(super) fn literal(&self, c: char) -> Node {
        Node::Char(if self.ignore_case { c.to_ascii_lowercase() } else { c })
    }

    pub(super) fn class_node(&mut self, class: Class) -> Node {
        let found = self.classes.iter().position(|known| *known == class);
        let index = found.unwrap_or(self.classes.len());
        if found.is_none() {
            self.classes.push(class);
        }
        // A class takes a character of source at least, of which there are MAX_PATTERN_CHARS.
        Node::Class(u16::try_from(index).unwrap_or(u16::MAX))
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at = self.at.saturating_add(1);
        Some(c)
    }

    pub(super) fn eat(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        if found {
            self.at = self.at.saturating_add(1);
        }
        found
    }

    pub(super) fn eat_all(&mut self, text: &str) -> bool {
        let length = text.chars().count();
        let rest = self.chars.iter().skip(self.at).take(length).copied();
        let found = rest.eq(text.chars());
        if found {
            self.at = self.at.saturating_add(length);
        }
        found
    }

    pub(super) fn refuse<T>(
        &self,
        at: usize,
        why: impl Into<String>,
        cure: impl Into<String>,
    ) -> Result<T, PatternError> {
        Err(PatternError::new(at, why, cure))
    }
}
