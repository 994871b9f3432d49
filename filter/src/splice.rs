//! Edits in raw bytes: everything outside a cut is passed byte for byte.

use std::ops::Range;

use weir_rules::{Edit, Label, NOTE, Ruleset};

use crate::json::{Layers, Offsets, escape_into};

/// A replacement of raw bytes; offsets are the caller's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    pub raw: Range<u64>,
    pub bytes: Vec<u8>,
}

impl Cut {
    /// Puts `text` in the place of `raw`.
    pub fn replace(raw: &Range<u64>, text: &str) -> Cut {
        Cut { raw: raw.clone(), bytes: text.as_bytes().to_vec() }
    }
}

/// How the text of a raw run was decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// Content of a JSON string, or of JSON strings inside a JSON string.
    String(Layers),
    /// A number or bare word: what is hidden becomes `0`.
    Bare,
    /// One character whose raw bytes lie in two stream events: kept or deleted as a whole.
    Whole(Layers),
}

/// The replacement text of an edit.
pub fn label<'a>(rules: &'a Ruleset, label: &'a Label) -> &'a str {
    match label {
        Label::Rule(rule) => rules.label(*rule),
        Label::Mask(mask) => mask,
        Label::Note => NOTE,
    }
}

impl Coding {
    /// Looks up offsets in a raw run that was decoded like this.
    pub fn offsets(self, raw: &[u8]) -> Offsets<'_> {
        match self {
            Coding::String(layers) | Coding::Whole(layers) => Offsets::new(raw, layers),
            Coding::Bare => Offsets::new(raw, Layers::Plain),
        }
    }
}

/// The cut that hides `text` (offsets relative to the run's decoded text) in the raw run that begins at `base`.
/// `written` is the replacement, if it belongs here. `None` when nothing of the run is hidden.
pub fn cut(
    raw: &mut Offsets<'_>,
    base: u64,
    coding: Coding,
    text: Range<usize>,
    written: Option<&str>,
) -> Option<Cut> {
    let (from, to, layers) = match coding {
        Coding::String(layers) => (raw.find(text.start)?, raw.find(text.end)?, layers),
        Coding::Whole(layers) => (0, raw.length(), layers),
        Coding::Bare => {
            let bytes = written.map(|_| vec![b'0']).unwrap_or_default();
            // Inside a string, bare text of arguments may be written in escapes.
            let raw = base + raw.find(text.start)? as u64..base + raw.find(text.end)? as u64;
            return Some(Cut { raw, bytes });
        }
    };
    let mut bytes = Vec::new();
    if let Some(written) = written {
        escape_into(written, layers, &mut bytes);
    }
    Some(Cut { raw: base + from as u64..base + to as u64, bytes })
}

/// Cuts for the edits of one complete text whose raw run is `raw` at `base`.
pub fn cuts(
    rules: &Ruleset,
    edits: &[Edit],
    raw: &[u8],
    base: u64,
    coding: Coding,
    out: &mut Vec<Cut>,
) {
    let mut offsets = coding.offsets(raw);
    for edit in edits {
        let text = edit.start as usize..edit.end as usize;
        let written = edit.label.as_ref().map(|l| label(rules, l));
        out.extend(cut(&mut offsets, base, coding, text, written));
    }
}

/// Writes `raw`, whose first byte has offset `base`, with `cuts` applied. A cut inside an earlier one is dropped.
pub fn apply(raw: &[u8], base: u64, cuts: &mut [Cut], out: &mut Vec<u8>) {
    cuts.sort_unstable_by(|a, b| a.raw.start.cmp(&b.raw.start).then(b.raw.end.cmp(&a.raw.end)));
    let mut at = base;
    let slice = |range: Range<u64>| {
        let from = range.start.saturating_sub(base) as usize;
        let to = range.end.saturating_sub(base) as usize;
        raw.get(from..to).unwrap_or_default()
    };
    for cut in cuts.iter() {
        if cut.raw.start < at {
            continue;
        }
        out.extend_from_slice(slice(at..cut.raw.start));
        out.extend_from_slice(&cut.bytes);
        at = cut.raw.end;
    }
    out.extend_from_slice(slice(at..base + raw.len() as u64));
}

