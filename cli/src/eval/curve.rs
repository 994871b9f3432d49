//! How scores are spread: what each threshold would find, and what it would flag wrongly.

use super::rate::Rate;

/// The highest score.
const MOST: u16 = 1000;

/// Texts by score, attacks and benign ones. Texts without a score are not in it.
#[derive(Default)]
pub struct Curve {
    attacks: Vec<u64>,
    benign: Vec<u64>,
}

/// What a threshold comes to.
pub struct Point {
    pub threshold: u16,
    pub recall: Rate,
    pub false_alarms: Rate,
}

impl Curve {
    /// Counts a text.
    pub fn add(&mut self, attack: bool, score: u16) {
        let side = if attack { &mut self.attacks } else { &mut self.benign };
        side.resize(usize::from(MOST) + 1, 0);
        if let Some(count) = side.get_mut(usize::from(score.min(MOST))) {
            *count += 1;
        }
    }

    /// What every threshold comes to that differs from the one above it, from the highest down. Nothing where no text
    /// had a score.
    pub fn points(&self) -> Vec<Point> {
        let sum = |side: &[u64]| side.iter().sum::<u64>();
        let (attacks, benign) = (sum(&self.attacks), sum(&self.benign));
        let (mut found, mut flagged, mut points) = (0, 0, Vec::new());
        for threshold in (0..=MOST).rev() {
            let here = |side: &[u64]| side.get(usize::from(threshold)).copied().unwrap_or_default();
            let (more, wrong) = (here(&self.attacks), here(&self.benign));
            if more + wrong > 0 {
                found += more;
                flagged += wrong;
                let recall = Rate { hits: found, of: attacks };
                let false_alarms = Rate { hits: flagged, of: benign };
                points.push(Point { threshold, recall, false_alarms });
            }
        }
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_threshold_counts_what_reaches_it() {
        let mut curve = Curve::default();
        assert!(curve.points().is_empty());
        for (attack, score) in [(true, 900), (true, 400), (false, 400), (false, 0), (true, 1000)] {
            curve.add(attack, score);
        }
        let points: Vec<(u16, u64, u64)> = curve
            .points()
            .iter()
            .map(|p| (p.threshold, p.recall.hits, p.false_alarms.hits))
            .collect();
        assert_eq!(points, [(1000, 1, 0), (900, 2, 0), (400, 3, 1), (0, 3, 2)]);
        assert!(curve.points().iter().all(|p| (p.recall.of, p.false_alarms.of) == (3, 2)));
    }
}
