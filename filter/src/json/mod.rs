//! JSON as bytes arrive: a push lexer with raw ranges, the way back from decoded text to raw bytes, escaping.

mod arguments;
mod escape;
mod fragment;
mod lexer;
mod number;
mod plain;
mod token;

pub use arguments::{Arguments, Piece};
pub use escape::escape_into;
pub(crate) use fragment::simple_escape;
pub use fragment::{Layers, Offsets, Unit, Units, raw_offset};
pub use lexer::Lexer;
pub(crate) use plain::plain;
pub use token::{Event, Fault, Limits, Sink, Token};

#[cfg(test)]
mod tests;
