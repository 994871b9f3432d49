//! A whole JSON answer. Streams through block by block; held to its end where a rule could still refuse it.

use std::ops::Range;
use std::rc::Rc;

use weir_rules::{Channel, ChannelSet, Found, Scanner};

use super::deny::note_cut;
use super::{CALL_NOTE, Stop};
use crate::dialect::{Dialect, Direction, Fact, Lane, Meaning, Node, Value, Walker};
use crate::document::Scanned;
use crate::engine::Engine;
use crate::json::{self, Lexer};
use crate::memory::Account;
use crate::request::BodyFault;
use crate::splice::{self, Cut};
use crate::tally::Tally;

/// Memory for an answer is asked for before its bytes come up to this length only, in bytes.
const MAX_EXPECTED: u64 = 128 * 1024;

/// One tool call of a choice or one block of an answer.
struct Call {
    raw: Range<u64>,
    denied: bool,
}

/// What is known of the choice (or the whole Anthropic message) that is being read.
#[derive(Default)]
struct Choice {
    calls: Vec<Call>,
    calls_list: Option<Range<u64>>,
    content: Option<Range<u64>>,
    said_start: u64,
    finish: Option<(Range<u64>, String)>,
    logprobs: Option<Range<u64>>,
    logprobs_found: bool,
    edited: bool,
}

/// A JSON answer while it arrives.
pub struct JsonAnswer {
    engine: Rc<Engine>,
    dialect: Dialect,
    lexer: Lexer,
    walker: Walker,
    /// Bytes received and not yet released, and the offset of the first.
    held: Vec<u8>,
    account: Account,
    base: u64,
    whole: bool,
    /// Of the open string, what is scanned at its end, or what has been found so far.
    current: String,
    scanner: Scanner,
    found: Vec<Found>,
    tokens: String,
    name: Option<String>,
    block_type: Option<String>,
    choice: Choice,
    cuts: Vec<Cut>,
    edited: bool,
    refused: bool,
}

impl JsonAnswer {
    pub fn new(engine: Rc<Engine>, dialect: Dialect) -> JsonAnswer {
        let depth = engine.policy.spec.limits.depth;
        JsonAnswer {
            lexer: Lexer::new(json::Limits { depth, ..json::Limits::default() }),
            walker: Walker::new(dialect, Direction::Answer),
            held: Vec::new(),
            account: Account::default(),
            base: 0,
            whole: engine.rejects_answers
                || (dialect == Dialect::AnthropicMessages && engine.masks_reasoning),
            current: String::new(),
            scanner: Scanner::default(),
            found: Vec::new(),
            tokens: String::new(),
            name: None,
            block_type: None,
            choice: Choice::default(),
            cuts: Vec::new(),
            edited: false,
            refused: false,
            dialect,
            engine,
        }
    }

    /// Whether nothing may leave before the end.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// Whether what left is other than what came.
    pub fn is_edited(&self) -> bool {
        self.edited
    }

    /// The answer is said to be so long: memory for it at once, unless that is much.
    pub fn expect(&mut self, length: u64) {
        if self.whole && length <= MAX_EXPECTED {
            // Without the memory it grows as it comes.
            let _ = self.held.try_reserve_exact(usize::try_from(length).unwrap_or(0));
        }
    }

    /// Bytes held.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Takes the next piece and appends what may leave to `out`.
    ///
    /// # Errors
    /// A rule refuses the answer, or it cannot be inspected.
    pub fn write(
        &mut self,
        bytes: &[u8],
        out: &mut Vec<u8>,
        tally: &mut Tally,
    ) -> Result<(), Stop> {
        let limit = self.engine.policy.spec.limits.request.bytes();
        let worker = self.engine.policy.spec.limits.worker.bytes();
        let at = self.base + self.held.len() as u64;
        self.held.try_reserve(bytes.len()).map_err(|_| BodyFault::TooLarge)?;
        // Kept even past the limit, for a policy that lets it pass: one chunk more at the most.
        self.held.extend_from_slice(bytes);
        if self.held.len() as u64 > limit || !self.account.grow(bytes.len(), worker) {
            return Err(BodyFault::TooLarge.into());
        }
        let fed = self.lexer.feed(bytes, at, &mut self.walker);
        self.interpret(tally)?;
        if self.refused {
            return Err(Stop::Refused);
        }
        fed.map_err(BodyFault::from)?;
        let waits = self.whole || !self.lexer.between_tokens() || self.choice.logprobs_found;
        if !waits {
            self.release(out, tally);
        }
        Ok(())
    }

