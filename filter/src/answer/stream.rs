//! An answer as server-sent events: one queue, released by horizon.

use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;

use weir_rules::{Channel, ChannelSet, scan_whole};

use super::Stop;
use super::arguments::feed_nested;
use super::block::{Block, CallPart, Segment};
use super::calls::Calls;
use super::deny;
use super::lane::{LaneKey, LaneState};
use super::plan::{LaneText, Plan};
use super::repeat::{Kind, Patterns, Place, Repeat};
use crate::dialect::{Dialect, Direction, Lane, Walker, words};
use crate::document::{Scanned, harmless};
use crate::engine::Engine;
use crate::frame::{Frame, Sse, SseFault};
use crate::json::{self, Layers, Lexer};
use crate::memory::Account;
use crate::request::BodyFault;
use crate::splice::Coding;
use crate::tally::{Tally, Tokens};

/// The call number of the legacy `function_call`.
const LEGACY_CALL: u32 = u32::MAX;
/// Sent while a tool call is held and nothing else can be.
const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";

/// What an ending must know of what the client has seen.
#[derive(Default)]
pub struct Seen {
    pub id: String,
    pub model: String,
    /// Choices that began and have not finished, as released.
    pub open_choices: Vec<u32>,
    /// The content block that began and has not stopped, as released.
    pub open_block: Option<u32>,
    pub started: bool,
    pub done: bool,
}

/// An event stream while it arrives.
pub struct StreamAnswer {
    engine: Rc<Engine>,
    dialect: Dialect,
    sse: Sse,
    patterns: Patterns,
    lexer: Lexer,
    walker: Walker,
    lanes: Vec<LaneState>,
    calls: Calls,
    queue: VecDeque<(Block, Step)>,
    queued: u64,
    account: Account,
    /// Bytes behind an event that could not be read.
    unread: Vec<u8>,
    pub seen: Seen,
}

/// What releasing an event means for the stream's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    None,
    Started,
    BlockStart(u32),
    BlockStop,
    Choices(Vec<u32>),
    Done,
}

/// What follows from an event once it is queued.
#[derive(Default)]
struct After {
    step: Option<Step>,
    /// Lanes that it carries text of.
    touched: Vec<LaneKey>,
    /// Choices that it finishes.
    finished: Vec<u32>,
    /// The block that it stops.
    stopped: Option<u32>,
    /// It ends the whole answer.
    all: bool,
}

impl StreamAnswer {
    pub fn new(engine: Rc<Engine>, dialect: Dialect) -> StreamAnswer {
        let limits = &engine.policy.spec.limits;
        let lexer = json::Limits { depth: limits.depth, ..json::Limits::default() };
        StreamAnswer {
            sse: Sse::new(usize::try_from(limits.event.bytes()).unwrap_or(usize::MAX)),
            patterns: Patterns::default(),
            lexer: Lexer::new(lexer),
            walker: Walker::new(dialect, Direction::Answer),
            lanes: Vec::new(),
            calls: Calls::default(),
            queue: VecDeque::new(),
            queued: 0,
            account: Account::default(),
            unread: Vec::new(),
            seen: Seen::default(),
            dialect,
            engine,
        }
    }

    /// Bytes held.
    pub fn held(&self) -> u64 {
        self.queued
    }

    /// When the oldest event arrived that is still held, in microseconds.
    pub fn held_since(&self) -> Option<u64> {
        self.queue.front().map(|(block, _)| block.since)
    }

