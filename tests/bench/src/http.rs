//! HTTP/1.1 as far as the benchmark speaks it: heads without folding, bodies by length or in chunks.

use std::io::{Error, ErrorKind, Result};

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// A message without its body.
#[derive(Default)]
pub struct Head {
    /// The request line or status line.
    pub line: String,
    headers: Vec<(String, String)>,
}

impl Head {
    /// Reads one; none where the peer has closed.
    pub async fn read(from: &mut (impl AsyncBufRead + Unpin)) -> Result<Option<Head>> {
        let mut head = Head::default();
        loop {
            let mut line = String::new();
            if from.read_line(&mut line).await? == 0 {
                return if head.line.is_empty() {
                    Ok(None)
                } else {
                    Err(ErrorKind::UnexpectedEof.into())
                };
            }
            let line = line.trim_end();
            if line.is_empty() {
                return Ok(Some(head));
            }
            match line.split_once(": ") {
                Some((name, value)) if !head.line.is_empty() => {
                    head.headers.push((name.to_ascii_lowercase(), value.to_owned()))
                }
                _ => line.clone_into(&mut head.line),
            }
        }
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// A number of a header, 0 where it has none.
    pub fn number(&self, name: &str) -> u64 {
        self.header(name).and_then(|value| value.parse().ok()).unwrap_or(0)
    }

    /// A status line's number.
    pub fn status(&self) -> u16 {
        self.line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
    }

    /// How the body is framed.
    pub fn body(&self) -> Body {
        if self.header("transfer-encoding").is_some() {
            return Body::Chunked { left: 0, first: true };
        }
        Body::Length(self.number("content-length"))
    }
}

/// The rest of a body that is being read.
pub enum Body {
    /// So many bytes are left.
    Length(u64),
    /// So many bytes of the chunk are left; no line feed precedes the first one.
    Chunked { left: u64, first: bool },
    /// The body has ended.
    Done,
}

impl Body {
    /// Appends what has arrived; false at the end.
    pub async fn read(
        &mut self,
        from: &mut (impl AsyncBufRead + Unpin),
        into: &mut Vec<u8>,
    ) -> Result<bool> {
        let left = match self {
            Body::Done | Body::Length(0) => return Ok(false),
            Body::Length(left) => *left,
            Body::Chunked { left, first } => {
                if *left == 0 {
                    let mut line = String::new();
                    if !std::mem::take(first) {
                        from.read_line(&mut line).await?;
                        line.clear();
                    }
                    from.read_line(&mut line).await?;
                    *left = u64::from_str_radix(line.trim(), 16).map_err(Error::other)?;
                }
                if *left == 0 {
                    from.read_line(&mut String::new()).await?;
                    *self = Body::Done;
                    return Ok(false);
                }
                *left
            }
        };
        let arrived = from.fill_buf().await?;
        if arrived.is_empty() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let taken = arrived.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        into.extend_from_slice(arrived.get(..taken).unwrap_or_default());
        from.consume(taken);
        match self {
            Body::Length(left) | Body::Chunked { left, .. } => *left -= taken as u64,
            Body::Done => {}
        }
        Ok(true)
    }

    /// Reads to the end; returns how much there was.
    pub async fn drain(
        &mut self,
        from: &mut (impl AsyncBufRead + Unpin),
        room: &mut Vec<u8>,
    ) -> Result<usize> {
        let mut total = 0;
        loop {
            room.clear();
            if !self.read(from, room).await? {
                return Ok(total);
            }
            total += room.len();
        }
    }
}
