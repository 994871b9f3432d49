//! Texts inside a complete tool-call arguments string: JSON in JSON, and whatever a model made of it.

use std::ops::Range;

use crate::json::{Arguments, Layers, Offsets, Piece};

/// One string or bare word of the arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inner {
    pub text: String,
    /// Where its content stands in the once-decoded arguments.
    pub range: Range<usize>,
    pub bare: bool,
}

/// All texts of `decoded`, a complete arguments string decoded once.
pub fn texts(decoded: &str, sink: &mut dyn FnMut(&Inner)) {
    let mut inner = Inner::default();
    let mut fresh = true;
    let mut take = |piece: Piece<'_>, at: Range<u64>| match piece {
        Piece::Text(text) | Piece::Bare(text) => {
            if fresh {
                inner = Inner { range: at.start as usize..0, ..Inner::default() };
                fresh = false;
            }
            inner.bare = matches!(piece, Piece::Bare(_));
            inner.text.push_str(text);
            inner.range.end = at.end as usize;
        }
        Piece::TextEnd | Piece::BareEnd => {
            if !fresh {
                sink(&inner);
            }
            fresh = true;
        }
    };
    let mut arguments = Arguments::default();
    arguments.feed(decoded, 0, &mut take);
    arguments.end(&mut take);
    take(Piece::TextEnd, 0..0);
}

/// Where spans of an inner text stand in the once-decoded arguments.
pub struct Outer<'a> {
    inner: &'a Inner,
    offsets: Offsets<'a>,
}

impl<'a> Outer<'a> {
    pub fn new(decoded: &'a str, inner: &'a Inner) -> Outer<'a> {
        let raw = decoded.as_bytes().get(inner.range.clone()).unwrap_or_default();
        Outer { inner, offsets: Offsets::new(raw, Layers::Plain) }
    }

    /// The outer span of `span`; spans are best asked for in their order.
    pub fn span(&mut self, span: Range<usize>) -> Option<Range<usize>> {
        let base = self.inner.range.start;
        if self.inner.bare {
            return Some(base + span.start..base + span.end);
        }
        Some(base + self.offsets.find(span.start)?..base + self.offsets.find(span.end)?)
    }
}