/// Cuts that take `gone` out of a comma-separated list whose elements are `all`, in order.
pub fn remove_elements(all: &[Range<u64>], gone: &[bool], out: &mut Vec<Cut>) {
    let mut kept_end: Option<u64> = None;
    let mut at = 0;
    while let Some(element) = all.get(at) {
        if !gone.get(at).copied().unwrap_or(false) {
            kept_end = Some(element.end);
            at += 1;
            continue;
        }
        let mut last = at;
        while gone.get(last + 1).copied().unwrap_or(false) {
            last += 1;
        }
        let end = all.get(last).map_or(element.end, |e| e.end);
        let raw = match (all.get(last + 1), kept_end) {
            (Some(next), _) => element.start..next.start,
            (None, Some(kept)) => kept..end,
            (None, None) => element.start..end,
        };
        out.push(Cut { raw, bytes: Vec::new() });
        at = last + 1;
    }
}

/// Cuts that take whole members out of an object in `body` (offset 0), with the commas between.
pub fn remove_members(body: &[u8], members: &mut [Range<u64>], out: &mut Vec<Cut>) {
    members.sort_unstable_by_key(|m| m.start);
    let byte = |at: u64| body.get(at as usize).copied();
    let blank = |b: Option<u8>| matches!(b, Some(b' ' | b'\n' | b'\r' | b'\t'));
    let mut at = 0;
    while let Some(member) = members.get(at) {
        let (start, mut end) = (member.start, member.end);
        let mut comma_after;
        loop {
            let mut next = end;
            while blank(byte(next)) {
                next += 1;
            }
            comma_after = byte(next) == Some(b',');
            if !comma_after {
                break;
            }
            next += 1;
            while blank(byte(next)) {
                next += 1;
            }
            match members.get(at + 1) {
                Some(following) if following.start == next => {
                    end = following.end;
                    at += 1;
                }
                _ => {
                    end = next;
                    break;
                }
            }
        }
        let mut from = start;
        if !comma_after {
            while from > 0 && blank(byte(from - 1)) {
                from -= 1;
            }
            if from > 0 && byte(from - 1) == Some(b',') {
                from -= 1;
            } else {
                from = start;
            }
        }
        out.push(Cut { raw: from..end, bytes: Vec::new() });
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(body: &str, names: &[&str]) -> String {
        let mut members: Vec<Range<u64>> = names
            .iter()
            .map(|n| {
                let start = body.find(&format!("\"{n}\"")).unwrap() as u64;
                let rest = body.get(start as usize..).unwrap();
                let end = rest.find([',', '}']).unwrap() as u64 + start;
                start..end
            })
            .collect();
        let mut cuts = Vec::new();
        remove_members(body.as_bytes(), &mut members, &mut cuts);
        let mut out = Vec::new();
        apply(body.as_bytes(), 0, &mut cuts, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn members_leave_with_their_commas() {
        for (names, expected) in [
            (vec!["a"], r#"{"b":2, "c":3}"#),
            (vec!["b"], r#"{"a":1,"c":3}"#),
            (vec!["c"], r#"{"a":1, "b":2}"#),
            (vec!["b", "c"], r#"{"a":1}"#),
            (vec!["a", "c"], r#"{"b":2}"#),
            (vec!["a", "b", "c"], r#"{}"#),
        ] {
            let body = r#"{"a":1, "b":2, "c":3}"#;
            let got = without(body, &names).replace(' ', "");
            assert_eq!(got, expected.replace(' ', ""), "{names:?}");
        }
    }

    #[test]
    fn elements_leave_with_their_commas() {
        let body = b"[1,2,3]";
        let all = [1u64..2, 3..4, 5..6];
        for (gone, expected) in [
            ([true, false, false], "[2,3]"),
            ([false, true, false], "[1,3]"),
            ([false, false, true], "[1,2]"),
            ([false, true, true], "[1]"),
            ([true, true, false], "[3]"),
            ([true, true, true], "[]"),
        ] {
            let (mut cuts, mut out) = (Vec::new(), Vec::new());
            remove_elements(&all, &gone, &mut cuts);
            apply(body, 0, &mut cuts, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), expected);
        }
    }
}
