//! Where a text scores: windows that touch are one region, and what rules hint at nearby is added.

use std::ops::Range;

/// The most regions of a text; what comes later joins the last.
const MAX_REGIONS: usize = 64;
/// The most hints of a text; later ones are dropped where there are as many already.
const MAX_HINTS: usize = 64;
/// How far a hint may be from a region, and from another hint, to count with it, in bytes.
const NEAR: u64 = 256;
/// Windows of fewer points make no region.
const LEAST: u16 = 100;
/// The most that a text can score.
const MOST: u16 = 1000;

/// A part of a text that scores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    pub span: Range<u64>,
    /// What the classifier says, 0 to 1000.
    pub classified: u16,
    /// What rules hint, 0 to 1000.
    pub hinted: u16,
}

impl Region {
    /// The score, 1 to 1000.
    pub fn points(&self, classifier: bool) -> u16 {
        let classified = if classifier { self.classified } else { 0 };
        classified.saturating_add(self.hinted).min(MOST)
    }
}

/// A match of a rule that does not act here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    pub span: Range<u64>,
    /// Of one family, in one place, the heaviest counts.
    pub family: u16,
    /// Points.
    pub weight: u16,
}

/// The regions of a text, while it is read.
#[derive(Debug, Default)]
pub(super) struct Regions {
    windows: Vec<Region>,
    hints: Vec<Hint>,
}

impl Regions {
    pub fn window(&mut self, span: Range<u64>, points: u16) {
        if points < LEAST {
            return;
        }
        let full = self.windows.len() >= MAX_REGIONS;
        match self.windows.last_mut() {
            Some(last) if full || span.start <= last.span.end => {
                last.span.start = last.span.start.min(span.start);
                last.span.end = last.span.end.max(span.end);
                last.classified = last.classified.max(points);
            }
            _ => self.windows.push(Region { span, classified: points, hinted: 0 }),
        }
    }

    pub fn hint(&mut self, hint: Hint) {
        if self.hints.len() < MAX_HINTS {
            self.hints.push(hint);
        }
    }

    /// The regions with their hints, by their beginning.
    pub fn closed(mut self) -> Vec<Region> {
        self.hints.sort_by_key(|hint| (hint.span.start, hint.family, hint.span.end));
        let mut regions = self.windows;
        // Where the classifier saw nothing a hint begins a region of its own.
        for hint in &self.hints {
            if !regions.iter().any(|region| near(&region.span, &hint.span)) {
                regions.push(Region { span: hint.span.clone(), classified: 0, hinted: 0 });
            }
        }
        for region in &mut regions {
            let span = region.span.clone();
            let mut families: Vec<(u16, u16)> = Vec::new();
            for hint in self.hints.iter().filter(|hint| near(&span, &hint.span)) {
                region.span.start = region.span.start.min(hint.span.start);
                region.span.end = region.span.end.max(hint.span.end);
                match families.iter_mut().find(|(family, _)| *family == hint.family) {
                    Some((_, weight)) => *weight = hint.weight.max(*weight),
                    None => families.push((hint.family, hint.weight)),
                }
            }
            let hinted = families.iter().fold(0u16, |all, (_, weight)| all.saturating_add(*weight));
            region.hinted = hinted.min(MOST);
        }
        regions.sort_by_key(|region| (region.span.start, region.span.end));
        regions
    }
}

fn near(a: &Range<u64>, b: &Range<u64>) -> bool {
    a.start <= b.end.saturating_add(NEAR) && b.start <= a.end.saturating_add(NEAR)
}