    /// Takes the next piece and appends what may leave to `out`. `now` is in microseconds.
    ///
    /// # Errors
    /// A rule refuses the answer, or it cannot be inspected; what is held then must not leave.
    pub fn write(
        &mut self,
        bytes: &[u8],
        now: u64,
        out: &mut Vec<u8>,
        tally: &mut Tally,
    ) -> Result<(), Stop> {
        let before = out.len();
        let mut rest = bytes;
        while !rest.is_empty() {
            let (read, result) = self.event(rest, now, out, tally);
            rest = rest.get(read..).unwrap_or_default();
            if result.is_err() {
                self.unread.extend_from_slice(rest);
                return result;
            }
        }
        let worker = self.engine.policy.spec.limits.worker.bytes();
        if !self.account.set(self.queued.saturating_add(self.sse.pending()), worker) {
            return Err(BodyFault::TooLarge.into());
        }
        if out.len() == before && self.queue.iter().any(|(block, _)| self.is_judging(block)) {
            out.extend_from_slice(KEEP_ALIVE);
        }
        Ok(())
    }

    /// Reads up to the end of the next event; how many bytes, and what came of it.
    fn event(
        &mut self,
        bytes: &[u8],
        now: u64,
        out: &mut Vec<u8>,
        tally: &mut Tally,
    ) -> (usize, Result<(), Stop>) {
        if self.sse.is_between()
            && let Some(repeat) = self.patterns.find(bytes)
            && repeat.length <= self.sse.limit()
            && self.tells_nothing_new(&repeat)
        {
            let event = bytes.get(..repeat.length).unwrap_or_default();
            self.patterns.accept(&repeat, event);
            return (repeat.length, self.repeated(&repeat, event, now, out, tally));
        }
        match self.sse.next(bytes) {
            Ok((read, None)) => (read, Ok(())),
            Ok((read, Some(frame))) => {
                let result = self.frame(frame, now, out, tally);
                (read, result.and_then(|()| self.let_go(now, out, tally)))
            }
            Err(fault) => (bytes.len(), Err(sse_fault(fault))),
        }
    }

    /// Whether nothing is found in what an event says beside its text. Else it is read as any other.
    fn tells_nothing_new(&self, repeat: &Repeat) -> bool {
        let rules = &self.engine.rules;
        self.patterns.news(repeat).all(|(channel, text)| {
            let scope = ChannelSet::from(channel);
            !rules.reads(scope) || scan_whole(rules, scope, text).is_ok_and(|f| f.is_empty())
        })
    }

    /// After an event. Limits are compared event by event: they hold at the same one however the stream was cut.
    fn let_go(&mut self, now: u64, out: &mut Vec<u8>, tally: &mut Tally) -> Result<(), Stop> {
        self.release(now, out, tally);
        tally.held_bytes = tally.held_bytes.max(self.queued);
        self.check_limits()
    }

    /// Reads an event that says nothing new but its text.
    fn repeated(
        &mut self,
        repeat: &Repeat,
        event: &[u8],
        now: u64,
        out: &mut Vec<u8>,
        tally: &mut Tally,
    ) -> Result<(), Stop> {
        tally.events += 1;
        tally.answer_bytes = tally.answer_bytes.saturating_add(event.len() as u64);
        let key = repeat.key;
        let step = match self.dialect {
            Dialect::OpenAIChat => Step::Choices(vec![key.group]),
            Dialect::AnthropicMessages => Step::None,
        };
        let mut block = Block { since: now, ..Block::default() };
        let text = self.patterns.take_text(repeat);
        let read = self.feed(key, &text, repeat.raw.clone(), &mut block, tally);
        self.patterns.give_back(repeat, text);
        let at = self.lanes.iter().position(|lane| lane.key == key);
        if read.is_ok()
            && self.queue.is_empty()
            && let Some(lane) = at.and_then(|at| self.lanes.get_mut(at))
            && lane.passes(&self.engine.rules)
        {
            self.note_step(step, &block);
            out.extend_from_slice(event);
            return Ok(());
        }
        block.raw = event.to_vec();
        self.push(block, step);
        self.settle(key, false);
        read?;
        self.let_go(now, out, tally)
    }

