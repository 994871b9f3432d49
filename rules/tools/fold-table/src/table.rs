//! The table of the Folded view: how it is put together and written down.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write;

use crate::policy::only;
use crate::pool;
use crate::runs::{self, Kind, Run, Target};

/// Values from here up to 0xDFFF, which are no characters, are places among the texts.
const FIRST_TEXT: u16 = 0xD800;
const MAX_TEXTS: usize = 0x800;
/// Pages of 256 characters that have a place of their own in the index; all others share the last.
const PAGES: u32 = 0x200;

/// The table: runs of characters, and what they refer to.
pub struct Table {
    runs: Vec<Run>,
    list: Vec<u16>,
    texts: Vec<u16>,
    pool: String,
}

impl Table {
    /// The smallest table that says `folds`.
    ///
    /// # Errors
    /// If something outgrows the field that counts it.
    pub fn new(folds: &BTreeMap<char, String>) -> Result<Table, Box<dyn Error>> {
        let texts: BTreeSet<&str> = folds
            .iter()
            .filter(|(c, text)| {
                only(text).is_none_or(|to| is_far(to) && !counts_up(folds, **c, to))
            })
            .map(|(_, text)| text.as_str())
            .filter(|text| !text.is_empty())
            .collect();
        let texts: Vec<&str> = texts.into_iter().collect();
        if texts.len() > MAX_TEXTS {
            return Err("too many texts".into());
        }
        let characters = texts.iter().map(|text| text.chars().collect()).collect();
        let pool: String = pool::pack(characters).into_iter().collect();
        let mut targets = BTreeMap::new();
        for (c, text) in folds {
            let target = match (only(text), texts.iter().position(|t| t == text)) {
                (_, Some(at)) => Target::Value(FIRST_TEXT + u16::try_from(at)?),
                (Some(to), None) if is_far(to) => Target::Far(u32::from(to)),
                (to, None) => Target::Value(u16::try_from(to.map_or(0, u32::from))?),
            };
            targets.insert(u32::from(*c), target);
        }
        let runs = runs::cut(&targets)?;
        let lists = runs.iter().filter_map(|run| match &run.kind {
            Kind::List(values) => Some(values.clone()),
            _ => None,
        });
        let list = pool::pack(lists.collect());
        let places = texts.iter().map(|text| {
            let at = pool.find(text).ok_or("a text is not in the pool")?;
            Ok(u16::try_from(at << 2 | (text.chars().count() - 1))?)
        });
        let texts = places.collect::<Result<_, Box<dyn Error>>>()?;
        Ok(Table { runs, list, texts, pool })
    }

    /// Counts, and bytes in the module, for people.
    pub fn size(&self) -> String {
        let (runs, list, texts, pool) =
            (self.runs.len(), self.list.len(), self.texts.len(), self.pool.len());
        let bytes = runs * 6 + (self.pages().len() + list + texts) * 2 + pool;
        format!("{runs} runs, {list} listed, {texts} texts in {pool} bytes; {bytes} bytes in all")
    }

    /// How many runs begin before each page, and how many there are.
    fn pages(&self) -> Vec<usize> {
        let before = |page: u32| self.runs.partition_point(|run| run.start < page << 8);
        (0..=PAGES).map(before).chain([self.runs.len()]).collect()
    }

    /// The table as Rust source.
    ///
    /// # Errors
    /// If something outgrows the field that counts it.
    pub fn source(&self) -> Result<String, Box<dyn Error>> {
        let mut starts = Vec::new();
        let mut firsts = Vec::new();
        for run in &self.runs {
            let (kind, first) = match &run.kind {
                Kind::Same(value) => ("SAME", *value),
                Kind::Up(value) => ("UP", *value),
                Kind::Beside(value) => ("BESIDE", *value),
                Kind::Pairs => ("PAIRS", 0),
                Kind::List(values) => {
                    let at = pool::find(&self.list, values).ok_or("a list is not in the pool")?;
                    ("LIST", u16::try_from(at)?)
                }
            };
            starts.push(format!("{kind}|{:#x}", run.start << 11 | (run.length - 1)));
            firsts.push(format!("{first:#x}"));
        }
        let hex = |values: &[u16]| values.iter().map(|v| format!("{v:#x}")).collect::<Vec<_>>();
        let mut out = String::from("//! Written by `rules/tools/fold-table`; do not edit.\n\n");
        out.push_str("use super::{BESIDE, LIST, PAIRS, SAME, UP};\n");
        array(&mut out, "First character << 11, kind << 8, length - 1", "RUNS", "u32", &starts)?;
        let pages: Vec<String> = self.pages().iter().map(|n| n.to_string()).collect();
        array(
            &mut out,
            "Runs that begin before each page of 256 characters, and all",
            "PAGES",
            "u16",
            &pages,
        )?;
        array(
            &mut out,
            "For each run the value it begins with, or where its list begins",
            "FIRST",
            "u16",
            &firsts,
        )?;
        array(&mut out, "Values of the runs that are lists", "LISTED", "u16", &hex(&self.list))?;
        array(
            &mut out,
            "For each text: where it begins in POOL << 2, characters - 1",
            "TEXTS",
            "u16",
            &hex(&self.texts),
        )?;
        write!(out, "\n/// All texts, packed.\npub(super) static POOL: &str = \"")?;
        for (at, c) in self.pool.chars().enumerate() {
            let line = if at % 12 == 0 { "\\\n    " } else { "" };
            match c {
                ' '..='~' => write!(out, "{line}{}", c.escape_default())?,
                _ => write!(out, "{line}\\u{{{:x}}}", u32::from(c))?,
            }
        }
        out.push_str("\";\n");
        Ok(out)
    }
}

fn is_far(c: char) -> bool {
    u32::from(c) > 0xFFFF
}

/// Whether `c` and a neighbor fold to characters of their plane that are neighbors as well.
fn counts_up(folds: &BTreeMap<char, String>, c: char, to: char) -> bool {
    let neighbor = |by: i32| {
        let of = |c: char| u32::from(c).checked_add_signed(by).and_then(char::from_u32);
        of(c)
            .and_then(|c| folds.get(&c))
            .and_then(|text| only(text))
            .is_some_and(|next| Some(next) == of(to))
    };
    u32::from(c) >> 16 == u32::from(to) >> 16 && (neighbor(1) || neighbor(-1))
}

fn array(
    out: &mut String,
    what: &str,
    name: &str,
    kind: &str,
    cells: &[String],
) -> std::fmt::Result {
    write!(
        out,
        "\n/// {what}.\n#[rustfmt::skip]\npub(super) static {name}: [{kind}; {}] = [",
        cells.len()
    )?;
    let mut column = 100;
    for cell in cells {
        if column + cell.len() + 1 > 100 {
            out.push_str("\n    ");
            column = 4;
        }
        write!(out, "{cell},")?;
        column += cell.len() + 1;
    }
    writeln!(out, "\n];")
}
