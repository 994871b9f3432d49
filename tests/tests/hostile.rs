//! The hostile table: what a client or a provider could send to crash, hang or bloat a worker, each with its decision,
//! its cost beside plain text of the same length, and the most memory that it took. Run it with `--nocapture` to read.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use weir_filter::dialect::Dialect;
use weir_filter::sim::Headers;
use weir_filter::tally::Decision::{self, *};
use weir_filter::{Exchange, Guard};
use weir_rules::ChannelSet;
use weir_tests::sink::{self, Body, Sink};
use weir_tests::{examples, exchange, policies};

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn grown(size: usize) {
    let live = LIVE.fetch_add(size, Relaxed) + size;
    PEAK.fetch_max(live, Relaxed);
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(at, layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        grown(size);
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.realloc(at, layout, size) }
    }
}

/// What is measured is the process: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
const SPEC: &str = r#"{"traffic":[{"hosts":["api.example.com"]}],
"packs":[{"name":"injection"},{"name":"jailbreak"},{"name":"secrets","action":"Mask"},{"name":"pii"}]MORE}"#;
const TOOLS: &str = r#","tools":{"rules":[{"id":"no-shell","tools":["shell*"],"action":"Deny"}]}"#;

fn guard(more: &str) -> Rc<Guard> {
    policies::guard(&SPEC.replace("MORE", more))
}

fn chat(text: &str) -> Vec<u8> {
    let text = serde_json::to_string(text).unwrap();
    format!("{{\"model\":\"m\",\"messages\":[{{\"role\":\"user\",\"content\":{text}}}]}}")
        .into_bytes()
}

fn event(delta: &str) -> Vec<u8> {
    format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{delta}}}]}}\n\n").into_bytes()
}

fn said(text: &str) -> Vec<u8> {
    event(&format!("{{\"content\":{}}}", serde_json::to_string(text).unwrap()))
}

fn call(arguments: &str) -> Vec<u8> {
    let arguments = serde_json::to_string(arguments).unwrap();
    event(&format!(
        "{{\"tool_calls\":[{{\"index\":0,\"function\":{{\"name\":\"shell\",\"arguments\":{arguments}}}}}]}}"
    ))
}

fn repeat<'a>(piece: Vec<u8>, times: usize) -> Body<'a> {
    Box::new(std::iter::repeat_n(piece, times))
}

fn once<'a>(body: Vec<u8>) -> Body<'a> {
    Box::new(std::iter::once(body))
}

fn around<'a>(before: &str, piece: Vec<u8>, times: usize, after: &str) -> Body<'a> {
    let ends = |text: &str| std::iter::once(text.as_bytes().to_vec());
    Box::new(ends(before).chain(std::iter::repeat_n(piece, times)).chain(ends(after)))
}

/// What is sent as a request with these headers, its decision, the most memory.
type Asked<'a> = (&'a str, &'a [(&'a str, &'a str)], Body<'a>, Decision, usize);
/// What an upstream says under a policy, the decision, the most memory.
type Said<'a> = (&'a str, &'a Rc<Guard>, Body<'a>, Decision, usize);

struct Row<'a> {
    name: &'a str,
    guard: &'a Rc<Guard>,
    headers: &'a [(&'a str, &'a str)],
    request: Option<Body<'a>>,
    /// An event stream.
    answer: Option<Body<'a>>,
    decision: Decision,
    /// The most memory of the pipeline.
    most: usize,
}

