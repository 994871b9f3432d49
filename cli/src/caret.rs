//! Findings with a caret line under the text, for the person whose text it is.

use weir_rules::Finding;

/// A line that findings stand in, and carets below it for each.
pub fn show(text: &str, findings: &[(Finding, String)]) -> String {
    let mut out = String::new();
    let mut start = 0usize;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        let here: Vec<_> = findings
            .iter()
            .filter(|(f, _)| (f.start as usize) < end && (f.end as usize) > start)
            .collect();
        if !here.is_empty() {
            out.push_str(line.trim_end_matches(['\n', '\r']));
            out.push('\n');
        }
        for (finding, what) in here {
            let from = (finding.start as usize).max(start) - start;
            let to = (finding.end as usize).min(end) - start;
            let before = line.get(..from).unwrap_or_default();
            let within = line.get(from..to).unwrap_or_default().trim_end_matches(['\n', '\r']);
            out.extend(before.chars().map(|c| if c == '\t' { '\t' } else { ' ' }));
            out.push_str(&"^".repeat(within.chars().count().max(1)));
            out.push(' ');
            out.push_str(what);
            out.push('\n');
        }
        start = end;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carets_stand_under_the_finding() {
        let finding = Finding { rule: 0, start: 11, end: 15, shown: 11, mask: None, open: false };
        let shown = show("first\nsay möre now\nlast", &[(finding, "x: mask".to_owned())]);
        assert_eq!(shown, "say möre now\n     ^^^ x: mask\n");
    }
}
