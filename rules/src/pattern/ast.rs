//! The tree of a parsed pattern, before counted repeats are written out.

/// A piece of a pattern. Classes are numbers into the parser's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Empty,
    Char(char),
    Class(u16),
    /// `\b`, or `\B` for false.
    Boundary(bool),
    Concat(Vec<Node>),
    Alternate(Vec<Node>),
    /// `max` is none for a repeat without end.
    Repeat {
        node: Box<Node>,
        min: u16,
        max: Option<u16>,
    },
}

impl Node {
    /// The fewest characters of a match.
    pub(super) fn min_len(&self) -> usize {
        match self {
            Node::Empty | Node::Boundary(_) => 0,
            Node::Char(_) | Node::Class(_) => 1,
            Node::Concat(nodes) => sum(nodes.iter().map(Node::min_len)),
            Node::Alternate(nodes) => nodes.iter().map(Node::min_len).min().unwrap_or(0),
            Node::Repeat { node, min, .. } => node.min_len().saturating_mul(usize::from(*min)),
        }
    }

    /// The most characters of a match; none without bound.
    pub(super) fn max_len(&self) -> Option<usize> {
        match self {
            Node::Empty | Node::Boundary(_) => Some(0),
            Node::Char(_) | Node::Class(_) => Some(1),
            Node::Concat(nodes) => {
                nodes.iter().try_fold(0usize, |total, n| Some(total.saturating_add(n.max_len()?)))
            }
            Node::Alternate(nodes) => {
                nodes.iter().try_fold(0usize, |most, n| Some(most.max(n.max_len()?)))
            }
            Node::Repeat { node, max, .. } => match (node.max_len()?, max) {
                (0, _) => Some(0),
                (length, Some(times)) => Some(length.saturating_mul(usize::from(*times))),
                (_, None) => None,
            },
        }
    }

    /// How many instructions [`super::program`] writes for this piece; saturates.
    pub(super) fn size(&self) -> usize {
        match self {
            Node::Empty => 0,
            Node::Char(_) | Node::Class(_) | Node::Boundary(_) => 1,
            Node::Concat(nodes) => sum(nodes.iter().map(Node::size)),
            Node::Alternate(nodes) => {
                let links = nodes.len().saturating_sub(1).saturating_mul(2);
                sum(nodes.iter().map(Node::size)).saturating_add(links)
            }
            Node::Repeat { node, min, max } => repeat_size(node, usize::from(*min), *max),
        }
    }
}

fn repeat_size(node: &Node, min: usize, max: Option<u16>) -> usize {
    let size = node.size();
    let fixed = size.saturating_mul(min);
    let single = matches!(node, Node::Class(_));
    let open = match (max, single, min) {
        (None, true, _) => 1,
        (None, false, 0) => size.saturating_add(2),
        (None, false, _) => 1,
        (Some(max), true, _) => usize::from(max).saturating_sub(min),
        (Some(max), false, _) => {
            usize::from(max).saturating_sub(min).saturating_mul(size.saturating_add(1))
        }
    };
    fixed.saturating_add(open)
}

fn sum(lengths: impl Iterator<Item = usize>) -> usize {
    lengths.fold(0, usize::saturating_add)
}
