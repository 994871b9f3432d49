//! Compressed request bodies: gzip (RFC 1952) and deflate (RFC 1950, the zlib container), decoded as they come, under
//! limits. A body that would decode to more than one reading is malformed: further members, bytes after the end, raw
//! deflate under the name of the container.

use std::io::{self, Write};

use flate2::write::{GzDecoder, ZlibDecoder};

/// Decoded bytes that the ratio does not apply to: a short body of one letter is no attack.
const ALLOWANCE: u64 = 64 * 1024;

/// A content coding that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    Gzip,
    Deflate,
}

impl Coding {
    /// The only coding that a `content-encoding` names; `None` for lists and what is not read.
    pub fn of(content_encoding: &str) -> Option<Coding> {
        match content_encoding.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Some(Coding::Gzip),
            "deflate" => Some(Coding::Deflate),
            _ => None,
        }
    }
}

/// Why a body cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeFault {
    /// It is not what its coding says, is cut off, or goes on after its end.
    Malformed,
    /// It decodes to more than the limit.
    TooLarge,
    /// It decodes to far more than was sent.
    Ratio,
}

enum Inflate {
    Gzip(GzDecoder<Bounded>),
    Deflate(ZlibDecoder<Bounded>),
}

/// Decodes one body as it arrives.
pub struct Decoder {
    inflate: Inflate,
    began: bool,
}

impl Decoder {
    /// `limit` is the most decoded bytes, `ratio` the most of them for each encoded byte, past 64 KiB.
    pub fn new(coding: Coding, limit: u64, ratio: u32) -> Decoder {
        let out = Bounded { out: Vec::new(), read: 0, written: 0, limit, ratio, fault: None };
        let inflate = match coding {
            Coding::Gzip => Inflate::Gzip(GzDecoder::new(out)),
            Coding::Deflate => Inflate::Deflate(ZlibDecoder::new(out)),
        };
        Decoder { inflate, began: false }
    }

