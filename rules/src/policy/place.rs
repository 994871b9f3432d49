//! The place of a parser's error: line and column of a JSON text as a JSON pointer.
//!
//! A wrapper around every deserializer could track the path too, at 130 KB of module; errors are rare.

enum Level {
    Object(Option<String>),
    Array(usize),
}

/// The pointer of the member being read where reading stopped. `container`: of the object around it instead.
pub(super) fn pointer(json: &[u8], line: usize, column: usize, container: bool) -> String {
    let before: usize =
        json.split_inclusive(|b| *b == b'\n').take(line.saturating_sub(1)).map(<[u8]>::len).sum();
    let end = before.saturating_add(column).min(json.len());
    let mut levels = read(json.get(..end).unwrap_or_default());
    if container && let Some(Level::Object(key)) = levels.last_mut() {
        *key = None;
    }
    let mut pointer = String::new();
    for level in levels {
        match level {
            Level::Object(Some(key)) => {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            Level::Object(None) => {}
            Level::Array(index) => pointer.push_str(&format!("/{index}")),
        }
    }
    pointer
}

/// Follows the text up to its end: what is open there, and which member.
fn read(text: &[u8]) -> Vec<Level> {
    let mut levels = Vec::new();
    let mut at = 0;
    let mut key_next = false;
    while let Some(&byte) = text.get(at) {
        at += 1;
        match byte {
            b'{' => {
                levels.push(Level::Object(None));
                key_next = true;
            }
            b'[' => levels.push(Level::Array(0)),
            b'}' | b']' => {
                levels.pop();
            }
            b',' => match levels.last_mut() {
                Some(Level::Array(index)) => *index += 1,
                _ => key_next = true,
            },
            b'"' => {
                let start = at - 1;
                while let Some(&byte) = text.get(at) {
                    at += if byte == b'\\' { 2 } else { 1 };
                    if byte == b'"' {
                        break;
                    }
                }
                if key_next && let Some(Level::Object(key)) = levels.last_mut() {
                    let literal = text.get(start..at).unwrap_or_default();
                    *key = serde_json::from_slice(literal).ok();
                    key_next = false;
                }
            }
            _ => {}
        }
    }
    levels
}
