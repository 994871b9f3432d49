//! Plots whose places are percentages, so that they fit a phone: labels are the page's own text.

use std::fmt::Write;

use super::super::rate::Rate;
use super::super::table::{short, whole};
use super::escape::{breakable, escape};

/// Colours that policies have in turn.
pub const COLOURS: usize = 4;
/// Pixels that the mark of one policy takes in a row.
const LANE: usize = 16;

/// Pixels that the lines of a grid reach beyond their row, to the next one where a name takes several lines.
const OVER: usize = 12;

/// A share with its interval.
pub struct Mark {
    rate: Rate,
}

impl Mark {
    /// The mark of a rate.
    pub fn of(rate: Rate) -> Mark {
        Mark { rate }
    }
}

/// A name with a mark for each policy.
pub struct Row {
    pub name: String,
    pub marks: Vec<Mark>,
}

impl Row {
    /// Whether there is anything to be shown.
    pub fn counts(&self) -> bool {
        self.texts() > 0
    }

    /// Of how many texts.
    pub fn texts(&self) -> u64 {
        self.marks.iter().map(|mark| mark.rate.of).max().unwrap_or_default()
    }

    /// What it is sorted by.
    pub fn first(&self) -> f64 {
        self.marks.first().and_then(|mark| mark.rate.value()).unwrap_or_default()
    }
}

/// What the places across a plot mean.
pub struct Axis {
    /// The share at the right end.
    most: f64,
    /// What a share of 1 is shown as.
    scale: f64,
    unit: &'static str,
}

impl Axis {
    /// 0 to 100%.
    pub fn share() -> Axis {
        Axis { most: 1.0, scale: 100.0, unit: "%" }
    }

    /// So many of 1,000, as far as the rows go: to the ends of the intervals, but not far beyond the marks.
    pub fn thousand(rows: &[Row]) -> Axis {
        let marks = || rows.iter().flat_map(|row| &row.marks);
        let value = marks().filter_map(|m| m.rate.value()).fold(0.0, f64::max);
        let high = marks().filter_map(|m| Some(m.rate.interval()?.1)).fold(0.0, f64::max);
        Axis { most: round_up(high.min(value * 1.6).max(0.005)), scale: 1000.0, unit: "" }
    }

    fn percent(&self, share: f64) -> f64 {
        (share / self.most * 100.0).clamp(0.0, 100.0)
    }

    fn show(&self, share: f64) -> String {
        let number = share * self.scale;
        let text = if number >= 99.95 || number == 0.0 {
            whole(number.round() as u64)
        } else {
            format!("{number:.1}")
        };
        format!("{text}{}", self.unit)
    }

    fn ticks(&self) -> String {
        let tick = |part: u32| {
            let number = short(self.most * self.scale * f64::from(part) / 4.0);
            let number =
                number.strip_suffix(".00").or(number.strip_suffix(".0")).unwrap_or(&number);
            format!("<span style=\"left:{}%\">{number}{}</span>", part * 25, self.unit)
        };
        (0..=4).map(tick).collect()
    }
}

/// The next of 1, 2, 4 and 8 times a power of ten, whose quarters are short.
fn round_up(number: f64) -> f64 {
    let power = 10f64.powf(number.log10().floor());
    let steps = [1.0, 2.0, 4.0, 8.0, 10.0];
    steps.into_iter().map(|step| step * power).find(|n| *n >= number * 0.999).unwrap_or(number)
}

fn section(title: &str, words: &str, inner: &str) -> String {
    let words = if words.is_empty() { String::new() } else { format!("<p>{}</p>", escape(words)) };
    format!("<section><h2>{}</h2>{words}\n{inner}</section>\n", escape(title))
}

/// A dot for each share on the bar of its interval; `None` without rows.
pub fn dots(title: &str, words: &str, rows: &[Row], axis: &Axis) -> Option<String> {
    if !rows.iter().any(Row::counts) {
        return None;
    }
    let mut out = String::from("<div class=\"plot\">\n");
    for row in rows {
        let height = row.marks.len() * LANE + 6;
        let low = height + OVER;
        let _ = write!(
            out,
            "<div class=\"name\">{}<small>{}</small></div><svg height=\"{height}\" role=\"img\">",
            breakable(&row.name),
            whole(row.texts())
        );
        let grid = |part: u32| {
            let x = part * 25;
            format!("<line class=\"grid\" x1=\"{x}%\" x2=\"{x}%\" y1=\"-{OVER}\" y2=\"{low}\"/>")
        };
        out.extend((0..=4).map(grid));
        let mut values = String::new();
        for (at, mark) in row.marks.iter().enumerate() {
            let colour = at % COLOURS;
            let (Some(value), Some((low, high))) = (mark.rate.value(), mark.rate.interval()) else {
                values.push_str("<span>–</span>");
                continue;
            };
            let y = at * LANE + LANE / 2 + 3;
            let [low, x, high] = [low, value, high].map(|share| axis.percent(share));
            let _ = write!(
                out,
                "<line class=\"span c{colour}\" x1=\"{low:.2}%\" x2=\"{high:.2}%\" y1=\"{y}\" y2=\"{y}\"/>\
                 <circle class=\"c{colour}\" cx=\"{x:.2}%\" cy=\"{y}\" r=\"5\"><title>{}: {} of {}</title></circle>",
                escape(&row.name),
                whole(mark.rate.hits),
                whole(mark.rate.of)
            );
            let _ = write!(values, "<span class=\"c{colour}\">{}</span>", axis.show(value));
        }
        let _ = writeln!(out, "</svg><div class=\"value\">{values}</div>");
    }
    let ticks = axis.ticks();
    let _ = writeln!(out, "<div></div><div class=\"ticks\">{ticks}</div><div></div></div>");
    Some(section(title, words, &out))
}

