//! A request body: held until its end, judged as a whole, edited in place.

use std::ops::Range;
use std::rc::Rc;

use weir_rules::policy::{Decision as Rule, Mode, ToolAction};
use weir_rules::{Channel, ChannelSet, Found, ScanError, Scanner};

use crate::decode::DecodeFault;
use crate::dialect::{Dialect, Direction, Fact, Meaning, Node, Spot, Value, Walker};
use crate::document::{Scanned, harmless};
use crate::engine::Engine;
use crate::json::{self, Fault, Lexer};
use crate::known;
use crate::memory::Account;
use crate::splice::{self, Cut};
use crate::tally::{Decision, Tally};

/// The lexer is fed in slices of this size, so that facts never outgrow it by much.
const SLICE: usize = 64 * 1024;
/// The most texts of one message whose findings wait for its role.
const MAX_WAITING: usize = 4096;
/// The shortest text whose fingerprint costs less than scanning it, in bytes.
const MIN_COMPARED: usize = 16;
/// The longest text that waits for its end, in bytes, because it may be known; a longer one is scanned as it comes.
const MAX_COMPARED: usize = 256 * 1024;
/// The most white space after the document of a body that goes on before its verdict.
const MAX_TAIL: usize = 64 * 1024;

/// Why a body cannot be judged. Each has one word for records and counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFault {
    Malformed,
    Ambiguous,
    TooDeep,
    TooLarge,
    Budget,
    /// Decoded, it is far larger than what was sent.
    Ratio,
}

impl BodyFault {
    /// The word in records and counters.
    pub fn word(self) -> &'static str {
        match self {
            BodyFault::Malformed => "malformed",
            BodyFault::Ambiguous => "ambiguous",
            BodyFault::TooDeep => "too-deep",
            BodyFault::TooLarge => "too-large",
            BodyFault::Budget => "budget",
            BodyFault::Ratio => "ratio",
        }
    }
}

impl From<Fault> for BodyFault {
    fn from(fault: Fault) -> BodyFault {
        match fault {
            Fault::Syntax { .. } => BodyFault::Malformed,
            Fault::Ambiguous { .. } => BodyFault::Ambiguous,
            Fault::Limit { what: "depth", .. } => BodyFault::TooDeep,
            Fault::Limit { .. } => BodyFault::TooLarge,
        }
    }
}

impl From<DecodeFault> for BodyFault {
    fn from(fault: DecodeFault) -> BodyFault {
        match fault {
            DecodeFault::Malformed => BodyFault::Malformed,
            DecodeFault::TooLarge => BodyFault::TooLarge,
            DecodeFault::Ratio => BodyFault::Ratio,
        }
    }
}

impl From<ScanError> for BodyFault {
    fn from(_: ScanError) -> BodyFault {
        BodyFault::Budget
    }
}

/// What a judged request comes to.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Goes on as it came.
    Pass,
    /// Goes on with edits.
    Edited,
    Refused,
}

/// A text that waits for the role of its message or the type of its block.
struct Waiting {
    scanned: Scanned,
    meaning: Meaning,
    part: u32,
}

/// A request body while it arrives.
pub struct Request {
    engine: Rc<Engine>,
    lexer: Lexer,
    walker: Walker,
    /// All of it; of a body that goes on before its verdict what is kept back.
    body: Vec<u8>,
    ready: Vec<u8>,
    seen: u64,
    account: Account,
    scanner: Scanner,
    found: Vec<Found>,
    /// The open text where it is scanned when it is complete: it is nested JSON, or may be known.
    current: String,
    /// The open text is too long for that.
    flows: bool,
    role: Option<String>,
    block_types: Vec<(u32, String)>,
    source_is_base64: bool,
    waiting: Vec<Waiting>,
    tool: Option<String>,
    tools: Vec<(Range<u64>, bool)>,
    members: Vec<(Node, Range<u64>)>,
    chosen_denied: bool,
    cuts: Vec<Cut>,
    refused: bool,
    pub model: String,
    pub stream: bool,
}

impl Request {
    pub fn new(engine: Rc<Engine>, dialect: Dialect) -> Request {
        let depth = engine.policy.spec.limits.depth;
        Request {
            lexer: Lexer::new(json::Limits { depth, ..json::Limits::default() }),
            walker: Walker::new(dialect, Direction::Request),
            body: Vec::new(),
            ready: Vec::new(),
            seen: 0,
            account: Account::default(),
            scanner: Scanner::default(),
            found: Vec::new(),
            current: String::new(),
            flows: false,
            role: None,
            block_types: Vec::new(),
            source_is_base64: false,
            waiting: Vec::new(),
            tool: None,
            tools: Vec::new(),
            members: Vec::new(),
            chosen_denied: false,
            cuts: Vec::new(),
            refused: false,
            model: String::new(),
            stream: false,
            engine,
        }
    }

