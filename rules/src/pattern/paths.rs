//! Where runs from one start lead: each step is worked out once, by [`Threads`], and looked up from then on.

use super::program::{Inst, Program};
use super::threads::{Threads, is_word};

/// The most bytes of memory for places. What leads further is left to [`Threads`].
pub const MAX_MEMORY: usize = 1024 * 1024;
/// The most instructions of one place.
const MAX_PCS: usize = 64;
/// The most steps of [`Threads`] that one look-up stands for.
const MAX_COST: u32 = (1 << 13) - 1;

/// A place in the program of a rule, known to [`Paths`].
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

/// Unknown, or a place if there was room for it, and what it costs to get there.
type Begin = Option<Option<(Node, u32)>>;

/// The instructions at which a run waits.
#[derive(Debug)]
struct Place {
    pcs: std::ops::Range<u32>,
    /// It waits at a boundary, with a word character before it.
    after_word: bool,
}

/// The places of one rule.
#[derive(Debug)]
struct Map {
    places: Vec<Place>,
    pcs: Vec<u16>,
    /// By character of ASCII: which steps tell what it leads to, the same for those that the program tells not apart.
    columns: [u8; 128],
    width: usize,
    /// By place and column.
    steps: Vec<Step>,
    /// Where runs begin, behind no word character and behind one.
    roots: [Begin; 2],
}

impl Map {
    fn new(program: &Program) -> Map {
        let (columns, width) = program.columns();
        let (places, pcs, steps) = (Vec::new(), Vec::new(), Vec::new());
        Map { places, pcs, columns, width, steps, roots: [None; 2] }
    }

    fn pcs(&self, node: Node) -> &[u16] {
        let place = self.places.get(usize::from(node));
        let range = place.map_or(0..0, |place| place.pcs.start as usize..place.pcs.end as usize);
        self.pcs.get(range).unwrap_or_default()
    }

    fn index(&self, node: Node, c: char) -> Option<usize> {
        let column = self.columns.get(c as usize)?;
        Some(usize::from(node) * self.width + usize::from(*column))
    }

    fn add(&mut self, pcs: &[u16], after_word: bool) -> Node {
        let node = self.places.len() as Node;
        let from = self.pcs.len() as u32;
        self.pcs.extend_from_slice(pcs);
        self.places.push(Place { pcs: from..self.pcs.len() as u32, after_word });
        self.steps.resize(self.steps.len() + self.width, Step::UNKNOWN);
        node
    }

    fn find(&self, pcs: &[u16], after_word: bool) -> Option<Node> {
        let same = |node: &Node| {
            let place = self.places.get(usize::from(*node));
            place.is_some_and(|place| place.after_word == after_word) && self.pcs(*node) == pcs
        };
        (0..self.places.len() as Node).find(same)
    }
}

/// The places that texts have led to so far, of the programs of all rules.
///
/// What a run comes to, and what it costs, is the same whether its places are known here or not.
#[derive(Debug)]
pub struct Paths {
    /// Bytes of memory left for places.
    room: usize,
    /// By rule.
    maps: Vec<Option<Box<Map>>>,
    /// Places where runs are resumed, by their number.
    resumed: Vec<Begin>,
    threads: Threads,
}

impl Default for Paths {
    fn default() -> Paths {
        Paths::with_room(MAX_MEMORY)
    }
}

impl Paths {
    /// With room for so many bytes of places, at most [`MAX_MEMORY`].
    pub fn with_room(room: usize) -> Paths {
        let (maps, resumed) = (Vec::new(), Vec::new());
        Paths { room: room.min(MAX_MEMORY), maps, resumed, threads: Threads::new() }
    }

    /// The place of a run of `rule` that waits at `pcs` behind `previous`: always the same of one `number`.
    pub fn resumed(
        &mut self,
        number: usize,
        rule: u16,
        program: &Program,
        pcs: &[u16],
        previous: Option<char>,
    ) -> Option<Node> {
        let known = self.resumed.get(number).copied().flatten();
        let begun = known.unwrap_or_else(|| {
            let begun = self.node(rule, program, pcs, previous).map(|node| (node, 0));
            if self.resumed.len() <= number {
                self.resumed.resize(number.saturating_add(1), None);
            }
            if let Some(slot) = self.resumed.get_mut(number) {
                *slot = Some(begun);
            }
            begun
        });
        begun.map(|(node, _)| node)
    }

