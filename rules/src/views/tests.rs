use crate::policy::Policy;
use crate::scan::closed;
use crate::{Channel, ChannelSet, Finding, Keys, Ruleset, Scanner, scan_whole};

fn rules() -> Ruleset {
    let policy = r#"{"apiVersion":"guard.weir.dev/v1alpha1","kind":"Policy","metadata":{"name":"t"},"spec":{"rules":[
        {"id":"folded","keywords":["quiet harbor"],"action":"Reject","channels":["*"]},
        {"id":"raw","keywords":["quiet harbor"],"view":"Raw","action":"Reject","channels":["*"]}]}}"#;
    Ruleset::compile(&Policy::from_json(policy.as_bytes()).unwrap(), Keys::default()).unwrap()
}

fn found(channel: Channel, pieces: &[&str]) -> Vec<(String, u64, u64)> {
    let (rules, mut found) = (rules(), Vec::new());
    let mut scanner = Scanner::default();
    for piece in pieces {
        scanner.push(&rules, ChannelSet::from(channel), piece, &mut found).unwrap();
    }
    scanner.end(&rules, &mut found).unwrap();
    let row = |f: Finding| (rules.id(f.rule).to_owned(), f.start, f.end);
    closed(found).into_iter().map(row).collect()
}

/// «the quiet harbor sleeps», in Base64, in hex, and in Base64 twice.
const BASE64: &str = "dGhlIHF1aWV0IGhhcmJvciBzbGVlcHM=";
const HEX: &str = "74686520717569657420686172626f7220736c65657073";
const TWICE: &str = "ZEdobElIRjFhV1YwSUdoaGNtSnZjaUJ6YkdWbGNITT0=";

#[test]
fn what_an_encoded_run_says_is_found_in_all_of_the_run_at_every_cut() {
    for run in
        [BASE64, HEX, TWICE, "%71%75%69%65%74%20%68%61%72%62%6F%72", "q u i e t   h a r b o r"]
    {
        let text = format!("Read this: {run} and go.");
        let whole = found(Channel::RequestUser, &[&text]);
        let [(rule, start, end)] = whole.as_slice() else { panic!("{run}: {whole:?}") };
        assert_eq!(rule, "folded", "rules of the Raw view read text as it came");
        let covered = &text[*start as usize..*end as usize];
        assert!(covered.contains(run) || run.contains(covered) && covered.len() > 10, "{covered}");
        for (cut, _) in text.char_indices() {
            let cut = found(Channel::RequestUser, &[&text[..cut], &text[cut..]]);
            assert_eq!(cut, whole, "{run}");
        }
        let single: Vec<&str> = (0..text.len()).map(|at| &text[at..at + 1]).collect();
        assert_eq!(found(Channel::RequestUser, &single), whole, "{run}");
    }
}

#[test]
fn answers_and_clean_runs_have_no_such_findings() {
    assert_eq!(found(Channel::ResponseText, &[BASE64]), []);
    // «nothing of the kind is here»
    assert_eq!(found(Channel::RequestUser, &["bm90aGluZyBvZiB0aGUga2luZCBpcyBoZXJl"]), []);
}

#[test]
fn what_the_text_itself_shows_is_found_once() {
    let text = "a quiet harbor, a-quiet-harbor-by-night";
    let rows = found(Channel::RequestUser, &[text]);
    assert_eq!(rows.iter().filter(|(rule, _, _)| rule == "folded").count(), 1, "{rows:?}");
}

#[test]
fn short_complete_texts_are_decoded_too() {
    let rules = rules();
    let found = scan_whole(&rules, ChannelSet::from(Channel::RequestUser), BASE64).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].start, found[0].end), (0, BASE64.len() as u64));
}
