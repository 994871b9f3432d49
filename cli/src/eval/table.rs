//! Tables that are Markdown and stand straight in a terminal too.

use std::io::{self, Write};

use super::rate::Rate;

/// Rows of cells; the first column stands left, the others right.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub fn new(head: impl IntoIterator<Item = String>) -> Table {
        Table { rows: vec![head.into_iter().collect()] }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Whether it has only its head.
    pub fn is_empty(&self) -> bool {
        self.rows.len() < 2
    }

    /// All rows, the head first.
    pub fn rows(&self) -> &[Vec<String>] {
        &self.rows
    }

    /// Writes it under a line that says what it is; nothing where it has no rows.
    pub fn print(&self, title: &str, out: &mut dyn Write) -> io::Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        writeln!(out, "\n{title}\n")?;
        let columns = self.rows.first().map_or(0, Vec::len);
        let width = |at: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(at));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default().max(3)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for (number, row) in self.rows.iter().enumerate() {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .enumerate()
                .map(|(at, (cell, width))| match at {
                    0 => format!("{:<width$}", cell.replace('|', "\\|")),
                    _ => format!("{cell:>width$}"),
                })
                .collect();
            writeln!(out, "| {} |", cells.join(" | "))?;
            if number == 0 {
                let rule = |(at, width): (usize, &usize)| match at {
                    0 => format!("{:-<width$}", ""),
                    _ => format!("{:->1$}:", "", width - 1),
                };
                let rules: Vec<String> = widths.iter().enumerate().map(rule).collect();
                writeln!(out, "| {} |", rules.join(" | "))?;
            }
        }
        Ok(())
    }
}

/// A whole number with commas between thousands.
pub fn whole(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number to three figures at most.
pub fn short(number: f64) -> String {
    match number {
        n if n >= 100.0 => whole(n.round() as u64),
        n if n >= 10.0 => format!("{n:.1}"),
        n => format!("{n:.2}"),
    }
}

/// A share with its interval; a dash of nothing.
pub fn interval(rate: Rate) -> String {
    match (rate.value(), rate.interval()) {
        (Some(share), Some((low, high))) => format!("{share:.3} [{low:.3}, {high:.3}]"),
        _ => "–".to_owned(),
    }
}

/// A share and its interval as `scale` makes them; a dash of nothing.
pub fn scaled(rate: Rate, scale: impl Fn(f64) -> f64) -> String {
    match (rate.value(), rate.interval()) {
        (Some(share), Some((low, high))) => {
            let [share, low, high] = [share, low, high].map(|n| short(scale(n)));
            format!("{share} [{low}, {high}]")
        }
        _ => "–".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (number, expected) in [(0, "0"), (999, "999"), (1000, "1,000"), (1234567, "1,234,567")]
        {
            assert_eq!(whole(number), expected);
        }
        for (number, expected) in
            [(0.0, "0.00"), (9.994, "9.99"), (12.34, "12.3"), (1234.5, "1,235")]
        {
            assert_eq!(short(number), expected);
        }
    }

    #[test]
    fn columns_stand_straight() {
        let mut table = Table::new(["name", "n"].map(str::to_owned));
        let mut out = Vec::new();
        table.print("t", &mut out).unwrap();
        assert!(out.is_empty());
        table.row(["a|b".to_owned(), "1,000".to_owned()]);
        table.print("t", &mut out).unwrap();
        let expected = "\nt\n\n| name |     n |\n| ---- | ----: |\n| a\\|b | 1,000 |\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
