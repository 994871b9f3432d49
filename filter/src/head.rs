//! The headers of one side, read at once: every call to the proxy costs more than looking a name up.

use crate::host::{Host, Side};

/// All headers of a message, pseudo-headers included, in their order.
#[derive(Clone, Debug, Default)]
pub struct Head {
    /// Names and values, each followed by a NUL.
    text: String,
    fields: Vec<Field>,
}

/// Where a header stands in the text; its value comes one byte after its name.
#[derive(Clone, Copy, Debug)]
struct Field {
    at: usize,
    name: usize,
    value: usize,
}

impl<'a> FromIterator<(&'a str, &'a str)> for Head {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Head {
        let mut head = Head::default();
        pairs.into_iter().for_each(|(name, value)| head.push(name, value));
        head
    }
}

impl From<&[(String, String)]> for Head {
    fn from(pairs: &[(String, String)]) -> Head {
        pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}

impl Head {
    /// Reads the serialized form of the proxy-wasm ABI (v0.2.1, "serialized maps"): the count, the sizes of each name
    /// and value, then the texts with a NUL each. What is no UTF-8 is replaced. `None` where it is cut short.
    pub fn parse(mut bytes: Vec<u8>) -> Option<Head> {
        let word = |bytes: &[u8], at: usize| -> Option<usize> {
            Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?) as usize)
        };
        let count = word(&bytes, 0)?;
        let sizes = 4usize.checked_add(count.checked_mul(8)?)?;
        let texts = bytes.len().checked_sub(sizes)?;
        let mut fields = Vec::with_capacity(count);
        let mut at = 0usize;
        for field in 0..count {
            let (name, value) = (word(&bytes, 4 + field * 8)?, word(&bytes, 8 + field * 8)?);
            fields.push(Field { at, name, value });
            at = at.checked_add(name)?.checked_add(value)?.checked_add(2)?;
        }
        if at > texts {
            return None;
        }
        match String::from_utf8(bytes.split_off(sizes)) {
            Ok(text) => Some(Head { text, fields }),
            Err(error) => Some(Head::lossy(error.as_bytes(), &fields)),
        }
    }

    fn lossy(bytes: &[u8], fields: &[Field]) -> Head {
        let mut head = Head::default();
        let text = |at: usize, size: usize| {
            String::from_utf8_lossy(bytes.get(at..at + size).unwrap_or_default())
        };
        for Field { at, name, value } in fields {
            head.push(&text(*at, *name), &text(at + name + 1, *value));
        }
        head
    }

    fn push(&mut self, name: &str, value: &str) {
        self.fields.push(Field { at: self.text.len(), name: name.len(), value: value.len() });
        for text in [name, value] {
            self.text.push_str(text);
            self.text.push('\0');
        }
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let text = |at: usize, size: usize| self.text.get(at..at + size).unwrap_or_default();
        self.fields.iter().map(move |field| {
            (text(field.at, field.name), text(field.at + field.name + 1, field.value))
        })
    }

    fn find(&self, name: &str) -> Option<&str> {
        self.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The first value of a header; empty if there is none. Names are lower case.
    pub fn get(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }

    /// Whether a header is there at all, even an empty one.
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
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

    /// The `content-length`, if it is a number.
    pub fn length(&self) -> Option<u64> {
        self.get("content-length").parse().ok()
    }

    /// Takes away `x-weir-*` headers, which only this filter may write.
    pub fn strip_weir(&self, host: &mut dyn Host, side: Side) {
        const OURS: &[u8] = b"x-weir-";
        for (name, _) in self.iter() {
            let start = name.as_bytes().get(..OURS.len());
            if start.is_some_and(|start| start.eq_ignore_ascii_case(OURS)) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn serialized(pairs: &[(&[u8], &[u8])]) -> Vec<u8> {
        let mut bytes = (pairs.len() as u32).to_le_bytes().to_vec();
        for (name, value) in pairs {
            bytes.extend((name.len() as u32).to_le_bytes());
            bytes.extend((value.len() as u32).to_le_bytes());
        }
        for text in pairs.iter().flat_map(|(name, value)| [name, value]) {
            bytes.extend_from_slice(text);
            bytes.push(0);
        }
        bytes
    }

    #[test]
    fn what_the_proxy_hands_over_is_read() {
        let pairs: [(&[u8], &[u8]); 3] =
            [(b":status", b"200"), (b"x-empty", b""), (b"Content-Length", b"17")];
        let head = Head::parse(serialized(&pairs)).unwrap();
        assert_eq!(head.get(":status"), "200");
        assert!(head.has("x-empty") && head.get("x-empty").is_empty());
        assert_eq!(head.length(), Some(17));
        assert!(!head.has("status"));
        let same: Head =
            [(":status", "200"), ("x-empty", ""), ("Content-Length", "17")].into_iter().collect();
        assert!(head.iter().eq(same.iter()));
    }

    #[test]
    fn what_is_no_text_is_replaced_and_moves_nothing() {
        let head = Head::parse(serialized(&[(b"a", b"\xff\xfe!"), (b"b", b"2")])).unwrap();
        assert_eq!(head.get("a"), "\u{fffd}\u{fffd}!");
        assert_eq!(head.get("b"), "2");
    }

    #[test]
    fn what_is_cut_short_is_none() {
        let whole = serialized(&[(b"a", b"1"), (b"bc", b"23")]);
        for end in 0..whole.len() {
            assert!(Head::parse(whole.get(..end).unwrap().to_vec()).is_none(), "{end}");
        }
        assert!(Head::parse(vec![0xff; 64]).is_none());
    }
}
