//! What gzip puts around a deflated text (RFC 1952): a header of optional fields, and checksums after it.

use super::DecodeFault;

/// The first bytes of a header: the format and the only method of compression.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];
/// The flags, by bit: a header checksum, an extra field, a file name, a comment; the upper three are reserved.
const HAS_CRC: u8 = 2;
const HAS_EXTRA: u8 = 4;
const HAS_NAME: u8 = 8;
const HAS_COMMENT: u8 = 16;
const RESERVED: u8 = 0xe0;
/// The longest header that is read, in bytes. What servers and libraries write has 10, with a name some 50.
const MAX_HEADER: u32 = 64 * 1024;

/// CRC-32 as in RFC 1952, section 8.
pub struct Crc(u32);

impl Default for Crc {
    fn default() -> Crc {
        Crc(u32::MAX)
    }
}

impl Crc {
    pub fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let at = (self.0 as u8) ^ byte;
            let step = CRC_TABLE.get(usize::from(at)).copied().unwrap_or_default();
            self.0 = step ^ (self.0 >> 8);
        }
    }

    pub fn sum(&self) -> u32 {
        !self.0
    }
}

static CRC_TABLE: [u32; 256] = crc_table();

#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn crc_table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 { 0xedb8_8320 ^ (sum >> 1) } else { sum >> 1 };
            bit += 1;
        }
        table[byte] = sum;
        byte += 1;
    }
    table
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Field {
    #[default]
    Fixed,
    ExtraLength,
    Extra,
    Name,
    Comment,
    Crc,
    End,
}

/// A header while it arrives. Nothing of it is kept.
#[derive(Default)]
pub struct Header {
    field: Field,
    flags: u8,
    /// Bytes of the header, and of the field, that came.
    size: u32,
    at: u32,
    /// The length of the extra field.
    extra: u32,
    crc: Crc,
}

impl Header {
    /// Takes the next byte. Returns whether it is the last.
    ///
    /// # Errors
    /// It is no header, or has reserved flags, a wrong checksum, or more than 64 KiB.
    pub fn push(&mut self, byte: u8) -> Result<bool, DecodeFault> {
        self.size += 1;
        let at = self.at;
        self.at += 1;
        let good = match (self.field, at) {
            (Field::Fixed, 0..=2) => MAGIC.get(at as usize) == Some(&byte),
            (Field::Fixed, 3) => byte & RESERVED == 0,
            (Field::Crc, _) => byte == byte_of(u64::from(self.crc.sum()), at),
            _ => true,
        };
        if !good || self.size > MAX_HEADER {
            return Err(DecodeFault::Malformed);
        }
        if self.field != Field::Crc {
            self.crc.update(&[byte]);
        }
        let complete = match self.field {
            Field::Fixed => {
                if at == 3 {
                    self.flags = byte;
                }
                at == 9
            }
            Field::ExtraLength => {
                self.extra |= u32::from(byte) << (8 * at);
                at == 1
            }
            Field::Extra => self.at == self.extra,
            Field::Name | Field::Comment => byte == 0,
            Field::Crc => at == 1,
            Field::End => true,
        };
        if complete {
            self.next_field();
        }
        Ok(self.field == Field::End)
    }

    fn next_field(&mut self) {
        self.at = 0;
        loop {
            let (field, present) = match self.field {
                Field::Fixed => (Field::ExtraLength, self.flags & HAS_EXTRA != 0),
                Field::ExtraLength => (Field::Extra, self.extra > 0),
                Field::Extra => (Field::Name, self.flags & HAS_NAME != 0),
                Field::Name => (Field::Comment, self.flags & HAS_COMMENT != 0),
                Field::Comment => (Field::Crc, self.flags & HAS_CRC != 0),
                Field::Crc | Field::End => (Field::End, true),
            };
            self.field = field;
            if present {
                return;
            }
        }
    }
}

/// The checksum and the length of the text, as they follow it.
pub struct Trailer {
    expected: u64,
    at: u32,
}

impl Trailer {
    /// `crc` and `size` (of which the lower 32 bits count) are the text's own.
    pub fn new(crc: u32, size: u64) -> Trailer {
        Trailer { expected: u64::from(crc) | size << 32, at: 0 }
    }

    /// Takes the next byte. Returns whether it is the last.
    ///
    /// # Errors
    /// It is not what the text comes to.
    pub fn push(&mut self, byte: u8) -> Result<bool, DecodeFault> {
        if byte != byte_of(self.expected, self.at) {
            return Err(DecodeFault::Malformed);
        }
        self.at += 1;
        Ok(self.at == 8)
    }
}

/// The byte `at` of a number in little endian.
fn byte_of(number: u64, at: u32) -> u8 {
    (number >> (8 * at)) as u8
}
