//! Every cut of an exchange's bodies must come to what the whole comes to.

use std::io::{self, IsTerminal};
use std::rc::Rc;

use weir_filter::Guard;
use weir_filter::sim::{Message, Pieces, Run};

use crate::exchange::{Exchange, differences};

/// Cuts between two words about progress.
const PROGRESS: usize = 5000;
/// Differing cuts that are named; more are only counted.
const NAMED: usize = 20;

/// What the cuts came to.
pub struct Report {
    pub differ: usize,
    /// Lines for people: the cuts that differ, and how many were run.
    pub words: String,
}

/// Runs every split in two of either body and compares heads and bodies with `whole`. The simulated host gives every
/// run the same id, and so few pieces the same second.
pub fn every(guard: &Rc<Guard>, exchange: &Exchange, whole: &Run) -> Report {
    let tells = io::stderr().is_terminal();
    let split = |message: &Message| 1..message.body.len();
    let requests = split(&exchange.request)
        .map(|at| (format!("request cut at byte {at}"), (Pieces::At(at), Pieces::Whole)));
    let answers = split(&exchange.answer)
        .map(|at| (format!("response cut at byte {at}"), (Pieces::Whole, Pieces::At(at))));
    let mut report = Report { differ: 0, words: String::new() };
    let mut count = 0usize;
    for (name, pieces) in requests.chain(answers) {
        count += 1;
        let run = exchange.run(guard, pieces);
        let parts = differences(&run, whole);
        if !parts.is_empty() {
            report.differ += 1;
            if report.differ <= NAMED {
                report.words.push_str(&format!("differs: {name}: {}\n", parts.join(", ")));
            }
        }
        if tells && count.is_multiple_of(PROGRESS) {
            eprintln!("weir: {count} cuts run");
        }
    }
    report.words.push_str(&format!("{count} cuts run, {} differ\n", report.differ));
    report
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy;

    fn message(head: &[(&str, &str)], body: &str) -> Message {
        let headers = head.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Message { headers, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn a_difference_is_told_with_its_part() {
        let guard = policy::load(None, false).unwrap().unwrap();
        let exchange = Exchange {
            request: message(&[(":method", "GET"), (":path", "/")], "ab"),
            answer: message(&[(":status", "200")], "cde"),
            ..Exchange::default()
        };
        let good = every(&guard, &exchange, &exchange.run_whole(&guard));
        assert_eq!((good.differ, good.words.as_str()), (0, "3 cuts run, 0 differ\n"));
        let mut other = exchange.run_whole(&guard);
        other.client.body.push(b'!');
        let bad = every(&guard, &exchange, &other);
        assert_eq!(bad.differ, 3);
        assert!(
            bad.words.starts_with("differs: request cut at byte 1: client body\n"),
            "{}",
            bad.words
        );
    }
}