    /// The answer is complete.
    ///
    /// # Errors
    /// As [`write`](JsonAnswer::write).
    pub fn end(&mut self, out: &mut Vec<u8>, tally: &mut Tally) -> Result<(), Stop> {
        let length = self.base + self.held.len() as u64;
        if length == 0 {
            return Ok(());
        }
        self.lexer.end(length, &mut self.walker).map_err(BodyFault::from)?;
        self.interpret(tally)?;
        if self.refused {
            return Err(Stop::Refused);
        }
        self.close_choice();
        self.release(out, tally);
        Ok(())
    }

    /// What is held, for a policy that lets uninspectable answers pass; what was found in it is edited.
    pub fn surrender(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        splice::apply(&self.held, self.base, &mut self.cuts, &mut out);
        self.held.clear();
        out
    }

    fn release(&mut self, out: &mut Vec<u8>, tally: &mut Tally) {
        self.edited |= !self.cuts.is_empty();
        tally.answer_bytes = tally.answer_bytes.saturating_add(self.held.len() as u64);
        self.base += self.held.len() as u64;
        if self.cuts.is_empty() && out.is_empty() {
            std::mem::swap(out, &mut self.held);
        } else {
            splice::apply(&self.held, self.base - self.held.len() as u64, &mut self.cuts, out);
        }
        self.held.clear();
        self.account.clear();
        self.cuts.clear();
    }

    fn raw(&self, range: &Range<u64>) -> &[u8] {
        let from = range.start.saturating_sub(self.base) as usize;
        let to = range.end.saturating_sub(self.base) as usize;
        self.held.get(from..to).unwrap_or_default()
    }

    fn interpret(&mut self, tally: &mut Tally) -> Result<(), BodyFault> {
        let facts = std::mem::take(&mut self.walker.facts);
        let mut list = facts.list.iter().peekable();
        while let Some(fact) = list.next() {
            match fact {
                Fact::Text { meaning, text, .. } => {
                    let text = facts.text(text);
                    let ends = list.next_if(|next| matches!(next, Fact::TextEnd { .. }));
                    match ends {
                        // Complete at once: nothing has to be kept.
                        Some(Fact::TextEnd { raw, .. }) if self.is_fresh() => {
                            self.complete(*meaning, text, raw.clone(), tally)?;
                        }
                        Some(Fact::TextEnd { raw, .. }) => {
                            self.piece(*meaning, text)?;
                            self.text_end(*meaning, raw.clone(), tally)?;
                        }
                        _ => self.piece(*meaning, text)?,
                    }
                }
                Fact::TextEnd { meaning, raw, .. } => {
                    self.text_end(*meaning, raw.clone(), tally)?;
                }
                Fact::Bare { meaning, text, raw, key } => {
                    let channel = meaning.channel(Direction::Answer);
                    let scanned = Scanned::bare(
                        &self.engine.rules,
                        ChannelSet::from(channel),
                        facts.text(text),
                        raw.clone(),
                        *key,
                    )?;
                    self.decide(&scanned, channel, false, tally);
                }
                Fact::Value { value, text, raw, .. } => {
                    self.value(*value, facts.text(text), raw);
                    tally.tokens.note(*value, facts.text(text));
                }
                Fact::Begin { node, raw, .. } => self.begin(*node, raw),
                Fact::End { node, raw, .. } => self.node(*node, raw, tally)?,
                Fact::Media { bytes } => {
                    tally.media_bytes = tally.media_bytes.saturating_add(*bytes);
                }
                Fact::Reference | Fact::State => {}
            }
        }
        self.walker.facts = facts;
        self.walker.facts.clear();
        Ok(())
    }

