//! Where runs from one start lead: each step is worked out once, by [`Threads`], and looked up from then on.

use super::class::Class;
use super::program::{Inst, Program};
use super::threads::{Threads, is_word};

/// The most places that are kept, about half a KiB each. What leads further is worked out every time.
const MAX_NODES: usize = 1024;
/// The most instructions of one place.
const MAX_PCS: usize = 64;
/// The most steps of [`Threads`] that one look-up stands for.
const MAX_COST: u32 = (1 << 13) - 1;

/// A place in a program, known to [`Paths`].
pub type Node = u16;

/// What a run came to by one character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step(u32);

impl Step {
    const UNKNOWN: Step = Step(0);
    const KNOWN: u32 = 1;
    const HERE: u32 = 1 << 1;
    const BEHIND: u32 = 1 << 2;
    const DEAD: u32 = 0xFFFF;

    /// Where the run goes on; nowhere if nothing more can match.
    pub fn next(self) -> Option<Node> {
        let next = self.0 >> 16;
        (next != Step::DEAD).then_some(next as Node)
    }

    /// A match ends with the character.
    pub fn matched_here(self) -> bool {
        self.0 & Step::HERE != 0
    }

    /// A match ended before the character.
    pub fn matched_behind(self) -> bool {
        self.0 & Step::BEHIND != 0
    }

    /// Instructions that [`Threads`] visits for it.
    pub fn cost(self) -> u32 {
        self.0 >> 3 & MAX_COST
    }
}

/// The instructions at which a run of a rule waits.
#[derive(Debug)]
struct Place {
    rule: u16,
    pcs: Box<[u16]>,
    /// It waits at a boundary, with a word character before it.
    after_word: bool,
    /// By the next character, of ASCII.
    steps: Box<[Step; 128]>,
}

/// Unknown, or a place if there was room for it, and what it costs to get there.
type Begin = Option<Option<(Node, u32)>>;

/// The places that texts have led to so far, of the programs of all rules.
///
/// What a run comes to, and what it costs, is the same whether its places are known here or not.
#[derive(Debug)]
pub struct Paths {
    /// The most places.
    room: usize,
    places: Vec<Place>,
    /// Places where runs are resumed, by their number, and where they begin, by rule.
    resumed: Vec<Begin>,
    roots: Vec<Begin>,
    threads: Threads,
}

impl Default for Paths {
    fn default() -> Paths {
        Paths::with_room(MAX_NODES)
    }
}

impl Paths {
    /// With room for so many places, at most [`MAX_NODES`].
    pub fn with_room(room: usize) -> Paths {
        let (places, resumed, roots) = (Vec::new(), Vec::new(), Vec::new());
        Paths { room: room.min(MAX_NODES), places, resumed, roots, threads: Threads::new() }
    }

    /// The most bytes of memory.
    pub const MEMORY: usize = MAX_NODES * (size_of::<[Step; 128]>() + size_of::<Place>() + 2 * 8);

    /// The place of a run of `rule` that waits at `pcs` behind `previous`: always the same of one `number`.
    pub fn resumed(
        &mut self,
        number: usize,
        rule: u16,
        program: &Program,
        pcs: &[u16],
        previous: Option<char>,
    ) -> Option<Node> {
        let begun = match known(&self.resumed, number) {
            Some(begun) => begun,
            None => {
                let begun = self.node(rule, program, pcs, previous).map(|node| (node, 0));
                note(&mut self.resumed, number, begun)
            }
        };
        begun.map(|(node, _)| node)
    }

    /// The place of a run of `rule` that has read nothing and stands behind `previous`, and what it costs.
    pub fn root(
        &mut self,
        rule: u16,
        program: &Program,
        previous: Option<char>,
    ) -> Option<(Node, u32)> {
        let number = 2 * usize::from(rule) + usize::from(is_word(previous));
        if let Some(begun) = known(&self.roots, number) {
            return begun;
        }
        self.threads.reach_at_least(0);
        self.threads.start(program, 0);
        let cost = self.threads.cost();
        let pcs: Vec<u16> = self.threads.pcs().collect();
        let begun = self.node(rule, program, &pcs, previous).map(|node| (node, cost));
        note(&mut self.roots, number, begun)
    }

    /// The instructions at which a run waits that is at `node`.
    pub fn pcs(&self, node: Node) -> &[u16] {
        self.places.get(usize::from(node)).map_or(&[], |place| &place.pcs)
    }

    /// The class of the repeat without end that a run at `node` is in or about to enter, if there is one.
    pub fn looping_class<'a>(&self, program: &'a Program, node: Node) -> Option<&'a Class> {
        program.looping_class(self.pcs(node).iter().copied())
    }

    /// What `c` leads to; none where there is no room to tell.
    #[inline]
    pub fn step(&mut self, program: &Program, node: Node, c: char) -> Option<Step> {
        let place = self.places.get(usize::from(node))?;
        match place.steps.get(c as usize) {
            Some(step) if *step != Step::UNKNOWN => Some(*step),
            _ => self.work_out(program, node, c),
        }
    }

    #[cold]
    fn work_out(&mut self, program: &Program, node: Node, c: char) -> Option<Step> {
        let place = self.places.get(usize::from(node))?;
        let (rule, previous) = (place.rule, place.after_word.then_some('a'));
        self.threads.resume(&place.pcs, 0, 0, None, 0);
        self.threads.step(program, previous, c, 0, 1);
        let cost = self.threads.cost();
        if cost > MAX_COST {
            return None;
        }
        let matched = match self.threads.best() {
            Some((_, 0)) => Step::BEHIND,
            Some(_) => Step::HERE,
            None => 0,
        };
        let pcs: Vec<u16> = self.threads.pcs().collect();
        let next = match pcs.as_slice() {
            [] => Step::DEAD,
            pcs => u32::from(self.node(rule, program, pcs, Some(c))?),
        };
        let step = Step(next << 16 | cost << 3 | matched | Step::KNOWN);
        let place = self.places.get_mut(usize::from(node))?;
        if let Some(slot) = place.steps.get_mut(c as usize) {
            *slot = step;
        }
        Some(step)
    }

    fn node(
        &mut self,
        rule: u16,
        program: &Program,
        pcs: &[u16],
        previous: Option<char>,
    ) -> Option<Node> {
        let waits = |pc: &u16| matches!(program.inst(*pc), Some(Inst::Boundary(_)));
        let after_word = is_word(previous) && pcs.iter().any(waits);
        let same = |place: &Place| {
            place.rule == rule && place.after_word == after_word && *place.pcs == *pcs
        };
        if let Some(known) = self.places.iter().position(same) {
            return Node::try_from(known).ok();
        }
        if self.places.len() >= self.room || pcs.len() > MAX_PCS {
            return None;
        }
        let steps = Box::new([Step::UNKNOWN; 128]);
        self.places.push(Place { rule, pcs: pcs.into(), after_word, steps });
        Node::try_from(self.places.len().saturating_sub(1)).ok()
    }
}

fn known(begins: &[Begin], number: usize) -> Begin {
    begins.get(number).copied().flatten()
}

fn note(begins: &mut Vec<Begin>, number: usize, begun: Option<(Node, u32)>) -> Option<(Node, u32)> {
    if begins.len() <= number {
        begins.resize(number.saturating_add(1), None);
    }
    if let Some(slot) = begins.get_mut(number) {
        *slot = Some(begun);
    }
    begun
}