    /// The stream is over. What an open match still holds is dropped and counted.
    ///
    /// # Errors
    /// As [`write`](StreamAnswer::write).
    pub fn end(&mut self, now: u64, out: &mut Vec<u8>, tally: &mut Tally) -> Result<(), Stop> {
        let mut last = None;
        self.sse.end(&mut |frame| last = Some(frame));
        if let Some(frame) = last {
            self.frame(frame, now, out, tally)?;
            self.release(now, out, tally);
        }
        for (block, _) in self.queue.drain(..) {
            tally.dropped_bytes = tally.dropped_bytes.saturating_add(block.raw.len() as u64);
        }
        self.queued = 0;
        Ok(())
    }

    /// What is held, for a policy that lets uninspectable answers pass; what was found in it is edited.
    pub fn surrender(&mut self, tally: &mut Tally) -> Vec<u8> {
        // Whatever was open ends here; another refusal changes nothing.
        let _ = self.end_lanes(|_| true, tally);
        let mut held = Vec::new();
        for (block, _) in self.queue.drain(..) {
            // It was counted as read when it came.
            tally.answer_bytes = tally.answer_bytes.saturating_sub(block.raw.len() as u64);
            block.write(&mut held);
        }
        self.queued = 0;
        held.append(&mut self.unread);
        self.sse.end(&mut |frame| held.extend_from_slice(&frame.raw));
        held
    }

    fn check_limits(&self) -> Result<(), Stop> {
        let limits = &self.engine.policy.spec.limits;
        if self.queued <= limits.held.bytes() {
            return Ok(());
        }
        let judging = self.queue.iter().any(|(block, _)| self.is_judging(block));
        let extra = if judging { limits.tool_call.bytes() } else { 0 };
        if self.queued > limits.held.bytes().saturating_add(extra) {
            return Err(BodyFault::TooLarge.into());
        }
        Ok(())
    }

    fn frame(
        &mut self,
        frame: Frame,
        now: u64,
        out: &mut Vec<u8>,
        tally: &mut Tally,
    ) -> Result<(), Stop> {
        tally.events += 1;
        tally.answer_bytes = tally.answer_bytes.saturating_add(frame.raw.len() as u64);
        let mut block = Block { since: now, ..Block::default() };
        // What this event says may change how the next ones are read.
        let known = std::mem::take(&mut self.patterns);
        let mut clean = match self.asides(&frame, tally) {
            Ok(clean) => clean,
            Err(stop) => {
                block.raw = frame.raw;
                self.push(block, Step::None);
                return Err(stop);
            }
        };
        if frame.comment_only {
            block.raw = frame.raw;
            self.aside(block, out);
            return Ok(());
        }
        let data = |range: &Range<usize>| frame.raw.get(range.clone()).unwrap_or_default();
        let blank = frame.data.iter().all(|d| data(d).trim_ascii().is_empty());
        let terminator =
            matches!(frame.data.as_slice(), [only] if data(only).trim_ascii() == b"[DONE]");
        if terminator {
            block.raw = frame.raw;
            return self.finish_frame(block, Step::Done, true, tally);
        }
        if blank {
            block.raw = frame.raw;
            return self.finish_frame(block, Step::None, false, tally);
        }
        let lexed = self.lex(&frame);
        let plan = Plan::read(&self.walker.facts);
        block.raw = frame.raw;
        tally.media_bytes = tally.media_bytes.saturating_add(plan.media_bytes);
        tally.tokens.join(plan.tokens);
        if let (true, Some(id)) = (self.seen.id.is_empty(), &plan.id) {
            self.seen.id = harmless(&self.engine.rules, Channel::ResponseOther, id);
        }
        if let (true, Some(model)) = (self.seen.model.is_empty(), &plan.model) {
            self.seen.model = harmless(&self.engine.rules, Channel::ResponseOther, model);
        }
        if self.dialect == Dialect::AnthropicMessages && plan.frame_type == "ping" && lexed.is_ok()
        {
            let clean = clean && self.singles(&plan, &mut block, tally)?;
            if clean {
                self.patterns = known;
            }
            self.aside(block, out);
            return Ok(());
        }
        let mut after = After::default();
        let read = lexed
            .map_err(Stop::from)
            .and_then(|()| self.singles(&plan, &mut block, tally))
            .map(|singles| clean &= singles)
            .and_then(|()| match self.dialect {
                Dialect::OpenAIChat => self.chat(&plan, &mut block, &mut after, tally),
                Dialect::AnthropicMessages => self.anthropic(&plan, &mut block, &mut after, tally),
            });
        if let (Ok(()), Some(text)) = (&read, said_alone(&plan, &block, &after).filter(|_| clean)) {
            self.patterns = known;
            if let Some(key) = after.touched.first() {
                self.patterns.learn(&block.raw, places(&plan, text, *key));
            }
        }
        // Queued whatever came of it: a policy may let pass what cannot be read.
        self.push(block, after.step.take().unwrap_or(Step::None));
        for key in &after.touched {
            self.settle(*key, false);
        }
        read?;
        self.after(&after, tally)
    }

