//! A resumable Aho-Corasick automaton over folded bytes.
//!
//! The state of a scan is one `u32`, so a text may be cut anywhere. Rows of the states nearest to the root are
//! dense (one look-up a byte), the rest are sparse with failure links, so that thousands of user keywords stay
//! within [`DENSE_BUDGET`]. A run of spaces counts as one space: every state entered by a space loops on it.

/// The most bytes of dense transition rows, per automaton.
pub const DENSE_BUDGET: usize = 512 * 1024;
/// The state before any byte and after every mismatch.
pub const START: u32 = 0;
/// Set in a transition whose target ends at least one keyword.
const HIT: u32 = 1 << 31;

/// Which keyword of which rule ends in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output {
    pub rule: u16,
    /// Which of the keywords that the automaton was built of.
    pub keyword: u32,
    /// Length of the keyword in folded bytes.
    pub length: u16,
}

/// An immutable keyword automaton, shared by all streams.
#[derive(Debug, Default)]
pub struct Automaton {
    columns: Vec<u8>,
    width: usize,
    dense: Vec<u32>,
    dense_states: u32,
    sparse: Vec<Vec<(u8, u32)>>,
    fail: Vec<u32>,
    outputs: Vec<Vec<Output>>,
    output_link: Vec<u32>,
    depth: Vec<u16>,
}

#[derive(Default)]
struct Node {
    /// Sorted by byte.
    children: Vec<(u8, usize)>,
    outputs: Vec<Output>,
    depth: u16,
    label: u8,
}

impl Node {
    fn child(&self, byte: u8) -> Option<usize> {
        let at = self.children.binary_search_by_key(&byte, |(b, _)| *b).ok()?;
        self.children.get(at).map(|(_, child)| *child)
    }
}

impl Automaton {
    /// Builds the automaton of `(rule, folded keyword)` pairs; empty keywords are left out.
    pub fn new(keywords: &[(u16, &[u8])]) -> Automaton {
        let nodes = trie(keywords);
        let order = breadth_first(&nodes);
        let mut number = vec![0u32; nodes.len()];
        for (new, &old) in order.iter().enumerate() {
            if let Some(slot) = number.get_mut(old) {
                *slot = new as u32;
            }
        }
        let mut automaton = Automaton::default();
        automaton.assign_columns(keywords);
        automaton.link(&nodes, &order, &number);
        automaton.fill(&nodes, &order, &number);
        automaton
    }

    fn assign_columns(&mut self, keywords: &[(u16, &[u8])]) {
        self.columns = vec![0; 256];
        let mut next = 1u8;
        for &byte in keywords.iter().flat_map(|(_, k)| k.iter()) {
            if let Some(column) = self.columns.get_mut(usize::from(byte))
                && *column == 0
                && next < u8::MAX
            {
                *column = next;
                next = next.saturating_add(1);
            }
        }
        self.width = usize::from(next);
    }

    fn link(&mut self, nodes: &[Node], order: &[usize], number: &[u32]) {
        let count = order.len();
        self.fail = vec![START; count];
        self.output_link = vec![START; count];
        self.outputs = order
            .iter()
            .map(|&old| nodes.get(old).map(|n| n.outputs.clone()).unwrap_or_default())
            .collect();
        self.depth = order.iter().map(|&old| nodes.get(old).map_or(0, |n| n.depth)).collect();
        let child = |state: u32, byte: u8| -> Option<u32> {
            let old = *order.get(state as usize)?;
            let target = nodes.get(old)?.child(byte)?;
            number.get(target).copied()
        };
        for (new, &old) in order.iter().enumerate() {
            let Some(node) = nodes.get(old) else { continue };
            for &(byte, target) in &node.children {
                let Some(&target) = number.get(target) else { continue };
                let mut link = START;
                if new as u32 != START {
                    let mut at = self.fail.get(new).copied().unwrap_or(START);
                    loop {
                        if let Some(found) = child(at, byte) {
                            link = found;
                            break;
                        }
                        if at == START {
                            break;
                        }
                        at = self.fail.get(at as usize).copied().unwrap_or(START);
                    }
                }
                if let Some(slot) = self.fail.get_mut(target as usize) {
                    *slot = link;
                }
                let output = if self.outputs.get(link as usize).is_some_and(|o| !o.is_empty()) {
                    link
                } else {
                    self.output_link.get(link as usize).copied().unwrap_or(START)
                };
                if let Some(slot) = self.output_link.get_mut(target as usize) {
                    *slot = output;
                }
            }
        }
    }

