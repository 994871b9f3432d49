//! A corpus: lines of a file, plain or gzip, one at a time.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use weir_filter::decode::{Coding, Decoder};

/// The most bytes of a line; what is longer is a bad line.
const LINE: u64 = 16 * 1024 * 1024;
/// Encoded bytes that are decoded at once: they come to a MiB at most.
const PIECE: usize = 1024;
/// How gzip begins (RFC 1952, 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The lines of a file.
pub struct Corpus {
    input: Box<dyn BufRead>,
    line: Vec<u8>,
    number: u64,
}

/// A line, or why it is none.
pub type Line<'c> = Result<&'c [u8], String>;

impl Corpus {
    /// Opens a file; its first bytes say whether it is compressed.
    ///
    /// # Errors
    /// As the operating system says, with the file's name.
    pub fn open(path: &Path) -> io::Result<Corpus> {
        let named = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", path.display()));
        let mut input = BufReader::new(File::open(path).map_err(named)?);
        let packed = input.fill_buf().map_err(named)?.starts_with(&GZIP);
        let input: Box<dyn BufRead> =
            if packed { Box::new(BufReader::new(Gunzip::new(input))) } else { Box::new(input) };
        Ok(Corpus { input, line: Vec::new(), number: 0 })
    }

    /// The next line with its number, without its end; `None` at the end of the file.
    ///
    /// # Errors
    /// The file cannot be read or decoded any further.
    pub fn next(&mut self) -> io::Result<Option<(u64, Line<'_>)>> {
        self.line.clear();
        self.number += 1;
        if (&mut self.input).take(LINE).read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        if self.line.len() as u64 == LINE && !self.line.ends_with(b"\n") {
            self.input.skip_until(b'\n')?;
            return Ok(Some((self.number, Err(format!("longer than {} MiB", LINE >> 20)))));
        }
        Ok(Some((self.number, Ok(self.line.trim_ascii_end()))))
    }
}

/// A gzip file, decoded as it is read.
struct Gunzip<R> {
    input: R,
    decoder: Decoder,
    text: Vec<u8>,
    at: usize,
}

impl<R: Read> Gunzip<R> {
    fn new(input: R) -> Gunzip<R> {
        let decoder = Decoder::new(Coding::Gzip, u64::MAX, u32::MAX);
        Gunzip { input, decoder, text: Vec::new(), at: 0 }
    }
}

impl<R: Read> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let broken = |fault| io::Error::other(format!("not gzip as it should be: {fault:?}"));
        let mut piece = [0; PIECE];
        while self.at == self.text.len() {
            self.text.clear();
            self.at = 0;
            let read = self.input.read(&mut piece)?;
            if read == 0 {
                self.decoder.end().map_err(broken)?;
                return Ok(0);
            }
            let piece = piece.get(..read).unwrap_or_default();
            self.decoder.write(piece, &mut self.text).map_err(broken)?;
        }
        let copied = self.text.get(self.at..).unwrap_or_default().read(buffer)?;
        self.at += copied;
        Ok(copied)
    }
}
