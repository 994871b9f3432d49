//! Text as models and people write it: prose, code, JSON and CJK, cut into pieces as tokenizers cut it.
//!
//! The segments come from the project's own files; those in which the default policy finds something are left out.
//! Every text is another sequence of segments, so nothing can profit from repetition.

use std::path::Path;

use weir_rules::policy::Policy;
use weir_rules::{ChannelSet, Keys, Ruleset, scan_whole};

/// A sentence or a line, and its tokens.
struct Segment {
    text: String,
    tokens: Vec<String>,
}

/// Where texts come from.
pub struct Pool {
    segments: Vec<Segment>,
}

/// A small fast generator (SplitMix64), so that runs can be repeated.
pub struct Random(pub u64);

impl Random {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `most`, which is not 0.
    pub fn below(&mut self, most: usize) -> usize {
        (self.next() % most as u64) as usize
    }

    /// One of some things, of which there is one at least.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

impl Pool {
    /// Reads the files of `folder` that are listed in its `sources.txt`, by lines of `KIND SHARE PATHS`; paths are
    /// parted by commas and relative to the folder. A kind's segments are repeated so that it has its share of the
    /// bytes, in percent. `policy` (JSON) decides what is clean.
    ///
    /// # Panics
    /// Without the files, or with a policy that is none.
    pub fn read(folder: &Path, policy: &Path) -> Pool {
        Pool::of(folder, &ruleset(policy), |_| true)
    }

    /// The same with some kinds only.
    ///
    /// # Panics
    /// Without the files.
    pub fn of(folder: &Path, rules: &Ruleset, wanted: impl Fn(&str) -> bool) -> Pool {
        let sources = std::fs::read_to_string(folder.join("sources.txt")).expect("sources.txt");
        let mut kinds: Vec<(usize, Vec<String>)> = Vec::new();
        for line in sources.lines() {
            let mut fields = line.split(' ');
            let (Some(kind), Some(share), Some(paths)) =
                (fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            if !wanted(kind) {
                continue;
            }
            let mut segments = Vec::new();
            for path in paths.split(',') {
                let text = std::fs::read_to_string(folder.join(path)).expect(path);
                segments.extend(text.split_inclusive(['\n', '。']).map(str::to_owned));
            }
            segments.retain(|text| text.trim().len() > 8 && is_clean(rules, text));
            kinds.push((share.parse().expect("share"), segments));
        }
        let mut pool = Pool { segments: Vec::new() };
        for (share, texts) in kinds {
            let want = share * 10_000;
            let mut bytes = 0;
            for text in texts.iter().cycle().take_while(|text| {
                bytes += text.len();
                bytes < want
            }) {
                pool.segments.push(Segment { tokens: tokens(text), text: text.clone() });
            }
        }
        pool
    }

    /// A text of at least `size` bytes.
    pub fn text(&self, random: &mut Random, size: usize) -> String {
        let mut text = String::with_capacity(size + 512);
        while text.len() < size {
            text.push_str(&self.segment(random).text);
        }
        text
    }

    /// The tokens of a segment.
    pub fn tokens(&self, random: &mut Random) -> &[String] {
        &self.segment(random).tokens
    }

    fn segment(&self, random: &mut Random) -> &Segment {
        random.pick(&self.segments)
    }
}

/// The rules of a policy file (JSON).
///
/// # Panics
/// Where it is none.
pub fn ruleset(policy: &Path) -> Ruleset {
    let text = std::fs::read(policy).expect("policy");
    let policy = Policy::from_json(&text).expect("policy");
    Ruleset::compile(&policy, Keys::default()).expect("policy")
}

fn is_clean(rules: &Ruleset, text: &str) -> bool {
    let sides = [ChannelSet::REQUEST, ChannelSet::RESPONSE];
    sides.into_iter().all(|side| scan_whole(rules, side, text).is_ok_and(|found| found.is_empty()))
}

/// As many bytes of what no decoder would call an image: the digits vary from request to request.
pub fn base64(random: &mut Random, size: usize) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(size + 8);
    while text.len() < size {
        let mut bits = random.next();
        for _ in 0..8 {
            text.push(char::from(DIGITS[(bits & 63) as usize]));
            bits >>= 6;
        }
    }
    text
}

/// Cuts as byte-pair tokenizers commonly do: a word with the space before it, in pieces of at most eight letters; up to
/// three digits; a CJK character; punctuation by itself.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut kind = ' ';
    for c in text.chars() {
        let next = match c {
            c if c.is_ascii_alphabetic() => 'a',
            c if c.is_ascii_digit() => '0',
            ' ' => ' ',
            _ => '.',
        };
        let joins = tokens.last().is_some_and(|last| match (kind, next) {
            ('a', 'a') => last.len() < 8,
            ('0', '0') => last.len() < 3,
            (' ', 'a') => last == " ",
            (' ', ' ') => last.len() < 8,
            _ => false,
        });
        match tokens.last_mut() {
            Some(last) if joins => last.push(c),
            _ => tokens.push(c.to_string()),
        }
        kind = next;
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::{Random, base64, tokens};

    #[test]
    fn tokens_are_the_text() {
        let text = "Hello, extraordinary  worlds 12345 \u{6c34}\u{6c34}!\n";
        let found = tokens(text);
        assert_eq!(found.concat(), text);
        assert!(found.iter().all(|token| token.len() <= 9));
        assert!(
            ["Hello", " extraor", "123", "45", "\u{6c34}"]
                .iter()
                .all(|t| found.contains(&(*t).to_owned()))
        );
    }

    #[test]
    fn digits_vary() {
        let mut random = Random(1);
        let (one, other) = (base64(&mut random, 100), base64(&mut random, 100));
        assert!(one.len() >= 100 && one != other);
    }
}