    /// Reads the data of an event as one document.
    fn lex(&mut self, frame: &Frame) -> Result<(), BodyFault> {
        self.walker.reset();
        self.lexer.reset();
        for range in &frame.data {
            let data = frame.raw.get(range.clone()).unwrap_or_default();
            self.lexer.feed(data, range.start as u64, &mut self.walker)?;
            self.lexer.feed(b"\n", range.end as u64, &mut self.walker)?;
        }
        Ok(self.lexer.end(frame.raw.len() as u64, &mut self.walker)?)
    }

    /// What an event ends: choices, blocks, or everything.
    fn after(&mut self, after: &After, tally: &mut Tally) -> Result<(), Stop> {
        for group in &after.finished {
            self.calls.judge(&self.engine, *group, None, tally);
            self.end_lanes(|key| key.group == *group, tally)?;
        }
        if let Some(index) = after.stopped {
            self.end_lanes(|key| key.group == index, tally)?;
            self.judge_block(index, tally);
        }
        if after.all {
            self.end_lanes(|_| true, tally)?;
            self.calls.judge(&self.engine, 0, None, tally);
        }
        Ok(())
    }

    /// Lines that are no data. What a rule would edit there refuses the answer: nothing legitimate is lost.
    /// Whether they are clean.
    fn asides(&mut self, frame: &Frame, tally: &mut Tally) -> Result<bool, Stop> {
        let rules = &self.engine.rules;
        let channel = Channel::ResponseOther;
        let mut clean = true;
        for line in &frame.other {
            let text = String::from_utf8_lossy(frame.raw.get(line.clone()).unwrap_or_default());
            let named = text.strip_prefix("event:");
            if named.is_some_and(|name| words::is_known(name.trim_start())) {
                continue;
            }
            let raw = line.start as u64..line.end as u64;
            let scanned = Scanned::string(rules, ChannelSet::from(channel), &text, raw);
            let scanned = scanned.map_err(BodyFault::from)?;
            clean &= scanned.is_clean();
            if scanned.decide(rules, channel, &[], true, tally).rejected {
                return Err(Stop::Refused);
            }
        }
        Ok(clean)
    }

    /// Texts that are complete in this event; whether they are clean.
    fn singles(&mut self, plan: &Plan, block: &mut Block, tally: &mut Tally) -> Result<bool, Stop> {
        let rules = &self.engine.rules;
        let mut clean = true;
        for single in &plan.singles {
            let scope = ChannelSet::from(single.channel);
            if !rules.reads(scope) {
                continue;
            }
            let raw = single.raw.clone();
            let scanned = match single.bare {
                Some(key) => Scanned::bare(rules, scope, &single.text, raw, key),
                None => Scanned::string(rules, scope, &single.text, raw),
            }
            .map_err(BodyFault::from)?;
            if scanned.is_clean() {
                continue;
            }
            clean = false;
            let range = single.raw.start as usize..single.raw.end as usize;
            let content = block.raw.get(range).unwrap_or_default();
            let outcome = scanned.decide(rules, single.channel, content, false, tally);
            if outcome.rejected {
                return Err(Stop::Refused);
            }
            block.cuts.extend(outcome.cuts);
        }
        Ok(clean)
    }

