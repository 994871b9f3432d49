//! What is made before anything is measured: texts, bodies, and the patterns of other libraries.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use weir_rules::{Channel, Ruleset};

use super::Error;
use super::patterns::{Pattern, patterns};
use super::regexes::Regexes;
use super::texts::{PATHS, Texts, escaped};
use crate::events;
use crate::text::{Pool, Random};

/// Events of a stream, and bytes of the text of a whole body.
const EVENTS: usize = 20_000;
const BODY: usize = 64 * 1024;
const BODIES: usize = 128;

/// The texts and patterns of each channel.
#[derive(Default)]
pub struct Prepared {
    texts: HashMap<&'static str, Texts>,
    regexes: HashMap<&'static str, Regexes>,
}

impl Prepared {
    /// Writes the texts of both channels and the bodies.
    ///
    /// # Errors
    /// Where a file cannot be read or written.
    pub fn write(
        &mut self,
        rules: &Ruleset,
        folder: &Path,
        [sources, seed, examples]: [&str; 3],
    ) -> Result<Value, Error> {
        let examples: Vec<String> = serde_json::from_slice(&fs::read(examples)?)?;
        let seed: u64 = seed.parse()?;
        for channel in [Channel::ResponseText, Channel::RequestUser] {
            let new = || Texts::new(Path::new(sources), rules, channel, &examples);
            let texts = self.texts.entry(channel.name()).or_insert_with(new);
            for (at, path) in (0..).zip(PATHS) {
                let text = texts.text(path, &mut Random((seed << 8) + at));
                fs::write(folder.join(format!("{channel}.{path}")), text)?;
            }
        }
        let pool = Pool::of(Path::new(sources), rules, |_| true);
        let mut random = Random(seed << 16);
        fs::write(folder.join("stream"), events::stream(&pool, &mut random, EVENTS))?;
        let mut bodies = |body: &dyn Fn(u64, &str) -> String| {
            let lines = (0..BODIES).map(|_| {
                let (id, text) = (random.next(), pool.text(&mut random, BODY));
                body(id, &text) + "\n"
            });
            lines.collect::<String>()
        };
        let quoted = |text: &str| Value::from(text).to_string();
        let plain = bodies(&|id, text| events::answer(id, &quoted(text)));
        let dense = bodies(&|id, text| events::answer(id, &format!("\"{}\"", escaped(text))));
        let asked = bodies(&|_, text| {
            let message = json!({"role": "user", "content": text});
            json!({"model": "gpt-4o-mini", "messages": [message]}).to_string()
        });
        fs::write(folder.join("answers"), plain)?;
        fs::write(folder.join("answers-escaped"), dense)?;
        fs::write(folder.join("requests"), asked)?;
        Ok(json!({"events": EVENTS, "bodies": BODIES}))
    }

    /// Writes the patterns of a channel, one a line after `i` or `-`, and says how many rules they are of.
    ///
    /// # Errors
    /// Where the library cannot compile them.
    pub fn patterns(
        &mut self,
        rules: &Ruleset,
        folder: &Path,
        channel: Channel,
    ) -> Result<Value, Error> {
        let (patterns, all) = patterns(rules, channel);
        let line = |p: &Pattern| {
            let source = p.source.replace('\n', "\\n");
            format!("{} {source}\n", if p.folded { 'i' } else { '-' })
        };
        let lines: String = patterns.iter().map(line).collect();
        fs::write(folder.join(format!("{channel}.patterns")), lines)?;
        let regexes = Regexes::new(&patterns)?;
        let counts = json!({"rules": all, "patterns": patterns.len(), "regex": regexes.len()});
        self.regexes.insert(channel.name(), regexes);
        Ok(counts)
    }

    /// What the `regex` crate has compiled.
    ///
    /// # Errors
    /// Before there were patterns.
    pub fn regexes(&self, channel: Channel) -> Result<&Regexes, Error> {
        Ok(self.regexes.get(channel.name()).ok_or("no patterns")?)
    }
}
