//! How far string content needs no reading, sixteen bytes at a time.

use wide::u8x16;

const LANES: usize = 16;

/// The length of what stands before the first quote, backslash or control character.
pub(crate) fn plain(content: &[u8]) -> usize {
    let mut at = 0;
    while let Some(block) = content.get(at..).and_then(<[u8]>::first_chunk::<LANES>) {
        let block = u8x16::new(*block);
        let stop = block.simd_eq(u8x16::splat(b'"'))
            | block.simd_eq(u8x16::splat(b'\\'))
            | block.simd_lt(u8x16::splat(0x20));
        let stop = stop.to_bitmask();
        if stop != 0 {
            return at + stop.trailing_zeros() as usize;
        }
        at += LANES;
    }
    let rest = content.get(at..).unwrap_or_default();
    let stop = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    at + rest.iter().position(stop).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_ends_it_is_found_wherever_it_stands() {
        for length in 0..70 {
            for end in [b'"', b'\\', 0, 0x1F, b'\n'] {
                for at in 0..length {
                    let mut content = vec![b'a'; length];
                    content[at] = end;
                    assert_eq!(plain(&content), at);
                    content[at / 2] = 0xC3;
                    let expected = if at > 0 { at } else { length };
                    assert_eq!(plain(&content), expected);
                }
            }
            assert_eq!(plain(&vec![b' '; length]), length);
        }
    }
}
