//! Bodies and headers as a proxy hands them over: what is taken, paused, written back.

use crate::host::{Flow, Host, HostError, Side};

/// How a body travels between the host's buffer and us.
///
/// Chunks are taken out of the buffer. While at most `paused` bytes are held the stream pauses, so that trailers
/// find a buffer to write to; beyond that it continues with an empty buffer, because no paused buffer may ever be
/// set past the proxy's limit (on the answer side that kills Envoy 1.36 to 1.40).
pub struct Body {
    paused: u64,
    released: bool,
    size: usize,
}

impl Body {
    pub fn new(paused: u64) -> Body {
        Body { paused, released: false, size: 0 }
    }

    /// Takes the `size` buffered bytes out of the host's buffer.
    pub fn take(
        &mut self,
        host: &mut dyn Host,
        side: Side,
        size: usize,
    ) -> Result<Vec<u8>, HostError> {
        self.size = 0;
        if size == 0 {
            return Ok(Vec::new());
        }
        let bytes = host.body(side, 0, size)?;
        self.size = size;
        Ok(bytes)
    }

    /// Leaves the buffer empty and goes on collecting; `held` bytes are with us.
    ///
    /// # Errors
    /// The host refused to empty its buffer.
    pub fn collecting(
        &mut self,
        host: &mut dyn Host,
        side: Side,
        held: u64,
    ) -> Result<Flow, HostError> {
        if self.size > 0 {
            self.write(host, side, &[])?;
        }
        if held <= self.paused {
            return Ok(Flow::Pause);
        }
        self.released = true;
        Ok(Flow::Continue)
    }

    /// Whether the stream went on while the body is with us.
    pub fn is_released(&self) -> bool {
        self.released
    }

    /// Puts `bytes` in the place of what the buffer holds.
    pub fn write(
        &mut self,
        host: &mut dyn Host,
        side: Side,
        bytes: &[u8],
    ) -> Result<(), HostError> {
        let size = std::mem::take(&mut self.size);
        host.set_body(side, size, bytes)
    }
}

/// Whether a body can be read as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Plain,
    Encoded,
}

impl Encoding {
    /// The `content-encoding` of a side.
    pub fn of(host: &dyn Host, side: Side) -> Encoding {
        match host.header(side, "content-encoding") {
            Some(encoding) if !matches!(encoding.trim(), "" | "identity") => Encoding::Encoded,
            _ => Encoding::Plain,
        }
    }
}

/// Takes away `x-weir-*` headers, which only this filter may write.
pub fn strip_weir_headers(host: &mut dyn Host, side: Side) {
    for name in host.header_names(side) {
        if name.to_ascii_lowercase().starts_with("x-weir-") {
            host.set_header(side, &name, None);
        }
    }
}

/// Takes away headers that state the length or a digest of a body that may change.
pub fn strip_body_facts(host: &mut dyn Host, side: Side) {
    for name in ["content-length", "content-md5", "digest", "content-digest", "etag"] {
        host.set_header(side, name, None);
    }
}
