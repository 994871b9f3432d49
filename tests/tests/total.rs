//! Invariants `total` and `decided`: no bytes in any phase make the pipeline panic, and every exchange ends in
//! exactly one record.

use weir_filter::sim::{self, Pieces};
use weir_filter::tally::Decision;
use weir_tests::exchange::{self, Random};
use weir_tests::{policies, recordings};

const RUNS: usize = if cfg!(debug_assertions) { 400 } else { 20_000 };

/// Written while a tool call waits for its verdict; how often depends on the pieces.
const KEEP_ALIVE: &str = ": keep-alive\n\n";

/// A few bytes changed, cut out, doubled or put in.
fn mutate(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(4) {
        if bytes.is_empty() {
            break;
        }
        let at = random.below(bytes.len());
        let end = (at + random.below(40)).min(bytes.len());
        match random.below(5) {
            0 => bytes[at] = random.number() as u8,
            1 => drop(bytes.drain(at..end)),
            2 => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            3 => bytes.truncate(at),
            _ => {
                let tokens: [&[u8]; 8] =
                    [b"\"", b"\\u", b"\\ud800", b"{", b"]", b"\n\n", b"AKIA", b"\xff"];
                bytes.splice(at..at, tokens[random.below(8)].iter().copied());
            }
        }
    }
    bytes
}

#[test]
fn mutated_recordings_end_in_one_record() {
    let strict = policies::guard(&policies::MASKS.replace("\"inspection\"", "\"tools\":{\"rules\":[{\"id\":\"t\",\"tools\":[\"g*\"],\"action\":\"Deny\"}]},\"inspection\""));
    let open = policies::guard(
        &policies::MASKS.replace("\"inspection\"", "\"failureMode\":\"FailOpen\",\"inspection\""),
    );
    let recordings = recordings::all();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for run in 0..RUNS {
        let recording = &recordings[random.below(recordings.len())];
        let request =
            exchange::request(recording.dialect, &mutate(&recording.request, &mut random));
        let answer = exchange::answer(recording.streamed, &mutate(&recording.answer, &mut random));
        let engine = if run % 3 == 0 { &open } else { &strict };
        let size = 1 + random.below(200);
        let pieces = (Pieces::Every(size), Pieces::Every(1 + random.below(500)));
        let seen = sim::run(engine, &request, &answer, pieces, run % 2 == 0);
        let other = (Pieces::At(random.below(3000)), Pieces::At(random.below(9000)));
        let again = sim::run(engine, &request, &answer, other, run % 2 == 0);
        let what = |run: &sim::Run| (run.tally.decision, run.upstream.1.clone());
        let cuts = format!("run {run}: {} cut as {pieces:?} and {other:?}", recording.id);
        assert_eq!(what(&seen), what(&again), "{cuts}");
        let client =
            |run: &sim::Run| String::from_utf8_lossy(&run.client.body).replace(KEEP_ALIVE, "");
        let (one, two) = (client(&seen), client(&again));
        // A document that flows is sent as far as it was read when it turns out to be none.
        let broken = seen.tally.decision == Decision::Fail && !recording.streamed;
        assert!(
            one == two || (broken && (one.starts_with(&two) || two.starts_with(&one))),
            "{cuts}"
        );
        let records = seen.logs.iter().filter(|l| l.starts_with("weir_audit ")).count();
        let expected = usize::from(!request.body.is_empty() || !answer.body.is_empty());
        assert!(
            records == expected || records == 1,
            "run {run}: {records} records for {}",
            recording.id
        );
        let record: Result<serde_json::Value, _> = serde_json::from_str(&seen.record);
        assert!(record.is_ok(), "run {run}: {}", seen.record);
        assert!(!seen.upstream.0.iter().any(|(_, v)| v == "forged"));
    }
}
