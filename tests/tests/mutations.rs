//! Damaged recordings through the whole pipeline, both sides: no panic, one decision, one record, and the same
//! decision and bytes however the bodies arrive. A failure names the seed that made it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use weir_filter::Guard;
use weir_filter::sim::{self, Message, Pieces, Run};
use weir_filter::tally::Decision;
use weir_tests::exchange::{self, Random};
use weir_tests::recordings::{self, Recording};
use weir_tests::{mutate, policies};

/// Damaged exchanges of each recording.
const RUNS: usize = if cfg!(debug_assertions) { 2 } else { 200 };
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// Written while a tool call waits for its verdict; how often depends on the pieces.
const KEEP_ALIVE: &str = ": keep-alive\n\n";

const PACKS: &str = r#""packs":[{"name":"injection"},{"name":"jailbreak"},{"name":"secrets","action":"Mask"},{"name":"pii","action":"Mask","channels":["*"]}]"#;

/// Every kind of policy that reads bodies in its own way.
fn guards() -> Vec<(&'static str, Rc<Guard>)> {
    let spec = |more: &str| {
        policies::guard(&format!(
            r#"{{"traffic":[{{"hosts":["api.example.com"]}}],"inspection":{{"remoteReferences":"Allow","media":"Allow","serverSideState":"Allow"}},{more}}}"#
        ))
    };
    let masks = |more: &str| {
        policies::guard(
            &policies::MASKS.replace("\"inspection\"", &format!("{more},\"inspection\"")),
        )
    };
    vec![
        ("packs", spec(PACKS)),
        ("open", masks(r#""failureMode":"FailOpen""#)),
        ("shadow", spec(&format!(r#""mode":"Shadow",{PACKS}"#))),
        ("tools", masks(r#""tools":{"rules":[{"id":"t","tools":["g*"],"action":"Deny"}]}"#)),
        (
            "progressive",
            spec(
                r#""requestMode":"Progressive","packs":[{"name":"injection","action":"Audit"},{"name":"secrets","action":"Audit"}]"#,
            ),
        ),
        (
            "words",
            spec(r#""rules":[{"id":"w","keywords":["the"],"action":"Reject","channels":["*"]}]"#),
        ),
    ]
}

/// What must not depend on the pieces.
fn outcome(run: &Run) -> (Decision, Option<Vec<u8>>, String) {
    let client = String::from_utf8_lossy(&run.client.body).replace(KEEP_ALIVE, "");
    (run.tally.decision, run.upstream.1.clone(), client)
}

fn one_record(run: &Run) {
    let records = run.logs.iter().filter(|l| l.starts_with("weir_audit ")).count();
    assert_eq!(records, 1, "one record: {}", run.record);
    let record: serde_json::Value = serde_json::from_str(&run.record).unwrap();
    assert_eq!(record["decision"], run.tally.decision.word());
    assert!(!run.upstream.0.iter().any(|(_, value)| value == "forged"));
}

fn check(guard: &Rc<Guard>, request: &Message, answer: &Message, streamed: bool, seed: u64) {
    let mut random = Random(seed);
    let trailers = random.below(2) == 0;
    let whole = sim::run(guard, request, answer, (Pieces::Whole, Pieces::Whole), trailers);
    one_record(&whole);
    let expected = outcome(&whole);
    let cut = |random: &mut Random, body: &[u8]| match random.below(3) {
        0 => Pieces::At(random.below(body.len().max(1))),
        1 => Pieces::Every(1 + random.below(16)),
        _ => Pieces::Every(1 + random.below(2000)),
    };
    for _ in 0..3 {
        let pieces = (cut(&mut random, &request.body), cut(&mut random, &answer.body));
        let run = sim::run(guard, request, answer, pieces, trailers);
        one_record(&run);
        let seen = outcome(&run);
        assert_eq!(
            seen.0, expected.0,
            "decision, {pieces:?}, trailers {trailers}\n{}\n{}",
            whole.record, run.record
        );
        // Behind a refusal nothing more counts; how much of it was read already depends on the pieces.
        if seen.0 < Decision::Reject {
            assert_eq!(
                run.tally.rows, whole.tally.rows,
                "findings, {pieces:?}, trailers {trailers}"
            );
        }
        assert!(seen.1 == expected.1, "upstream bytes, {pieces:?}, trailers {trailers}");
        // A document that flows is sent as far as it was read when it turns out to be none.
        let broken = seen.0 == Decision::Fail && !streamed;
        let (one, two) = (&seen.2, &expected.2);
        let cut_off = broken && (one.starts_with(two) || two.starts_with(one));
        assert!(one == two || cut_off, "client bytes, {pieces:?}, trailers {trailers}");
    }
}

fn damaged(recordings: &[Recording], at: usize, seed: u64) -> (Message, Message) {
    let mut random = Random(seed);
    let recording = &recordings[at];
    let other = &recordings[random.below(recordings.len())];
    let what = random.below(4);
    let (mut request, mut answer) = (recording.request.clone(), recording.answer.clone());
    if what != 0 {
        request = mutate::damage(&request, &other.request, &mut random);
    }
    if what != 1 {
        answer = mutate::damage(&answer, &other.answer, &mut random);
    }
    (exchange::request(recording.dialect, &request), exchange::answer(recording.streamed, &answer))
}

#[test]
fn damaged_recordings_are_decided_the_same_however_they_arrive() {
    let guards = guards();
    let recordings = recordings::all();
    let only: Option<u64> = std::env::var("WEIR_SEED").ok().and_then(|s| s.parse().ok());
    let mut seeds = Random(only.unwrap_or(SEED));
    let mut failures = Vec::new();
    for at in 0..recordings.len() {
        for _ in 0..RUNS {
            let seed = only.unwrap_or_else(|| seeds.number());
            let (request, answer) = damaged(&recordings, at, seed);
            let (name, guard) = &guards[seed as usize % guards.len()];
            let streamed = recordings[at].streamed;
            let run = || check(guard, &request, &answer, streamed, seed);
            if catch_unwind(AssertUnwindSafe(run)).is_err() {
                failures.push(format!("WEIR_SEED={seed} {} under {name}", recordings[at].id));
            }
            if only.is_some() {
                break;
            }
        }
    }
    assert!(failures.is_empty(), "{}:\n{}", failures.len(), failures.join("\n"));
}
