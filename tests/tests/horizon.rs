//! Invariant `horizon`: no finding begins before released bytes, less its exposure. A stream that is cut off after
//! any byte has shown nothing of a finding beyond its exposure; and what cannot become one is not held.

use weir_filter::dialect::Dialect;
use weir_tests::texts::{self, PLANTED, Place};
use weir_tests::{pipeline, policies};

/// The longest part of `hidden`, from its beginning, that `seen` ends with or contains.
fn shown(seen: &str, hidden: &str) -> usize {
    (1..=hidden.len())
        .rev()
        .find(|n| hidden.is_char_boundary(*n) && seen.contains(&hidden[..*n]))
        .unwrap_or(0)
}

#[test]
fn a_stream_that_stops_anywhere_has_shown_nothing() {
    let engine = policies::engine(policies::MASKS);
    for planted in &PLANTED {
        for place in [Place::Content, Place::Arguments] {
            let body = texts::chat_stream(planted.text, place, 1, false);
            for end in (0..=body.len()).step_by(if cfg!(debug_assertions) { 37 } else { 1 }) {
                let Some(part) = body.get(..end) else { continue };
                let got = pipeline::answer(&engine, Dialect::OpenAIChat, true, &[part.as_bytes()]);
                let seen = texts::chat_client(&got.out).join(" ");
                // One character may stand there by chance.
                let limit = if planted.hidden.starts_with("jane") { 0 } else { 1 };
                assert!(
                    shown(&seen, planted.hidden) <= limit,
                    "{:?} in {place:?}, stopped at {end}: {seen:?}",
                    planted.text
                );
            }
        }
    }
}

#[test]
fn only_rules_that_hide_the_first_character_hold_clean_text() {
    let anchored = r#"{"rules":[
      {"id":"key","keywords":["AKIA"],"regex":"AKIA[A-Z0-9]{16}\\b","view":"Raw","maxLength":20,"action":"Mask","channels":["*"]}]}"#;
    for (spec, holds) in [(anchored, false), (policies::MASKS, true)] {
        let engine = policies::engine(spec);
        let body =
            texts::chat_stream("a plain sentence about rivers and AK", Place::Content, 3, false);
        let got = pipeline::answer(&engine, Dialect::OpenAIChat, true, &texts::events(&body));
        assert_eq!(got.tally.held_events > 0, holds, "{}", got.tally.held_events);
        assert_eq!(got.out, body.as_bytes());
    }
}