    /// Bytes held.
    pub fn held(&self) -> usize {
        self.body.len()
    }

    /// Bytes that have not gone on yet.
    pub fn kept(&self) -> usize {
        self.ready.len() + self.body.len()
    }

    /// What has not gone on yet of the body: as it came, or as edited after [`end`](Request::end).
    pub fn into_body(mut self) -> Vec<u8> {
        self.ready.append(&mut self.body);
        self.ready
    }

    /// Takes the next piece of the body.
    ///
    /// # Errors
    /// The body cannot be judged; what it means is the policy's decision.
    pub fn write(&mut self, bytes: &[u8], tally: &mut Tally) -> Result<(), BodyFault> {
        let mut at = self.seen;
        self.seen += bytes.len() as u64;
        if self.engine.progressive {
            self.keep_back(bytes)?;
        } else {
            self.body.try_reserve(bytes.len()).map_err(|_| BodyFault::TooLarge)?;
            // Kept whole even past the limit, for a policy that lets it pass: one chunk more at the most.
            self.body.extend_from_slice(bytes);
            let limits = &self.engine.policy.spec.limits;
            let worker = limits.worker.bytes();
            if self.seen > limits.request.bytes() || !self.account.grow(bytes.len(), worker) {
                return Err(BodyFault::TooLarge);
            }
        }
        for slice in bytes.chunks(SLICE) {
            let fed = self.lexer.feed(slice, at, &mut self.walker);
            at += slice.len() as u64;
            self.interpret(tally)?;
            if self.is_refused() {
                break;
            }
            fed?;
        }
        Ok(())
    }

    /// Whether a body that goes on before its verdict is refused already; nothing more of it counts.
    pub fn is_refused(&self) -> bool {
        let denied = self.tools.iter().any(|(_, denied)| *denied);
        self.engine.progressive && (self.refused || denied)
    }

