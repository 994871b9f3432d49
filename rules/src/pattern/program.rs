//! A pattern as a flat list of instructions.

use super::ast::Node;
use super::class::Class;
use super::parse::Parser;
use super::set::Set;
use super::threads::is_word;
use super::{Options, PatternError};

/// One instruction, 8 bytes. «Next» is the instruction behind it; targets are instruction numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inst {
    /// Takes this character, then next.
    Char(char),
    /// Takes a character of the class, then next.
    Class(u16),
    /// Takes a character of the class, then next; or goes on at `exit` without. Written for `x{n,m}`.
    Optional {
        class: u16,
        exit: u16,
    },
    /// Takes any number of characters of the class, then next.
    Loop(u16),
    /// Next, and the target as well.
    Split(u16),
    Jump(u16),
    /// Next, if this place is a word boundary (true) or is none (false).
    Boundary(bool),
    Match,
}

impl Inst {
    /// Where `pc` leads without taking a character or asking about a boundary.
    pub(super) fn skips(self, pc: u16) -> impl Iterator<Item = u16> {
        let next = pc.saturating_add(1);
        let (one, other) = match self {
            Inst::Split(target) => (Some(next), Some(target)),
            Inst::Jump(target) => (Some(target), None),
            Inst::Optional { exit, .. } => (Some(exit), None),
            Inst::Loop(_) => (Some(next), None),
            Inst::Char(_) | Inst::Class(_) | Inst::Boundary(_) | Inst::Match => (None, None),
        };
        one.into_iter().chain(other)
    }

    /// Where `pc` leads once it has taken a character; none if it takes none.
    pub(super) fn after(self, pc: u16) -> Option<u16> {
        match self {
            Inst::Char(_) | Inst::Class(_) | Inst::Optional { .. } => Some(pc.saturating_add(1)),
            Inst::Loop(_) => Some(pc),
            Inst::Split(_) | Inst::Jump(_) | Inst::Boundary(_) | Inst::Match => None,
        }
    }

    fn class(self) -> Option<u16> {
        match self {
            Inst::Class(class) | Inst::Optional { class, .. } | Inst::Loop(class) => Some(class),
            _ => None,
        }
    }
}

/// What a match can begin with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct First {
    /// One bit for each ASCII character.
    pub ascii: u128,
    /// Whether a character beyond ASCII can begin a match.
    pub non_ascii: bool,
    /// Whether every match begins at a word boundary (`\b`).
    pub boundary: bool,
}

impl First {
    /// Whether a match may begin with `c`; it may be true of a character beyond ASCII that none begins with.
    #[inline]
    pub fn contains(&self, c: char) -> bool {
        if c.is_ascii() { self.ascii >> u32::from(c) & 1 == 1 } else { self.non_ascii }
    }
}

/// A compiled pattern: immutable, shared by all streams.
#[derive(Clone, Debug)]
pub struct Program {
    code: Box<[Inst]>,
    classes: Box<[Class]>,
    ignore_case: bool,
    min_len: usize,
    max_len: Option<usize>,
    first: First,
}

impl Program {
    /// Compiles `pattern`; the module's documentation lists the syntax.
    ///
    /// # Errors
    /// What is not supported or too large, with its place and what to write instead.
    pub fn parse(pattern: &str, options: &Options) -> Result<Program, PatternError> {
        let (tree, parser) = Parser::pattern(pattern, options)?;
        let mut code = Vec::with_capacity(tree.size().saturating_add(1));
        write(&tree, &mut code);
        code.push(Inst::Match);
        let mut program = Program {
            code: code.into_boxed_slice(),
            classes: parser.classes.into_boxed_slice(),
            ignore_case: parser.ignore_case,
            min_len: tree.min_len(),
            max_len: tree.max_len(),
            first: First::default(),
        };
        program.first = program.find_first();
        Ok(program)
    }

    /// The fewest characters of a match.
    pub fn min_len(&self) -> usize {
        self.min_len
    }

    /// The most characters of a match; none if a repeat has no end.
    pub fn max_len(&self) -> Option<usize> {
        self.max_len
    }