fn heads(row: &Row<'_>) -> (Headers, Headers) {
    let mut request = exchange::request(Dialect::OpenAIChat, b"").headers;
    request.retain(|(name, _)| {
        name != "content-length" && !row.headers.iter().any(|(own, _)| own == name)
    });
    request.extend(row.headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
    (request, exchange::answer(true, b"").headers)
}

/// Runs a row and returns its line of the table.
fn run(row: Row<'_>, clean: f64) -> String {
    let (request, answer) = heads(&row);
    let request_body = row.request.unwrap_or_else(|| once(chat("hello")));
    let answer_body = row.answer.unwrap_or_else(|| once(b"data: [DONE]\n\n".to_vec()));
    let total = std::cell::Cell::new(0usize);
    let counted = |body| -> Body<'_> {
        let body: Body<'_> = body;
        Box::new(body.inspect(|piece: &Vec<u8>| total.set(total.get() + piece.len())))
    };
    let before = LIVE.load(Relaxed);
    PEAK.store(before, Relaxed);
    let began = Instant::now();
    let (decision, host) =
        sink::run(row.guard, (request, counted(request_body)), (answer, counted(answer_body)));
    let nanos = began.elapsed().as_nanos() as f64;
    let peak = PEAK.load(Relaxed).saturating_sub(before);
    let name = row.name;
    assert_eq!(decision, row.decision, "{name}: {}", host.record);
    assert_eq!(host.records, 1, "{name}: one record");
    assert!(peak <= row.most, "{name}: {} KiB, at most {}", peak / KIB, row.most / KIB);
    let cost = nanos / total.get().max(1) as f64 / clean;
    let inspected = host.record.split("\"notInspected\":").nth(1).and_then(|r| r.split(']').next());
    format!(
        "{name:<44} {:<11} {cost:>8.1} {:>9} {:>9}  {}]",
        decision.word(),
        total.get() / KIB,
        peak / KIB,
        inspected.unwrap_or_default()
    )
}

/// Nanoseconds a byte of plain text in an event stream.
fn clean(guard: &Rc<Guard>) -> f64 {
    let text = "The river runs over the weir, and what must not pass does not. ".repeat(16);
    let row = Row {
        name: "clean",
        guard,
        headers: &[],
        request: None,
        answer: Some(repeat(said(&text), 4000)),
        decision: Pass,
        most: MIB,
    };
    let (request, answer) = heads(&row);
    let began = Instant::now();
    let size = said(&text).len() * 4000;
    sink::run(guard, (request, once(chat("hi"))), (answer, repeat(said(&text), 4000)));
    began.elapsed().as_nanos() as f64 / size as f64
}

