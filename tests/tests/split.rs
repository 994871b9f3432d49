//! Invariant `split`: any chunking gives the same findings and the same bytes; and nothing hidden ever leaves.

use weir_filter::dialect::Dialect;
use weir_tests::cuts::{cuts, pieces};
use weir_tests::texts::{self, PLACES, PLANTED, Place};
use weir_tests::{pipeline, policies};

/// What a client of a dialect makes of a stream.
type Client = fn(&[u8]) -> Vec<String>;

fn check(dialect: Dialect, place: Place, size: usize, escaped: bool) {
    let engine = policies::engine(policies::MASKS);
    for planted in &PLANTED {
        let (body, client): (String, Client) = match dialect {
            Dialect::OpenAIChat => {
                (texts::chat_stream(planted.text, place, size, escaped), texts::chat_client)
            }
            Dialect::AnthropicMessages => (
                texts::anthropic_stream(planted.text, place, size, escaped),
                texts::anthropic_client,
            ),
        };
        let whole = pipeline::answer(&engine, dialect, true, &[body.as_bytes()]);
        let what =
            format!("{dialect:?} {place:?} size {size} escaped {escaped} {:?}", planted.text);
        assert_eq!(whole.stop, None, "{what}");
        let said = client(&whole.out);
        assert!(said.iter().any(|s| s.contains("[redacted:")), "{what}: no mask in {said:?}");
        assert!(
            said.iter().any(|s| s.contains("it is") || s.contains("\"n\":7")),
            "{what}: {said:?}"
        );
        for cut in cuts(body.len()) {
            let got = pipeline::answer(&engine, dialect, true, &pieces(body.as_bytes(), &cut));
            assert_eq!(got.tally.rows, whole.tally.rows, "{what} cut {cut:?}");
            assert!(got.out == whole.out, "{what} cut {cut:?}");
            for &length in &got.released {
                let seen = client(&got.out[..length]);
                assert!(
                    !seen.iter().any(|s| s.contains(planted.hidden)),
                    "{what} cut {cut:?} leaks"
                );
            }
        }
    }
}

#[test]
fn openai_streams() {
    for place in PLACES {
        for size in [1, 3, 1000] {
            check(Dialect::OpenAIChat, place, size, false);
        }
        check(Dialect::OpenAIChat, place, 2, true);
    }
}

#[test]
fn anthropic_streams() {
    for place in [Place::Content, Place::Arguments] {
        for size in [1, 3, 1000] {
            check(Dialect::AnthropicMessages, place, size, false);
        }
        check(Dialect::AnthropicMessages, place, 2, true);
    }
}
