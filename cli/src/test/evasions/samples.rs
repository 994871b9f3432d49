//! Which texts are disguised: examples of a policy's rules and cases of policy tests.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;
use weir_rules::policy::Trigger;
use weir_rules::{Channel, ChannelSet};

use crate::policy::{self, Fault};
use crate::rules::entry::{Entries, Entry};
use crate::test::marks::Marked;
use crate::test::suite::{Source, Subject, Suite};

/// A text that a policy must find, or must pass.
pub struct Sample {
    pub text: String,
    pub channel: Channel,
    pub attack: bool,
}

/// A policy with its texts.
pub struct Subjects {
    pub policy: PathBuf,
    pub samples: Vec<Sample>,
}

/// The policies among `files` and those that test files among them name, each with its texts. `None` where one of them
/// has errors, which are then on standard error.
///
/// # Errors
/// A file that cannot be read or is no document of ours, with its name.
pub fn gather(files: &[PathBuf]) -> io::Result<Option<Vec<Subjects>>> {
    let mut all: Vec<Subjects> = Vec::new();
    for path in files {
        let document = policy::parse(&policy::read_text(path)?).map_err(|f| wrong(path, &f))?;
        match document.json.get("kind").and_then(Value::as_str) {
            Some("Policy" | "Bundle") if subjects(&mut all, path.clone())?.is_none() => {
                return Ok(None);
            }
            Some("PolicyTest") => {
                let suite = Suite::read(&document).map_err(|faults| wrong(path, &faults))?;
                let folder = path.parent().unwrap_or(Path::new(""));
                for name in &suite.policies {
                    let Some(subjects) = subjects(&mut all, folder.join(name))? else {
                        return Ok(None);
                    };
                    for case in &suite.cases {
                        subjects.samples.extend(sample(&case.subject, folder)?);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(Some(all))
}

fn wrong(path: &Path, faults: &[Fault]) -> io::Error {
    let faults: Vec<String> = faults.iter().map(|f| f.show(&path.display().to_string())).collect();
    io::Error::other(faults.join("\n"))
}

/// The policy at `path` with its rules' examples, unless it is known already.
fn subjects(all: &mut Vec<Subjects>, path: PathBuf) -> io::Result<Option<&mut Subjects>> {
    let same = |known: &Subjects| {
        known.policy == path
            || matches!((known.policy.canonicalize(), path.canonicalize()), (Ok(a), Ok(b)) if a == b)
    };
    let at = match all.iter().position(same) {
        Some(at) => at,
        None => {
            let Some(rules) = Entries::load(Some(&path))? else { return Ok(None) };
            let samples = rules.entries.iter().flat_map(examples).collect();
            all.push(Subjects { policy: path, samples });
            all.len() - 1
        }
    };
    Ok(all.get_mut(at))
}

/// The examples of a rule that reads requests only. What finds a run of invisible characters has no words to disguise.
fn examples(entry: &Entry) -> Vec<Sample> {
    let channels: Vec<Channel> = entry.acts.iter().map(|(channel, _, _)| *channel).collect();
    let requests = channels.iter().all(|channel| ChannelSet::REQUEST.contains(*channel));
    let user = channels.iter().find(|channel| **channel == Channel::RequestUser);
    let (Some(channel), true) = (user.or(channels.first()).copied(), requests) else {
        return Vec::new();
    };
    if matches!(entry.rule.trigger, Some(Trigger::InvisibleRun)) {
        return Vec::new();
    }
    let examples = &entry.rule.examples;
    let found = examples.matches.iter().filter_map(|text| Some(Marked::read(text)?.text));
    let found = found.map(|text| Sample { text, channel, attack: true });
    let clean = examples.clean.iter().cloned();
    found.chain(clean.map(|text| Sample { text, channel, attack: false })).collect()
}

/// The text of a case about a request, where it says whether something must be found.
fn sample(subject: &Subject, folder: &Path) -> io::Result<Option<Sample>> {
    let Subject::Text(text, expect) = subject else { return Ok(None) };
    if !ChannelSet::REQUEST.contains(text.channel) {
        return Ok(None);
    }
    let (content, marked) = match &text.source {
        Source::Inline(content) => (content.text.clone(), !content.spans.is_empty()),
        Source::File(name) => (policy::read_text(&folder.join(name))?, false),
    };
    let none = expect.findings.as_ref().map(|findings| findings.is_empty());
    let attack = match (&expect.verdict, none) {
        (Some(verdict), _) => verdict != "pass",
        (None, Some(none)) => !none,
        (None, None) if marked => true,
        (None, None) => return Ok(None),
    };
    Ok(Some(Sample { text: content, channel: text.channel, attack }))
}