    fn chat(
        &mut self,
        plan: &Plan,
        block: &mut Block,
        after: &mut After,
        tally: &mut Tally,
    ) -> Result<(), Stop> {
        let most = self.engine.policy.spec.limits.lanes();
        if plan.choices.len() > most {
            return Err(BodyFault::TooLarge.into());
        }
        let mut groups = Vec::new();
        for choice in &plan.choices {
            let group = plan.group(choice.position);
            groups.push(group);
            if let Some(raw) = &choice.logprobs {
                block.logprobs.push((group, raw.clone()));
            }
            if let Some((raw, text)) = &choice.finish {
                block.finish.push((group, raw.clone(), text.clone()));
            }
        }
        let fresh = groups.iter().filter(|group| !self.seen.open_choices.contains(group)).count();
        if self.seen.open_choices.len() + fresh > most {
            return Err(BodyFault::TooLarge.into());
        }
        for element in &plan.calls {
            let group = plan.group(element.choice);
            let number = match (&element.index, element.legacy) {
                (_, true) => LEGACY_CALL,
                (Some((index, _)), _) => *index,
                (None, _) => element.call,
            };
            let Some(call) = self.calls.open(group, number) else {
                return Err(BodyFault::TooLarge.into());
            };
            if let Some(name) = &element.name {
                call.name.push_str(name);
            }
            self.calls.judge(&self.engine, group, Some(number), tally);
            let part = plan.choices.iter().find(|c| c.position == element.choice);
            block.calls.push(CallPart {
                group,
                call: number,
                element: element.raw.clone(),
                list: part.and_then(|p| p.calls_list.clone()).filter(|_| !element.legacy),
                index: element.index.as_ref().map(|(_, raw)| raw.clone()),
                said_start: part.map_or(0, |p| p.said.start + 1),
                content: part.and_then(|p| p.content.clone()),
            });
        }
        for text in &plan.texts {
            let group = plan.group(text.choice);
            let part = match text.lane {
                Lane::Arguments | Lane::CustomInput => plan.call(text.choice, text.call),
                _ => 0,
            };
            let key = LaneKey { group, part, kind: text.lane };
            if !after.touched.contains(&key) {
                after.touched.push(key);
            }
            self.feed(key, &text.text, raw(text), block, tally)?;
        }
        after.finished = block.finish.iter().map(|(group, _, _)| *group).collect();
        after.step = Some(Step::Choices(groups));
        Ok(())
    }

    fn anthropic(
        &mut self,
        plan: &Plan,
        block: &mut Block,
        after: &mut After,
        tally: &mut Tally,
    ) -> Result<(), Stop> {
        let index = plan.index;
        if let Some((raw, text)) = &plan.stop {
            block.finish.push((0, raw.clone(), text.clone()));
        }
        let element = match plan.frame_type.as_str() {
            "content_block_start" if plan.block_type == "tool_use" => {
                let Some(call) = self.calls.open(0, index) else {
                    return Err(BodyFault::TooLarge.into());
                };
                call.name = plan.calls.iter().find_map(|c| c.name.clone()).unwrap_or_default();
                plan.block.clone()
            }
            "content_block_delta" if self.calls.get(0, index).is_some() => plan.said.clone(),
            _ => None,
        };
        if let Some(element) = element {
            block.calls.push(CallPart {
                group: 0,
                call: index,
                element,
                list: None,
                index: None,
                said_start: 0,
                content: None,
            });
        }
        for text in &plan.texts {
            let key = LaneKey { group: index, part: 0, kind: text.lane };
            after.touched.push(key);
            self.feed(key, &text.text, raw(text), block, tally)?;
        }
        after.step = Some(match plan.frame_type.as_str() {
            "message_start" => Step::Started,
            "content_block_start" => Step::BlockStart(index),
            "content_block_stop" => {
                after.stopped = Some(index);
                Step::BlockStop
            }
            "message_stop" | "error" => {
                after.all = true;
                Step::Done
            }
            _ => Step::None,
        });
        Ok(())
    }

