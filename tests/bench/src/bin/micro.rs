//! The micro-benches, natively and as Wasm: `micro FOLDER` reads one job a line from standard input and answers each
//! with one line of JSON. `FOLDER` has the policies, as `NAME.json`, and gets the texts.
//!
//! Jobs: `write SOURCES SEED EXAMPLES` makes the texts of all others, and `patterns CHANNEL` the patterns of the
//! libraries. Then `scan`, `copy`, `regex-set` or `regex-each`, each with `CHANNEL PIECE TEXT`; `burst`, `paced`,
//! `answers` or `requests`, each with `POLICY BODIES`; and `compile POLICY`.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, ErrorKind};
use std::path::PathBuf;
use std::rc::Rc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use weir_bench::micro::prepared::Prepared;
use weir_bench::micro::{Error, Seen, exchange, scan};
use weir_filter::Engine;
use weir_rules::Channel;

struct Bench {
    folder: PathBuf,
    engines: HashMap<String, Rc<Engine>>,
    prepared: Prepared,
}

fn main() -> Result<(), Error> {
    let folder = std::env::args().nth(1).ok_or("usage: micro FOLDER")?;
    let mut bench =
        Bench { folder: folder.into(), engines: HashMap::new(), prepared: Prepared::default() };
    let mut input = std::io::stdin().lock();
    let mut line = String::new();
    while read(&mut input, &mut line)? {
        let words: Vec<&str> = line.trim_end().split(' ').collect();
        let answer = bench.run(&words).unwrap_or_else(|e| json!({"error": e.to_string()}));
        println!("{answer}");
        line.clear();
    }
    Ok(())
}

/// Reads a line; false at the end. Under Node a pipe that is empty says so instead of waiting.
fn read(input: &mut impl BufRead, line: &mut String) -> std::io::Result<bool> {
    loop {
        match input.read_line(line) {
            Err(e) if e.kind() == ErrorKind::WouldBlock => sleep(Duration::from_millis(1)),
            read => return read.map(|size| size > 0),
        }
    }
}

impl Bench {
    fn run(&mut self, words: &[&str]) -> Result<Value, Error> {
        let seen = match *words {
            ["scan", channel, piece, text] => {
                let engine = self.engine("weir")?;
                scan::scan(&engine.rules, named(channel)?, &self.text(text)?, piece.parse()?)
            }
            ["copy", _, piece, text] => scan::copy(&self.text(text)?, piece.parse()?),
            [kind @ ("burst" | "paced"), policy, body] => {
                let body = fs::read(self.folder.join(body))?;
                exchange::stream(&self.engine(policy)?, &body, kind == "burst")
            }
            ["answers", policy, bodies] => {
                exchange::answers(&self.engine(policy)?, &self.text(bodies)?)
            }
            ["requests", policy, bodies] => {
                exchange::requests(&self.engine(policy)?, &self.text(bodies)?)
            }
            ["compile", policy] => return self.compile(policy),
            ["regex-set", channel, piece, text] => {
                let regexes = self.prepared.regexes(named(channel)?)?;
                regexes.in_pieces(&self.text(text)?, piece.parse()?)
            }
            ["regex-each", channel, _, text] => {
                self.prepared.regexes(named(channel)?)?.one_by_one(&self.text(text)?)
            }
            ["patterns", channel] => {
                let rules = &self.engine("weir")?.rules;
                return self.prepared.patterns(rules, &self.folder, named(channel)?);
            }
            ["write", sources, seed, examples] => {
                let rules = &self.engine("weir")?.rules;
                return self.prepared.write(rules, &self.folder, [sources, seed, examples]);
            }
            _ => Err(format!("no job {}", words.join(" ")).into()),
        };
        seen.map(json)
    }

    fn text(&self, name: &str) -> Result<String, Error> {
        Ok(fs::read_to_string(self.folder.join(name))?)
    }

    /// A policy, compiled once.
    fn engine(&mut self, name: &str) -> Result<Rc<Engine>, Error> {
        if let Some(engine) = self.engines.get(name) {
            return Ok(engine.clone());
        }
        let engine = exchange::engine(&fs::read(self.folder.join(format!("{name}.json")))?)?;
        self.engines.insert(name.to_owned(), engine.clone());
        Ok(engine)
    }

    /// Reads and compiles a policy, as a worker does when it is configured.
    fn compile(&self, name: &str) -> Result<Value, Error> {
        let document = fs::read(self.folder.join(format!("{name}.json")))?;
        let began = Instant::now();
        let engine = exchange::engine(&document)?;
        let seconds = began.elapsed().as_secs_f64();
        Ok(json!({"seconds": seconds, "rules": engine.rules.len(), "bytes": engine.rules.memory()}))
    }
}

fn named(channel: &str) -> Result<Channel, Error> {
    channel.parse().map_err(|()| format!("no channel {channel}").into())
}

fn json(seen: Seen) -> Value {
    json!({"seconds": seen.seconds, "bytes": seen.bytes, "found": seen.found})
}
