//! Learning: a linear model whose score of a text is that of its best window.
//!
//! Only the best window of an attack is taught, and every window of a benign text that comes near the threshold, so
//! that an attack may stand in a long document and a long document may have anything else in it. Features are dropped
//! at random, so that no single word decides; several runs are averaged. All arithmetic is addition, multiplication,
//! division and square roots of IEEE 754 in one order, so that a seed gives the same bytes everywhere.

use weir_rules::score::model::{WINDOWS, norm_of};

use crate::grammar::Random;
use crate::rows::Row;

/// How the model is taught.
#[derive(Clone, Debug)]
pub struct Settings {
    pub bits: u32,
    pub epochs: usize,
    pub runs: u64,
    /// The share of features that a step does not see.
    pub dropped: f32,
    /// How far from zero a window must be, on its side.
    pub margin: f32,
    pub rate: f32,
    /// The most windows of one benign text that a step teaches, beside the best.
    pub others: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { bits: 16, epochs: 8, runs: 5, dropped: 0.5, margin: 1.0, rate: 0.1, others: 8 }
    }
}

/// Weights, and what is added to every window.
#[derive(Clone, Debug)]
pub struct Linear {
    pub weights: Vec<f32>,
    pub bias: f32,
}

/// A window, by its first word and the word behind it, and what it comes to.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    pub value: f32,
    pub from: usize,
    pub to: usize,
}

impl Linear {
    /// What the best window of a row comes to.
    pub fn score(&self, row: &Row) -> f32 {
        let mut sums = Vec::new();
        sum(row, &mut sums, |bucket| self.weights.get(bucket as usize).copied().unwrap_or(0.0));
        best(&sums, self.bias).value
    }
}

/// The sums of the weights up to each word.
fn sum(row: &Row, sums: &mut Vec<f32>, weight: impl Fn(u32) -> f32) {
    sums.clear();
    sums.push(0.0);
    let (mut at, mut sum) = (0, 0.0);
    for end in &row.words {
        for bucket in row.features.get(at..*end as usize).unwrap_or_default() {
            sum += weight(*bucket);
        }
        at = *end as usize;
        sums.push(sum);
    }
}

fn best(sums: &[f32], bias: f32) -> Window {
    let words = sums.len() - 1;
    let mut best = Window { value: bias - 10.0, from: 0, to: 0 };
    for longest in WINDOWS {
        let length = longest.min(words);
        let norm = norm_of(length) as f32;
        for to in length.max(1)..=words {
            let value = (sums[to] - sums[to - length]) * norm + bias;
            // As the engine looks at it: a window ends with a word that raises its sum.
            if value > best.value && sums[to] >= sums[to - 1] {
                best = Window { value, from: to - length, to };
            }
        }
        if length < longest {
            break;
        }
    }
    best
}

/// Teaches a model.
pub fn fit(rows: &[&Row], settings: &Settings, seed: u64) -> Linear {
    let mut mean = Linear { weights: vec![0.0; 1 << settings.bits], bias: 0.0 };
    let share = 1.0 / settings.runs as f32;
    for run in 0..settings.runs {
        let one = Run::new(settings, seed.wrapping_mul(1000).wrapping_add(run)).teach(rows);
        mean.weights.iter_mut().zip(&one.weights).for_each(|(mean, weight)| *mean += share * weight);
        mean.bias += share * one.bias;
    }
    mean
}

struct Run<'a> {
    settings: &'a Settings,
    model: Linear,
    /// The sums of squared gradients (AdaGrad).
    squares: Vec<f32>,
    random: Random,
    sums: Vec<f32>,
}

impl<'a> Run<'a> {
    fn new(settings: &'a Settings, seed: u64) -> Run<'a> {
        let model = Linear { weights: vec![0.0; 1 << settings.bits], bias: -1.0 };
        let squares = vec![1e-6; 1 << settings.bits];
        Run { settings, model, squares, random: Random::new(seed, "steps"), sums: Vec::new() }
    }

    fn teach(mut self, rows: &[&Row]) -> Linear {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        for _ in 0..self.settings.epochs {
            for at in (1..order.len()).rev() {
                order.swap(at, self.random.below(at + 1));
            }
            order.iter().for_each(|at| self.step(rows[*at]));
        }
        self.model
    }

    fn step(&mut self, row: &Row) {
        let dropped = Dropped::new(self.settings.dropped, self.random.next() as u32);
        let mut sums = std::mem::take(&mut self.sums);
        let weights = &self.model.weights;
        sum(row, &mut sums, |bucket| {
            if dropped.keeps(bucket) { weights[bucket as usize] * dropped.scale } else { 0.0 }
        });
        let worst = best(&sums, self.model.bias);
        let margin = self.settings.margin;
        let wanting = |value: f32| if row.attack { margin - value } else { value + margin };
        let pull = |value: f32| {
            let by = wanting(value).min(1.0) * row.weight;
            if row.attack { -by } else { by }
        };
        if worst.to > worst.from && wanting(worst.value) > 0.0 {
            self.update(row, worst, pull(worst.value), &dropped);
            if !row.attack {
                self.others(row, &sums, worst, &dropped, pull);
            }
        }
        self.sums = sums;
    }

    /// Teaches the other windows of a benign text that come near.
    fn others(
        &mut self,
        row: &Row,
        sums: &[f32],
        worst: Window,
        dropped: &Dropped,
        pull: impl Fn(f32) -> f32,
    ) {
        let length = WINDOWS[1];
        let norm = norm_of(length) as f32;
        let (mut to, mut taught) = (length, 0);
        while to < sums.len() && taught < self.settings.others {
            let value = (sums[to] - sums[to - length]) * norm + self.model.bias;
            let apart = to <= worst.from || to - length >= worst.to;
            if value > -self.settings.margin && apart {
                let window = Window { value, from: to - length, to };
                self.update(row, window, pull(value), dropped);
                taught += 1;
                to += length;
            } else {
                to += 4;
            }
        }
    }

    fn update(&mut self, row: &Row, window: Window, pull: f32, dropped: &Dropped) {
        let step = pull * norm_of(window.to - window.from) as f32 * dropped.scale;
        let from = window.from.checked_sub(1).map_or(0, |before| row.words[before] as usize);
        let to = row.words[window.to - 1] as usize;
        for bucket in &row.features[from..to] {
            if dropped.keeps(*bucket) {
                let bucket = *bucket as usize;
                self.squares[bucket] += step * step;
                self.model.weights[bucket] -=
                    self.settings.rate * step / self.squares[bucket].sqrt();
            }
        }
        self.model.bias -= 0.002 * pull;
    }
}

/// The features that a step does not see.
struct Dropped {
    salt: u32,
    kept: u32,
    scale: f32,
}

impl Dropped {
    fn new(share: f32, salt: u32) -> Dropped {
        Dropped { salt, kept: ((1.0 - share) * 65536.0) as u32, scale: 1.0 / (1.0 - share) }
    }

    fn keeps(&self, bucket: u32) -> bool {
        let mut hash = (bucket ^ self.salt).wrapping_mul(0x85EB_CA6B);
        hash = (hash ^ (hash >> 13)).wrapping_mul(0xC2B2_AE35);
        (hash ^ (hash >> 16)) & 0xFFFF < self.kept
    }
}
