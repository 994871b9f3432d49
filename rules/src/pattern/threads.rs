//! Running a program, one character at a time.

use std::mem;

use super::class::Class;
use super::program::{Inst, Program};
use super::set::Set;

/// A possible match: where it is in the program, and where it began in the text.
#[derive(Clone, Copy, Debug)]
struct Thread {
    pc: u16,
    start: u64,
}

/// Threads in the order of their starts, at most one for each instruction: of two in the same place the one that
/// began earlier reaches whatever the other reaches.
#[derive(Clone, Debug, Default)]
struct List {
    threads: Vec<Thread>,
    seen: Set,
}

/// One resumable run of one [`Program`] over one text, from any number of starts.
///
/// The leftmost start that matches wins, then its longest end. Once a start has matched, later ones are dropped, even
/// those that begin behind the match: after taking [`Self::best`], [`clear`](Self::clear) and begin anew from its end.
/// Memory is bounded by the program: two lists of at most 16 bytes for each instruction. A step allocates only until
/// the lists have grown to what the text needs.
#[derive(Clone, Debug, Default)]
pub struct Threads {
    current: List,
    next: List,
    /// Instructions that were visited behind a boundary that this step decided.
    decided: Set,
    stack: Vec<u16>,
    best: Option<(u64, u64)>,
    /// Matches that end before do not count.
    least_end: u64,
    /// End of the last character that was fed.
    fed: Option<u64>,
    cost: u32,
}

/// Where a run from one start is, behind what it has read.
#[derive(Debug)]
pub struct Places {
    pub pcs: Box<[u16]>,
    /// What has been read is a match.
    pub matched: bool,
}

impl Places {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.pcs.len()
    }

    /// Bytes of memory.
    pub fn memory(&self) -> usize {
        size_of_val(&*self.pcs)
    }
}

impl Program {
    /// The characters of ASCII, a bit each, in the program's case, that may follow; none where more than the next
    /// character decides, or where a match may be over.
    pub fn ahead(&self, places: &Places) -> Option<u128> {
        let mut ascii = 0;
        for pc in &places.pcs {
            match self.inst(*pc)? {
                Inst::Boundary(_) => return None,
                inst => ascii |= self.accepted(inst).ascii(),
            }
        }
        (!places.matched).then_some(ascii)
    }
}

impl Threads {
    /// Where the run from offset 0 is after it has read up to `end`. None where it has begun elsewhere too, or where a
    /// match has ended before.
    pub fn places(&self, end: u64) -> Option<Places> {
        let from_start = self.current.threads.iter().all(|thread| thread.start == 0);
        let matched = self.best.is_some();
        if !from_start || self.fed != Some(end) || matched && self.best != Some((0, end)) {
            return None;
        }
        Some(Places { pcs: self.pcs().collect(), matched })
    }

    /// A run from `start` that waits at `pcs` after it has read up to `fed`, whose longest match so far ends at `best`;
    /// only matches that reach `least_end` count.
    pub fn resume(&mut self, pcs: &[u16], start: u64, fed: u64, best: Option<u64>, least_end: u64) {
        self.reach_at_least(least_end);
        self.current.threads.extend(pcs.iter().map(|pc| Thread { pc: *pc, start }));
        self.best = best.map(|end| (start, end));
        self.fed = Some(fed);
    }

