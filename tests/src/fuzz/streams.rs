//! Streams in a hostile host: beside both messages and their cuts, the input says what the heads lie about, which calls
//! of the host fail, and whether the client leaves, time stands still or the upstream answers early. Whatever it says,
//! a stream has one decision and one record, never hangs, and shows nothing hidden.

use std::rc::Rc;

use serde_json::Value;
use weir_filter::Guard;
use weir_filter::sim::{Headers, Message};
use weir_filter::tally::Decision;

use super::bytes::{Bytes, as_read};
use crate::oracle;
use crate::policies::{self, MASKS};
use crate::proxy::{self, Outcome, Script};

/// Stands between the parts of an input: request, answer, and the sizes of the pieces of both, a byte each.
pub const SEPARATOR: &[u8] = b"\n--\n";
/// The most bytes of one message.
const MAX_MESSAGE: usize = 48 * 1024;

/// A policy and what is to be expected of it.
struct Setting {
    guard: Rc<Guard>,
    /// It hides what [`oracle::leak`] finds.
    hides: bool,
    /// It says that what cannot be read passes.
    opens: bool,
    /// Bodies go up before their verdict.
    progressive: bool,
    /// What is above a limit depends on the cut: on what is with us at the end of a piece.
    tight: bool,
}

fn settings() -> Vec<Setting> {
    let with = policies::masks_with;
    let reject = r#"{"id":"no","keywords":["bluebird"],"exposure":"Nothing","action":"Reject","channels":["request.user","response.text","response.toolCall"]}"#;
    let rejecting =
        |more: &str| with(more).replacen("\"rules\":[", &format!("\"rules\":[{reject},"), 1);
    let tools = r#""tools":{"rules":[{"id":"t","tools":["get*","s?nd"],"action":"Deny"}]}"#;
    let tiny = r#""limits":{"request":"4Ki","paused":512,"held":"1Ki","event":"2Ki","toolCall":"2Ki","worker":"1Mi","depth":8,"openChannels":4}"#;
    let packs = r#"{"packs":[{"name":"injection","action":"Reject"},{"name":"jailbreak"},{"name":"secrets"},{"name":"pii"}],"traffic":[{"hosts":["*"]}],"keys":[{"name":"print","use":"Fingerprint","env":"K"}]}"#;
    let own = policies::bundle("{}", MASKS);
    let setting = |guard: Rc<Guard>| Setting {
        guard,
        hides: true,
        opens: false,
        progressive: false,
        tight: false,
    };
    let spec = |spec: &str| setting(policies::guard(spec));
    vec![
        spec(MASKS),
        spec(&with(tools)),
        spec(&rejecting(r#""refusal":{"as":"Completion"}"#)),
        Setting { opens: true, ..spec(&with(r#""failureMode":"FailOpen""#)) },
        Setting { progressive: true, ..spec(&rejecting(r#""requestMode":"Progressive""#)) },
        spec(&rejecting(r#""holdHeaders":true,"onViolation":"Cut""#)),
        Setting { hides: false, opens: true, ..spec(&with(r#""mode":"Shadow""#)) },
        Setting { hides: false, ..spec(packs) },
        setting(policies::document(&own)),
        Setting { tight: true, ..spec(&rejecting(tiny)) },
        Setting { tight: true, ..spec(&with(&format!("{tools},{tiny}"))) },
    ]
}

thread_local! {
    static SETTINGS: Vec<Setting> = settings();
}

/// What the control bytes of an input stand for.
#[derive(Clone, Debug, Default)]
pub struct Case {
    pub policy: u8,
    /// Bit 0: Anthropic; bit 1: a JSON answer; bit 2: the client speaks HTTP/2.
    pub shape: u8,
    /// Which lies the heads tell.
    pub request_head: u8,
    pub answer_head: u8,
    /// Bits: trailers on each side, the end comes with the last piece, a reset, a stall, an early answer.
    pub ends: u8,
    /// After which body callback the stream is reset or stalls.
    pub after: u8,
    /// Which host calls fail, as in [`Script`].
    pub failing: [u8; 2],
    pub request: Vec<u8>,
    pub answer: Vec<u8>,
    /// Sizes of the pieces; 0 is the rest.
    pub pieces: (Vec<u8>, Vec<u8>),
}

impl Case {
    /// Reads an input.
    pub fn read(bytes: &[u8]) -> Case {
        let mut input = Bytes(bytes);
        let mut case = Case {
            policy: input.byte(),
            shape: input.byte(),
            request_head: input.byte(),
            answer_head: input.byte(),
            ends: input.byte(),
            after: input.byte(),
            failing: [input.byte(), input.byte()],
            ..Case::default()
        };
        let mut rest = input.0;
        let mut part = || {
            let at = rest.windows(SEPARATOR.len()).position(|w| w == SEPARATOR);
            let (own, after) = rest.split_at(at.unwrap_or(rest.len()));
            rest = after.get(SEPARATOR.len()..).unwrap_or_default();
            own.to_vec()
        };
        case.request = part();
        case.answer = part();
        case.pieces = (part(), part());
        case.request.truncate(MAX_MESSAGE);
        case.answer.truncate(MAX_MESSAGE);
        case
    }

    /// Writes it as an input.
    pub fn write(&self) -> Vec<u8> {
        let mut out = vec![self.policy, self.shape, self.request_head, self.answer_head];
        out.extend([self.ends, self.after, self.failing[0], self.failing[1]]);
        let parts = [&self.request, &self.answer, &self.pieces.0, &self.pieces.1];
        out.extend(parts.map(Vec::as_slice).join(SEPARATOR));
        out
    }

    fn anthropic(&self) -> bool {
        self.shape & 1 == 1
    }

    fn streamed(&self) -> bool {
        self.shape & 2 == 0
    }

    fn script(&self) -> Script {
        let sizes = |bytes: &[u8]| bytes.iter().map(|b| usize::from(*b)).collect();
        let bit = |n: u8| self.ends >> n & 1 == 1;
        let after = usize::from(self.after) + 1;
        let http2 = vec![("request.protocol".to_owned(), "HTTP/2".to_owned())];
        Script {
            request: Message { headers: self.request_headers(), body: self.request.clone() },
            answer: Message { headers: self.answer_headers(), body: self.answer.clone() },
            pieces: (sizes(&self.pieces.0), sizes(&self.pieces.1)),
            trailers: (bit(0), bit(1)),
            end_with_last: bit(2),
            reset_after: bit(3).then_some(after),
            stall_after: bit(4).then_some(after),
            early_answer: bit(5),
            failing: u16::from_le_bytes(self.failing),
            properties: if self.shape & 4 == 0 { Vec::new() } else { http2 },
        }
    }

    fn request_headers(&self) -> Headers {
        let path = if self.anthropic() { "/v1/messages" } else { "/v1/chat/completions" };
        let length = self.request.len().to_string();
        let mut head = vec![
            (":method", "POST"),
            (":path", path),
            (":authority", "api.example.com"),
            ("content-type", "application/json"),
            ("x-weir-decision", "forged"),
        ];
        match self.request_head % 16 {
            0..=7 => head.push(("content-length", &length)),
            8 => head.push(("content-encoding", "gzip")),
            9 => head.push(("content-encoding", "deflate")),
            10 => head.push(("content-encoding", "br")),
            11 => head[3].1 = "text/plain",
            12 => head[1].1 = "/v1//x/../CHAT/../messages?y#/chat/completions",
            13 => head.push(("content-length", "99999999999999999999")),
            14 => head[0].1 = "HEAD",
            _ => head.push(("upgrade", "websocket")),
        }
        head.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
    }

    fn answer_headers(&self) -> Headers {
        let kind =
            if self.streamed() { "text/event-stream; charset=utf-8" } else { "application/json" };
        let mut head = vec![(":status", "200"), ("content-type", kind)];
        match self.answer_head % 16 {
            0..=8 => {}
            9 => head.push(("content-encoding", "gzip")),
            10 => head[1].1 = "text/html",
            11 => head[0].1 = "204",
            12 => head[0].1 = "500",
            13 => head.push(("content-length", "3")),
            14 => head.push(("x-early", "hints")),
            _ => head.push(("x-weir-id", "forged")),
        }
        head.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
    }

    /// Nothing happens to it but its cuts.
    fn is_calm(&self) -> bool {
        self.failing == [0, 0] && self.ends & 0b11_1000 == 0
    }
}

/// Runs the stream that the input describes, as it says and uncut.
pub fn streams(bytes: &[u8]) {
    let case = Case::read(bytes);
    SETTINGS.with(|settings| {
        let setting = &settings[usize::from(case.policy) % settings.len()];
        let script = case.script();
        let cut = proxy::run(&setting.guard, script.clone());
        safe(&case, setting, &cut);
        if case.is_calm() {
            honest(&case, setting, &cut);
            let uncut = Script { pieces: (Vec::new(), Vec::new()), ..script };
            let whole = proxy::run(&setting.guard, uncut);
            safe(&case, setting, &whole);
            if !setting.tight {
                alike(case.streamed(), &cut, &whole);
            }
        }
    });
}

/// What holds however the stream went.
fn safe(case: &Case, setting: &Setting, outcome: &Outcome) {
    let decision = outcome.tally.decision;
    assert_eq!(outcome.records.len(), 1, "records, {decision:?}");
    let decisions = |name: &&String| name.starts_with("weir_decisions{");
    assert_eq!(outcome.counters.keys().filter(decisions).count(), 1, "decisions");
    assert_eq!(outcome.records[0], outcome.record);
    let record: Value = serde_json::from_str(&outcome.record).expect("a record is JSON");
    assert_eq!(record["decision"], decision.word());
    assert!(oracle::leak(&outcome.record).is_none(), "a record tells what was found");
    assert!(!outcome.hangs, "the stream hangs");
    assert!(!outcome.mixed, "a reply after the answer had begun");
    assert_eq!(outcome.after_refusal, 0, "bytes after a refusal");
    assert!(
        !outcome.upstream.iter().any(|(_, value)| value == "forged"),
        "a forged header went up"
    );
    let forged =
        |(name, value): &(String, String)| name.starts_with("x-weir-") && value == "forged";
    assert!(
        !outcome.client.headers.iter().any(forged) || !reads(case),
        "a forged header came down"
    );
    if outcome.replied && !outcome.complete {
        refused(setting, outcome);
    }
    let plain = !matches!(case.request_head % 16, 8 | 9);
    if decision <= Decision::Audit && plain && outcome.complete {
        assert!(outcome.sent == case.request, "a request that passes is changed");
    }
    if setting.hides && !setting.opens && reads(case) {
        let streamed = case.streamed();
        for text in oracle::texts(&outcome.client.body, streamed, case.anthropic()) {
            assert_eq!(oracle::leak(&text), None, "{decision:?} shows what it hides");
        }
    }
}

/// Whether the filter reads the answer, by its head.
fn reads(case: &Case) -> bool {
    case.failing == [0, 0]
        && !matches!(case.request_head % 16, 12 | 14 | 15)
        && case.answer_head % 16 != 11
}

fn refused(setting: &Setting, outcome: &Outcome) {
    let head =
        |name: &str| outcome.client.headers.iter().find(|(n, _)| n == name).map(|h| h.1.as_str());
    assert!(matches!(head("x-weir-decision"), Some("reject" | "fail")));
    if setting.progressive {
        // Any beginning of a number is one.
        let whole = serde_json::from_slice::<Value>(&outcome.sent).is_ok_and(|v| !v.is_number());
        assert!(!whole, "a whole document went up");
    } else {
        assert!(outcome.sent.is_empty(), "{} bytes of a refused body went up", outcome.sent.len());
    }
}

/// What holds if the host did all that it was asked for.
fn honest(case: &Case, setting: &Setting, outcome: &Outcome) {
    let tally = &outcome.tally;
    let untouched = tally.decision <= Decision::Audit;
    if untouched
        && outcome.complete
        && !outcome.replied
        && tally.dropped_bytes == 0
        && !outcome.reset
    {
        let (client, answer) = (&outcome.client.body, &case.answer);
        // Comments and pings go past a call that is judged.
        let may_differ = setting.guard.engines().any(|engine| engine.holds_calls);
        let alike = may_differ && in_any_order(client) == in_any_order(answer);
        assert!(alike || client == answer, "an answer that passes is changed");
    }
    if !setting.opens {
        assert!(outcome.complete || outcome.replied || outcome.reset, "neither passed nor refused");
    }
}

/// Any chunking gives the same decision and the same bytes.
fn alike(streamed: bool, cut: &Outcome, whole: &Outcome) {
    assert_eq!(cut.tally.decision, whole.tally.decision, "{:?} {:?}", cut.record, whole.record);
    let stopped = cut.tally.decision >= Decision::Reject;
    if !stopped {
        // What is found behind a refusal is told as far as the piece goes.
        assert_eq!(cut.tally.rows, whole.tally.rows);
    }
    assert_eq!(cut.tally.faults, whole.tally.faults);
    assert_eq!(cut.tally.refused_by, whole.tally.refused_by);
    assert_eq!((cut.complete, cut.replied), (whole.complete, whole.replied));
    assert!(cut.sent == whole.sent || !cut.complete, "what went up differs");
    assert_eq!(cut.upstream, whole.upstream);
    assert_eq!(cut.client.headers, whole.client.headers);
    let (cut, whole) = (&cut.client.body, &whole.client.body);
    if stopped && !streamed && cut.starts_with(whole) {
        // What has left of a document that turns out to be unreadable cannot be called back.
        return;
    }
    let same = cut == whole || (streamed && as_read(cut) == as_read(whole));
    assert!(
        same,
        "cut:\n{}\nwhole:\n{}",
        String::from_utf8_lossy(cut),
        String::from_utf8_lossy(whole)
    );
}

/// The lines of a stream that are not empty, sorted.
fn in_any_order(body: &[u8]) -> Vec<String> {
    let text = as_read(body);
    let mut lines: Vec<String> =
        text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}