    /// Whether nothing of the open string has come yet.
    fn is_fresh(&self) -> bool {
        self.current.is_empty() && self.scanner.position() == 0
    }

    /// More of a string, whose end has not come.
    fn piece(&mut self, meaning: Meaning, text: &str) -> Result<(), BodyFault> {
        let scope = ChannelSet::from(meaning.channel(Direction::Answer));
        let is_copy = meaning == Meaning::Lane(Lane::Logprobs);
        if is_copy || is_nested(meaning) {
            self.current.try_reserve(text.len()).map_err(|_| BodyFault::TooLarge)?;
            self.current.push_str(text);
        } else if self.engine.rules.reads(scope) {
            self.scanner.push(&self.engine.rules, scope, text, &mut self.found)?;
        }
        Ok(())
    }

    /// The string is complete that came in pieces.
    fn text_end(
        &mut self,
        meaning: Meaning,
        raw: Range<u64>,
        tally: &mut Tally,
    ) -> Result<(), BodyFault> {
        if self.scanner.position() == 0 {
            let text = std::mem::take(&mut self.current);
            self.complete(meaning, &text, raw, tally)?;
            self.current = text;
            self.current.clear();
            return Ok(());
        }
        std::mem::take(&mut self.scanner).end(&self.engine.rules, &mut self.found)?;
        let scanned = Scanned::found(std::mem::take(&mut self.found), raw);
        self.scanned(meaning, &scanned, tally);
        Ok(())
    }

    /// A string, whole.
    fn complete(
        &mut self,
        meaning: Meaning,
        text: &str,
        raw: Range<u64>,
        tally: &mut Tally,
    ) -> Result<(), BodyFault> {
        let rules = &self.engine.rules;
        if meaning == Meaning::Lane(Lane::Logprobs) {
            self.tokens.push_str(text);
            return Ok(());
        }
        let scope = ChannelSet::from(meaning.channel(Direction::Answer));
        if text.is_empty() || !rules.reads(scope) {
            return Ok(());
        }
        let scanned = if is_nested(meaning) {
            Scanned::arguments(rules, scope, text, raw)?
        } else {
            Scanned::string(rules, scope, text, raw)?
        };
        self.scanned(meaning, &scanned, tally);
        Ok(())
    }

    fn scanned(&mut self, meaning: Meaning, scanned: &Scanned, tally: &mut Tally) {
        let signed = meaning == Meaning::Lane(Lane::Signed);
        self.decide(scanned, meaning.channel(Direction::Answer), signed, tally);
    }

    fn decide(&mut self, scanned: &Scanned, channel: Channel, signed: bool, tally: &mut Tally) {
        if scanned.is_clean() {
            return;
        }
        let engine = self.engine.clone();
        let outcome = scanned.decide(&engine.rules, channel, self.raw(&scanned.raw), signed, tally);
        self.refused |= outcome.rejected;
        self.choice.edited |= outcome.edited;
        self.cuts.extend(outcome.cuts);
    }

    fn value(&mut self, value: Value, text: &str, raw: &Range<u64>) {
        match value {
            Value::CallName => self.name = Some(text.to_owned()),
            Value::BlockType => self.block_type = Some(text.to_owned()),
            Value::Finish => self.choice.finish = Some((raw.clone(), text.to_owned())),
            _ => {}
        }
    }