    fn fill(&mut self, nodes: &[Node], order: &[usize], number: &[u32]) {
        let fitting = DENSE_BUDGET / (self.width.max(1) * size_of::<u32>());
        self.dense_states = order.len().min(fitting.max(1)) as u32;
        for (new, &old) in order.iter().enumerate() {
            let Some(node) = nodes.get(old) else { continue };
            let mut edges: Vec<(u8, u32)> = Vec::with_capacity(node.children.len() + 1);
            for &(byte, target) in &node.children {
                let column = self.columns.get(usize::from(byte)).copied().unwrap_or(0);
                let target = number.get(target).copied().unwrap_or(START);
                edges.push((column, self.marked(target)));
            }
            if node.label == b' ' {
                let column = self.columns.get(usize::from(b' ')).copied().unwrap_or(0);
                edges.retain(|(c, _)| *c != column);
                // The self-loop is no new hit: a run of spaces ends a keyword once.
                edges.push((column, new as u32));
            }
            if (new as u32) < self.dense_states {
                let mut row = match self.fail.get(new) {
                    Some(&fail) if new != 0 => self.row(fail).to_vec(),
                    _ => vec![START; self.width],
                };
                for (column, target) in edges {
                    if let Some(slot) = row.get_mut(usize::from(column)) {
                        *slot = target;
                    }
                }
                self.dense.extend_from_slice(&row);
            } else {
                self.sparse.push(edges);
            }
        }
    }

    fn row(&self, state: u32) -> &[u32] {
        let from = state as usize * self.width;
        self.dense.get(from..from + self.width).unwrap_or_default()
    }

    fn marked(&self, state: u32) -> u32 {
        let index = state as usize;
        let own = self.outputs.get(index).is_some_and(|o| !o.is_empty());
        let linked = self.output_link.get(index).copied().unwrap_or(START) != START;
        if own || linked { state | HIT } else { state }
    }

    /// The state after `byte`, and whether a keyword ends there.
    #[inline]
    pub fn step(&self, state: u32, byte: u8) -> (u32, bool) {
        let column = self.columns.get(usize::from(byte)).copied().unwrap_or(0);
        let mut at = state;
        loop {
            if at < self.dense_states {
                let index = at as usize * self.width + usize::from(column);
                let next = self.dense.get(index).copied().unwrap_or(START);
                return (next & !HIT, next & HIT != 0);
            }
            let row = (at - self.dense_states) as usize;
            let edges = self.sparse.get(row).map(Vec::as_slice).unwrap_or_default();
            if let Some(&(_, next)) = edges.iter().find(|(c, _)| *c == column) {
                return (next & !HIT, next & HIT != 0);
            }
            at = self.fail.get(at as usize).copied().unwrap_or(START);
        }
    }

    /// The keywords that are what was read from [`START`] to `state`.
    #[inline]
    pub fn own(&self, state: u32) -> &[Output] {
        self.outputs.get(state as usize).map_or(&[], Vec::as_slice)
    }

    /// All keywords that end in `state`, longest first.
    pub fn outputs(&self, state: u32) -> impl Iterator<Item = Output> + '_ {
        let mut at = Some(state);
        std::iter::from_fn(move || {
            let here = at?;
            let next = self.output_link.get(here as usize).copied().unwrap_or(START);
            at = (next != START).then_some(next);
            Some(here)
        })
        .flat_map(move |s| self.outputs.get(s as usize).into_iter().flatten().copied())
    }

    /// For every state the most folded bytes at the end of the text that may be the beginning of a keyword for
    /// which `shown` says `Some(n)`, less the first `n` bytes, which may leave.
    pub fn open_prefixes(
        &self,
        keywords: &[(u16, &[u8])],
        shown: impl Fn(u16) -> Option<u16>,
    ) -> Vec<u16> {
        let mut open = vec![0u16; self.fail.len()];
        for (rule, keyword) in keywords {
            let Some(shown) = shown(*rule) else { continue };
            let mut state = START;
            let proper = keyword.len().saturating_sub(1);
            for &byte in keyword.iter().take(proper) {
                state = self.step(state, byte).0;
                let depth = self.depth.get(state as usize).copied().unwrap_or(0);
                if let Some(slot) = open.get_mut(state as usize) {
                    *slot = (*slot).max(depth.saturating_sub(shown));
                }
            }
        }
        // States are numbered breadth first, so a failure link always points to an earlier state.
        for state in 0..open.len() {
            let inherited =
                self.fail.get(state).and_then(|f| open.get(*f as usize)).copied().unwrap_or(0);
            if let Some(slot) = open.get_mut(state) {
                *slot = (*slot).max(inherited);
            }
        }
        open
    }

    /// Length in folded bytes of the longest keyword beginning that the text ends with.
    pub fn depth(&self, state: u32) -> u16 {
        self.depth.get(state as usize).copied().unwrap_or(0)
    }

    /// Bytes of heap memory, for `weir check`.
    pub fn memory(&self) -> usize {
        let edges: usize = self.sparse.iter().map(|e| e.len() * size_of::<(u8, u32)>() + 24).sum();
        let outputs: usize = self.outputs.iter().map(|o| o.len() * size_of::<Output>() + 24).sum();
        self.dense.len() * 4 + edges + outputs + self.fail.len() * 10 + 256
    }
}

