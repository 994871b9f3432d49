//! Bodies made by zlib, and by an encoder of our own for what zlib would not write.

use super::gzip::Crc;
use super::*;

const LIMIT: u64 = 4 << 20;
const RATIO: u32 = 200;
const CODINGS: [Coding; 2] = [Coding::Gzip, Coding::Deflate];

/// What zlib made of [`lines`], at its best.
const LINES: &str = "55d24b8ac4300c04d07d9f224788f5f1e740d3d0107aeebf1b5c5506cd4ec292f5e4e4f97c7faefb\
    fa7d5ff7ebd971db71631c3b36c66bc7ae9abe936062b99364e238e96a47cf60d271d964323165a9071335de50d60e602013\
    611832219808e1644bd17926c602b0c9e11c27c8c0ea4d92863e13255169a22c6c66a2049f469485e9264bb04f96c54a5912\
    f34c968944940ea68962d8dc4599a874511257ba2806b48b32f99d44e980f9f93898e0a2349e1d0ad6f36361264b607ac8e2\
    9817b2349ec9c2ffe2bc0ade214499181ea20c304394c1335106fbe6bf6cd5cabceb2dd9ea84b43a3dbdc032aa39b3ee93bd\
    ee9aa3be43cefa46b95e7f";
const JSON: &[u8] = b"{\"a\":1}";
/// What zlib made of [`JSON`]: in one block; with a flush of each kind; not compressed.
const JSON_DEFLATED: [&str; 3] = [
    "ab564a54b232ac0500",
    "aa564a5402000000ffffb232ac05000000ffff0300",
    "010700f8ff7b2261223a317d",
];

fn lines() -> Vec<u8> {
    (0..60u32).flat_map(|n| format!("line {} of {n}\n", n * n % 97).into_bytes()).collect()
}

fn hex(digits: &str) -> Vec<u8> {
    let digit = |b: &u8| char::from(*b).to_digit(16).unwrap() as u8;
    digits.as_bytes().chunks(2).map(|pair| digit(&pair[0]) << 4 | digit(&pair[1])).collect()
}

/// What zlib made of 1 MiB of zeros.
fn zeros_deflated() -> Vec<u8> {
    let mut bytes = hex("edc13101000000c2a0f54f6d085fa0");
    bytes.resize(bytes.len() + 1016, 0);
    bytes.extend([0x3e, 0x03]);
    bytes
}

/// `text` in blocks that are not compressed; the last one ends the stream if `last`.
fn stored(text: &[u8], last: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut blocks = text.chunks(u16::MAX.into()).peekable();
    while let Some(block) = blocks.next() {
        bytes.push(u8::from(last && blocks.peek().is_none()));
        bytes.extend((block.len() as u16).to_le_bytes());
        bytes.extend((!(block.len() as u16)).to_le_bytes());
        bytes.extend(block);
    }
    bytes
}

/// A last block that repeats three bytes from `distance` before; `code` and `extra` bits say the distance.
fn repeat(code: u64, extra: u64, extra_bits: u32) -> Vec<u8> {
    let reversed = |code: u64, bits: u32| code.reverse_bits() >> (64 - bits);
    let fields =
        [(1, 1), (1, 2), (reversed(1, 7), 7), (reversed(code, 5), 5), (extra, extra_bits), (0, 7)];
    let mut bits = 0u64;
    let mut size = 0;
    for (field, width) in fields {
        bits |= field << size;
        size += width;
    }
    bits.to_le_bytes()[..size.div_ceil(8) as usize].to_vec()
}

fn gzip(header: &[u8], deflated: &[u8], text: &[u8]) -> Vec<u8> {
    let mut crc = Crc::default();
    crc.update(text);
    let size = (text.len() as u32).to_le_bytes();
    [header, deflated, &crc.sum().to_le_bytes(), &size].concat()
}

fn header(flags: u8, fields: &[u8]) -> Vec<u8> {
    [&[0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255], fields].concat()
}

fn wrapped(coding: Coding, deflated: &[u8], text: &[u8]) -> Vec<u8> {
    match coding {
        Coding::Gzip => gzip(&header(0, &[]), deflated, text),
        Coding::Deflate => {
            let (mut low, mut high) = (1u32, 0u32);
            for byte in text {
                low = (low + u32::from(*byte)) % 65_521;
                high = (high + low) % 65_521;
            }
            [&[0x78, 0xda], deflated, &(high << 16 | low).to_be_bytes()].concat()
        }
    }
}

fn pieces(decoder: &mut Decoder, pieces: &[&[u8]]) -> Result<Vec<u8>, DecodeFault> {
    let mut out = Vec::new();
    for piece in pieces {
        decoder.write(piece, &mut out)?;
    }
    decoder.end()?;
    Ok(out)
}

