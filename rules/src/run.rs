//! A run of one rule's program: along known paths while it has one start, by threads otherwise.

use std::mem;

use crate::pattern::{Class, Node, Paths, Places, Program, Threads};

#[derive(Debug)]
pub(crate) enum Run {
    Path(Path),
    Threads(Box<Threads>),
}

/// A run from one start.
#[derive(Debug)]
pub(crate) struct Path {
    pub rule: u16,
    /// None: nothing more can match.
    pub node: Option<Node>,
    pub start: u64,
    /// End of the longest match so far.
    pub best: Option<u64>,
    /// Matches that end before do not count.
    pub least_end: u64,
    /// End of the last character that was fed.
    pub fed: u64,
    /// Steps that were not asked for yet.
    pub cost: u32,
}

impl Path {
    /// At `node` after reading up to `fed`.
    pub fn new(rule: u16, node: Node, start: u64, fed: u64, least_end: u64) -> Path {
        Path { rule, node: Some(node), start, best: None, least_end, fed, cost: 0 }
    }

    /// The instructions at which it waits.
    fn pcs<'a>(&self, paths: &'a Paths) -> &'a [u16] {
        self.node.map_or(&[], |node| paths.pcs(self.rule, node))
    }

    fn threads(&self, paths: &Paths) -> Box<Threads> {
        let mut threads = Box::<Threads>::default();
        threads.resume(self.pcs(paths), self.start, self.fed, self.best, self.least_end);
        threads.charge(self.cost);
        threads
    }

    /// False, and nothing is read, if the paths do not say where it leads.
    fn step(&mut self, paths: &mut Paths, program: &Program, c: char, end: u64) -> bool {
        let Some(node) = self.node else { return true };
        let Some(step) = paths.step(self.rule, program, node, c) else { return false };
        if step.matched_behind() {
            self.matched(self.fed);
        }
        if step.matched_here() {
            self.matched(end);
        }
        (self.node, self.fed) = (step.next(), end);
        self.cost = self.cost.saturating_add(step.cost());
        true
    }

    fn matched(&mut self, end: u64) {
        if end >= self.least_end {
            self.best = self.best.max(Some(end));
        }
    }
}

impl Run {
    /// One with no start yet, of matches that reach `least_end`. `spare` is of any other: it lends its memory.
    pub fn new(least_end: u64, spare: Option<Run>) -> Run {
        let mut threads = match spare {
            Some(Run::Threads(threads)) => threads,
            _ => Box::default(),
        };
        threads.reach_at_least(least_end);
        Run::Threads(threads)
    }

    /// What has memory, of one that is over.
    pub fn take(&mut self) -> Option<Run> {
        let over = || Path { node: None, ..Path::new(0, 0, 0, 0, 0) };
        matches!(self, Run::Threads(_)).then(|| mem::replace(self, Run::Path(over())))
    }

    /// As [`Threads::resume`].
    pub fn resumed(pcs: &[u16], start: u64, fed: u64, best: Option<u64>, least_end: u64) -> Run {
        let mut threads = Box::<Threads>::default();
        threads.resume(pcs, start, fed, best, least_end);
        Run::Threads(threads)
    }

    /// As [`Threads::places`]; none on a path.
    pub fn places(&self, end: u64) -> Option<Places> {
        match self {
            Run::Threads(threads) => threads.places(end),
            Run::Path(_) => None,
        }
    }

    /// Begins a possible match at offset `at`, if `program` is one that must be told; as [`Threads::start`].
    pub fn start(&mut self, program: &Program, at: u64) {
        if let Run::Threads(threads) = self {
            threads.start(program, at);
        }
    }

    /// As [`Threads::step`].
    pub fn step(
        &mut self,
        paths: &mut Paths,
        program: &Program,
        previous: Option<char>,
        c: char,
        at: std::ops::Range<u64>,
    ) {
        if let Run::Path(path) = self {
            if path.step(paths, program, c, at.end) {
                return;
            }
            *self = Run::Threads(path.threads(paths));
        }
        if let Run::Threads(threads) = self {
            threads.step(program, previous, c, at.start, at.end);
        }
    }

    /// As [`Threads::finish`].
    pub fn finish(&mut self, paths: &Paths, program: &Program, previous: Option<char>, at: u64) {
        if let Run::Path(path) = self {
            *self = Run::Threads(path.threads(paths));
        }
        if let Run::Threads(threads) = self {
            threads.finish(program, previous, at);
        }
    }

    /// As [`Threads::best`].
    pub fn best(&self) -> Option<(u64, u64)> {
        match self {
            Run::Path(path) => path.best.map(|end| (path.start, end)),
            Run::Threads(threads) => threads.best(),
        }
    }

    /// As [`Threads::is_dead`].
    pub fn is_dead(&self) -> bool {
        match self {
            Run::Path(path) => path.node.is_none(),
            Run::Threads(threads) => threads.is_dead(),
        }
    }

    /// As [`Threads::earliest`].
    pub fn earliest(&self) -> Option<u64> {
        match self {
            Run::Path(path) => (path.node.is_some() || path.best.is_some()).then_some(path.start),
            Run::Threads(threads) => threads.earliest(),
        }
    }

    /// As [`Threads::looping_class`].
    pub fn looping_class<'a>(&self, paths: &Paths, program: &'a Program) -> Option<&'a Class> {
        match self {
            Run::Path(path) => program.looping_class(path.pcs(paths)),
            Run::Threads(threads) => threads.looping_class(program),
        }
    }

    /// As [`Threads::cost`].
    pub fn cost(&mut self) -> u32 {
        match self {
            Run::Path(path) => mem::take(&mut path.cost),
            Run::Threads(threads) => threads.cost(),
        }
    }
}
