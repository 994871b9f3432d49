//! Findings with a caret line under the text, for the person whose text it is.

use weir_rules::Finding;

/// The lines that findings stand in, with carets and words below for each.
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
            out.push_str(&visible(line.trim_end_matches(['\n', '\r'])));
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

/// The text with U+FFFD for whatever a terminal would obey or not show, so that carets stand where they belong.
pub fn visible(text: &str) -> String {
    text.chars().map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect()
}

/// Controls, soft hyphen, zero width, direction and tag characters.
fn is_hidden(c: char) -> bool {
    let plain = matches!(c, '\t' | '\n');
    let unseen = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}');
    !plain && (c.is_control() || unseen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, start: u64, end: u64, expected: &str) {
        let finding = Finding {
            rule: 0,
            start,
            end,
            shown: start,
            mask: None,
            accepted: Vec::new(),
            print: None,
            open: false,
        };
        assert_eq!(show(text, &[(finding, "x: mask".to_owned())]), expected, "{text:?}");
    }

    #[test]
    fn carets_stand_under_the_finding() {
        check("first\nsay möre now\nlast", 11, 15, "say möre now\n     ^^^ x: mask\n");
        check("a\tb c", 2, 3, "a\tb c\n \t^ x: mask\n");
        check("ab\r\ncd\r\n", 1, 6, "ab\n ^ x: mask\ncd\n^^ x: mask\n");
        check("ab\n", 2, 3, "ab\n  ^ x: mask\n");
        check("", 0, 0, "");
    }

    #[test]
    fn a_terminal_obeys_nothing_of_the_text() {
        check("\u{1b}[2J\u{200b}k", 7, 8, "\u{fffd}[2J\u{fffd}k\n     ^ x: mask\n");
    }
}