fn trie(keywords: &[(u16, &[u8])]) -> Vec<Node> {
    let mut nodes = vec![Node::default()];
    for (index, (rule, keyword)) in (0u32..).zip(keywords).filter(|(_, (_, k))| !k.is_empty()) {
        let mut at = 0usize;
        for &byte in keyword.iter() {
            let next = nodes.len();
            let Some(node) = nodes.get_mut(at) else { break };
            let depth = node.depth.saturating_add(1);
            let target = match node.child(byte) {
                Some(known) => known,
                None => {
                    let place = node.children.partition_point(|(b, _)| *b < byte);
                    node.children.insert(place, (byte, next));
                    next
                }
            };
            if target == next {
                nodes.push(Node { depth, label: byte, ..Node::default() });
            }
            at = target;
        }
        if let Some(node) = nodes.get_mut(at) {
            node.outputs.push(Output { rule: *rule, keyword: index, length: keyword.len() as u16 });
        }
    }
    nodes
}

fn breadth_first(nodes: &[Node]) -> Vec<usize> {
    let mut order = vec![0usize];
    let mut at = 0;
    while let Some(&old) = order.get(at) {
        if let Some(node) = nodes.get(old) {
            order.extend(node.children.iter().map(|(_, child)| *child));
        }
        at += 1;
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(keywords: &[&str], text: &str) -> Vec<(usize, u16)> {
        let table: Vec<(u16, &[u8])> =
            keywords.iter().enumerate().map(|(i, k)| (i as u16, k.as_bytes())).collect();
        let automaton = Automaton::new(&table);
        let mut state = START;
        let mut found = Vec::new();
        for (at, byte) in text.bytes().enumerate() {
            let (next, hit) = automaton.step(state, byte);
            state = next;
            if hit {
                found.extend(automaton.outputs(state).map(|o| (at + 1, o.rule)));
            }
        }
        found
    }

    #[test]
    fn finds_what_a_naive_search_finds() {
        let keywords = ["he", "she", "his", "hers", "ignore all", "all", "e"];
        for text in ["ushers", "his ignore all she", "eee", "", "ignore  all", "ignore al hers"] {
            let collapsed = text.split_inclusive(' ').filter(|p| *p != " ").collect::<String>();
            let mut expected = Vec::new();
            for end in 0..=collapsed.len() {
                for (rule, keyword) in keywords.iter().enumerate() {
                    if collapsed.as_bytes()[..end].ends_with(keyword.as_bytes()) {
                        expected.push(rule as u16);
                    }
                }
            }
            let mut got: Vec<u16> = ends(&keywords, text).into_iter().map(|(_, r)| r).collect();
            got.sort_unstable();
            expected.sort_unstable();
            assert_eq!(got, expected, "{text:?}");
        }
    }

    #[test]
    fn sparse_rows_find_the_same_as_dense_rows() {
        let many: Vec<String> = (0..40_000).map(|n| format!("key-{n:x}-word")).collect();
        let table: Vec<(u16, &[u8])> = many.iter().map(|k| (7, k.as_bytes())).collect();
        let automaton = Automaton::new(&table);
        assert!((automaton.dense_states as usize) < automaton.fail.len(), "nothing is sparse");
        for keyword in ["key-0-word", "key-9c3f-word", "xkey-key-1f-word"] {
            let mut state = START;
            let mut hits = 0;
            for byte in keyword.bytes() {
                let (next, hit) = automaton.step(state, byte);
                state = next;
                hits += usize::from(hit);
            }
            assert_eq!(hits, 1, "{keyword}");
        }
    }

    #[test]
    fn open_prefixes_count_only_rules_that_hold() {
        let keywords: [(u16, &[u8]); 2] = [(0, b"abcd"), (1, b"bcx")];
        let automaton = Automaton::new(&keywords);
        let hold = automaton.open_prefixes(&keywords, |rule| (rule == 1).then_some(1));
        let mut state = START;
        let mut seen = Vec::new();
        for byte in *b"abc" {
            state = automaton.step(state, byte).0;
            seen.push(hold.get(state as usize).copied().unwrap_or(99));
        }
        assert_eq!(seen, [0, 0, 1]);
    }
}
