//! Invariant `identity`: without a finding, output equals input byte for byte, at every cut.

use weir_tests::cuts::{cuts, pieces};
use weir_tests::{pipeline, policies, recordings};

#[test]
fn recorded_answers_pass_byte_for_byte() {
    let engine = policies::engine(policies::MASKS);
    let mut held = 0;
    for recording in recordings::all() {
        for cut in cuts(recording.answer.len()) {
            let pieces = pieces(&recording.answer, &cut);
            let got = pipeline::answer(&engine, recording.dialect, recording.streamed, &pieces);
            assert_eq!(got.stop, None, "{} cut {cut:?}", recording.id);
            assert!(got.out == recording.answer, "{} differs, cut {cut:?}", recording.id);
            held += got.tally.held_events;
        }
    }
    assert!(held > 0, "no cut made the last word wait, so nothing was tried");
}

#[test]
fn recorded_requests_pass_byte_for_byte() {
    let engine = policies::engine(policies::MASKS);
    for recording in recordings::all() {
        for cut in cuts(recording.request.len()).into_iter().step_by(7) {
            let pieces = pieces(&recording.request, &cut);
            let got = pipeline::request(&engine, recording.dialect, &pieces);
            assert!(got.verdict.is_ok(), "{} {:?}", recording.id, got.verdict);
            assert!(got.body == recording.request, "{} differs, cut {cut:?}", recording.id);
        }
    }
}
