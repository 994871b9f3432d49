//! Which files hold policies and policy tests.

use std::io;
use std::path::{Path, PathBuf};

/// Folders within folders that are searched.
const MAX_DEPTH: usize = 32;

/// The files that `paths` name, and those below folders that are documents of ours, sorted by path.
///
/// # Errors
/// A path or folder that cannot be read.
pub fn files(paths: &[PathBuf]) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            folder(path, 0, &mut files)?;
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn folder(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let named = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", path.display()));
    if depth > MAX_DEPTH {
        return Err(io::Error::other(format!("{}: folders are nested too deep", path.display())));
    }
    let entries = std::fs::read_dir(path).map_err(named)?;
    let mut entries = entries.collect::<io::Result<Vec<_>>>().map_err(named)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let (inner, kind) = (entry.path(), entry.file_type().map_err(named)?);
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if kind.is_dir() && !hidden {
            folder(&inner, depth + 1, files)?;
        } else if kind.is_file() && is_ours(&inner) {
            files.push(inner);
        }
    }
    Ok(())
}

/// Whether a file of a folder says that it is a document of ours; a file that does not say so is not read.
fn is_ours(path: &Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    if !matches!(extension, "yaml" | "yml" | "json") {
        return false;
    }
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().any(|line| {
        let names = |key: &str| line.starts_with(key) && line.contains("guard.weir.dev/");
        names("apiVersion:") || extension == "json" && line.contains("guard.weir.dev/")
    })
}
