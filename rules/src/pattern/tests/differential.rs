//! Generated patterns against a matcher that simply tries everything.

use std::collections::BTreeSet;

use super::*;

/// A pattern as the generator builds it; it shares nothing with the parser's tree.
enum Tree {
    Leaf(Leaf),
    Boundary(bool),
    Sequence(Vec<Tree>),
    Choice(Vec<Tree>),
    Repeat(Box<Tree>, usize, Option<usize>),
}

/// Source text and the characters it takes.
type Leaf = (&'static str, fn(char) -> bool);

const SETS: &[Leaf] = &[
    ("a", |c| c == 'a'),
    ("b", |c| c == 'b'),
    (r"\.", |c| c == '.'),
    ("é", |c| c == 'é'),
    ("[ab]", |c| matches!(c, 'a' | 'b')),
    ("[^a]", |c| c != 'a'),
    (r"\w", |c| matches!(c, 'a' | 'b')),
    (r"[\W\n]", |c| !matches!(c, 'a' | 'b')),
    (".", |c| c != '\n'),
];
const TEXT: &[char] = &['a', 'a', 'a', 'b', 'b', '.', 'é', '\n'];

/// A small linear congruential generator, so that a failure can be repeated.
struct Random(u64, &'static [Leaf]);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % end
    }

    fn tree(&mut self, depth: usize) -> Tree {
        match self.below(if depth == 0 { 5 } else { 10 }) {
            4 if self.below(2) == 0 => Tree::Boundary(self.below(4) > 0),
            0..=4 => Tree::Leaf(self.1[self.below(self.1.len())]),
            5 | 6 => Tree::Sequence((0..self.below(4)).map(|_| self.tree(depth - 1)).collect()),
            7 => Tree::Choice((0..2 + self.below(2)).map(|_| self.tree(depth - 1)).collect()),
            _ => {
                let min = self.below(3);
                let max = [None, Some(min), Some(min + 1), Some(min + 2)][self.below(4)];
                Tree::Repeat(Box::new(self.tree(depth - 1)), min, max)
            }
        }
    }

    fn text(&mut self) -> Vec<char> {
        (0..self.below(9)).map(|_| TEXT[self.below(TEXT.len())]).collect()
    }
}

impl Tree {
    fn source(&self) -> String {
        let join = |trees: &[Tree], by| trees.iter().map(Tree::source).collect::<Vec<_>>().join(by);
        match self {
            Tree::Leaf((source, _)) => (*source).into(),
            Tree::Boundary(wanted) => (if *wanted { r"\b" } else { r"\B" }).into(),
            Tree::Sequence(trees) => format!("(?:{})", join(trees, "")),
            Tree::Choice(trees) => format!("({})", join(trees, "|")),
            Tree::Repeat(tree, min, max) => {
                let tree = match **tree {
                    Tree::Repeat(..) => format!("({})", tree.source()),
                    _ => tree.source(),
                };
                match (min, max) {
                    (0, None) => format!("{tree}*"),
                    (1, None) => format!("{tree}+"),
                    (0, Some(1)) => format!("{tree}?"),
                    (_, None) => format!("{tree}{{{min},}}"),
                    (_, Some(max)) if max == min => format!("{tree}{{{min}}}"),
                    (_, Some(max)) => format!("{tree}{{{min},{max}}}"),
                }
            }
        }
    }

    /// Every end of a match that begins at `at`.
    fn ends(&self, text: &[char], at: usize) -> BTreeSet<usize> {
        match self {
            Tree::Leaf((_, takes)) => {
                text.get(at).filter(|c| takes(**c)).map(|_| at + 1).into_iter().collect()
            }
            Tree::Boundary(wanted) => {
                let word = |c: Option<&char>| c.is_some_and(|c| matches!(c, 'a' | 'b'));
                let boundary = word(at.checked_sub(1).map(|b| &text[b])) != word(text.get(at));
                (boundary == *wanted).then_some(at).into_iter().collect()
            }
            Tree::Sequence(trees) => {
                trees.iter().fold([at].into(), |from, tree| tree.all(text, &from))
            }
            Tree::Choice(trees) => trees.iter().flat_map(|tree| tree.ends(text, at)).collect(),
            Tree::Repeat(tree, min, max) => {
                let mut from = BTreeSet::from([at]);
                for _ in 0..*min {
                    from = tree.all(text, &from);
                }
                let mut reached = from.clone();
                for _ in *min..max.unwrap_or(min + text.len() + 1) {
                    from = tree.all(text, &from);
                    reached.extend(&from);
                }
                reached
            }
        }
    }

