//! Bodies and headers as a proxy hands them over: what is taken, paused, written back.

use crate::host::{Flow, Host, HostError, Side};

/// How a body travels between the host's buffer and us.
///
/// Chunks are taken out of the buffer. While at most `paused` bytes are held the stream pauses, so that trailers
/// find a buffer to write to; beyond that it continues with an empty buffer, because no paused buffer may ever be
/// set past the proxy's limit (on the answer side that kills Envoy 1.36 to 1.40).
#[derive(Default)]
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

    /// The stream goes on while the body is with us.
    pub fn release(&mut self) {
        self.released = true;
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
        // There may be no buffer, and nothing is to be put in its place.
        if size == 0 && bytes.is_empty() { Ok(()) } else { host.set_body(side, size, bytes) }
    }
}

/// The headers of one side, read at once: every call to the proxy costs more than looking a name up.
#[derive(Clone, Debug, Default)]
pub struct Head(Vec<(String, String)>);

impl Head {
    pub fn read(host: &dyn Host, side: Side) -> Head {
        Head(host.headers(side))
    }

    /// The first value of a header; empty if there is none. Names are lower case.
    pub fn get(&self, name: &str) -> &str {
        let own = self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        own.map_or("", |(_, value)| value.as_str())
    }

    /// Whether a header is there at all, even an empty one.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(n, _)| n.eq_ignore_ascii_case(name))
    }

    /// The `content-encoding`; `None` where the body is plain.
    pub fn encoding(&self) -> Option<&str> {
        let encoding = self.get("content-encoding").trim();
        (!matches!(encoding, "" | "identity")).then_some(encoding)
    }

    /// Whether the body is JSON by its `content-type`.
    pub fn is_json(&self) -> bool {
        let kind = self.kind();
        kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
    }

    /// The media type of the body, in lower case and without parameters.
    pub fn kind(&self) -> String {
        let kind = self.get("content-type").split(';').next().unwrap_or_default();
        kind.trim().to_ascii_lowercase()
    }

    /// Takes away `x-weir-*` headers, which only this filter may write.
    pub fn strip_weir(&self, host: &mut dyn Host, side: Side) {
        for (name, _) in &self.0 {
            if name.to_ascii_lowercase().starts_with("x-weir-") {
                host.set_header(side, name, None);
            }
        }
    }

    /// Takes away headers that state the length or a digest of a body that may change.
    pub fn strip_body_facts(&self, host: &mut dyn Host, side: Side) {
        for name in ["content-length", "content-md5", "digest", "content-digest", "etag"] {
            if self.has(name) {
                host.set_header(side, name, None);
            }
        }
    }
}
