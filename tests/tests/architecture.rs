//! Every path that ARCHITECTURE.md names exists, so the code map cannot rot.
//!
//! A name counts as a path of the project where it stands in a code span, a code block or a link
//! target and either begins with a folder or file of the top level, ends in `/`, or ends in the
//! extension of a source file. A name without a folder may lie anywhere. A placeholder such as
//! `<rule>` or `*` stands for anything, so what precedes its part of the path has to exist.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Endings that only a file of this project has, in the prose of ARCHITECTURE.md.
const EXTENSIONS: &[&str] =
    &["json", "lock", "md", "mjs", "py", "rs", "sh", "toml", "txt", "yaml", "yml"];

/// Folders that are made and not committed.
const MADE: &[&str] = &["target", "node_modules", ".git"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The names of every file and folder below `folder`, relative to it, without what is made.
fn everything(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if MADE.contains(&name) {
                continue;
            }
            found.insert(path.strip_prefix(folder).unwrap().to_path_buf());
            if path.is_dir() {
                open.push(path);
            }
        }
    }
    found
}

/// What stands in code spans, code blocks and link targets.
fn names(markdown: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut in_block = false;
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if in_block {
            names.extend(line.split_whitespace());
        } else {
            names.extend(line.split('`').skip(1).step_by(2).flat_map(str::split_whitespace));
            names.extend(line.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()));
        }
    }
    names
}

/// The part of `name` that has to exist, or none where it is not a path of the project.
fn path_in<'a>(name: &'a str, top: &BTreeSet<&str>) -> Option<&'a str> {
    let name = name.trim_matches([',', ';', ':', '(', ')']).trim_start_matches("./");
    let ours = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    };
    let first = name.split('/').next()?;
    if !ours(first) || MADE.contains(&first) {
        return None;
    }
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let (is_folder, is_source) = (name.ends_with('/'), EXTENSIONS.contains(&extension));
    if !(top.contains(first) || is_folder || is_source) {
        return None;
    }
    let known = name.split_inclusive('/').take_while(|part| ours(part.trim_end_matches('/')));
    Some(name.get(..known.map(str::len).sum())?.trim_end_matches('/'))
}

/// The paths that `markdown` names and that are not among `files`.
fn missing(markdown: &str, files: &BTreeSet<PathBuf>) -> Vec<String> {
    let top: BTreeSet<&str> =
        files.iter().filter_map(|path| path.components().next()?.as_os_str().to_str()).collect();
    let exists = |path: &str| {
        files.contains(Path::new(path))
            || !path.contains('/') && files.iter().any(|file| file.ends_with(path))
    };
    let paths = names(markdown).into_iter().filter_map(|name| path_in(name, &top));
    paths.filter(|path| !exists(path)).map(str::to_owned).collect()
}

#[test]
fn every_path_named_in_the_architecture_exists() {
    let root = root();
    let text =
        std::fs::read_to_string(root.join("ARCHITECTURE.md")).expect("ARCHITECTURE.md is there");
    let missing = missing(&text, &everything(&root));
    assert!(missing.is_empty(), "ARCHITECTURE.md names what does not exist: {missing:?}");
}

#[test]
fn a_name_is_read_as_a_path_or_not() {
    let files =
        ["rules", "rules/src", "rules/src/scan.rs", "rules/packs", "Justfile", ".ci", ".ci/run"];
    let files: BTreeSet<PathBuf> = files.iter().map(PathBuf::from).collect();
    let check = |markdown: &str, expected: &[&str]| {
        assert_eq!(missing(markdown, &files), expected, "{markdown}");
    };
    check("see `rules/src/scan.rs`, `rules/src/`, `Justfile` and `.ci/run`", &[]);
    check("`rules/src/gone.rs` was there", &["rules/src/gone.rs"]);
    check("`gone/` and `scan.rs` and `gone.rs`", &["gone", "gone.rs"]);
    check("`rules/packs/<family>/<rule>.yaml` `rules/packs/*`", &[]);
    check("`rules/pack/<family>/<rule>.yaml`", &["rules/pack"]);
    check("[the scanner](rules/src/scan.rs#state), [x](rules/no.rs)", &["rules/no.rs"]);
    check("```\nrules/src/scan.rs   scans\nrules/src/no.rs\n```", &["rules/src/no.rs"]);
    check("run `./just build`, then `cat rules/no`", &["rules/no"]);
    check("`text/event-stream`, `/v1/chat`, `a.b`, `guard.weir.dev/v1alpha1`", &[]);
    check("`target/wasm32-wasip1/release/weir_filter.wasm` is made", &[]);
    check("rules/src/prose.rs outside code is prose", &[]);
    check("[home](https://example.com/index.md)", &[]);
}
