//! Packs sequences into one, overlapping them where they share an end or a part.

/// A sequence that contains each of `parts`: longest first, each where it already is or behind the longest overlap.
pub fn pack<T: Clone + Eq>(mut parts: Vec<Vec<T>>) -> Vec<T> {
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    let mut all: Vec<T> = Vec::new();
    while !parts.is_empty() {
        parts.retain(|part| find(&all, part).is_none());
        let best =
            (0..parts.len()).max_by_key(|at| (overlap(&all, &parts[*at]), std::cmp::Reverse(*at)));
        if let Some(at) = best {
            let part = parts.remove(at);
            let shared = overlap(&all, &part);
            all.extend_from_slice(&part[shared..]);
        }
    }
    all
}

/// Where `part` begins in `all`.
pub fn find<T: Eq>(all: &[T], part: &[T]) -> Option<usize> {
    if part.is_empty() {
        Some(0)
    } else {
        all.windows(part.len()).position(|window| window == part)
    }
}

fn overlap<T: Eq>(all: &[T], part: &[T]) -> usize {
    (0..=part.len().min(all.len())).rev().find(|n| all.ends_with(&part[..*n])).unwrap_or(0)
}