    /// A comment or ping: it keeps its place, but keeps a client alive while a tool call is held.
    fn aside(&mut self, block: Block, out: &mut Vec<u8>) {
        if self.queue.iter().any(|(queued, _)| self.is_judging(queued)) {
            block.write(out);
        } else {
            self.push(block, Step::None);
        }
    }

    fn judge_block(&mut self, index: u32, tally: &mut Tally) {
        if self.calls.get(0, index).is_some_and(|c| c.denied.is_none()) {
            self.calls.judge(&self.engine, 0, None, tally);
        }
    }

    fn finish_frame(
        &mut self,
        block: Block,
        step: Step,
        ends: bool,
        tally: &mut Tally,
    ) -> Result<(), Stop> {
        self.push(block, step);
        if ends {
            let groups: Vec<u32> = self.lanes.iter().map(|l| l.key.group).collect();
            for group in groups {
                self.calls.judge(&self.engine, group, None, tally);
            }
            self.end_lanes(|_| true, tally)?;
        }
        Ok(())
    }

    fn push(&mut self, block: Block, step: Step) {
        self.queued = self.queued.saturating_add(block.raw.len() as u64);
        self.queue.push_back((block, step));
    }

    fn lane(&mut self, key: LaneKey) -> Result<usize, Stop> {
        if let Some(at) = self.lanes.iter().position(|l| l.key == key) {
            return Ok(at);
        }
        if self.lanes.len() >= self.engine.policy.spec.limits.lanes() {
            return Err(BodyFault::TooLarge.into());
        }
        self.lanes.push(LaneState::new(key));
        Ok(self.lanes.len() - 1)
    }

    fn feed(
        &mut self,
        key: LaneKey,
        text: &str,
        raw: Range<usize>,
        block: &mut Block,
        tally: &mut Tally,
    ) -> Result<(), Stop> {
        let scope = ChannelSet::from(key.kind.channel());
        if text.is_empty() || !self.engine.rules.reads(scope) {
            return Ok(());
        }
        let engine = self.engine.clone();
        let at = self.lane(key)?;
        let Some(lane) = self.lanes.get_mut(at) else { return Ok(()) };
        if key.kind.is_nested() {
            return feed_nested(&engine, lane, text, raw, block, &mut self.queue, tally);
        }
        let from = lane.position();
        let pushed = lane.push(&engine.rules, text, tally).map_err(BodyFault::from)?;
        if pushed.rejected {
            return Err(Stop::Refused);
        }
        block.segments.push(Segment {
            lane: key,
            text: from..lane.position(),
            raw,
            coding: Coding::String(Layers::Plain),
        });
        Ok(())
    }

    /// Applies a lane's settled edits to the events in the queue.
    fn settle(&mut self, key: LaneKey, ended: bool) {
        let engine = self.engine.clone();
        let Some(lane) = self.lanes.iter_mut().find(|l| l.key == key) else { return };
        let mut edits = Vec::new();
        lane.settle(&engine.rules, ended, &mut |edit| edits.push(edit));
        for edit in &edits {
            let mut written = false;
            for (block, _) in &mut self.queue {
                block.edit(&engine.rules, key, edit, &mut written);
            }
        }
    }

    fn end_lanes(&mut self, ends: impl Fn(LaneKey) -> bool, tally: &mut Tally) -> Result<(), Stop> {
        let engine = self.engine.clone();
        let keys: Vec<LaneKey> = self.lanes.iter().map(|l| l.key).filter(|k| ends(*k)).collect();
        for key in keys {
            let Some(lane) = self.lanes.iter_mut().find(|l| l.key == key) else { continue };
            if lane.end(&engine.rules, tally).map_err(BodyFault::from)?.rejected {
                return Err(Stop::Refused);
            }
            self.settle(key, true);
            self.lanes.retain(|l| l.key != key);
        }
        Ok(())
    }

