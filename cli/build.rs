//! Embeds the packs as they are written, with the prose and the examples that the module's table leaves out.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let packs = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../rules/packs");
    println!("cargo:rerun-if-changed={}", packs.display());
    let mut files = Vec::new();
    for family in fs::read_dir(&packs)? {
        let family = family?.path();
        println!("cargo:rerun-if-changed={}", family.display());
        if family.is_dir() {
            for file in fs::read_dir(&family)? {
                files.push(file?.path());
            }
        }
    }
    files.retain(|f| f.extension().is_some_and(|e| e == "yaml"));
    files.sort();
    let mut table = String::from("&[\n");
    for file in files {
        let name = |path: Option<&Path>| {
            path.and_then(Path::file_stem).map(|n| n.to_string_lossy().into_owned())
        };
        let (pack, rule) = (name(file.parent()), name(Some(&file)));
        let (pack, rule) = (pack.unwrap_or_default(), rule.unwrap_or_default());
        writeln!(table, "({pack:?}, {rule:?}, include_str!({:?})),", file.canonicalize()?)?;
    }
    table.push_str("]\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("packs.rs"), table)?;
    Ok(())
}