    fn all(&self, text: &[char], from: &BTreeSet<usize>) -> BTreeSet<usize> {
        from.iter().flat_map(|at| self.ends(text, *at)).collect()
    }

    /// The leftmost start with an end from `least_end` on, and its last end.
    fn find(&self, text: &[char], least_end: usize) -> Option<(u64, u64)> {
        (0..=text.len()).find_map(|at| {
            let end = *self.ends(text, at).last().filter(|end| **end >= least_end)?;
            Some((at as u64, end as u64))
        })
    }
}

#[test]
fn agrees_with_trying_everything_at_every_cut() {
    let mut random = Random(20_261_123, SETS);
    let mut matched = 0;
    for _ in 0..600 {
        let tree = random.tree(4);
        let source = tree.source();
        let program = program(&source);
        for _ in 0..12 {
            let text = random.text();
            let least_end = random.below(12).saturating_sub(7);
            let mut threads = Threads::new();
            threads.reach_at_least(least_end as u64);
            for cut in 0..=text.len() {
                let seen = &text[..cut];
                let expected = tree.find(seen, least_end);
                matched += u32::from(expected.is_some_and(|(start, end)| start < end));
                assert_eq!(end(&program, &threads, seen), expected, "{source:?} in {seen:?}");
                feed(&program, &mut threads, &text, cut..text.len().min(cut + 1));
            }
        }
    }
    assert!(matched > 5000, "only {matched} matches that are not empty");
}

#[test]
fn what_it_says_early_stays_true() {
    let mut random = Random(7, SETS);
    let mut died = 0;
    for _ in 0..600 {
        let tree = random.tree(4);
        let source = tree.source();
        let program = program(&source);
        for _ in 0..12 {
            let text = random.text();
            let expected = tree.ends(&text, 0).last().map(|end| (0, *end as u64));
            let mut threads = Threads::new();
            threads.start(&program, 0);
            let mut previous = None;
            for (at, &c) in text.iter().enumerate() {
                if threads.is_dead() {
                    died += 1;
                    assert_eq!(threads.best(), expected, "{source:?} in {text:?} at {at}");
                }
                if let Some((_, end)) = threads.best() {
                    assert!(
                        expected.is_some_and(|(_, last)| end <= last),
                        "{source:?} in {text:?}"
                    );
                }
                threads.step(&program, previous, c, at as u64, at as u64 + 1);
                previous = Some(c);
            }
            threads.finish(&program, previous, text.len() as u64);
            assert_eq!(threads.best(), expected, "{source:?} in {text:?}");
            let length = expected.map(|(_, end)| end as usize);
            assert!(length.is_none_or(|n| n >= program.min_len()), "{source:?} in {text:?}");
            assert!(
                length.is_none_or(|n| program.max_len().is_none_or(|max| n <= max)),
                "{source:?}"
            );
            assert!(
                length.is_none_or(|n| n == 0 || program.first().contains(text[0])),
                "{source:?}"
            );
        }
    }
    assert!(died > 5000, "dead only {died} times");
}

#[test]
fn the_way_back_from_a_literal_reaches_every_start() {
    // Only the literal itself takes an é here, so that every é of a match is spelled out.
    const SPELLED: &[Leaf] = &[
        ("a", |c| c == 'a'),
        ("[ab]", |c| matches!(c, 'a' | 'b')),
        (r"\.", |c| c == '.'),
        ("é", |c| c == 'é'),
        ("é", |c| c == 'é'),
    ];
    let mut random = Random(11, SPELLED);
    let (mut inside, mut bounded) = (0, 0);
    for _ in 0..1200 {
        let tree = Tree::Sequence((0..4).map(|_| random.tree(2)).collect());
        let source = tree.source();
        let lead = program(&source).lead("é");
        for _ in 0..30 {
            let text = random.text();
            for (start, end) in
                (0..text.len()).flat_map(|s| tree.ends(&text, s).into_iter().map(move |e| (s, e)))
            {
                let Some(before) = text[start..end].iter().position(|c| *c == 'é') else {
                    continue;
                };
                inside += 1;
                let lead = lead.as_ref().unwrap_or_else(|| panic!("{source:?} spells it out"));
                bounded += u32::from(lead.max.is_some_and(|max| max > 0));
                assert!(
                    lead.max.is_none_or(|max| before <= max),
                    "{source:?} in {text:?} at {start}"
                );
                let known = text[start..start + before].iter().all(|c| lead.class.contains(*c));
                assert!(known, "{source:?} in {text:?} at {start}");
            }
        }
    }
    assert!(inside > 1000 && bounded > 200, "{inside} matches, {bounded} with a bound");
}
