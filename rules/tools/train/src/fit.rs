//! Learning: a linear model whose score of a text is that of its best window.
//!
//! Only the best window of an attack is taught, and every window of a benign text that comes near the threshold, so
//! that an attack may stand in a long document and a long document may have anything else in it. Features are dropped
//! at random, so that no single word decides; several runs are averaged. The first runs find out which feature of a
//! slot says most, and the others teach those alone. All arithmetic is addition, multiplication,
//! division and square roots of IEEE 754 in one order, so that a seed gives the same bytes everywhere.

use weir_rules::score::model::{CODE, OWNER_BITS, SLOT_BITS, WINDOWS, norm_of};

use crate::grammar::Random;
use crate::rows::Row;

/// How the model is taught.
#[derive(Clone, Debug)]
pub struct Settings {
    pub epochs: usize,
    /// Runs that choose features, and runs that teach the chosen.
    pub runs: (u64, u64),
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
        Settings { epochs: 8, runs: (2, 4), dropped: 0.5, margin: 1.0, rate: 0.1, others: 8 }
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
        sum(row, &mut sums, |feature| self.weights.get(feature as usize).copied().unwrap_or(0.0));
        best(&sums, self.bias).value
    }
}

/// The sums of the weights up to each word.
fn sum(row: &Row, sums: &mut Vec<f32>, weight: impl Fn(u32) -> f32) {
    sums.clear();
    sums.push(0.0);
    let (mut at, mut sum) = (0, 0.0);
    for end in &row.words {
        for feature in row.features.get(at..*end as usize).unwrap_or_default() {
            sum += weight(*feature);
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
            if value > best.value {
                best = Window { value, from: to - length, to };
            }
        }
        if length < longest {
            break;
        }
    }
    best
}

/// Features that there can be.
const FEATURES: usize = 1 << (SLOT_BITS + OWNER_BITS);

/// Teaches a model, as it will be written: of each slot one feature, with a weight that there is a code for.
pub fn fit(rows: &[&Row], settings: &Settings, seed: u64) -> Coded {
    let first = average(rows, None, settings, settings.runs.0, seed);
    let chosen = choose(rows, &first);
    let taught = average(rows, Some(&chosen), settings, settings.runs.1, seed.wrapping_add(1));
    Coded::new(&taught)
}

fn average(
    rows: &[&Row],
    chosen: Option<&[bool]>,
    settings: &Settings,
    runs: u64,
    seed: u64,
) -> Linear {
    let mut mean = Linear { weights: vec![0.0; FEATURES], bias: 0.0 };
    let share = 1.0 / runs as f32;
    for run in 0..runs {
        let one = Run::new(settings, chosen, seed.wrapping_mul(1000).wrapping_add(run)).teach(rows);
        mean.weights
            .iter_mut()
            .zip(&one.weights)
            .for_each(|(mean, weight)| *mean += share * weight);
        mean.bias += share * one.bias;
    }
    mean
}

/// Of each slot the feature whose weight, in all texts together, says most.
fn choose(rows: &[&Row], model: &Linear) -> Vec<bool> {
    let mut counts = vec![0u32; FEATURES];
    for row in rows {
        row.features.iter().for_each(|feature| counts[*feature as usize] += 1);
    }
    let says = |feature: usize| model.weights[feature].abs() * (counts[feature] as f32).sqrt();
    let mut chosen = vec![false; FEATURES];
    for slot in 0..1 << SLOT_BITS {
        let features = slot << OWNER_BITS..(slot + 1) << OWNER_BITS;
        if let Some(best) = features.max_by(|a, b| says(*a).total_cmp(&says(*b))) {
            chosen[best] = says(best) > 0.0;
        }
    }
    chosen
}

/// A model of coded weights.
pub struct Coded {
    /// Weights as they will be read, in the trainer's own scale.
    linear: Linear,
    /// A byte a slot.
    pub slots: Vec<u8>,
    pub step: f32,
}

impl Coded {
    fn new(model: &Linear) -> Coded {
        let mut sizes: Vec<f32> = model.weights.iter().filter(|w| **w > 0.0).copied().collect();
        sizes.sort_by(f32::total_cmp);
        let most = sizes.get(sizes.len() * 995 / 1000).copied().unwrap_or(1.0);
        let step = most / f32::from(CODE[7]);
        let (mut slots, mut weights) = (vec![0; 1 << SLOT_BITS], vec![0.0; FEATURES]);
        for (feature, weight) in model.weights.iter().enumerate().filter(|(_, w)| **w != 0.0) {
            let far = |code: &i8| (f32::from(*code) * step - weight).abs();
            let code = (0..CODE.len()).min_by(|a, b| far(&CODE[*a]).total_cmp(&far(&CODE[*b])));
            let code = code.unwrap_or(0);
            weights[feature] = f32::from(CODE[code]) * step;
            let owner = feature & ((1 << OWNER_BITS) - 1);
            slots[feature >> OWNER_BITS] = (owner << 4 | code) as u8;
        }
        Coded { linear: Linear { weights, bias: model.bias }, slots, step }
    }

    pub fn score(&self, row: &Row) -> f32 {
        self.linear.score(row)
    }

    pub fn bias(&self) -> f32 {
        self.linear.bias
    }
}

struct Run<'a> {
    settings: &'a Settings,
    /// Features that are taught, if not all.
    chosen: Option<&'a [bool]>,
    model: Linear,
    /// The sums of squared gradients (AdaGrad).
    squares: Vec<f32>,
    random: Random,
    sums: Vec<f32>,
}

impl<'a> Run<'a> {
    fn new(settings: &'a Settings, chosen: Option<&'a [bool]>, seed: u64) -> Run<'a> {
        let model = Linear { weights: vec![0.0; FEATURES], bias: -1.0 };
        let squares = vec![1e-6; FEATURES];
        Run {
            settings,
            chosen,
            model,
            squares,
            random: Random::new(seed, "steps"),
            sums: Vec::new(),
        }
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
        sum(row, &mut sums, |feature| {
            if dropped.keeps(feature) { weights[feature as usize] * dropped.scale } else { 0.0 }
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
        for feature in &row.features[from..to] {
            let taught = self.chosen.is_none_or(|chosen| chosen[*feature as usize]);
            if taught && dropped.keeps(*feature) {
                let feature = *feature as usize;
                self.squares[feature] += step * step;
                self.model.weights[feature] -=
                    self.settings.rate * step / self.squares[feature].sqrt();
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

    fn keeps(&self, feature: u32) -> bool {
        let mut hash = (feature ^ self.salt).wrapping_mul(0x85EB_CA6B);
        hash = (hash ^ (hash >> 13)).wrapping_mul(0xC2B2_AE35);
        (hash ^ (hash >> 16)) & 0xFFFF < self.kept
    }
}