    /// Whether a match can have no character, boundaries left aside.
    pub fn can_be_empty(&self) -> bool {
        self.min_len == 0
    }

    /// What a match can begin with; of a pattern that can be empty, what a longer match can.
    pub fn first(&self) -> First {
        self.first
    }

    /// Whether it leaves ASCII case aside everywhere.
    pub fn ignores_case(&self) -> bool {
        self.ignore_case
    }

    /// Whether a match that begins with `word`, which is ASCII, can begin with it as it stands only: not in another case,
    /// and with nothing in between that a view drops or replaces. False where it may be too intricate to tell.
    pub fn spells_exactly(&self, word: &str) -> bool {
        if self.ignore_case || word.contains(char::is_whitespace) {
            return false;
        }
        let (mut exact, mut other) = (vec![0u16], Vec::new());
        for c in word.chars() {
            let (mut exactly, mut otherwise) = (Vec::new(), Vec::new());
            let swapped = if c.is_ascii_uppercase() {
                c.to_ascii_lowercase()
            } else {
                c.to_ascii_uppercase()
            };
            for (starts, is_exact) in [(&exact, true), (&other, false)] {
                for ((ascii, wide), next) in self.branches(starts) {
                    let takes = |c: char| ascii >> u32::from(c) & 1 == 1;
                    if wide || ascii & DROPPED != 0 {
                        return false;
                    }
                    if takes(c) {
                        if is_exact { &mut exactly } else { &mut otherwise }.extend(&next);
                    }
                    if swapped != c && takes(swapped) {
                        otherwise.extend(&next);
                    }
                }
            }
            (exact, other) = (exactly, otherwise);
        }
        other.is_empty()
    }

    /// The ways in which a match can begin: for each of its first `count` characters what it can be, ASCII, and whether
    /// others. Where a match may be over, anything follows. Beyond `most` ways, some are told as one.
    pub fn ways(&self, count: usize, most: usize) -> Vec<Vec<(u128, bool)>> {
        let mut ways = vec![(Vec::with_capacity(count), vec![0u16])];
        for _ in 0..count {
            let beyond = || vec![((u128::MAX, true), Vec::new())];
            let branches = |starts: &Vec<u16>| match self.branches(starts) {
                none if none.is_empty() => beyond(),
                some => some,
            };
            let branches: Vec<_> = ways.iter().map(|(_, starts)| branches(starts)).collect();
            let split = branches.iter().map(Vec::len).sum::<usize>() <= most;
            let mut longer = Vec::with_capacity(ways.len());
            for ((way, _), branches) in ways.into_iter().zip(branches) {
                for (class, next) in if split { branches } else { vec![joined(branches)] } {
                    let mut way = way.clone();
                    way.push(class);
                    longer.push((way, next));
                }
            }
            ways = longer;
        }
        ways.into_iter().map(|(way, _)| way).collect()
    }

    /// What can be read from `starts` on, by what is taken, and where each leads. Nowhere: a match may be over.
    fn branches(&self, starts: &[u16]) -> Vec<Branch> {
        if starts.is_empty() {
            return Vec::new();
        }
        let mut branches: Vec<Branch> = Vec::new();
        let mut seen = Set::new(self.len());
        let mut open = starts.to_vec();
        while let Some(pc) = open.pop() {
            let (true, Some(inst)) = (seen.insert(pc), self.inst(pc)) else { continue };
            open.extend(inst.skips(pc));
            match inst {
                Inst::Match => return vec![((u128::MAX, true), Vec::new())],
                Inst::Boundary(_) => open.push(pc.saturating_add(1)),
                Inst::Split(_) | Inst::Jump(_) => {}
                _ => {
                    let class = self.accepted(inst);
                    let class = (class.ascii(), class.is_wide());
                    match branches.iter_mut().find(|(known, _)| *known == class) {
                        Some((_, next)) => next.extend(inst.after(pc)),
                        None => branches.push((class, inst.after(pc).into_iter().collect())),
                    }
                }
            }
        }
        branches
    }

