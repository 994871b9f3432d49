use super::*;
use crate::Keys;
use crate::policy::Policy;

/// Texts of either side are skipped where they are clean; one of no side is read whole.
const SCOPES: [ChannelSet; 3] = [ChannelSet::ALL, ChannelSet::REQUEST, ChannelSet::RESPONSE];

fn rules(spec: &str) -> Ruleset {
    let policy = format!(
        r#"{{"apiVersion":"guard.weir.dev/v1alpha1","kind":"Policy","metadata":{{"name":"p"}},"spec":{spec}}}"#
    );
    Ruleset::compile(&Policy::from_json(policy.as_bytes()).unwrap(), Keys::default()).unwrap()
}

fn rule(id: usize, rest: &str) -> String {
    format!(r#"{{"id":"r{id}","action":"Mask","view":"Raw","channels":["*"],{rest}}}"#)
}

/// What a text in these pieces came to: the steps that it took, or why it was given up, and the findings.
#[derive(Debug, PartialEq)]
struct Scan {
    work: Result<u64, ScanError>,
    found: Vec<Finding>,
}

fn scan<'a>(rules: &Ruleset, scope: ChannelSet, pieces: impl Iterator<Item = &'a str>) -> Scan {
    // Requests are decoded as well, answers are not: here only what the rules find in the text itself is compared.
    let (mut scanner, mut found) = (Scanner::within(u8::MAX), Vec::new());
    for piece in pieces {
        if let Err(error) = scanner.push(rules, scope, piece, &mut found) {
            return Scan { work: Err(error), found: Vec::new() };
        }
    }
    let work = scanner.work;
    scanner.end(rules, &mut found).unwrap();
    Scan { work: Ok(work), found: closed(found) }
}

fn chars(text: &str) -> impl Iterator<Item = &str> {
    text.char_indices().map(|(at, c)| text.get(at..at + c.len_utf8()).unwrap())
}

