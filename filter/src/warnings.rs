//! Refusals in the log: each one is told, unless there are too many to tell one by one. Then they are counted by
//! decision and rule, and the counts are told. Numbered lines show that none is missing.

use crate::host::Refusal;

/// Lines of a second in which each refusal gets its own.
const LINES: u32 = 20;
/// How long refusals are counted before their number is told, in microseconds.
const WINDOW: u64 = 1_000_000;
/// The most decisions and rules that are counted apart.
const MAX_KINDS: usize = 64;
/// Stands for the rules that were too many to count apart.
const OTHERS: &str = "others";

/// The refusals of one worker.
#[derive(Default)]
pub struct Warnings {
    /// When the second began.
    since: u64,
    lines: u32,
    sequence: u64,
    counted: Vec<(&'static str, String, u64)>,
}

impl Warnings {
    /// A refusal at `now`, in microseconds. Lines go to `sink`.
    pub fn refused(&mut self, refusal: Refusal<'_>, now: u64, sink: &mut dyn FnMut(&str)) {
        self.flush(now, sink);
        if now.saturating_sub(self.since) >= WINDOW {
            self.since = now;
            self.lines = 0;
        }
        if self.lines < LINES {
            self.lines += 1;
            let members = refusal.record.strip_prefix('{').unwrap_or("}");
            self.line("weir_audit", members, sink);
            return;
        }
        let room = self.counted.len() < MAX_KINDS;
        let by = |kind: &(&str, String, u64)| kind.0 == refusal.decision && kind.1 == refusal.by;
        if let Some(kind) = self.counted.iter_mut().find(|kind| by(kind)) {
            kind.2 += 1;
        } else if room {
            self.counted.push((refusal.decision, refusal.by.to_owned(), 1));
        } else if let Some(last) = self.counted.last_mut() {
            OTHERS.clone_into(&mut last.1);
            last.2 += 1;
        }
    }

    /// Tells what was counted, once its second is over.
    pub fn flush(&mut self, now: u64, sink: &mut dyn FnMut(&str)) {
        if self.counted.is_empty() || now.saturating_sub(self.since) < WINDOW {
            return;
        }
        let mut total = 0;
        let mut kinds = Vec::new();
        for (decision, by, count) in self.counted.drain(..) {
            total += count;
            kinds
                .push(format!("{{\"decision\":\"{decision}\",\"by\":\"{by}\",\"count\":{count}}}"));
        }
        let members = format!("\"count\":{total},\"refusals\":[{}]}}", kinds.join(","));
        self.line("weir_audit_collapsed", &members, sink);
    }

    fn line(&mut self, word: &str, members: &str, sink: &mut dyn FnMut(&str)) {
        self.sequence += 1;
        sink(&format!("{word} {{\"sequence\":{},{members}", self.sequence));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(by: &str) -> Refusal<'_> {
        Refusal { decision: "reject", by, record: "{\"id\":\"x\"}" }
    }

    #[test]
    fn a_flood_is_counted_and_nothing_is_lost() {
        let mut warnings = Warnings::default();
        let mut lines = Vec::new();
        let start = 5 * WINDOW;
        for n in 0..1000u64 {
            let by = if n % 4 == 0 { "a" } else { "b" };
            warnings.refused(refusal(by), start + n, &mut |line| lines.push(line.to_owned()));
        }
        assert_eq!(lines.len() as u32, LINES);
        assert_eq!(lines[0], "weir_audit {\"sequence\":1,\"id\":\"x\"}");
        warnings.flush(start + WINDOW - 1, &mut |_| panic!("too early"));
        warnings.flush(start + WINDOW, &mut |line| lines.push(line.to_owned()));
        assert_eq!(
            lines.last().map(String::as_str),
            Some(
                "weir_audit_collapsed {\"sequence\":21,\"count\":980,\"refusals\":[\
{\"decision\":\"reject\",\"by\":\"a\",\"count\":245},{\"decision\":\"reject\",\"by\":\"b\",\"count\":735}]}"
            )
        );
        warnings.refused(refusal("a"), start + 2 * WINDOW, &mut |line| lines.push(line.to_owned()));
        assert!(lines.last().is_some_and(|line| line.contains("\"sequence\":22")));
    }

    #[test]
    fn kinds_are_bounded() {
        let mut warnings = Warnings::default();
        for n in 0..10_000u64 {
            warnings.refused(refusal(&format!("r{n}")), WINDOW, &mut |_| {});
        }
        let counted: u64 = warnings.counted.iter().map(|kind| kind.2).sum();
        assert!(warnings.counted.len() <= MAX_KINDS);
        assert_eq!(counted + u64::from(LINES), 10_000);
    }
}