    /// What the first `count` characters of a match can be, each by itself: ASCII, and whether others. Where a match
    /// may be over, anything follows.
    pub fn openings(&self, count: usize) -> Vec<(u128, bool)> {
        let mut starts = vec![0];
        let mut openings = Vec::with_capacity(count);
        while openings.len() < count {
            let mut seen = Set::new(self.len());
            let mut next = Vec::new();
            let mut taken = Class::default();
            while let Some(pc) = starts.pop() {
                let (true, Some(inst)) = (seen.insert(pc), self.inst(pc)) else { continue };
                starts.extend(inst.skips(pc));
                match inst {
                    Inst::Match => {
                        openings.resize(count, (u128::MAX, true));
                        return openings;
                    }
                    Inst::Boundary(_) => starts.push(pc.saturating_add(1)),
                    _ => {
                        taken.extend(&self.accepted(inst));
                        next.extend(inst.after(pc));
                    }
                }
            }
            openings.push((taken.ascii(), taken.is_wide()));
            starts = next;
        }
        openings
    }

    /// Bytes of memory, for `weir check`.
    pub fn memory(&self) -> usize {
        let wide: usize = self.classes.iter().map(Class::memory).sum();
        size_of::<Program>()
            .saturating_add(size_of_val(&*self.code))
            .saturating_add(size_of_val(&*self.classes))
            .saturating_add(wide)
    }

    /// The number of instructions.
    pub(super) fn len(&self) -> usize {
        self.code.len()
    }

    pub(super) fn inst(&self, pc: u16) -> Option<Inst> {
        self.code.get(usize::from(pc)).copied()
    }

    pub(super) fn instructions(&self) -> impl DoubleEndedIterator<Item = (u16, Inst)> + '_ {
        (0..=u16::MAX).take(self.code.len()).filter_map(|pc| Some((pc, self.inst(pc)?)))
    }

    /// The class that an instruction takes its character from, if it has one.
    pub(super) fn class(&self, inst: Inst) -> Option<&Class> {
        self.classes.get(usize::from(inst.class()?))
    }

    /// The class of the first of these instructions that is a repeat without end.
    pub fn looping_class(&self, pcs: &[u16]) -> Option<&Class> {
        let looping = |pc: &u16| self.inst(*pc).filter(|inst| matches!(inst, Inst::Loop(_)));
        self.class(pcs.iter().find_map(looping)?)
    }

    /// By character of ASCII the number of a class of those that no instruction tells apart, and how many there are.
    pub(super) fn columns(&self) -> ([u8; 128], usize) {
        let mut known: Vec<(bool, Vec<u16>)> = Vec::new();
        let columns = std::array::from_fn(|c| {
            let c = char::from(c as u8);
            let takers = self.instructions().filter(|(_, inst)| self.takes(*inst, self.folded(c)));
            let class = (is_word(Some(c)), takers.map(|(pc, _)| pc).collect());
            let column = known.iter().position(|known| *known == class);
            column.unwrap_or_else(|| {
                known.push(class);
                known.len().saturating_sub(1)
            }) as u8
        });
        (columns, known.len())
    }

    /// The case in which [`Self::takes`] compares.
    #[inline]
    pub(super) fn folded(&self, c: char) -> char {
        if self.ignore_case { c.to_ascii_lowercase() } else { c }
    }

    /// Whether an instruction takes `c`, which is [`Self::folded`].
    #[inline]
    pub(super) fn takes(&self, inst: Inst, c: char) -> bool {
        match inst {
            Inst::Char(wanted) => wanted == c,
            _ => self.class(inst).is_some_and(|class| class.contains(c)),
        }
    }

    /// All characters that an instruction takes.
    pub(super) fn accepted(&self, inst: Inst) -> Class {
        match inst {
            Inst::Char(c) => Class::new(&[(c.into(), c.into())], self.ignore_case, false),
            _ => self.class(inst).cloned().unwrap_or_default(),
        }
    }

    fn find_first(&self) -> First {
        let mut found = Class::default();
        let mut boundary = true;
        // First along every path, then along those that need no `\b`.
        for through in [true, false] {
            let mut seen = Set::new(self.len());
            let mut open = vec![0];
            while let Some(pc) = open.pop() {
                let (true, Some(inst)) = (seen.insert(pc), self.inst(pc)) else { continue };
                open.extend(inst.skips(pc));
                match inst {
                    Inst::Boundary(wanted) if through || !wanted => open.push(pc.saturating_add(1)),
                    Inst::Boundary(_) | Inst::Split(_) | Inst::Jump(_) => {}
                    _ if through => found.extend(&self.accepted(inst)),
                    _ => boundary = false,
                }
            }
        }
        First { ascii: found.ascii(), non_ascii: found.is_wide(), boundary }
    }
}

