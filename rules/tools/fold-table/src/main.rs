//! Writes the table of the Folded view; README.md says from what data.

#[cfg(test)]
#[path = "../../../src/fold/mod.rs"]
mod fold;

mod curated;
mod policy;
mod pool;
mod runs;
mod table;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use table::Table;

fn main() -> Result<(), Box<dyn Error>> {
    let folds = folds()?;
    let table = Table::new(&folds)?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src/fold/table.rs");
    std::fs::write(path, table.source()?)?;
    println!("{} characters fold; {}", folds.len(), table.size());
    Ok(())
}

/// What each character folds to that is not ASCII and does not stay.
fn folds() -> Result<BTreeMap<char, String>, String> {
    let mut folds = BTreeMap::new();
    for c in '\u{80}'..=char::MAX {
        let text = policy::fold(c)?;
        if policy::only(&text) != Some(c) {
            folds.insert(c, text);
        }
    }
    Ok(folds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_table_says_what_the_data_says() {
        for c in '\0'..=char::MAX {
            let read = fold::fold_str(c.encode_utf8(&mut [0; 4]));
            assert_eq!(policy::fold(c), Ok(read), "U+{:04X}", u32::from(c));
        }
    }
}
