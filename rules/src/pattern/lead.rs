//! How far before an anchor a match can begin.

use super::class::Class;
use super::program::{Inst, Program};
use super::set::Set;

/// The most instructions that the search for a literal in a pattern visits: a policy must load in time whatever it
/// says.
const MAX_VISITS: usize = 1 << 20;

/// What may stand between the start of a match and a literal inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lead {
    /// Every character that may stand there; empty if the match begins with the literal.
    pub class: Class,
    /// The most characters that may stand there; none without bound.
    pub max: Option<usize>,
}

impl Program {
    /// How to walk back from an occurrence of `literal` to the starts of the matches that contain it: at most `max`
    /// characters, all of `class`. None if the pattern does not spell the literal out (one that only a wide class
    /// such as `\w` would take is not spelled out), or if it is too intricate to tell.
    ///
    /// ASCII case is ignored, and a space of the literal stands for a run of whatever white space the pattern has
    /// there, as in keywords. The answer is exact for `class{m,n} literal ..` and never too small: of a match that
    /// passes through the literal in several places, the first is meant.
    pub fn lead(&self, literal: &str) -> Option<Lead> {
        let literal: Vec<char> = literal.chars().collect();
        if literal.is_empty() {
            return None;
        }
        let mut spelled = Set::new(self.len());
        let mut certain = Set::new(self.len());
        let mut found = false;
        let mut visits = 0usize;
        for (pc, _) in self.instructions() {
            let spells = self.spells(pc, &literal, &mut visits);
            if visits > MAX_VISITS {
                return None;
            }
            if let Some(always) = spells {
                found = spelled.insert(pc);
                if always {
                    certain.insert(pc);
                }
            }
        }
        found.then(|| self.before(&spelled, &certain))
    }

    /// Whether the literal can be read from `pc` on, and then whether nothing else can.
    fn spells(&self, pc: u16, literal: &[char], visits: &mut usize) -> Option<bool> {
        let inst = self.inst(pc)?;
        let mut states = vec![(pc, inst)];
        let mut always = matches!(inst, Inst::Char(_) | Inst::Class(_));
        let mut previous = None;
        for &c in literal {
            let mut next = Vec::new();
            let mut seen = Set::new(self.len());
            *visits = visits.saturating_add(states.len());
            for &(pc, inst) in &states {
                if self.spells_char(inst, c) {
                    self.follow(inst.after(pc), &mut seen, &mut next);
                } else if previous != Some(' ') || !self.spells_char(inst, ' ') {
                    // Not a run of white space that may go on.
                    always = false;
                }
            }
            if next.is_empty() {
                return None;
            }
            states = next;
            previous = Some(c);
        }
        Some(always)
    }

    /// Whether an instruction takes `c` and nothing else, ASCII case aside; or takes it, if it is a space.
    fn spells_char(&self, inst: Inst, c: char) -> bool {
        match inst {
            Inst::Char(wanted) => wanted.eq_ignore_ascii_case(&c),
            _ => self
                .class(inst)
                .is_some_and(|class| class.is_only(c) || (c == ' ' && class.contains(c))),
        }
    }

    /// Adds the instructions that wait for a character, or have matched, from `pc` on.
    fn follow(&self, pc: Option<u16>, seen: &mut Set, out: &mut Vec<(u16, Inst)>) {
        let mut open: Vec<u16> = pc.into_iter().collect();
        while let Some(pc) = open.pop() {
            let (true, Some(inst)) = (seen.insert(pc), self.inst(pc)) else { continue };
            open.extend(inst.skips(pc));
            match inst {
                Inst::Boundary(_) => open.push(pc.saturating_add(1)),
                Inst::Split(_) | Inst::Jump(_) => {}
                _ => out.push((pc, inst)),
            }
        }
    }

    /// All that can be read on the way to a place of `spelled`; the ways end at `certain`.
    fn before(&self, spelled: &Set, certain: &Set) -> Lead {
        let leads = self.leading(spelled, certain);
        let mut class = Class::default();
        let mut bounded = true;
        // The longest way to each instruction, in the order of the code; a way back makes it unbounded.
        let mut longest: Vec<Option<usize>> = vec![None; self.len()];
        let mut max = 0usize;
        if let Some(entry) = longest.first_mut() {
            *entry = Some(0);
        }
        for (pc, inst) in self.instructions() {
            let Some(here) = longest.get(usize::from(pc)).copied().flatten() else { continue };
            if spelled.contains(pc) {
                max = max.max(here);
            }
            if !leads.contains(pc) {
                continue;
            }
            for (target, taken) in self.edges(pc, inst) {
                if !leads.contains(target) && !spelled.contains(target) {
                    continue;
                }
                if taken {
                    class.extend(&self.accepted(inst));
                }
                bounded &= target > pc;
                if let Some(slot) = longest.get_mut(usize::from(target)) {
                    *slot = (*slot).max(Some(here.saturating_add(usize::from(taken))));
                }
            }
        }
        Lead { class, max: bounded.then_some(max) }
    }

    /// The instructions from which a place of `spelled` lies ahead.
    fn leading(&self, spelled: &Set, certain: &Set) -> Set {
        let mut leads = Set::new(self.len());
        let mut changed = true;
        while changed {
            changed = false;
            for (pc, inst) in self.instructions().rev() {
                let ahead = |(target, _)| leads.contains(target) || spelled.contains(target);
                if !certain.contains(pc) && self.edges(pc, inst).any(ahead) {
                    changed |= leads.insert(pc);
                }
            }
        }
        leads
    }

    /// Where `pc` leads, and whether a character is taken on the way.
    fn edges(&self, pc: u16, inst: Inst) -> impl Iterator<Item = (u16, bool)> {
        let boundary = matches!(inst, Inst::Boundary(_)).then(|| (pc.saturating_add(1), false));
        let taken = inst.after(pc).map(|target| (target, true));
        inst.skips(pc).map(|target| (target, false)).chain(boundary).chain(taken)
    }
}
