//! Seeded damage to bytes.

use crate::exchange::Random;

/// What is put in where it hurts.
const TOKENS: [&[u8]; 22] = [
    b"\"",
    b"\\",
    b"\\u",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\n",
    b"\n\n",
    b"\r",
    b"\r\n",
    b"data: ",
    b"event: ",
    b"AKIAIOSFODNN7EXAMPL2",
    b"\xff",
    b"\xe2\x80\x8b",
    b"\xf0\x9f",
    b"\xef\xbb\xbf",
    b"\0",
];

/// One to four damages: bits flipped, bytes deleted or doubled, `other` spliced in, an end cut off, tokens and invalid
/// UTF-8 put in.
pub fn damage(bytes: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(4) {
        if bytes.is_empty() {
            break;
        }
        let at = random.below(bytes.len());
        let end = (at + random.below(200)).min(bytes.len());
        match random.below(7) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            3 => bytes.truncate(at),
            4 if !other.is_empty() => {
                bytes.truncate(at);
                bytes.extend_from_slice(&other[random.below(other.len())..]);
            }
            _ => drop(bytes.splice(at..at, TOKENS[random.below(TOKENS.len())].iter().copied())),
        }
    }
    bytes
}