#[test]
fn nothing_crashes_hangs_or_bloats() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (plain, tools) = (guard(""), guard(TOOLS));
    let unit = clean(&plain);
    let zeros = vec![b' '; 32 * MIB];
    let gzip: Vec<u8> = gzip_of(&zeros);
    let big = "word ".repeat(200);
    let letters = |n: usize| "x".repeat(n).into_bytes();
    let open = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"";
    let image = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,";
    let keys: String = (0..20_000).map(|n| format!("\"k{n}\":1,")).collect();
    let small = 2 * MIB;
    let body = 40 * MIB;
    let deltas = if cfg!(debug_assertions) { 20_000 } else { 1_000_000 };
    let requests: Vec<Asked<'_>> = vec![
        ("nesting of 100,000", &[], repeat(b"[".repeat(1000), 100), Fail, small),
        ("member name of 4 MiB", &[], around("{\"", letters(64 * KIB), 64, "\":1}"), Fail, body),
        (
            "20,000 members",
            &[],
            once(format!("{{{keys}\"model\":\"m\"}}").into_bytes()),
            Pass,
            body,
        ),
        ("duplicate members", &[], once(b"{\"model\":1,\"model\":2}".to_vec()), Fail, small),
        (
            "duplicate by escape",
            &[],
            once(b"{\"model\":1,\"mod\\u0065l\":2}".to_vec()),
            Fail,
            small,
        ),
        (
            "lone surrogate",
            &[],
            once(br#"{"messages":[{"role":"user","content":"\ud800"}]}"#.to_vec()),
            Fail,
            small,
        ),
        ("invalid UTF-8", &[], once(b"{\"model\":\"\xff\xfe\"}".to_vec()), Fail, small),
        ("two documents", &[], once(b"{}{}".to_vec()), Fail, small),
        (
            "number of a million digits",
            &[],
            around("{\"n\":", b"1".repeat(1000), 1000, "}"),
            Fail,
            body,
        ),
        ("endless string", &[], around(open, letters(64 * KIB), 200, ""), Fail, body),
        ("never ends", &[], around(open, letters(64), 1, ""), Fail, small),
        (
            "40,000 messages",
            &[],
            around(
                "{\"messages\":[",
                b"{\"role\":\"user\",\"content\":\"hi there\"},".repeat(40),
                1000,
                "{}]}",
            ),
            Pass,
            body,
        ),
        (
            "content before role, 4,000 findings",
            &[],
            once(chat(&"jane.doe@example.com ".repeat(4000))),
            Audit,
            body,
        ),
        (
            "16,000 secrets in one message",
            &[],
            once(chat(&"AKIAIOSFODNN7EXAMPL2\n".repeat(16_000))),
            Mask,
            body,
        ),
        (
            "60 private keys of 60 KiB",
            &[],
            around(
                open,
                format!(
                    "-----BEGIN PRIVATE KEY-----{}-----END PRIVATE KEY-----\\n",
                    "A".repeat(60 * KIB)
                )
                .into_bytes(),
                60,
                "\"}]}",
            ),
            Mask,
            body,
        ),
        ("image of 6 MiB", &[], around(image, letters(64 * KIB), 96, "\"}}]}]}"), Audit, body),
        (
            "60 KiB of zero-width characters",
            &[],
            once(chat(&"\u{200b}".repeat(20_000))),
            Reject,
            body,
        ),
        ("says gzip, is not", &[("content-encoding", "gzip")], once(chat("hello")), Fail, small),
        (
            "says JSON in another charset",
            &[("content-type", "application/json; charset=utf-16")],
            once(vec![0xff, 0xfe, 0x7b, 0]),
            Fail,
            small,
        ),
        ("says text", &[("content-type", "text/plain")], once(chat("hello")), Reject, small),
        ("two codings", &[("content-encoding", "gzip, gzip")], once(gzip.clone()), Fail, small),
        ("gzip bomb", &[("content-encoding", "gzip")], once(gzip.clone()), Fail, 24 * MIB),
    ];
    let answers: Vec<Said<'_>> = vec![
        ("a million tiny deltas", &plain, repeat(said("a"), deltas), Pass, small),
        ("32 MiB of text", &plain, repeat(said(&big), 32 * KIB), Pass, small),
        ("event of 512 KiB", &plain, once(said(&"y".repeat(512 * KIB))), Fail, 4 * MIB),
        ("no line ever ends", &plain, repeat(letters(1000), 1000), Fail, small),
        ("a million comments", &plain, repeat(b": x\n\n".repeat(10), deltas / 10), Pass, small),
        (
            "line ends mixed",
            &plain,
            around(
                "data: {}\r\rdata: {}\r\n\r\n",
                b"data: {}\n\r\n".to_vec(),
                1000,
                "data: [DONE]\r\r\n",
            ),
            Pass,
            small,
        ),
        (
            "10,000 choices",
            &plain,
            Box::new((0..10_000).map(|n| {
                format!(
                    "data: {{\"choices\":[{{\"index\":{n},\"delta\":{{\"content\":\"a\"}}}}]}}\n\n"
                )
                .into_bytes()
            })),
            Fail,
            small,
        ),
        (
            "10,000 choices in one event",
            &plain,
            once(
                format!(
                    "data: {{\"choices\":[{}]}}\n\n",
                    (0..5000)
                        .map(|n| format!("{{\"index\":{n},\"delta\":{{\"content\":\"a\"}}}}"))
                        .collect::<Vec<_>>()
                        .join(",")
                )
                .into_bytes(),
            ),
            Fail,
            8 * MIB,
        ),
        (
            "endless tool call, judged",
            &tools,
            repeat(call("{\"a\":\"bbbbbbbb"), 100_000),
            Fail,
            16 * MIB,
        ),
        (
            "endless tool call, not judged",
            &plain,
            repeat(call("bbbbbbbbbbbbbbbb"), deltas / 10),
            Pass,
            small,
        ),
        (
            "private key that never ends",
            &plain,
            around("", said(&format!("-----BEGIN PRIVATE KEY-----\\n{}", "A".repeat(900))), 1, "")
                .chain_with(repeat(said(&"A".repeat(1000)), 200)),
            Fail,
            small,
        ),
        ("one letter of an address at a time", &plain, repeat(said("a."), deltas / 5), Pass, small),
        ("not JSON", &plain, once(b"data: {nonsense\n\n".to_vec()), Fail, small),
        (
            "deep event",
            &plain,
            once([&b"data: "[..], &b"[".repeat(10_000), b"\n\n"].concat()),
            Fail,
            small,
        ),
        ("garbage", &plain, repeat((0..=255u8).collect(), 1000), Pass, 2 * small),
        (
            "secret in an event's name",
            &plain,
            once(b"event: AKIAIOSFODNN7EXAMPL2\ndata: {}\n\n".to_vec()),
            Reject,
            small,
        ),
        (
            "secret in a comment",
            &plain,
            once(b": AKIAIOSFODNN7EXAMPL2\n\n".to_vec()),
            Reject,
            small,
        ),
        (
            "secret in a field that nobody reads",
            &plain,
            once(b"note: AKIAIOSFODNN7EXAMPL2\ndata: {}\n\n".to_vec()),
            Reject,
            small,
        ),
        (
            "secret in a field that begins as `data`",
            &plain,
            once(b"data2: AKIAIOSFODNN7EXAMPL2\ndata: {}\n\n".to_vec()),
            Reject,
            small,
        ),
        (
            "16,000 secrets in one event",
            &plain,
            once(said(&"AKIAIOSFODNN7EXAMPL2\n".repeat(8000))),
            Mask,
            24 * MIB,
        ),
    ];
    println!(
        "{:<44} {:<11} {:>8} {:>9} {:>9}  not inspected",
        "what", "decision", "x clean", "KiB sent", "KiB held"
    );
    for (name, headers, body, decision, most) in requests {
        let row =
            Row { name, guard: &plain, headers, request: Some(body), answer: None, decision, most };
        println!("{}", run(row, unit));
    }
    for (name, guard, body, decision, most) in answers {
        let row =
            Row { name, guard, headers: &[], request: None, answer: Some(body), decision, most };
        println!("{}", run(row, unit));
    }
}