    fn free(&self, key: LaneKey) -> u64 {
        self.lanes.iter().find(|l| l.key == key).map_or(u64::MAX, |l| l.free)
    }

    fn is_judging(&self, block: &Block) -> bool {
        self.engine.holds_calls
            && block.calls.iter().any(|c| self.calls.verdict(c.group, c.call).is_none())
    }

    /// Lets the events go that nothing holds, in the order in which they came: an overtaking event would change
    /// the bytes of a stream in which nothing was found.
    fn release(&mut self, now: u64, out: &mut Vec<u8>, tally: &mut Tally) {
        while let Some((block, _)) = self.queue.front() {
            let free = |key| self.free(key);
            if !block.is_free(&free) || self.is_judging(block) {
                break;
            }
            let Some((mut block, step)) = self.queue.pop_front() else { break };
            self.queued = self.queued.saturating_sub(block.raw.len() as u64);
            if now > block.since {
                tally.held_events += 1;
                tally.held_micros = tally.held_micros.saturating_add(now - block.since);
            }
            let later: Vec<u32> =
                self.queue.iter().flat_map(|(b, _)| b.calls.iter().map(|c| c.call)).collect();
            deny::apply(self.dialect, &mut block, &mut self.calls, &later);
            self.note_step(step, &block);
            block.write(out);
        }
    }

    fn note_step(&mut self, step: Step, block: &Block) {
        match step {
            Step::None => {}
            Step::Started => self.seen.started = true,
            Step::BlockStart(index) => self.seen.open_block = Some(index),
            Step::BlockStop => self.seen.open_block = None,
            Step::Done => self.seen.done = true,
            Step::Choices(groups) => {
                for group in groups {
                    let finished = block.finish.iter().any(|(g, _, _)| *g == group);
                    self.seen.open_choices.retain(|g| *g != group);
                    if !finished {
                        self.seen.open_choices.push(group);
                    }
                }
            }
        }
    }
}

/// Where a text is written in its event.
fn raw(text: &LaneText) -> Range<usize> {
    text.raw.start as usize..text.raw.end as usize
}

fn is_null(block: &Block, raw: &Range<u64>) -> bool {
    block.raw.get(raw.start as usize..raw.end as usize) == Some(b"null")
}

/// Where an event may differ from another that says the same, in order.
fn places(plan: &Plan, text: &LaneText, key: LaneKey) -> Vec<Place> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = plan.singles.iter().filter(|single| single.plain);
    let singles = plain.filter_map(|single| {
        let raw = single.raw.start as usize..single.raw.end as usize;
        match single.bare {
            None => Some(Place { raw, kind: Kind::String(single.channel) }),
            Some(false) if digits(&single.text) => {
                Some(Place { raw, kind: Kind::Number(single.channel) })
            }
            Some(_) => None,
        }
    });
    let mut places: Vec<Place> = singles.collect();
    let text = Place { raw: raw(text), kind: Kind::Text(key) };
    let at = places.partition_point(|place| place.raw.start < text.raw.start);
    places.insert(at, text);
    places
}

/// The text of an event that carries nothing else, and changes nothing.
fn said_alone<'a>(plan: &'a Plan, block: &Block, after: &After) -> Option<&'a LaneText> {
    let [text] = plan.texts.as_slice() else { return None };
    let plain = block.partials.is_empty()
        && block.calls.is_empty()
        && block.cuts.is_empty()
        && block.logprobs.iter().all(|(_, raw)| is_null(block, raw))
        && block.finish.is_empty();
    let quiet = after.finished.is_empty() && after.stopped.is_none() && !after.all;
    let same = match &after.step {
        None | Some(Step::None) => true,
        Some(Step::Choices(groups)) => groups.len() == 1,
        Some(_) => false,
    };
    let bare = plan.media_bytes == 0 && plan.tokens == Tokens::default();
    (plain && quiet && same && bare && !text.lane.is_nested()).then_some(text)
}

fn sse_fault(_: SseFault) -> Stop {
    BodyFault::TooLarge.into()
}