fn decoded(coding: Coding, bytes: &[u8]) -> Result<Vec<u8>, DecodeFault> {
    pieces(&mut Decoder::new(coding, LIMIT, RATIO), &[bytes])
}

/// Decodes whole and in pieces of some sizes, and asserts that all say the same.
fn decoded_alike(
    coding: Coding,
    bytes: &[u8],
    limit: u64,
    ratio: u32,
) -> Result<Vec<u8>, DecodeFault> {
    let whole = pieces(&mut Decoder::new(coding, limit, ratio), &[bytes]);
    for size in [1, 7, 1023, 1024, 1025] {
        let cut: Vec<&[u8]> = bytes.chunks(size).collect();
        let result = pieces(&mut Decoder::new(coding, limit, ratio), &cut);
        assert!(result == whole, "{coding:?} in pieces of {size}: {:?}", result.err());
    }
    whole
}

/// Bytes that look random, always the same.
fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x2545_f491u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 11) as u8
    };
    (0..size).map(|_| next()).collect()
}

#[test]
fn what_was_encoded_comes_back_at_every_cut() {
    let mut bodies = vec![(hex(LINES), lines()), (hex("0300"), Vec::new())];
    bodies.extend(JSON_DEFLATED.map(|deflated| (hex(deflated), JSON.to_vec())));
    for coding in CODINGS {
        for (deflated, text) in &bodies {
            let bytes = wrapped(coding, deflated, text);
            for at in 0..=bytes.len() {
                let (first, second) = bytes.split_at(at);
                let mut decoder = Decoder::new(coding, LIMIT, RATIO);
                let result = pieces(&mut decoder, &[first, second]);
                assert_eq!(result.as_ref(), Ok(text), "{coding:?} {at}");
            }
            assert_eq!(decoded_alike(coding, &bytes, LIMIT, RATIO).as_ref(), Ok(text));
        }
        assert_eq!(decoded(coding, &[]), Ok(Vec::new()));
    }
}

#[test]
fn what_zlib_wrote_whole_is_read() {
    let named = "1f8b08080100000002ff626f64792e6a736f6e00ab564a54b232ac0500afac1b5607000000";
    assert_eq!(decoded(Coding::Gzip, &hex(named)), Ok(JSON.to_vec()));
    let small_window = "18d3ab564a54b232ac0500082a0209";
    assert_eq!(decoded(Coding::Deflate, &hex(small_window)), Ok(JSON.to_vec()));
    let empty = "1f8b080000000000020303000000000000000000";
    assert_eq!(decoded(Coding::Gzip, &hex(empty)), Ok(Vec::new()));
}

#[test]
fn text_longer_than_the_window_comes_back() {
    let text = noise(150_000);
    for coding in CODINGS {
        let bytes = wrapped(coding, &stored(&text, true), &text);
        assert!(decoded_alike(coding, &bytes, LIMIT, RATIO) == Ok(text.clone()), "{coding:?}");
    }
}

#[test]
fn a_reference_to_before_the_text_is_malformed() {
    for coding in CODINGS {
        for (size, code, extra, extra_bits, distance, good) in [
            (1, 0, 0, 0, 1, true),
            (1, 1, 0, 0, 2, false),
            (0, 0, 0, 0, 1, false),
            (32_768, 29, 8191, 13, 32_768, true),
            (32_767, 29, 8191, 13, 32_768, false),
            (100_000, 29, 8191, 13, 32_768, true),
            (100_000, 30, 0, 0, 1, false),
        ] {
            let mut text = noise(size);
            let deflated = [stored(&text, false), repeat(code, extra, extra_bits)].concat();
            for _ in 0..3 {
                let before = text.len().checked_sub(distance);
                text.push(before.map_or(0, |at| text[at]));
            }
            let result = decoded(coding, &wrapped(coding, &deflated, &text));
            let expected = if good { Ok(text) } else { Err(DecodeFault::Malformed) };
            assert!(result == expected, "{coding:?} {size} {code}");
        }
    }
}

#[test]
fn what_is_cut_off_or_goes_on_is_malformed() {
    for coding in CODINGS {
        let bytes = wrapped(coding, &hex(LINES), &lines());
        for at in 1..bytes.len() {
            let cut = decoded(coding, &bytes[..at]);
            assert_eq!(cut, Err(DecodeFault::Malformed), "{coding:?} {at}");
        }
        for more in [&b"x"[..], &[0], &bytes] {
            let longer = [&bytes, more].concat();
            let result = decoded_alike(coding, &longer, LIMIT, RATIO);
            assert_eq!(result, Err(DecodeFault::Malformed), "{coding:?}");
        }
    }
}