    /// The instructions at which the run waits.
    pub(super) fn pcs(&self) -> impl Iterator<Item = u16> + '_ {
        self.current.threads.iter().map(|thread| thread.pc)
    }

    /// A run with no start yet.
    pub fn new() -> Threads {
        Threads::default()
    }

    /// Makes it a new run, in the memory of the old one, in which a match that ends before `end` does not count: it is
    /// not [`Self::best`] and shuts nothing out. For a match around a known anchor, with starts before it.
    pub fn reach_at_least(&mut self, end: u64) {
        self.clear();
        self.cost = 0;
        self.least_end = end;
    }

    /// Forgets all threads and the match; keeps the memory, the cost and the end to be reached.
    pub fn clear(&mut self) {
        self.current.threads.clear();
        self.current.seen.clear(0);
        self.best = None;
        self.fed = None;
    }

    /// Begins a possible match at offset `start`, before the character there is fed. Starts must not decrease. False,
    /// and nothing begins, if a match with an earlier start is known.
    pub fn start(&mut self, program: &Program, start: u64) -> bool {
        if self.is_behind(start) {
            return false;
        }
        self.current.seen.grow(program.len());
        mem::swap(&mut self.current, &mut self.next);
        self.reach(program, 0, start, start);
        mem::swap(&mut self.current, &mut self.next);
        self.prune();
        true
    }

    /// Feeds `c`, which lies at `at..end` in the caller's offsets; `previous` is the character before it, none at the
    /// start of the text. Offsets may leave gaps (characters that the caller drops): a match ends where its last
    /// character does.
    pub fn step(&mut self, program: &Program, previous: Option<char>, c: char, at: u64, end: u64) {
        self.advance(program, previous, Some(c), at, end);
    }

    /// The text ends at offset `at`, behind `previous`: decides pending boundaries and ends all threads.
    pub fn finish(&mut self, program: &Program, previous: Option<char>, at: u64) {
        self.advance(program, previous, None, at, at);
    }

    /// Whether nothing is open: what [`Self::best`] says is final.
    pub fn is_dead(&self) -> bool {
        self.current.threads.is_empty()
    }

    /// The leftmost start that has matched so far and its longest end so far. It may still grow, or give way to an
    /// earlier start, unless [`Self::is_dead`]. A match that ends in `\b` is known one character later.
    pub fn best(&self) -> Option<(u64, u64)> {
        self.best
    }

    /// The earliest start of whatever is open or has matched: no match begins before it.
    pub fn earliest(&self) -> Option<u64> {
        let open = self.current.threads.first().map(|thread| thread.start);
        let matched = self.best.map(|(start, _)| start);
        open.into_iter().chain(matched).min()
    }

    /// The class of the repeat without end that the earliest such thread is in or about to enter, if there is one.
    pub fn looping_class<'a>(&self, program: &'a Program) -> Option<&'a Class> {
        let pcs: Vec<u16> = self.pcs().collect();
        program.looping_class(&pcs)
    }

    /// Instructions visited since this was last asked; saturates.
    pub fn cost(&mut self) -> u32 {
        mem::take(&mut self.cost)
    }

    fn advance(
        &mut self,
        program: &Program,
        previous: Option<char>,
        c: Option<char>,
        at: u64,
        end: u64,
    ) {
        self.next.threads.clear();
        self.next.seen.clear(program.len());
        let place = Place {
            boundary: is_word(previous) != is_word(c),
            c: c.map(|c| program.folded(c)),
            behind: self.fed.unwrap_or(at),
            end,
        };
        let mut none_decided = true;
        let threads = mem::take(&mut self.current.threads);
        for thread in &threads {
            let Some(inst) = program.inst(thread.pc) else { continue };
            self.spend();
            if matches!(inst, Inst::Boundary(_)) {
                if mem::take(&mut none_decided) {
                    self.decided.clear(program.len());
                }
                self.decide(program, *thread, &place);
            } else {
                self.feed(program, inst, *thread, &place);
            }
        }
        self.current.threads = threads;
        self.fed = Some(end);
        mem::swap(&mut self.current, &mut self.next);
        self.prune();
    }

    /// Moves one thread over the character, if its instruction takes it.
    fn feed(&mut self, program: &Program, inst: Inst, thread: Thread, place: &Place) {
        if let (Some(c), Some(after)) = (place.c, inst.after(thread.pc))
            && program.takes(inst, c)
        {
            self.reach(program, after, thread.start, place.end);
        }
    }

    /// Follows a thread that waits at a boundary, now that the characters on both sides are known.
    fn decide(&mut self, program: &Program, thread: Thread, place: &Place) {
        let base = self.stack.len();
        self.stack.push(thread.pc);
        while self.stack.len() > base
            && let Some(pc) = self.stack.pop()
        {
            let (true, Some(inst)) = (self.decided.insert(pc), program.inst(pc)) else { continue };
            self.spend();
            self.stack.extend(inst.skips(pc));
            match inst {
                Inst::Boundary(wanted) if wanted == place.boundary => {
                    self.stack.push(pc.saturating_add(1))
                }
                Inst::Match => self.record(thread.start, place.behind.max(thread.start)),
                _ => self.feed(program, inst, Thread { pc, ..thread }, place),
            }
        }
    }

    /// Adds to the next list whatever `pc` leads to without a character: what takes one, waits at a boundary, matches.
    fn reach(&mut self, program: &Program, pc: u16, start: u64, end: u64) {
        let base = self.stack.len();
        self.stack.push(pc);
        while self.stack.len() > base
            && let Some(pc) = self.stack.pop()
        {
            let (true, Some(inst)) = (self.next.seen.insert(pc), program.inst(pc)) else {
                continue;
            };
            self.spend();
            self.stack.extend(inst.skips(pc));
            match inst {
                Inst::Match => self.record(start, end),
                Inst::Split(_) | Inst::Jump(_) => {}
                _ => self.next.threads.push(Thread { pc, start }),
            }
        }
    }

    fn record(&mut self, start: u64, end: u64) {
        if end < self.least_end {
            return;
        }
        self.best = match self.best {
            Some((known, longest)) if known == start => Some((start, longest.max(end))),
            Some(known) if known.0 < start => Some(known),
            _ => Some((start, end)),
        };
    }

    fn is_behind(&self, start: u64) -> bool {
        self.best.is_some_and(|(known, _)| known < start)
    }

    fn prune(&mut self) {
        if let Some((start, _)) = self.best {
            let kept = self.current.threads.partition_point(|thread| thread.start <= start);
            self.current.threads.truncate(kept);
        }
    }

    fn spend(&mut self) {
        self.charge(1);
    }

    /// Counts steps that were taken for it elsewhere.
    pub fn charge(&mut self, steps: u32) {
        self.cost = self.cost.saturating_add(steps);
    }
}

/// A character that is fed, in the program's case, and what is known of its place.
struct Place {
    c: Option<char>,
    boundary: bool,
    /// End of the character before.
    behind: u64,
    end: u64,
}

pub(super) fn is_word(c: Option<char>) -> bool {
    c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
}