/// The characters of ASCII that views drop or take for a space.
const DROPPED: u128 = 0xFFFF_FFFF | 1 << 0x7F;

/// A class of characters, and the instructions behind it.
type Branch = ((u128, bool), Vec<u16>);

fn joined(branches: Vec<Branch>) -> Branch {
    branches.into_iter().fold(((0, false), Vec::new()), |mut all, ((ascii, wide), next)| {
        all.0 = (all.0.0 | ascii, all.0.1 | wide);
        all.1.extend(next);
        all
    })
}

fn here(code: &[Inst]) -> u16 {
    // The parser refuses programs that are longer.
    u16::try_from(code.len()).unwrap_or(u16::MAX)
}

/// Appends the instructions of `node`, as many as [`Node::size`] says.
fn write(node: &Node, code: &mut Vec<Inst>) {
    match node {
        Node::Empty => {}
        Node::Char(c) => code.push(Inst::Char(*c)),
        Node::Class(class) => code.push(Inst::Class(*class)),
        Node::Boundary(wanted) => code.push(Inst::Boundary(*wanted)),
        Node::Concat(nodes) => nodes.iter().for_each(|node| write(node, code)),
        Node::Alternate(branches) => write_branches(branches, code),
        Node::Repeat { node, min, max } => match **node {
            Node::Class(class) => write_class_repeat(class, *min, *max, code),
            _ => write_repeat(node, *min, *max, code),
        },
    }
}

fn write_branches(branches: &[Node], code: &mut Vec<Inst>) {
    let Some((last, others)) = branches.split_last() else { return };
    let mut jumps = Vec::with_capacity(others.len());
    for branch in others {
        let split = code.len();
        code.push(Inst::Split(0));
        write(branch, code);
        jumps.push(code.len());
        code.push(Inst::Jump(0));
        let target = here(code);
        patch(code, split, Inst::Split(target));
    }
    write(last, code);
    let end = here(code);
    jumps.into_iter().for_each(|jump| patch(code, jump, Inst::Jump(end)));
}

fn write_class_repeat(class: u16, min: u16, max: Option<u16>, code: &mut Vec<Inst>) {
    code.extend((0..min).map(|_| Inst::Class(class)));
    match max {
        None => code.push(Inst::Loop(class)),
        Some(max) => {
            let more = max.saturating_sub(min);
            let exit = here(code).saturating_add(more);
            code.extend((0..more).map(|_| Inst::Optional { class, exit }));
        }
    }
}

fn write_repeat(node: &Node, min: u16, max: Option<u16>, code: &mut Vec<Inst>) {
    let mut last = here(code);
    for _ in 0..min {
        last = here(code);
        write(node, code);
    }
    match max {
        None if min > 0 => code.push(Inst::Split(last)),
        None => {
            code.push(Inst::Split(0));
            write(node, code);
            code.push(Inst::Jump(last));
            let end = here(code);
            patch(code, usize::from(last), Inst::Split(end));
        }
        Some(max) => {
            let mut splits = Vec::new();
            for _ in min..max {
                splits.push(code.len());
                code.push(Inst::Split(0));
                write(node, code);
            }
            let end = here(code);
            splits.into_iter().for_each(|split| patch(code, split, Inst::Split(end)));
        }
    }
}

fn patch(code: &mut [Inst], at: usize, inst: Inst) {
    if let Some(slot) = code.get_mut(at) {
        *slot = inst;
    }
}
