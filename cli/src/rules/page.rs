//! Rules as Markdown pages: one for each, and one that lists them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use super::entry::Entry;
use super::facts::facts;
use crate::caret;

/// How every page that was written by this command begins: only such pages are taken away when their rule is gone.
const MARK: &str = "<!-- Written by `weir rules --docs`";

/// Writes a page for each rule and the list of all, and takes away the pages of rules that are no more.
///
/// # Errors
/// As the operating system says, with the file's name.
pub fn write(folder: &Path, entries: &[&Entry]) -> io::Result<()> {
    let named =
        |path: &Path, e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", path.display()));
    fs::create_dir_all(folder).map_err(|e| named(folder, e))?;
    let mut pages: BTreeMap<String, String> =
        entries.iter().map(|entry| (format!("{}.md", entry.rule.id), page(entry))).collect();
    pages.insert("README.md".to_owned(), list(entries));
    for file in fs::read_dir(folder).map_err(|e| named(folder, e))? {
        let path = file?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let ours = || fs::read_to_string(&path).is_ok_and(|text| text.starts_with(MARK));
        if name.ends_with(".md") && !pages.contains_key(&name) && ours() {
            fs::remove_file(&path).map_err(|e| named(&path, e))?;
        }
    }
    for (name, text) in pages {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|e| named(&path, e))?;
    }
    Ok(())
}

fn page(entry: &Entry) -> String {
    let rule = &entry.rule;
    let mut out = format!("{MARK} from {}. -->\n# {}\n\n", entry.file, rule.id);
    for prose in [&rule.description, &rule.why].into_iter().flatten() {
        let _ = writeln!(out, "{}.\n", prose.trim().trim_end_matches('.'));
    }
    out.push_str("| | |\n|---|---|\n");
    for (name, value) in facts(entry) {
        let _ = writeln!(out, "| {name} | {} |", value.replace('|', "\\|"));
    }
    out.push_str("\n## What it looks for\n\n");
    if !rule.keywords.is_empty() {
        let keywords: Vec<String> = rule.keywords.iter().map(|keyword| code(keyword)).collect();
        let _ = writeln!(out, "Every match contains one of: {}.\n", keywords.join(", "));
    }
    for (what, pattern) in [
        ("Its shape", &rule.regex),
        ("It opens with", &rule.opens),
        ("It goes on with", &rule.body),
    ] {
        if let Some(pattern) = pattern {
            let _ = writeln!(out, "{what}:\n\n{}", block(pattern));
        }
    }
    if rule.trigger.is_some() {
        out.push_str("A run of more than 64 characters that nobody sees.\n\n");
    }
    let kinds = [
        ("It finds what is marked", &rule.examples.matches),
        ("It finds nothing in these", &rule.examples.clean),
    ];
    if kinds.iter().any(|(_, texts)| !texts.is_empty()) {
        out.push_str("## Examples\n\n");
    }
    for (what, texts) in kinds {
        if !texts.is_empty() {
            let shown: Vec<String> = texts.iter().map(|text| block(text)).collect();
            let _ = writeln!(out, "{what}:\n\n{}", shown.join("\n"));
        }
    }
    if !rule.references.is_empty() {
        out.push_str("## References\n\n");
        for reference in &rule.references {
            let _ = writeln!(out, "- <{reference}>");
        }
    }
    format!("{}\n", out.trim_end())
}

fn list(entries: &[&Entry]) -> String {
    let mut out = format!("{MARK}. -->\n# The built-in rules\n\n");
    out.push_str(
        "Each is a file in `rules/packs`, in the format of a policy's own rules. A pack's `sensitivity` says up to \
         which level\nits rules are active; what a pack does where a policy names no action stands on each page. \
         `weir explain RULE` prints\na page in the terminal.\n",
    );
    let mut packs: Vec<&str> = entries.iter().filter_map(|entry| entry.pack).collect();
    packs.dedup();
    for pack in packs {
        let _ = writeln!(out, "\n## {pack}\n\n| rule | from | finds |\n|---|---|---|");
        for entry in entries.iter().filter(|entry| entry.pack == Some(pack)) {
            let id = &entry.rule.id;
            let level = entry.sensitivity().unwrap_or_default();
            let finds = entry.rule.description.as_deref().unwrap_or_default().trim();
            let _ = writeln!(out, "| [{id}]({id}.md) | {level} | {} |", finds.replace('|', "\\|"));
        }
    }
    out
}

/// Text between backticks, of which it may contain any number.
fn code(text: &str) -> String {
    let fence = fence(text, 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{}{pad}{fence}", caret::visible(text).replace('\n', " "))
}

/// Text as a block of its own.
fn block(text: &str) -> String {
    let fence = fence(text, 3);
    format!("{fence}text\n{}\n{fence}\n", caret::visible(text).trim_end_matches('\n'))
}

/// More backticks than stand in a row in the text, and at least so many.
fn fence(text: &str, least: usize) -> String {
    let runs = text.split(|c| c != '`').map(str::len);
    "`".repeat(runs.max().map_or(least, |most| least.max(most + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backticks_do_not_end_a_block() {
        for (text, expected) in [("a", "`a`"), ("a`b", "``a`b``"), ("`a``", "``` `a`` ```")] {
            assert_eq!(code(text), expected);
        }
        assert_eq!(block("a\n```\u{200b}\n"), "````text\na\n```\u{fffd}\n````\n");
    }
}
