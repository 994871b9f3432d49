//! Compressed request bodies: gzip (RFC 1952) and deflate (RFC 1950, the zlib container), decoded as they come, under
//! limits. What could be read in two ways is malformed: further members, bytes after the end, raw deflate under the
//! name of the container, references to before the text. How a body is cut changes nothing, not even the fault.
//!
//! The ratio is the caller's. Recorded exchanges come to 2 to 25 decoded bytes for each encoded one (zlib's best), one
//! message 5,000 times in a list to 270, a bomb to 1032, which is the most that deflate can say.

mod gzip;
#[cfg(test)]
mod tests;

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_PARSE_ZLIB_HEADER,
    TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use gzip::{Crc, Header, Trailer};

/// Decoded bytes that the ratio does not apply to: a short body of one letter is no attack.
const ALLOWANCE: u64 = 64 * 1024;
/// The ratio is judged for this many encoded bytes at once, counted from the body's first byte wherever it is cut.
const STEP: u64 = 1024;
/// The farthest that deflate refers back (RFC 1951, section 3.2.5).
const WINDOW: usize = 32 * 1024;

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
    /// It has more bytes than the limit, encoded or decoded, or the memory for them cannot be had.
    TooLarge,
    /// It decodes to far more than was sent.
    Ratio,
}

enum Stage {
    Start,
    Header(Header),
    Deflated(Box<Inflate>),
    Trailer(Trailer),
    End,
    Failed(DecodeFault),
}

/// Decodes one body as it arrives. It holds about 45 KiB between its first byte and its last.
pub struct Decoder {
    coding: Coding,
    stage: Stage,
    budget: Budget,
}

impl Decoder {
    /// `limit` is the most bytes of the body, encoded or decoded; `ratio` the most decoded bytes for each encoded
    /// one, past 64 KiB; what is encoded counts in whole KiB.
    pub fn new(coding: Coding, limit: u64, ratio: u32) -> Decoder {
        let budget = Budget { read: 0, written: 0, limit, ratio };
        Decoder { coding, stage: Stage::Start, budget }
    }

    /// Decodes the next piece and appends what it comes to.
    ///
    /// # Errors
    /// The body cannot be decoded; every later call says the same. What was appended is of no use.
    pub fn write(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeFault> {
        if let Stage::Failed(fault) = self.stage {
            return Err(fault);
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let result = match rest.split_at_checked(rest.len().min(self.budget.next())) {
                Some((piece, later)) if !piece.is_empty() => {
                    rest = later;
                    self.budget.read += piece.len() as u64;
                    self.piece(piece, out)
                }
                _ => Err(DecodeFault::TooLarge),
            };
            result.inspect_err(|fault| self.stage = Stage::Failed(*fault))?;
        }
        Ok(())
    }

    /// The body is complete. One without a byte is.
    ///
    /// # Errors
    /// It is cut off, or failed before.
    pub fn end(&mut self) -> Result<(), DecodeFault> {
        match self.stage {
            Stage::Start | Stage::End => Ok(()),
            Stage::Failed(fault) => Err(fault),
            _ => Err(DecodeFault::Malformed),
        }
    }

    fn piece(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeFault> {
        let mut rest = bytes;
        while let Some((byte, after)) = rest.split_first() {
            match &mut self.stage {
                Stage::Start => {
                    self.stage = match self.coding {
                        Coding::Gzip => Stage::Header(Header::default()),
                        Coding::Deflate => Stage::Deflated(Inflate::new(self.coding)?),
                    };
                }
                Stage::Header(header) => {
                    rest = after;
                    if header.push(*byte)? {
                        self.stage = Stage::Deflated(Inflate::new(self.coding)?);
                    }
                }
                Stage::Deflated(inflate) => {
                    let (ended, read) = inflate.run(rest, &mut self.budget, out)?;
                    rest = rest.get(read..).unwrap_or_default();
                    if ended {
                        self.stage = match self.coding {
                            Coding::Gzip => {
                                Stage::Trailer(Trailer::new(inflate.crc.sum(), self.budget.written))
                            }
                            Coding::Deflate => Stage::End,
                        };
                    }
                }
                Stage::Trailer(trailer) => {
                    rest = after;
                    if trailer.push(*byte)? {
                        self.stage = Stage::End;
                    }
                }
                Stage::End => return Err(DecodeFault::Malformed),
                Stage::Failed(fault) => return Err(*fault),
            }
        }
        Ok(())
    }
}

/// What was read and written of what may be.
struct Budget {
    read: u64,
    written: u64,
    limit: u64,
    ratio: u32,
}

impl Budget {
    /// The most encoded bytes that are decoded next; none is left at the limit.
    fn next(&self) -> usize {
        (STEP - self.read % STEP).min(self.limit.saturating_sub(self.read)) as usize
    }

    fn write(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeFault> {
        self.written += bytes.len() as u64;
        let read = self.read.next_multiple_of(STEP);
        let fair = read.saturating_mul(u64::from(self.ratio)).saturating_add(ALLOWANCE);
        if self.written > self.limit.min(fair) {
            let fault = if fair < self.limit { DecodeFault::Ratio } else { DecodeFault::TooLarge };
            return Err(fault);
        }
        out.try_reserve(bytes.len()).map_err(|_| DecodeFault::TooLarge)?;
        out.extend_from_slice(bytes);
        Ok(())
    }
}

/// The deflated part of a body.
struct Inflate {
    state: DecompressorOxide,
    /// The last of the text, in a ring.
    window: Vec<u8>,
    at: usize,
    flags: u32,
    crc: Crc,
}

impl Inflate {
    fn new(coding: Coding) -> Result<Box<Inflate>, DecodeFault> {
        let mut window = Vec::new();
        window.try_reserve_exact(WINDOW).map_err(|_| DecodeFault::TooLarge)?;
        window.resize(WINDOW, 0);
        let container = if coding == Coding::Deflate { TINFL_FLAG_PARSE_ZLIB_HEADER } else { 0 };
        // Until the ring is full there is nothing before its first byte to refer to.
        let flags =
            TINFL_FLAG_HAS_MORE_INPUT | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF | container;
        let crc = Crc::default();
        Ok(Box::new(Inflate { state: DecompressorOxide::new(), window, at: 0, flags, crc }))
    }

    /// Decodes `bytes` until they or the stream end. Returns whether it ended, and how many were read.
    fn run(
        &mut self,
        bytes: &[u8],
        budget: &mut Budget,
        out: &mut Vec<u8>,
    ) -> Result<(bool, usize), DecodeFault> {
        let mut rest = bytes;
        loop {
            let (status, read, written) =
                decompress(&mut self.state, rest, &mut self.window, self.at, self.flags);
            rest = rest.get(read..).unwrap_or_default();
            let end = self.at + written;
            let text = self.window.get(self.at..end).unwrap_or_default();
            budget.write(text, out)?;
            if self.flags & TINFL_FLAG_PARSE_ZLIB_HEADER == 0 {
                self.crc.update(text);
            }
            self.at = end;
            match status {
                TINFLStatus::Done => return Ok((true, bytes.len() - rest.len())),
                TINFLStatus::NeedsMoreInput => return Ok((false, bytes.len())),
                TINFLStatus::HasMoreOutput if self.at == WINDOW => {
                    self.at = 0;
                    self.flags &= !TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
                }
                _ => return Err(DecodeFault::Malformed),
            }
        }
    }
}