trait Chain<'a> {
    fn chain_with(self, more: Body<'a>) -> Body<'a>;
}

impl<'a> Chain<'a> for Body<'a> {
    fn chain_with(self, more: Body<'a>) -> Body<'a> {
        Box::new(self.chain(more))
    }
}

/// The bytes as gzip of one dynamic block's worth: stored blocks would be no bomb, so a run is written by hand with
/// fixed codes: a literal, then matches of length 258 at distance 1 (RFC 1951, 3.2.6).
fn gzip_of(same: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let (mut bits, mut count) = (0u64, 0u32);
    let mut put = |value: u64, length: u32, out: &mut Vec<u8>| {
        bits |= value << count;
        count += length;
        while count >= 8 {
            out.push(bits as u8);
            bits >>= 8;
            count -= 8;
        }
    };
    put(0b011, 3, &mut out);
    let literal = u64::from((0x30 + same[0]).reverse_bits());
    put(literal, 8, &mut out);
    for _ in 0..(same.len() - 1) / 258 {
        put(u64::from(0xc5u8.reverse_bits()), 8, &mut out);
        put(0, 5, &mut out);
    }
    put(0, 7, &mut out);
    put(0, 8, &mut out);
    out.extend_from_slice(&[0; 8]);
    out
}

/// Every built-in rule's anchors and examples, less their last character, again and again: near misses cost what a
/// verification costs.
#[test]
fn near_misses_of_every_built_in_rule() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let guard = guard("");
    let engine = guard.first().unwrap();
    let size = if cfg!(debug_assertions) { 2 * KIB } else { 8 * KIB };
    // The best of three: whoever else is on the machine takes its time as well.
    let time = |text: &str| {
        let runs: Vec<_> = (0..3)
            .map(|_| {
                let began = Instant::now();
                let found = weir_rules::scan_whole(&engine.rules, ChannelSet::ALL, text);
                (began.elapsed().as_nanos() as f64 / text.len() as f64, found)
            })
            .collect();
        runs.into_iter().min_by(|a, b| a.0.total_cmp(&b.0)).unwrap()
    };
    let plain = "The river runs over the weir, and what must not pass does not. ";
    let (unit, _) = time(&plain.repeat(size / plain.len()));
    let mut rows = Vec::new();
    for rule in weir_rules::packs::rules() {
        let mut seeds = rule.keywords.clone();
        if seeds.is_empty() {
            seeds = vec![
                "4111 1111 1111 111".into(),
                "+1 415 55".into(),
                "1.1.1.".into(),
                "DE89 3704".into(),
            ];
        }
        for seed in seeds {
            for text in [
                seed.repeat(size / seed.len()),
                format!("{seed} ").repeat(size / (seed.len() + 1)),
                format!("{seed}a").repeat(size / (seed.len() + 1)),
            ] {
                let (cost, found) = time(&text);
                let end = if found.is_ok() { "scanned" } else { "over budget" };
                rows.push((cost / unit, rule.id.clone(), end));
            }
        }
    }
    for (rule, example) in examples::matching() {
        let mut miss = example;
        miss.pop();
        let text = miss.repeat((size / miss.len().max(1)).max(1));
        let (cost, found) = time(&text);
        rows.push((cost / unit, rule, if found.is_ok() { "scanned" } else { "over budget" }));
    }
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    println!("the dearest of {} near misses, as multiples of plain text:", rows.len());
    for (cost, rule, end) in rows.iter().take(10) {
        println!("{cost:>8.1}  {rule:<32} {end}");
    }
    assert!(rows.len() > 1000, "{} near misses", rows.len());
}