    fn begin(&mut self, node: Node, raw: &Range<u64>) {
        match node {
            Node::Choice => self.choice = Choice::default(),
            Node::Said => self.choice.said_start = raw.end,
            Node::ToolCall | Node::FunctionCall => self.name = None,
            Node::Block => {
                self.name = None;
                self.block_type = None;
            }
            Node::Logprobs => {
                self.tokens.clear();
                self.choice.logprobs_found = true;
            }
            _ => {}
        }
    }

    fn node(&mut self, node: Node, raw: &Range<u64>, tally: &mut Tally) -> Result<(), BodyFault> {
        match node {
            Node::Choice => self.close_choice(),
            Node::SaidContent => self.choice.content = Some(raw.clone()),
            Node::ToolCalls => self.choice.calls_list = Some(raw.clone()),
            Node::ToolCall | Node::FunctionCall => self.judge(raw, tally),
            Node::Block if self.block_type.as_deref() == Some("tool_use") => self.judge(raw, tally),
            Node::Logprobs if self.choice.logprobs_found => {
                self.choice.logprobs = Some(raw.clone());
                self.logprobs(tally)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The tokens repeat the text: they are scanned afresh, and not counted again.
    fn logprobs(&mut self, tally: &Tally) -> Result<(), BodyFault> {
        let channel = Channel::ResponseText;
        let tokens = std::mem::take(&mut self.tokens);
        let scanned =
            Scanned::string(&self.engine.rules, ChannelSet::from(channel), &tokens, 0..0)?;
        let raw = escaped(&tokens);
        let outcome = scanned.decide(&self.engine.rules, channel, &raw, false, &mut tally.copy());
        self.refused |= outcome.rejected;
        self.choice.edited |= outcome.edited;
        Ok(())
    }

    fn judge(&mut self, raw: &Range<u64>, tally: &mut Tally) {
        let Some(name) = self.name.take() else { return };
        let channel = Channel::ResponseToolCall;
        let denied = tally.tool(&self.engine.rules, &name, channel);
        self.choice.calls.push(Call { raw: raw.clone(), denied });
    }

    /// Everything about the choice is known: denied calls leave, copies of edited text too.
    fn close_choice(&mut self) {
        let choice = std::mem::take(&mut self.choice);
        if let Some(raw) = choice.logprobs.filter(|_| choice.edited) {
            self.cuts.push(Cut::replace(&raw, "null"));
        }
        let gone: Vec<bool> = choice.calls.iter().map(|c| c.denied).collect();
        if !gone.contains(&true) {
            return;
        }
        let all_gone = gone.iter().all(|g| *g);
        if let Some((raw, finish)) = &choice.finish
            && all_gone
            && let Some(after) = self.dialect.finish_without_calls(finish)
        {
            self.cuts.push(Cut::replace(raw, after));
        }
        if self.dialect == Dialect::AnthropicMessages {
            let note = format!("{{\"type\":\"text\",\"text\":\"{CALL_NOTE}\"}}");
            for call in choice.calls.iter().filter(|c| c.denied) {
                self.cuts.push(Cut::replace(&call.raw, &note));
            }
            return;
        }
        let content = choice.content.as_ref().map(|raw| (raw, self.raw(raw)));
        self.cuts.extend(note_cut(content, choice.said_start));
        match choice.calls_list {
            Some(list) if all_gone => self.cuts.push(Cut::replace(&list, "null")),
            Some(_) => {
                let all: Vec<Range<u64>> = choice.calls.iter().map(|c| c.raw.clone()).collect();
                splice::remove_elements(&all, &gone, &mut self.cuts);
            }
            None => {
                let calls = choice.calls.iter().filter(|c| c.denied);
                self.cuts.extend(calls.map(|c| Cut::replace(&c.raw, "null")));
            }
        }
    }
}

fn is_nested(meaning: Meaning) -> bool {
    matches!(meaning, Meaning::Lane(lane) if lane.is_nested())
}

/// `text` as the content of a JSON string, so that edits can be mapped as anywhere else.
fn escaped(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    json::escape_into(text, json::Layers::Plain, &mut out);
    out
}