#[test]
fn no_changed_byte_is_accepted_as_another_text() {
    for coding in CODINGS {
        let bytes = wrapped(coding, &hex(LINES), &lines());
        // Of a gzip header the time, the level and the system say nothing about the text, nor does the flag of text.
        let idle = |at: usize, flip: u8| {
            coding == Coding::Gzip && (matches!(at, 4..=9) || (at == 3 && flip == 1))
        };
        for at in 0..bytes.len() {
            for flip in [0x01, 0x02, 0x10, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[at] ^= flip;
                let result = decoded_alike(coding, &changed, LIMIT, RATIO);
                let expected =
                    if idle(at, flip) { Ok(lines()) } else { Err(DecodeFault::Malformed) };
                assert_eq!(result, expected, "{coding:?} {at} {flip:#x}");
            }
        }
    }
}

#[test]
fn wrong_checksums_and_lengths_are_malformed() {
    let deflated = hex(JSON_DEFLATED[0]);
    for coding in CODINGS {
        let other = wrapped(coding, &deflated, b"{\"a\":2}");
        assert_eq!(decoded(coding, &other), Err(DecodeFault::Malformed), "{coding:?}");
    }
    let mut longer = gzip(&header(0, &[]), &deflated, JSON);
    let size = longer.len() - 4;
    longer[size] += 1;
    assert_eq!(decoded(Coding::Gzip, &longer), Err(DecodeFault::Malformed));
}

#[test]
fn gzip_headers_with_every_field() {
    let long = [&5000u16.to_le_bytes()[..], &[7; 5000]].concat();
    let checked = |good: bool| {
        let fields = [&header(2 | 8, b"name\0")[..]].concat();
        let mut crc = Crc::default();
        crc.update(&fields);
        let sum = crc.sum() as u16 ^ u16::from(!good);
        [&fields[..], &sum.to_le_bytes()].concat()
    };
    let name = |size: usize| [&vec![b'n'; size][..], &[0]].concat();
    for (case, header, good) in [
        ("none", header(0, &[]), true),
        ("text", header(1, &[]), true),
        ("extra", header(4, &[2, 0, 8, 9]), true),
        ("extra, empty", header(4, &[0, 0]), true),
        ("extra, long", header(4, &long), true),
        ("name", header(8, b"name\0"), true),
        ("name, empty", header(8, b"\0"), true),
        ("name without end", header(8, b"name"), false),
        ("comment", header(16, b"comment\0"), true),
        ("all but a checksum", header(1 | 4 | 8 | 16, b"\x01\0x\0c\0"), true),
        ("checksum", checked(true), true),
        ("wrong checksum", checked(false), false),
        ("longest", header(8, &name(65_536 - 11)), true),
        ("too long", header(8, &name(65_536 - 10)), false),
        ("reserved 5", header(0x20, &[]), false),
        ("reserved 6", header(0x40, &[]), false),
        ("reserved 7", header(0x80, &[]), false),
        ("magic", [&[0x1f, 0x8c], &header(0, &[])[2..]].concat(), false),
        ("method", [&[0x1f, 0x8b, 7], &header(0, &[])[3..]].concat(), false),
    ] {
        let bytes = gzip(&header, &hex(JSON_DEFLATED[0]), JSON);
        let result = decoded_alike(Coding::Gzip, &bytes, LIMIT, RATIO);
        let expected = if good { Ok(JSON.to_vec()) } else { Err(DecodeFault::Malformed) };
        assert_eq!(result, expected, "{case}");
    }
}

#[test]
fn zlib_headers() {
    let whole = wrapped(Coding::Deflate, &hex(JSON_DEFLATED[0]), JSON);
    for (case, header, good) in [
        ("usual", [0x78, 0x9c], true),
        ("smaller window", [0x18, 0xd3], true),
        ("wrong check", [0x78, 0x9d], false),
        ("larger window", [0x88, 0x1c], false),
        ("other method", [0x77, 0x85], false),
        ("dictionary", [0x78, 0xf9], false),
    ] {
        let bytes = [&header, &whole[2..]].concat();
        let result = decoded_alike(Coding::Deflate, &bytes, LIMIT, RATIO);
        let expected = if good { Ok(JSON.to_vec()) } else { Err(DecodeFault::Malformed) };
        assert_eq!(result, expected, "{case}");
    }
}