#[test]
fn five_hundred_bodies_share_the_workers_memory() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let guard = guard(r#","limits":{"worker":"64Mi"}"#);
    let piece = vec![b'x'; 64 * KIB];
    let before = LIVE.load(Relaxed);
    PEAK.store(before, Relaxed);
    let mut open = Vec::new();
    let mut failed = 0;
    for _ in 0..500 {
        let mut host = Sink {
            request: exchange::request(Dialect::OpenAIChat, b"").headers,
            ..Sink::default()
        };
        host.request.retain(|(name, _)| name != "content-length");
        let mut exchange = Exchange::new(guard.clone(), "0".to_owned());
        exchange.request_headers(&mut host, false);
        let start = b"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"";
        let mut goes_on = host.step(start, |host, size| exchange.request_body(host, size, false));
        for _ in 0..127 {
            goes_on =
                goes_on && host.step(&piece, |host, size| exchange.request_body(host, size, false));
        }
        if goes_on {
            open.push((exchange, host));
        } else {
            failed += 1;
            assert_eq!(exchange.tally().decision, Fail);
            assert_eq!(host.status, Some(413));
            exchange.done(&mut host);
        }
    }
    let peak = PEAK.load(Relaxed) - before;
    println!("{} bodies open, {failed} refused, {} MiB at most", open.len(), peak / MIB);
    assert!((4..=8).contains(&open.len()), "{}", open.len());
    assert!(peak < 3 * 64 * MIB, "{} MiB", peak / MIB);
    for (mut exchange, mut host) in open {
        let end = b"\"}]}".to_vec();
        host.step(&end, |host, size| exchange.request_body(host, size, false));
        host.step(&[], |host, size| exchange.request_body(host, size, true));
        assert_eq!(exchange.tally().decision, Pass);
        exchange.done(&mut host);
    }
}