/// Whole, byte by byte, in two at `cuts` places, with and without skipping.
fn same(rules: &Ruleset, text: &str, cuts: usize) {
    let whole = scan(rules, ChannelSet::ALL, std::iter::once(text));
    let show: String = text.chars().take(80).collect();
    let compare = |other: Scan, how: String| {
        assert_eq!(other, whole, "{how}: {show:?}");
    };
    for scope in SCOPES {
        compare(scan(rules, scope, std::iter::once(text)), format!("whole, {scope:?}"));
        compare(scan(rules, scope, chars(text)), "byte by byte".into());
        for at in (1..text.len()).step_by((text.len() / cuts).max(1)) {
            if let Some((head, tail)) = text.split_at_checked(at) {
                let pieces = [head, tail].into_iter();
                compare(scan(rules, scope, pieces), format!("cut at {at}, {scope:?}"));
            }
        }
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

/// Rules whose attempts overlap, cover each other, wait for each other and go on without end.
const SHAPES: [&str; 10] = [
    r#""keywords":["ab"],"regex":"ab(c|[a-d]{4,12}e)","maxLength":16"#,
    r#""keywords":["abc","b"],"regex":"(abc[a-d]{0,6}e|b[cd]{2}e)","maxLength":16"#,
    r#""keywords":["a"],"regex":"a[a-d]{0,20}e","maxLength":24"#,
    r#""keywords":["a"],"regex":"a(b|.{9}e)","maxLength":12"#,
    r#""keywords":["d"],"regex":"[abc]{0,8}d[abc]{1,8}e?","before":8,"maxLength":20"#,
    r#""keywords":["c"],"regex":"c[a-d]{2,}","maxLength":10"#,
    r#""keywords":["ab"],"opens":"ab[cd]{1,3}a","body":"[a-d]","until":"ee","maxLength":16"#,
    r#""keywords":["abab"],"regex":"abab(a|[a-d ]{3,9}ee)\\b","maxLength":16"#,
    r#""regex":"\\ba[ab]{2,7}c","maxLength":9"#,
    r#""keywords":["e"],"regex":"[a-d]{1,4}e[a-d]{0,9}e","before":4,"maxLength":16"#,
];

#[test]
fn no_cut_changes_what_a_text_costs() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let runs = if cfg!(debug_assertions) { 40 } else { 1500 };
    for (id, shape) in SHAPES.iter().enumerate() {
        let rules = rules(&format!(r#"{{"rules":[{}]}}"#, rule(id, shape)));
        for _ in 0..runs {
            let letters = 3 + random.below(4);
            let length = 2 + random.below(60);
            let text: String =
                (0..length).map(|_| char::from(b"abcde "[random.below(letters)])).collect();
            same(&rules, &text, 60);
        }
    }
}

/// Places that are not known, known only in part, or all known by the time the text comes again.
#[test]
fn what_is_known_of_paths_changes_neither_findings_nor_cost() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let all: Vec<String> = SHAPES.iter().enumerate().map(|(id, shape)| rule(id, shape)).collect();
    let rules = rules(&format!(r#"{{"rules":[{}]}}"#, all.join(",")));
    let mut found = 0;
    for _ in 0..if cfg!(debug_assertions) { 100 } else { 3000 } {
        let length = 2 + random.below(80);
        let text: String = (0..length).map(|_| char::from(b"abcdE e"[random.below(7)])).collect();
        for scope in [ChannelSet::ALL, ChannelSet::REQUEST] {
            let read = |room| {
                *rules.paths() = Paths::with_room(room);
                scan(&rules, scope, std::iter::once(text.as_str()))
            };
            let threads = read(0);
            for room in [600, 2_000, 20_000, 1_000_000] {
                assert_eq!(read(room), threads, "{room} {text:?}");
            }
            assert_eq!(scan(&rules, scope, chars(&text)), threads, "known {text:?}");
            found += threads.found.len();
        }
    }
    assert!(found > 1000 || cfg!(debug_assertions));
}

#[test]
fn a_text_near_its_budget_is_judged_the_same_at_every_cut() {
    let mut ends = std::collections::BTreeSet::new();
    for count in [5, 10, 20, 40, 80, 160] {
        let many: Vec<String> = (0..count).map(|id| rule(id, SHAPES[0])).collect();
        let rules = rules(&format!(r#"{{"rules":[{}]}}"#, many.join(",")));
        for repeats in [100, 400] {
            let text = "ababababe".repeat(repeats);
            same(&rules, &text, 20);
            ends.insert(scan(&rules, ChannelSet::ALL, std::iter::once(text.as_str())).work.is_ok());
        }
    }
    assert_eq!(ends.len(), 2, "some are within the budget and some are not");
}

#[test]
fn a_match_behind_one_that_a_later_piece_completes_is_found() {
    let long = rule(0, r#""keywords":["tok_"],"regex":"tok_[a-z0-9]{8,}","maxLength":32"#);
    let rules = rules(&format!(r#"{{"rules":[{long}]}}"#));
    let text =
        "tok_abcdefgh0123456789abcdeontentinpuhat is tok_abcdefgh0123456789abcdefghij0123456789zz";
    assert_eq!(scan(&rules, ChannelSet::ALL, std::iter::once(text)).found.len(), 2);
    same(&rules, text, text.len());
}

/// What the first bytes of a keyword can come to in a text: cases, runs of white space, what is dropped between them,
/// look-alikes; and rules that begin at a class.
#[test]
fn what_is_skipped_is_clean() {
    let shapes = [
        r#""keywords":["ignore it","to be","a b c","it"],"view":"Folded""#,
        r#""keywords":["sk-","://","@"]"#,
        r#""keywords":["@"],"before":12,"regex":"\\b[a-z]{1,8}@[a-z]{2,8}""#,
        r#""regex":"\\b[4-6][0-9]{3}(?:[0-9]{4}| [0-9]{2})\\b""#,
        r#""regex":"(?i)\\b(?:[g-i]{2}[0-9]{2}|[0-9a-f]{1,4}:[0-9a-f])""#,
        r#""regex":"\\b[a-c]{2}-?[x-z]","maxLength":5"#,
        r#""keywords":["état","日本"],"view":"Folded""#,
        r#""keywords":["ab-x","ignore","lorem ips"],"view":"Folded""#,
        r#""keywords":["a b  ","to語","本b"],"view":"Folded""#,
        r#""regex":"\b[a-c][日-本]?-?[x-z]","maxLength":5"#,
    ];
    let parts = [
        "ignore",
        "IGNORE",
        " ",
        "  ",
        "\t",
        "\n",
        "it",
        "to",
        "be",
        "a",
        "b",
        "c",
        "sk-",
        "s",
        "k",
        "-",
        "@",
        ":",
        "//",
        "1",
        "42",
        "4716",
        "GB29",
        "é",
        "E\u{301}tat",
        "état",
        "\u{200b}",
        "日",
        "本",
        "国语한",
        "語",
        "、",
        "іgnоre",
        "\u{1}",
        "abcd",
        "the quick brown fox ",
        "ab-x",
        "xyz",
        "lorem ipsum dolor",
        "           ",
        ".",
    ];
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let runs = if cfg!(debug_assertions) { 60 } else { 1000 };
    for (id, shape) in shapes.iter().enumerate() {
        let rest = rule(id, shape).replacen(
            r#""view":"Raw","#,
            if shape.contains("view") { "" } else { r#""view":"Raw","# },
            1,
        );
        let rules = rules(&format!(r#"{{"rules":[{rest}]}}"#));
        for _ in 0..runs {
            let count = 1 + random.below(14);
            let text: String = (0..count).map(|_| parts[random.below(parts.len())]).collect();
            same(&rules, &text, 40);
        }
    }
}

#[test]
fn keywords_of_other_scripts_are_found_amid_text_that_is_skipped() {
    let words = [
        "インジェクション",
        "игнорируй",
        "تجاهل",
        "अनदेखा",
        "忽略以上",
        "무시하고",
        "ignorez-là",
        "ÄNDERE",
    ];
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    let list = quoted.join(",");
    let spec = format!(
        r#"{{"rules":[{{"id":"r","action":"Audit","channels":["*"],"maxLength":32,"keywords":[{list}]}}]}}"#
    );
    let rules = rules(&spec);
    let around =
        "Ordinary text, 普通のテキスト、обычный текст, نص عادي, सामान्य पाठ, 보통 글, où é. ";
    for word in words {
        for before in (0..around.len()).filter(|at| around.is_char_boundary(*at)) {
            let lead = around.get(..before).unwrap();
            let text = format!("{around}{lead}{word} {around}{around}");
            let whole = scan(&rules, ChannelSet::ALL, std::iter::once(text.as_str()));
            assert!(!whole.found.is_empty(), "{word} behind {lead}");
            for scope in SCOPES {
                assert_eq!(
                    scan(&rules, scope, std::iter::once(text.as_str())),
                    whole,
                    "{word} behind {lead}"
                );
            }
        }
    }
}

#[test]
fn of_a_token_with_signs_in_it_no_more_than_the_anchor_is_shown() {
    let rules = rules(r#"{"packs":[{"name":"secrets","action":"Mask"}]}"#);
    for (text, anchor) in [
        ("plaid access-sandbox-55f31a77=4ae7-0e72-2183-9c0426576882 ok", "access-sandbox-"),
        ("set pwd=k9Q=Zv!xT4 now", "pwd="),
    ] {
        let found = scan_whole(&rules, ChannelSet::from(Channel::ResponseText), text).unwrap();
        let end = text.find(anchor).unwrap() + anchor.len();
        assert!(!found.is_empty(), "{text}");
        assert!(found.iter().all(|finding| finding.shown <= end as u64), "{text}: {found:?}");
    }
}