    /// Of a body that goes on before its verdict: what may go now.
    pub fn ready(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.ready)
    }

    /// Keeps the last visible byte and what follows it, so that nobody has a complete document.
    fn keep_back(&mut self, bytes: &[u8]) -> Result<(), BodyFault> {
        let last = bytes.iter().rposition(|b| !b.is_ascii_whitespace());
        let kept = match last.and_then(|at| bytes.split_at_checked(at)) {
            Some((now, kept)) => {
                self.ready.append(&mut self.body);
                self.ready.extend_from_slice(now);
                kept
            }
            None => bytes,
        };
        self.body.extend_from_slice(kept);
        if self.body.len() > MAX_TAIL { Err(BodyFault::TooLarge) } else { Ok(()) }
    }

    /// The body is complete: judges it and applies the edits.
    ///
    /// # Errors
    /// As [`write`](Request::write).
    pub fn end(&mut self, tally: &mut Tally) -> Result<Verdict, BodyFault> {
        if self.is_refused() {
            return Ok(Verdict::Refused);
        }
        self.lexer.end(self.seen, &mut self.walker)?;
        self.interpret(tally)?;
        if self.refused {
            return Ok(Verdict::Refused);
        }
        if self.engine.progressive {
            return Ok(Verdict::Pass);
        }
        self.cut_tools();
        if self.cuts.is_empty() {
            return Ok(Verdict::Pass);
        }
        if self.edit() { Ok(Verdict::Edited) } else { Err(BodyFault::TooLarge) }
    }

    /// Applies the edits; `false` where there is no memory for it.
    pub fn edit(&mut self) -> bool {
        let mut edited = Vec::new();
        if edited.try_reserve(self.body.len()).is_err() {
            return false;
        }
        splice::apply(&self.body, 0, &mut self.cuts, &mut edited);
        self.body = edited;
        true
    }

    /// Whether a rule refuses the body, as far as it was read.
    pub fn has_refused(&self) -> bool {
        self.refused
    }

    fn interpret(&mut self, tally: &mut Tally) -> Result<(), BodyFault> {
        let facts = std::mem::take(&mut self.walker.facts);
        for fact in &facts.list {
            match fact {
                Fact::Text { meaning, text, .. } => self.piece(*meaning, facts.text(text))?,
                Fact::TextEnd { meaning, spot, raw } => {
                    self.text(*meaning, *spot, raw.clone(), tally)?;
                }
                Fact::Bare { meaning, text, raw, key } => {
                    let channel = meaning.channel(Direction::Request);
                    let scope = ChannelSet::from(channel);
                    let text = facts.text(text);
                    let scanned =
                        Scanned::bare(&self.engine.rules, scope, text, raw.clone(), *key)?;
                    self.decide(&scanned, channel, false, tally);
                }
                Fact::Value { value, spot, text, .. } => {
                    self.value(*value, *spot, facts.text(text));
                }
                Fact::Begin { node: Node::Message, .. } => {
                    self.role = None;
                    self.block_types.clear();
                    self.source_is_base64 = false;
                }
                Fact::Begin { node: Node::Tool, .. } => self.tool = None,
                Fact::Begin { .. } => {}
                Fact::End { node, raw, member, .. } => self.node(*node, raw, *member, tally),
                Fact::Media { bytes } => self.media(*bytes, tally),
                Fact::Reference => {
                    tally.references = tally.references.saturating_add(1);
                    let rule = self.engine.policy.spec.inspection.remote_references;
                    self.inspect(rule, "inspection-remote-references", tally);
                }
                Fact::State => {
                    let rule = self.engine.policy.spec.inspection.server_side_state;
                    self.inspect(rule, "inspection-server-side-state", tally);
                }
            }
        }
        self.walker.facts = facts;
        self.walker.facts.clear();
        Ok(())
    }

    fn media(&mut self, bytes: u64, tally: &mut Tally) {
        tally.media_bytes = tally.media_bytes.saturating_add(bytes);
        let rule = self.engine.policy.spec.inspection.media;
        self.inspect(rule, "inspection-media", tally);
    }

    /// What the policy makes of something that cannot be inspected.
    fn inspect(&mut self, rule: Rule, id: &'static str, tally: &mut Tally) {
        let mode = tally.mode();
        match rule {
            Rule::Allow => {}
            Rule::Audit => {
                tally.row(id, None, "audit", mode);
                tally.reach(Decision::Audit);
            }
            Rule::Reject => {
                tally.row(id, None, "reject", mode);
                if mode == Mode::Enforce {
                    // The decision is taken where the verdict is spoken: an upstream may answer before.
                    self.refused = true;
                    tally.refused_by.get_or_insert_with(|| id.to_owned());
                } else {
                    tally.reach(Decision::Audit);
                }
            }
        }
    }

    /// Scans the next piece of the open text.
    fn piece(&mut self, meaning: Meaning, text: &str) -> Result<(), BodyFault> {
        let rules = &self.engine.rules;
        let scope = scope(meaning);
        if !rules.reads(scope) || (meaning == Meaning::SourceData && self.source_is_base64) {
            return Ok(());
        }
        let length = self.current.len() + text.len();
        if !matches!(meaning, Meaning::Arguments(_)) {
            if !self.flows && (self.engine.progressive || length > MAX_COMPARED) {
                self.flows = true;
                self.scanner.push(rules, scope, &self.current, &mut self.found)?;
                self.current.clear();
            }
            if self.flows {
                return Ok(self.scanner.push(rules, scope, text, &mut self.found)?);
            }
        } else if self.engine.progressive
            && length as u64 > self.engine.policy.spec.limits.tool_call.bytes()
        {
            return Err(BodyFault::TooLarge);
        }
        self.current.try_reserve(text.len()).map_err(|_| BodyFault::TooLarge)?;
        self.current.push_str(text);
        Ok(())
    }

    /// The open text is complete.
    fn text(
        &mut self,
        meaning: Meaning,
        spot: Spot,
        raw: Range<u64>,
        tally: &mut Tally,
    ) -> Result<(), BodyFault> {
        if meaning == Meaning::SourceData && self.source_is_base64 {
            self.media(raw.end - raw.start, tally);
            return Ok(());
        }
        let engine = self.engine.clone();
        let rules = &engine.rules;
        let scope = scope(meaning);
        if !rules.reads(scope) {
            return Ok(());
        }
        let nested = matches!(meaning, Meaning::Arguments(_));
        let compared = !std::mem::take(&mut self.flows) && self.current.len() >= MIN_COMPARED;
        let print =
            compared.then(|| known::fingerprint(engine.number, scope, nested, &self.current));
        if print.is_some_and(known::is_clean) {
            self.current.clear();
            return Ok(());
        }
        let text = std::mem::take(&mut self.current);
        let scanned = if nested {
            Scanned::arguments(rules, scope, &text, raw)?
        } else {
            let mut scanner = std::mem::take(&mut self.scanner);
            scanner.push(rules, scope, &text, &mut self.found)?;
            scanner.end(rules, &mut self.found)?;
            Scanned::found(std::mem::take(&mut self.found), raw)
        };
        self.current = text;
        self.current.clear();
        if scanned.is_clean() {
            if let Some(print) = print {
                known::found_clean(print);
            }
            return Ok(());
        }
        match meaning {
            Meaning::Arguments(channel) => self.decide(&scanned, channel, false, tally),
            Meaning::Spoken if self.role.is_some() => {
                self.decide(&scanned, self.speaker(), false, tally);
            }
            Meaning::Spoken | Meaning::Result => {
                if self.waiting.len() >= MAX_WAITING {
                    return Err(BodyFault::TooLarge);
                }
                self.waiting.push(Waiting { scanned, meaning, part: spot.second });
            }
            meaning => {
                let signed = matches!(meaning, Meaning::Signed(_));
                self.decide(&scanned, meaning.channel(Direction::Request), signed, tally);
            }
        }
        Ok(())
    }

    fn decide(&mut self, scanned: &Scanned, channel: Channel, signed: bool, tally: &mut Tally) {
        if scanned.is_clean() {
            return;
        }
        let range = scanned.raw.start as usize..scanned.raw.end as usize;
        // What has gone on cannot be edited, as what is signed must not be.
        let sealed = signed || self.engine.progressive;
        let raw = if sealed { &[] } else { self.body.get(range).unwrap_or_default() };
        let outcome = scanned.decide(&self.engine.rules, channel, raw, sealed, tally);
        self.refused |= outcome.rejected;
        self.cuts.extend(outcome.cuts);
    }

    fn value(&mut self, value: Value, spot: Spot, text: &str) {
        match value {
            Value::Role => self.role = Some(text.to_owned()),
            Value::BlockType => self.block_types.push((spot.second, text.to_owned())),
            Value::SourceType => self.source_is_base64 = text == "base64",
            Value::ToolName => self.tool = Some(text.to_owned()),
            Value::ChosenTool => {
                let verdict = self.engine.rules.tools().judge(text);
                self.chosen_denied =
                    verdict.action == ToolAction::Deny && verdict.mode == Mode::Enforce;
            }
            Value::Model => self.model = harmless(&self.engine.rules, Channel::RequestOther, text),
            Value::Stream => self.stream = text == "true",
            _ => {}
        }
    }

    fn node(&mut self, node: Node, raw: &Range<u64>, member: Option<u64>, tally: &mut Tally) {
        match node {
            Node::Message => self.message(tally),
            Node::Tool => {
                let channel = Channel::RequestToolDefinition;
                let denied = |name: String| tally.tool(&self.engine.rules, &name, channel);
                let denied = self.tool.take().is_some_and(denied);
                self.tools.push((raw.clone(), denied));
            }
            Node::Tools | Node::ToolChoice | Node::ParallelToolCalls => {
                if let Some(start) = member {
                    self.members.push((node, start..raw.end));
                }
            }
            _ => {}
        }
    }

    /// Whose message it is, by its role.
    fn speaker(&self) -> Channel {
        match self.role.as_deref() {
            Some("system" | "developer") => Channel::RequestSystem,
            Some("assistant") => Channel::RequestAssistant,
            Some("tool" | "function") => Channel::RequestToolResult,
            _ => Channel::RequestUser,
        }
    }

    /// The message's role is known, or never will be: its findings are decided.
    fn message(&mut self, tally: &mut Tally) {
        let waiting = std::mem::take(&mut self.waiting);
        let speaker = self.speaker();
        for text in waiting {
            let channel = match text.meaning {
                Meaning::Result => self.result_channel(text.part),
                _ => speaker,
            };
            self.decide(&text.scanned, channel, false, tally);
        }
    }

    fn result_channel(&self, part: u32) -> Channel {
        let kind = self.block_types.iter().find(|(p, _)| *p == part).map(|(_, t)| t.as_str());
        match kind {
            Some("search_result" | "document" | "web_search_tool_result") => {
                Channel::RequestDocument
            }
            _ => Channel::RequestToolResult,
        }
    }

    /// Takes denied tools out of the list; a list that loses all leaves as a whole, with what refers to it.
    fn cut_tools(&mut self) {
        let gone: Vec<bool> = self.tools.iter().map(|(_, gone)| *gone).collect();
        if !gone.contains(&true) {
            return;
        }
        let all_gone = gone.iter().all(|g| *g);
        let mut members: Vec<Range<u64>> = self
            .members
            .iter()
            .filter(|(node, _)| all_gone || (*node == Node::ToolChoice && self.chosen_denied))
            .map(|(_, range)| range.clone())
            .collect();
        splice::remove_members(&self.body, &mut members, &mut self.cuts);
        if !all_gone {
            let elements: Vec<Range<u64>> = self.tools.iter().map(|(r, _)| r.clone()).collect();
            splice::remove_elements(&elements, &gone, &mut self.cuts);
        }
    }
}

/// The channels that a text may belong to before everything about it is known.
fn scope(meaning: Meaning) -> ChannelSet {
    match meaning {
        Meaning::Spoken => ChannelSet::of(&[
            Channel::RequestSystem,
            Channel::RequestUser,
            Channel::RequestAssistant,
            Channel::RequestToolResult,
        ]),
        Meaning::Result => ChannelSet::of(&[Channel::RequestToolResult, Channel::RequestDocument]),
        meaning => ChannelSet::from(meaning.channel(Direction::Request)),
    }
}
