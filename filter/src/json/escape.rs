//! Text into JSON string content.

use super::Layers;

/// Escapes `text` for the content of a JSON string, once or twice.
pub fn escape_into(text: &str, layers: Layers, out: &mut Vec<u8>) {
    match layers {
        Layers::Plain => once(text, out),
        Layers::Nested => {
            let mut inner = Vec::with_capacity(text.len() + 16);
            once(text, &mut inner);
            // Escaping yields valid UTF-8 from valid UTF-8.
            once(std::str::from_utf8(&inner).unwrap_or_default(), out);
        }
    }
}

fn once(text: &str, out: &mut Vec<u8>) {
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            c if (c as u32) < 0x20 => {
                out.extend_from_slice(format!("\\u{:04x}", c as u32).as_bytes());
            }
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}