/// A bar for each count, of which the first part is full; `None` without any.
pub fn bars(
    title: &str,
    words: &str,
    colour: usize,
    rows: &[(String, u64, u64)],
) -> Option<String> {
    let most = rows.iter().map(|(_, _, all)| *all).max()?;
    let mut out = String::from("<div class=\"plot\">\n");
    for (name, part, all) in rows {
        let percent = |count: u64| count as f64 / most as f64 * 100.0;
        let colour = colour % COLOURS;
        let _ = writeln!(
            out,
            "<div class=\"name\">{}</div><svg height=\"22\" role=\"img\">\
             <rect class=\"pale c{colour}\" y=\"4\" height=\"14\" rx=\"3\" width=\"{:.2}%\"/>\
             <rect class=\"c{colour}\" y=\"4\" height=\"14\" rx=\"3\" width=\"{:.2}%\"/></svg>\
             <div class=\"value\"><span>{}</span></div>",
            breakable(name),
            percent(*all),
            percent(*part),
            whole(*all)
        );
    }
    out.push_str("</div>\n");
    Some(section(title, words, &out))
}

/// The share of false alarms at the left end of a curve's axis, which goes by powers of ten.
const LEAST: f64 = 1e-4;

/// A line for each policy: recall upwards, false alarms to the right by powers of ten; `None` without points.
pub fn curve(title: &str, lines: &[Vec<(f64, f64)>]) -> Option<String> {
    if lines.iter().all(Vec::is_empty) {
        return None;
    }
    let x = |share: f64| 100.0 * (share.max(LEAST) / LEAST).log10() / -LEAST.log10();
    let mut out = String::from(
        "<div class=\"curve\"><div class=\"up\"><span>100%</span><span>75</span><span>50</span>\
         <span>25</span><span>0</span></div>\
         <svg viewBox=\"0 0 100 100\" preserveAspectRatio=\"none\" role=\"img\">",
    );
    for at in [0, 25, 50, 75, 100] {
        let _ = write!(
            out,
            "<line class=\"grid\" x1=\"0\" x2=\"100\" y1=\"{at}\" y2=\"{at}\"/>\
             <line class=\"grid\" x1=\"{at}\" x2=\"{at}\" y1=\"0\" y2=\"100\"/>"
        );
    }
    for (at, line) in lines.iter().enumerate() {
        let place = |(alarms, recall): &(f64, f64)| {
            format!("{:.2},{:.2}", x(*alarms), 100.0 - recall * 100.0)
        };
        let points: Vec<String> = line.iter().map(place).collect();
        let _ = write!(
            out,
            "<polyline class=\"line c{}\" points=\"{}\"/>",
            at % COLOURS,
            points.join(" ")
        );
    }
    let ticks: String = ["≤ 0.1", "1", "10", "100", "1,000"]
        .iter()
        .enumerate()
        .map(|(at, word)| format!("<span style=\"left:{}%\">{word}</span>", at * 25))
        .collect();
    let _ = writeln!(out, "</svg><div></div><div class=\"ticks\">{ticks}</div></div>");
    Some(section(title, "false alarms per 1,000 benign texts, by powers of ten", &out))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, hits: u64, of: u64) -> Row {
        Row { name: name.to_owned(), marks: vec![Mark::of(Rate { hits, of })] }
    }

    #[test]
    fn an_axis_ends_at_a_round_number() {
        for (number, expected) in [(0.005, 0.008), (0.1, 0.1), (0.11, 0.2), (0.3, 0.4), (0.81, 1.0)]
        {
            assert!((round_up(number) - expected).abs() < 1e-9, "{number}: {}", round_up(number));
        }
    }

    #[test]
    fn a_dot_stands_at_its_share_and_names_are_escaped() {
        let rows = [row("<kind>", 1, 4), row("none", 0, 0)];
        let plot = dots("t", "", &rows, &Axis::share()).unwrap();
        assert!(plot.contains("cx=\"25.00%\"") && plot.contains("&lt;kind&gt;"), "{plot}");
        assert_eq!(plot.matches("<circle").count(), 1);
        assert!(dots("t", "", &rows[1..], &Axis::share()).is_none());
    }

    #[test]
    fn a_curve_goes_by_powers_of_ten() {
        assert!(curve("t", &[vec![]]).is_none());
        let plot = curve("t", &[vec![(0.0, 0.5), (0.01, 0.75), (1.0, 1.0)]]).unwrap();
        assert!(plot.contains("points=\"0.00,50.00 50.00,25.00 100.00,0.00\""), "{plot}");
    }
}
