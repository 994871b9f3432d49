//! The texts of the paths, each another one for every seed.

use std::path::Path;

use weir_rules::{Channel, ChannelSet, Ruleset, scan_whole};

use super::patterns::keywords;
use crate::text::{Pool, Random, base64};

/// Bytes of a text.
pub const SIZE: usize = 1 << 20;
/// The paths, in the order of the table.
pub const PATHS: [&str; 8] =
    ["prose", "code", "near-misses", "dense-hits", "escapes", "cjk", "base64", "one-byte"];
/// Bytes of a run of base64.
const BLOB: usize = 4096;
/// Near misses that texts are put together from.
const MISSES: usize = 4000;

/// Where texts of one channel come from.
pub struct Texts {
    prose: Pool,
    code: Pool,
    cjk: Pool,
    misses: Vec<String>,
    hits: Vec<String>,
}

impl Texts {
    /// `folder` is that of [`Pool::read`]; `examples` are texts in which built-in rules find something.
    ///
    /// # Panics
    /// Without the files.
    pub fn new(folder: &Path, rules: &Ruleset, channel: Channel, examples: &[String]) -> Texts {
        let pool = |kind: &str| Pool::of(folder, rules, |name| name == kind);
        let scope = ChannelSet::from(channel);
        let finds = |text: &str| scan_whole(rules, scope, text).is_ok_and(|f| !f.is_empty());
        let (prose, words) = (pool("prose"), keywords(rules, channel));
        let mut random = Random(7);
        let mut misses = Vec::new();
        while misses.len() < MISSES {
            let miss = format!("{} {} ", miss(&mut random, &words), ascii(&prose, &mut random, 8));
            if !finds(&miss) {
                misses.push(miss);
            }
        }
        let hits = examples.iter().filter(|text| finds(text)).map(|t| format!("{t}\n")).collect();
        Texts { prose, code: pool("code"), cjk: pool("cjk"), misses, hits }
    }

    /// A text of at least [`SIZE`] bytes for a path.
    pub fn text(&self, path: &str, random: &mut Random) -> String {
        let mut text = String::with_capacity(SIZE + BLOB);
        while text.len() < SIZE {
            match path {
                "code" => text.push_str(&self.code.text(random, 4096)),
                "near-misses" => text.push_str(random.pick::<String>(&self.misses)),
                "dense-hits" => text.push_str(random.pick::<String>(&self.hits)),
                "escapes" => text.push_str(&escaped(&self.escapes(random))),
                "cjk" => text.push_str(&self.cjk.text(random, 4096)),
                "base64" => {
                    text.push_str("data: ");
                    text.push_str(&base64(random, BLOB));
                    text.push('\n');
                }
                _ => text.push_str(&ascii(&self.prose, random, 4096)),
            }
        }
        text
    }

    /// Text of which much is escaped in JSON.
    fn escapes(&self, random: &mut Random) -> String {
        format!("{}{}", self.code.text(random, 512), self.cjk.text(random, 128))
    }
}

fn ascii(pool: &Pool, random: &mut Random, size: usize) -> String {
    let mut text = pool.text(random, size);
    text.retain(|c| c.is_ascii());
    text
}

/// The beginning of a keyword, or digits as numbers that rules look for begin.
fn miss(random: &mut Random, keywords: &[String]) -> String {
    if random.below(2) == 0 {
        let word: Vec<char> = random.pick::<String>(keywords).chars().collect();
        let kept = word.len().div_ceil(2) + random.below(word.len().div_ceil(2) + 1);
        return word.into_iter().take(kept).collect();
    }
    let starts =
        ["4", "5201 44", "37", "+44 20 ", "212-555-", "10.0.", "536-2", "DE44 50", "2001:db8:"];
    let mut text = (*random.pick(&starts)).to_owned();
    for _ in 0..random.below(7) {
        let digit = random.below(10).to_string();
        text.push_str(&digit);
    }
    text
}

/// A text as a JSON string without its quotes, with `\u` for what is not ASCII.
pub fn escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    let mut escaped = String::with_capacity(quoted.len());
    for c in quoted.trim_matches('"').chars() {
        let mut units = [0; 2];
        if c.is_ascii() {
            escaped.push(c);
        } else {
            for unit in c.encode_utf16(&mut units) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_is_escaped_is_json() {
        let text = "a\n\u{6c34}\u{1f600} \"b\\";
        let json = format!("\"{}x\"", escaped(text));
        assert!(json.is_ascii());
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), format!("{text}x"));
    }
}
