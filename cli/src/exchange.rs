//! A recorded exchange, its run through the pipeline, and what differs between two runs.

use std::rc::Rc;

use weir_filter::Guard;
use weir_filter::sim::{Around, Message, Pieces, Run, run_as};

/// What the pipeline sends while a tool call is held and nothing else can be: how often depends on the cut.
const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";

/// A recorded exchange.
#[derive(Default)]
pub struct Exchange {
    pub request: Message,
    pub answer: Message,
    pub around: Around,
}

impl Exchange {
    /// Runs it, both bodies cut into pieces.
    pub fn run(&self, guard: &Rc<Guard>, pieces: (Pieces, Pieces)) -> Run {
        run_as(guard, &self.request, &self.answer, pieces, &self.around)
    }

    /// Runs it with whole bodies.
    pub fn run_whole(&self, guard: &Rc<Guard>) -> Run {
        self.run(guard, (Pieces::Whole, Pieces::Whole))
    }
}

/// Which parts of two runs differ.
pub fn differences(one: &Run, other: &Run) -> Vec<&'static str> {
    [
        ("decision", one.tally.decision != other.tally.decision),
        ("upstream head", one.upstream.0 != other.upstream.0),
        ("upstream body", one.upstream.1 != other.upstream.1),
        ("client head", one.client.headers != other.client.headers),
        ("client body", !same_but_for_comments(&one.client.body, &other.client.body)),
    ]
    .into_iter()
    .filter_map(|(part, differs)| differs.then_some(part))
    .collect()
}

fn same_but_for_comments(one: &[u8], other: &[u8]) -> bool {
    one == other || quiet(one) == quiet(other)
}

/// The body without keep-alive comments.
fn quiet(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some((first, more)) = rest.split_first() {
        match rest.strip_prefix(KEEP_ALIVE) {
            Some(after) => rest = after,
            None => {
                out.push(*first);
                rest = more;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::same_but_for_comments;

    #[test]
    fn keep_alives_make_no_difference() {
        for (one, other, same) in [
            ("data: 1\n\n", "data: 1\n\n", true),
            ("data: 1\n\n", ": keep-alive\n\ndata: 1\n\n: keep-alive\n\n", true),
            ("data: 1\n\n", "data: 2\n\n", false),
            ("data: 1\n\n", "data: 1\n\n: other\n\n", false),
            ("", ": keep-alive\n\n", true),
        ] {
            assert_eq!(same_but_for_comments(one.as_bytes(), other.as_bytes()), same, "{other:?}");
        }
    }
}
