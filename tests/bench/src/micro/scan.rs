//! Weir's scanner on one channel, and a copy of the same text.

use std::hint::black_box;

use weir_rules::{Channel, ChannelSet, Found, Ruleset, Scanner};

use super::{Error, Seen, pieces, repeat};

/// Scans a text as it would stream, `size` bytes at a time.
///
/// # Errors
/// Where the scanner gives up on the text.
pub fn scan(rules: &Ruleset, channel: Channel, text: &str, size: usize) -> Result<Seen, Error> {
    let scope = ChannelSet::from(channel);
    let mut found = Vec::new();
    repeat(text.len(), || {
        let mut scanner = Scanner::default();
        let mut count = 0;
        for piece in pieces(text, size) {
            scanner.push(rules, scope, piece, &mut found).map_err(|e| format!("{e:?}"))?;
            count += matches(&mut found);
        }
        scanner.end(rules, &mut found).map_err(|e| format!("{e:?}"))?;
        Ok(count + matches(&mut found))
    })
}

/// How many findings begin; others go on.
fn matches(found: &mut Vec<Found>) -> usize {
    found.drain(..).filter(|found| matches!(found, Found::Match(_))).count()
}

/// Copies a text, `size` bytes at a time.
///
/// # Errors
/// None.
pub fn copy(text: &str, size: usize) -> Result<Seen, Error> {
    let mut copied = vec![0; text.len()];
    repeat(text.len(), || {
        let pieces = text.as_bytes().chunks(size.max(1));
        for (piece, room) in pieces.zip(copied.chunks_mut(size.max(1))) {
            room.copy_from_slice(black_box(piece));
        }
        black_box(&mut copied);
        Ok(0)
    })
}
