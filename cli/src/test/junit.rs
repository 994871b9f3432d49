//! JUnit XML as CI systems read it: a suite a file, a failure or an error a case.

use std::fmt::Write;

use super::outcome::{Outcome, Status};
use super::report::Sum;

/// The document.
pub fn write(outcomes: &[Outcome]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(out, "<testsuites name=\"weir test\"{}>", counts(outcomes));
    for suite in outcomes.chunk_by(|a, b| a.file == b.file && a.suite == b.suite) {
        let (name, file) = suite.first().map_or(("", ""), |o| (&o.suite, &o.file));
        let (name, file) = (attribute(name), attribute(file));
        let _ = writeln!(out, "  <testsuite name=\"{name}\" file=\"{file}\"{}>", counts(suite));
        suite.iter().for_each(|outcome| case(outcome, &mut out));
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn counts(outcomes: &[Outcome]) -> String {
    let Sum { cases, failed, errors, .. } = Sum::of(outcomes);
    let time: f64 = outcomes.iter().map(|outcome| outcome.took.as_secs_f64()).sum();
    format!(
        " tests=\"{cases}\" failures=\"{failed}\" errors=\"{errors}\" skipped=\"0\" time=\"{time:.3}\""
    )
}

fn case(outcome: &Outcome, out: &mut String) {
    let name = attribute(&outcome.name);
    let (suite, file) = (attribute(&outcome.suite), attribute(&outcome.file));
    let (line, time) = (outcome.line, outcome.took.as_secs_f64());
    let _ = write!(
        out,
        "    <testcase name=\"{name}\" classname=\"{suite}\" file=\"{file}\" line=\"{line}\" time=\"{time:.3}\""
    );
    // One element a case: some readers take the first, some the last.
    let element = match outcome.status {
        Status::Passed => return out.push_str("/>\n"),
        Status::Failed => "failure",
        Status::Bad | Status::Unreadable => "error",
    };
    let kinds: Vec<&str> = outcome.failures.iter().map(|failure| failure.kind).collect();
    let kind = kinds.first().copied().unwrap_or_default();
    let message = attribute(outcome.failures.first().map_or("", |first| &first.reason));
    let lines: Vec<String> = outcome
        .failures
        .iter()
        .map(|f| format!("{}:{}:{}: {}: {}", outcome.file, f.line, f.column, f.kind, f.reason))
        .collect();
    let text = escape(&lines.join("\n"));
    let _ = writeln!(
        out,
        ">\n      <{element} type=\"{kind}\" message=\"{message}\">{text}</{element}>"
    );
    out.push_str("    </testcase>\n");
}

/// Text between tags. What XML 1.0 (2.2, Char) does not allow becomes U+FFFD.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' => out.push(c),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// The value of an attribute, in which readers turn white space into blanks.
fn attribute(text: &str) -> String {
    escape(text).replace(['\n', '\t'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_gives_a_meaning_to_is_escaped() {
        for (text, expected) in [
            ("plain é", "plain é"),
            ("a<b>&\"c\"'", "a&lt;b&gt;&amp;&quot;c&quot;'"),
            ("]]>", "]]&gt;"),
            ("\u{1b}[2J\0", "\u{fffd}[2J\u{fffd}"),
            ("a\nb", "a\nb"),
        ] {
            assert_eq!(escape(text), expected);
        }
        assert_eq!(attribute("a\n\"b\""), "a &quot;b&quot;");
    }
}