#[test]
fn one_coding_is_not_another() {
    let raw = hex(JSON_DEFLATED[0]);
    let gzipped = wrapped(Coding::Gzip, &raw, JSON);
    let deflated = wrapped(Coding::Deflate, &raw, JSON);
    for (coding, bytes) in [
        (Coding::Deflate, &raw[..]),
        (Coding::Deflate, &gzipped),
        (Coding::Deflate, JSON),
        (Coding::Gzip, &raw),
        (Coding::Gzip, &deflated),
        (Coding::Gzip, JSON),
    ] {
        assert_eq!(decoded(coding, bytes), Err(DecodeFault::Malformed), "{coding:?}");
    }
}

#[test]
fn a_bomb_is_stopped() {
    let zeros = vec![0; 1 << 20];
    for coding in CODINGS {
        let bomb = wrapped(coding, &zeros_deflated(), &zeros);
        assert!(bomb.len() < 1100);
        assert!(decoded_alike(coding, &bomb, LIMIT, 1100) == Ok(zeros.clone()), "{coding:?}");
        for (limit, ratio, expected) in [
            (LIMIT, RATIO, DecodeFault::Ratio),
            (100_000, RATIO, DecodeFault::TooLarge),
            (LIMIT, 0, DecodeFault::Ratio),
        ] {
            let mut decoder = Decoder::new(coding, limit, ratio);
            let mut out = Vec::new();
            assert_eq!(decoder.write(&bomb, &mut out), Err(expected));
            let most = limit.min(ALLOWANCE + 2 * STEP * u64::from(ratio));
            assert!(out.len() as u64 <= most, "{}", out.len());
            assert!(out.capacity() as u64 <= 2 * most, "{}", out.capacity());
            assert_eq!(decoded_alike(coding, &bomb, limit, ratio), Err(expected));
        }
    }
}

#[test]
fn the_ratio_is_the_same_at_every_cut() {
    let plain = noise(3000);
    let zeros = vec![0; 1 << 20];
    for coding in CODINGS {
        // What was sent before counts, what comes after does not.
        let text = [&plain[..], &zeros].concat();
        let late = wrapped(coding, &[stored(&plain, false), zeros_deflated()].concat(), &text);
        assert!(decoded_alike(coding, &late, LIMIT, 300) == Ok(text), "{coding:?}");
        let mut begun = zeros_deflated();
        // The block of zeros is not the last one.
        begun[0] &= !1;
        let early = wrapped(coding, &begun, &zeros);
        assert_eq!(decoded_alike(coding, &early, LIMIT, 300), Err(DecodeFault::Ratio));
    }
}

#[test]
fn the_limit_is_exact_and_covers_what_is_sent() {
    let text = noise(5000);
    for coding in CODINGS {
        let deflated = hex(LINES);
        let bytes = wrapped(coding, &deflated, &lines());
        let size = lines().len() as u64;
        assert_eq!(decoded_alike(coding, &bytes, size, RATIO), Ok(lines()));
        let less = decoded_alike(coding, &bytes, size - 1, RATIO);
        assert_eq!(less, Err(DecodeFault::TooLarge));
        let bytes = wrapped(coding, &stored(&text, true), &text);
        let size = bytes.len() as u64;
        assert_eq!(decoded_alike(coding, &bytes, size, RATIO), Ok(text.clone()));
        let less = decoded_alike(coding, &bytes, size - 1, RATIO);
        assert_eq!(less, Err(DecodeFault::TooLarge));
        let nothing = [0, 0, 0, 0xff, 0xff].repeat(1000);
        let bytes = wrapped(coding, &nothing, &[]);
        assert_eq!(decoded_alike(coding, &bytes, 4096, RATIO), Err(DecodeFault::TooLarge));
    }
}

#[test]
fn a_fault_stays() {
    for (bytes, limit, expected) in
        [(&b"no"[..], LIMIT, DecodeFault::Malformed), (&[0x1f, 0x8b], 1, DecodeFault::TooLarge)]
    {
        let mut decoder = Decoder::new(Coding::Gzip, limit, RATIO);
        let mut out = Vec::new();
        assert_eq!(decoder.write(bytes, &mut out), Err(expected));
        assert_eq!(decoder.write(&header(0, &[]), &mut out), Err(expected));
        assert_eq!(decoder.write(&[], &mut out), Err(expected));
        assert_eq!(decoder.end(), Err(expected));
        assert!(out.is_empty());
    }
}

#[test]
fn codings_by_their_names() {
    for (name, expected) in [
        ("gzip", Some(Coding::Gzip)),
        (" X-GZIP ", Some(Coding::Gzip)),
        ("x-gzip", Some(Coding::Gzip)),
        ("Deflate", Some(Coding::Deflate)),
        ("gzip, gzip", None),
        ("identity", None),
        ("gzip;q=1", None),
        ("zstd", None),
        ("br", None),
        ("", None),
    ] {
        assert_eq!(Coding::of(name), expected, "{name}");
    }
}