    /// The place of a run of `rule` that has read nothing and stands behind `previous`, and what it costs.
    pub fn root(
        &mut self,
        rule: u16,
        program: &Program,
        previous: Option<char>,
    ) -> Option<(Node, u32)> {
        let behind = usize::from(is_word(previous));
        let known = self.map(rule).and_then(|map| map.roots.get(behind).copied().flatten());
        known.unwrap_or_else(|| {
            self.threads.reach_at_least(0);
            self.threads.start(program, 0);
            let cost = self.threads.cost();
            let pcs: Vec<u16> = self.threads.pcs().collect();
            let begun = self.node(rule, program, &pcs, previous).map(|node| (node, cost));
            if let Some(slot) = self.map_mut(rule).and_then(|map| map.roots.get_mut(behind)) {
                *slot = Some(begun);
            }
            begun
        })
    }

    fn map(&self, rule: u16) -> Option<&Map> {
        self.maps.get(usize::from(rule))?.as_deref()
    }

    fn map_mut(&mut self, rule: u16) -> Option<&mut Map> {
        self.maps.get_mut(usize::from(rule))?.as_deref_mut()
    }

    /// The instructions at which a run of a rule waits that is at `node`.
    pub fn pcs(&self, rule: u16, node: Node) -> &[u16] {
        self.map(rule).map_or(&[], |map| map.pcs(node))
    }

    /// What `c` leads to; none where there is no room to tell.
    #[inline]
    pub fn step(&mut self, rule: u16, program: &Program, node: Node, c: char) -> Option<Step> {
        let map = self.map(rule)?;
        match map.index(node, c).and_then(|index| map.steps.get(index)) {
            Some(step) if *step != Step::UNKNOWN => Some(*step),
            // Without room for what is new, working it out again and again would cost more than threads do.
            _ if self.room == 0 => None,
            _ => self.work_out(rule, program, node, c),
        }
    }

    #[cold]
    fn work_out(&mut self, rule: u16, program: &Program, node: Node, c: char) -> Option<Step> {
        let map = self.maps.get(usize::from(rule))?.as_deref()?;
        let previous = map.places.get(usize::from(node))?.after_word.then_some('a');
        self.threads.resume(map.pcs(node), 0, 0, None, 0);
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
        let map = self.map_mut(rule)?;
        if let Some(slot) = map.index(node, c).and_then(|index| map.steps.get_mut(index)) {
            *slot = step;
        }
        Some(step)
    }

    /// The place of a run of `rule` that waits at `pcs` behind `previous`; none without room for it.
    fn node(
        &mut self,
        rule: u16,
        program: &Program,
        pcs: &[u16],
        previous: Option<char>,
    ) -> Option<Node> {
        let waits = |pc: &u16| matches!(program.inst(*pc), Some(Inst::Boundary(_)));
        let after_word = is_word(previous) && pcs.iter().any(waits);
        let index = usize::from(rule);
        if self.maps.len() <= index {
            self.maps.resize_with(index.saturating_add(1), || None);
        }
        let slot = self.maps.get_mut(index)?;
        let mut size = if slot.is_none() { size_of::<Map>() } else { 0 };
        let map = slot.get_or_insert_with(|| Box::new(Map::new(program)));
        if let Some(known) = map.find(pcs, after_word) {
            return Some(known);
        }
        if pcs.len() > MAX_PCS || map.places.len() >= Step::DEAD as usize {
            return None;
        }
        size += size_of::<Place>() + size_of_val(pcs) + map.width * size_of::<Step>();
        // Vectors double.
        let room = self.room.checked_sub(2 * size);
        self.room = room.unwrap_or(0);
        room.map(|_| map.add(pcs, after_word))
    }
}
