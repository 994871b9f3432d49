//! A body as a proxy hands it over: what is taken, paused, written back.

use crate::host::{Flow, Host, HostError, Side};

/// How a body travels between the host's buffer and us.
///
/// While at most `paused` bytes are held the stream pauses, and they stay in the host's buffer, where trailers find
/// them; only what is new is read, and what did not change is not written again. Beyond that the stream goes on with
/// an empty buffer, because no paused buffer may ever be set past the proxy's limit (on the answer side that kills
/// Envoy 1.36 to 1.40).
#[derive(Default)]
pub struct Body {
    paused: u64,
    released: bool,
    /// Bytes in the host's buffer.
    size: usize,
    /// Bytes at its front that were read in an earlier callback.
    read: usize,
}

impl Body {
    pub fn new(paused: u64) -> Body {
        Body { paused, ..Body::default() }
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
        if held <= self.paused && !self.released {
            self.read = self.size;
            return Ok(Flow::Pause);
        }
        self.write(host, side, &[])?;
        self.released = true;
        Ok(Flow::Continue)
    }

    /// The stream goes on while the body is with us.
    pub fn release(&mut self) {
        self.released = true;
    }

    /// Whether the stream went on while the body is with us: nothing of it is in the host's buffer any more.
    pub fn is_released(&self) -> bool {
        self.released
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
