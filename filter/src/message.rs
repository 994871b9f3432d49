//! A body as a proxy hands it over: what is taken, paused, written back.

use crate::host::{Flow, Host, HostError, Side};

/// How a body travels between the host's buffer and us.
///
/// While at most `paused` bytes are held the stream pauses, so that trailers find a buffer to write to. A body that is
/// known to be short stays in that buffer: only what is new is read, and what did not change is not written again. Of
/// others each chunk is taken out, which leaves the buffer room for what comes at once. Beyond `paused` the stream goes
/// on with an empty buffer, because no paused buffer may ever be set past the proxy's limit (on the answer side that
/// kills Envoy 1.36 to 1.40).
#[derive(Default)]
pub struct Body {
    paused: u64,
    stays: bool,
    released: bool,
    away: bool,
    /// Bytes in the host's buffer.
    size: usize,
    /// Bytes at its front that were read in an earlier callback.
    read: usize,
}

impl Body {
    /// `stays`: it is known to be short.
    pub fn new(paused: u64, stays: bool) -> Body {
        Body { paused, stays, ..Body::default() }
    }

    /// What is new of the `size` buffered bytes.
    ///
    /// # Errors
    /// The host refused to read its buffer.
    pub fn take(
        &mut self,
        host: &mut dyn Host,
        side: Side,
        size: usize,
    ) -> Result<Vec<u8>, HostError> {
        let fresh = size.saturating_sub(self.read);
        let bytes = if fresh == 0 { Vec::new() } else { host.body(side, self.read, fresh)? };
        self.size = size;
        Ok(bytes)
    }

    /// Goes on collecting; `held` bytes are with us.
    ///
    /// # Errors
    /// The host refused to empty its buffer.
    pub fn collecting(
        &mut self,
        host: &mut dyn Host,
        side: Side,
        held: u64,
    ) -> Result<Flow, HostError> {
        let pauses = held <= self.paused && !self.released;
        if pauses && self.stays {
            self.read = self.size;
            return Ok(Flow::Pause);
        }
        self.away |= self.size > 0;
        self.write(host, side, &[])?;
        if pauses {
            return Ok(Flow::Pause);
        }
        self.released = true;
        Ok(Flow::Continue)
    }

    /// The stream goes on while the body is with us.
    pub fn release(&mut self) {
        self.released = true;
        self.away = true;
    }

    /// Whether the stream went on while the body is with us.
    pub fn is_released(&self) -> bool {
        self.released
    }

    /// Whether some of the body is with us and not in the host's buffer any more.
    pub fn is_away(&self) -> bool {
        self.away
    }

    /// Puts `bytes` in the place of what the buffer holds.
    ///
    /// # Errors
    /// The host refused to write its buffer.
    pub fn write(
        &mut self,
        host: &mut dyn Host,
        side: Side,
        bytes: &[u8],
    ) -> Result<(), HostError> {
        self.read = 0;
        let size = std::mem::take(&mut self.size);
        // There may be no buffer, and nothing is to be put in its place.
        if size == 0 && bytes.is_empty() { Ok(()) } else { host.set_body(side, size, bytes) }
    }
}
