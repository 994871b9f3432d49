//! Prints the grammar's texts as JSON lines, to look at them or to measure a policy on them.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;

use serde_json::json;
use weir_train::grammar::expand;

const USAGE: &str = "grammar DIR [SEED [PER_FAMILY]]";

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let dir = args.next().ok_or(USAGE)?;
    let seed = args.next().map_or(Ok(1), |seed| seed.parse())?;
    let per_family = args.next().map_or(Ok(400), |count| count.parse())?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for row in expand(Path::new(&dir), seed, per_family)? {
        let label = if row.attack { "attack" } else { "benign" };
        let line = json!({
            "text": row.text,
            "label": label,
            "kind": row.family,
            "lang": row.lang,
            "source": "weir_grammar",
        });
        writeln!(out, "{line}")?;
    }
    Ok(out.flush()?)
}