    /// Decodes the next piece and appends what it comes to.
    ///
    /// # Errors
    /// The body cannot be decoded on.
    pub fn write(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeFault> {
        self.began |= !bytes.is_empty();
        self.bounded().read += bytes.len() as u64;
        let result = match &mut self.inflate {
            Inflate::Gzip(inflate) => inflate.write_all(bytes).and_then(|()| inflate.flush()),
            Inflate::Deflate(inflate) => inflate.write_all(bytes).and_then(|()| inflate.flush()),
        };
        let bounded = self.bounded();
        out.append(&mut bounded.out);
        result.map_err(|_| bounded.fault.unwrap_or(DecodeFault::Malformed))
    }

    /// The body is complete. One without a byte is.
    ///
    /// # Errors
    /// It is cut off, or its checksum is wrong.
    pub fn end(&mut self, out: &mut Vec<u8>) -> Result<(), DecodeFault> {
        if !self.began {
            return Ok(());
        }
        let result = match &mut self.inflate {
            Inflate::Gzip(inflate) => inflate.try_finish(),
            Inflate::Deflate(inflate) => inflate.try_finish(),
        };
        let bounded = self.bounded();
        out.append(&mut bounded.out);
        result.map_err(|_| bounded.fault.unwrap_or(DecodeFault::Malformed))
    }

    fn bounded(&mut self) -> &mut Bounded {
        match &mut self.inflate {
            Inflate::Gzip(inflate) => inflate.get_mut(),
            Inflate::Deflate(inflate) => inflate.get_mut(),
        }
    }
}

/// Takes decoded bytes until a limit is reached.
struct Bounded {
    out: Vec<u8>,
    read: u64,
    written: u64,
    limit: u64,
    ratio: u32,
    fault: Option<DecodeFault>,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written += bytes.len() as u64;
        let fair = ALLOWANCE + self.read.saturating_mul(u64::from(self.ratio));
        self.fault = if self.written > self.limit || self.out.try_reserve(bytes.len()).is_err() {
            Some(DecodeFault::TooLarge)
        } else if self.written > fair {
            Some(DecodeFault::Ratio)
        } else {
            self.out.extend_from_slice(bytes);
            return Ok(bytes.len());
        };
        Err(io::ErrorKind::OutOfMemory.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    fn text() -> Vec<u8> {
        (0..400u32).flat_map(|n| format!("line {} of {}\n", n * n % 97, n).into_bytes()).collect()
    }

    fn encoded(coding: Coding, bytes: &[u8]) -> Vec<u8> {
        match coding {
            Coding::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Coding::Deflate => {
                let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
        }
    }

    fn decoded(coding: Coding, pieces: &[&[u8]]) -> Result<Vec<u8>, DecodeFault> {
        let mut decoder = Decoder::new(coding, 1 << 20, 200);
        let mut out = Vec::new();
        for piece in pieces {
            decoder.write(piece, &mut out)?;
        }
        decoder.end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn what_was_encoded_comes_back_at_every_cut() {
        for coding in [Coding::Gzip, Coding::Deflate] {
            let bytes = encoded(coding, &text());
            for at in 0..=bytes.len() {
                let (first, second) = bytes.split_at(at);
                assert_eq!(decoded(coding, &[first, second]), Ok(text()), "{coding:?} {at}");
            }
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(decoded(coding, &single), Ok(text()));
            assert_eq!(decoded(coding, &[]), Ok(Vec::new()));
            assert_eq!(decoded(coding, &[&encoded(coding, b"")]), Ok(Vec::new()));
        }
    }

    #[test]
    fn what_is_cut_off_or_goes_on_is_malformed() {
        for coding in [Coding::Gzip, Coding::Deflate] {
            let bytes = encoded(coding, &text());
            for at in 1..bytes.len() {
                let cut = decoded(coding, &[&bytes[..at]]);
                assert_eq!(cut, Err(DecodeFault::Malformed), "{coding:?} {at}");
            }
            for more in [&b"x"[..], &[0], &bytes] {
                let longer = [&bytes, more].concat();
                assert_eq!(decoded(coding, &[&longer]), Err(DecodeFault::Malformed), "{coding:?}");
                assert_eq!(decoded(coding, &[&bytes, more]), Err(DecodeFault::Malformed));
            }
        }
    }

    #[test]
    fn no_changed_byte_is_accepted_as_another_text() {
        for coding in [Coding::Gzip, Coding::Deflate] {
            let bytes = encoded(coding, &text());
            for at in 0..bytes.len() {
                for flip in [0x01, 0x80, 0xff] {
                    let mut changed = bytes.clone();
                    changed[at] ^= flip;
                    // A gzip header has bytes that say nothing of the text, such as its time.
                    if let Ok(out) = decoded(coding, &[&changed]) {
                        assert_eq!(out, text(), "{coding:?} {at}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_bomb_is_stopped() {
        let zeros = vec![0; 4 << 20];
        for coding in [Coding::Gzip, Coding::Deflate] {
            let bomb = encoded(coding, &zeros);
            let mut out = Vec::new();
            let mut decoder = Decoder::new(coding, 1 << 30, 200);
            assert_eq!(decoder.write(&bomb, &mut out), Err(DecodeFault::Ratio));
            assert!(out.len() < 1 << 20, "{}", out.len());
            let mut decoder = Decoder::new(coding, 4096, 200);
            assert_eq!(
                decoder.write(&encoded(coding, &text()), &mut out),
                Err(DecodeFault::TooLarge)
            );
        }
    }

    #[test]
    fn raw_deflate_is_not_the_container() {
        let raw = [0x4b, 0x04, 0x00];
        assert_eq!(decoded(Coding::Deflate, &[&raw]), Err(DecodeFault::Malformed));
        assert_eq!(decoded(Coding::Gzip, &[&raw]), Err(DecodeFault::Malformed));
    }

    #[test]
    fn codings_by_their_names() {
        for (name, expected) in [
            ("gzip", Some(Coding::Gzip)),
            (" X-GZIP ", Some(Coding::Gzip)),
            ("deflate", Some(Coding::Deflate)),
            ("gzip, gzip", None),
            ("zstd", None),
            ("br", None),
        ] {
            assert_eq!(Coding::of(name), expected, "{name}");
        }
    }
}
