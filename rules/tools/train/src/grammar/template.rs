//! Templates: text, `{slot}` and `{one|of|several}`.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

use super::random::Random;

/// A slot's alternatives by its name.
pub type Slots = BTreeMap<String, Vec<Template>>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Slot(String),
    Choice(Vec<Template>),
}

impl Template {
    pub fn literal(text: &str) -> Self {
        Self(vec![Part::Text(text.to_owned())])
    }

    /// The alternatives that one line of the grammar holds.
    pub fn parse(line: &str) -> Result<Vec<Self>, String> {
        let mut rest = line.chars().peekable();
        let alternatives = alternatives(&mut rest)?;
        match rest.next() {
            None => Ok(alternatives),
            Some(_) => Err(format!("a brace closes nothing: {line}")),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The slots that are named in it.
    pub fn slots(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for part in &self.0 {
            match part {
                Part::Text(_) => {}
                Part::Slot(name) => names.push(name.as_str()),
                Part::Choice(all) => names.extend(all.iter().flat_map(Self::slots)),
            }
        }
        names
    }

    /// The alternatives in it that are nothing but text.
    pub fn words(&self) -> Vec<&str> {
        if let [Part::Text(text)] = self.0.as_slice() {
            return vec![text];
        }
        let choices = self.0.iter().filter_map(|part| match part {
            Part::Choice(all) => Some(all),
            _ => None,
        });
        choices.flatten().flat_map(Self::words).collect()
    }
}

/// Alternatives up to a closing brace, which is left, or to the end.
fn alternatives(rest: &mut Peekable<Chars>) -> Result<Vec<Template>, String> {
    let mut all = Vec::new();
    let mut parts = Vec::new();
    let mut text = String::new();
    while let Some(next) = rest.next_if(|c| *c != '}') {
        match next {
            '\\' => text.push(match rest.next() {
                Some('n') => '\n',
                Some(c @ ('{' | '}' | '|' | '\\')) => c,
                other => return Err(format!("unknown escape: {other:?}")),
            }),
            '{' => {
                flush(&mut text, &mut parts);
                parts.push(braces(rest)?);
            }
            '|' => {
                flush(&mut text, &mut parts);
                all.push(Template(std::mem::take(&mut parts)));
            }
            other => text.push(other),
        }
    }
    flush(&mut text, &mut parts);
    all.push(Template(parts));
    Ok(all)
}

fn flush(text: &mut String, parts: &mut Vec<Part>) {
    if !text.is_empty() {
        parts.push(Part::Text(std::mem::take(text)));
    }
}

/// What stands between braces: the name of a slot, or alternatives.
fn braces(rest: &mut Peekable<Chars>) -> Result<Part, String> {
    let inner = alternatives(rest)?;
    if rest.next() != Some('}') {
        return Err("a brace is not closed".to_owned());
    }
    if let [Template(only)] = inner.as_slice() {
        return match only.as_slice() {
            [Part::Text(name)] if name.chars().all(|c| c.is_ascii_lowercase() || c == '_') => {
                Ok(Part::Slot(name.clone()))
            }
            other => Err(format!("neither a slot nor a choice: {other:?}")),
        };
    }
    Ok(Part::Choice(inner))
}

/// A text of the template. All its slots exist: the loader has seen to that.
pub fn write(template: &Template, slots: &Slots, random: &mut Random) -> String {
    write_with(template, slots, &Slots::new(), random)
}

/// The same, with slots that go before the others.
pub fn write_with(
    template: &Template,
    slots: &Slots,
    first: &Slots,
    random: &mut Random,
) -> String {
    let mut out = String::new();
    put(template, slots, first, random, &mut out);
    out.trim().to_owned()
}

fn put(template: &Template, slots: &Slots, first: &Slots, random: &mut Random, out: &mut String) {
    for part in &template.0 {
        let all = match part {
            Part::Text(text) => {
                join(out, text);
                continue;
            }
            Part::Slot(name) => first.get(name).or_else(|| slots.get(name)),
            Part::Choice(all) => Some(all),
        };
        if let Some(one) = all.and_then(|all| random.pick(all)) {
            put(one, slots, first, random, out);
        }
    }
}

/// Appends, without the spaces that an alternative leaves when it is empty or begins with a stop.
fn join(out: &mut String, text: &str) {
    let stop = [". ", ", ", "; "].iter().any(|stop| text.starts_with(stop));
    if stop && out.ends_with(' ') {
        out.pop();
    }
    let double = out.is_empty() || out.ends_with([' ', '\n']);
    out.push_str(if double { text.strip_prefix(' ').unwrap_or(text) } else { text });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that the line gives in 200 draws, sorted.
    fn all(line: &str) -> Vec<String> {
        let slots = Slots::from([
            ("verb".to_owned(), Template::parse("drop|skip {thing}").unwrap()),
            ("thing".to_owned(), Template::parse("it").unwrap()),
        ]);
        let mut random = Random::new(7, "test");
        let mut found: Vec<String> = (0..200)
            .flat_map(|_| Template::parse(line).unwrap())
            .map(|template| write(&template, &slots, &mut random))
            .collect();
        found.sort();
        found.dedup();
        found
    }

    #[test]
    fn choices_slots_and_lines_of_alternatives() {
        assert_eq!(all("{verb} now"), ["drop now", "skip it now"]);
        assert_eq!(all("a {b|c {d|e}}"), ["a b", "a c d", "a c e"]);
        assert_eq!(all("one|two {thing}"), ["one", "two it"]);
    }

    #[test]
    fn an_empty_alternative_leaves_one_space() {
        assert_eq!(all("now {|please} go"), ["now go", "now please go"]);
        assert_eq!(all("{|so} go {|on}"), ["go", "go on", "so go", "so go on"]);
        assert_eq!(all("go {and|. Then} stop"), ["go and stop", "go. Then stop"]);
    }

    #[test]
    fn escapes_are_text() {
        assert_eq!(all(r#"\{"a": "x\|y"\}\n\\"#), ["{\"a\": \"x|y\"}\n\\"]);
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for line in ["{verb", "verb}", "{}", "{Not a slot}", r"\q", "{a {b}"] {
            assert!(Template::parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn names_its_slots() {
        let template = Template::parse("{verb} {a|{thing}}").unwrap();
        assert_eq!(
            template.iter().flat_map(Template::slots).collect::<Vec<_>>(),
            ["verb", "thing"]
        );
    }
}
