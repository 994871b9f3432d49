//! One stream event, read whole: what it carries, before any of its text is scanned.

use std::ops::Range;

use weir_rules::Channel;

use crate::dialect::{Direction, Fact, Facts, Lane, Meaning, Node, Value};
use crate::tally::Tokens;

/// A text of a lane, complete within this event.
pub struct LaneText {
    pub lane: Lane,
    /// Position of the choice in the event's array, and of the call in the choice's.
    pub choice: u32,
    pub call: u32,
    pub text: String,
    pub raw: Range<u64>,
}

/// A text of its own: it does not go on in later events.
pub struct Single {
    pub channel: Channel,
    pub text: String,
    pub raw: Range<u64>,
    /// A number or a member name (`Some(true)`) instead of a string.
    pub bare: Option<bool>,
    /// It is text and nothing else: whatever it says decides nothing.
    pub plain: bool,
}

/// A tool call's element in the event.
#[derive(Default, Clone)]
pub struct CallElement {
    pub choice: u32,
    pub call: u32,
    pub raw: Range<u64>,
    pub index: Option<(u32, Range<u64>)>,
    pub name: Option<String>,
    pub legacy: bool,
}

/// What is known of one entry of `choices`.
#[derive(Default, Clone)]
pub struct ChoicePart {
    pub position: u32,
    pub index: Option<u32>,
    pub said: Range<u64>,
    pub content: Option<Range<u64>>,
    pub calls_list: Option<Range<u64>>,
    pub logprobs: Option<Range<u64>>,
    pub finish: Option<(Range<u64>, String)>,
}

/// The event's content in the order of its bytes.
#[derive(Default)]
pub struct Plan {
    pub texts: Vec<LaneText>,
    pub singles: Vec<Single>,
    pub calls: Vec<CallElement>,
    pub choices: Vec<ChoicePart>,
    pub frame_type: String,
    pub block_type: String,
    pub block: Option<Range<u64>>,
    pub said: Option<Range<u64>>,
    pub index: u32,
    pub id: Option<String>,
    pub model: Option<String>,
    pub stop: Option<(Range<u64>, String)>,
    pub media_bytes: u64,
    pub tokens: Tokens,
}

impl Plan {
    /// Reads the facts of one event.
    pub fn read(facts: &Facts) -> Plan {
        let mut plan = Plan::default();
        let mut current = String::new();
        for fact in &facts.list {
            match fact {
                Fact::Text { text, .. } => current.push_str(facts.text(text)),
                Fact::TextEnd { meaning, spot, raw } => {
                    let text = std::mem::take(&mut current);
                    plan.text(*meaning, spot.first, spot.second, text, raw.clone());
                }
                Fact::Bare { meaning, text, raw, key } => plan.singles.push(Single {
                    channel: meaning.channel(Direction::Answer),
                    text: facts.text(text).to_owned(),
                    raw: raw.clone(),
                    bare: Some(*key),
                    plain: matches!(meaning, Meaning::Text(_)),
                }),
                Fact::Value { value, spot, text, raw } => {
                    plan.value(*value, spot.first, spot.second, facts.text(text), raw);
                }
                Fact::Begin { node, spot, raw } => plan.begin(*node, spot.first, spot.second, raw),
                Fact::End { node, spot, raw, .. } => plan.end(*node, spot.first, raw),
                Fact::Media { bytes } => {
                    plan.media_bytes = plan.media_bytes.saturating_add(*bytes);
                }
                Fact::Reference | Fact::State => {}
            }
        }
        plan
    }

    fn text(&mut self, meaning: Meaning, choice: u32, call: u32, text: String, raw: Range<u64>) {
        match meaning {
            Meaning::Lane(lane) => {
                self.texts.push(LaneText { lane, choice, call, text, raw });
            }
            meaning => {
                let channel = meaning.channel(Direction::Answer);
                let plain = matches!(meaning, Meaning::Text(_));
                self.singles.push(Single { channel, text, raw, bare: None, plain });
            }
        }
    }

    fn choice(&mut self, position: u32) -> Option<&mut ChoicePart> {
        self.choices.iter_mut().rev().find(|c| c.position == position)
    }

    fn value(&mut self, value: Value, first: u32, second: u32, text: &str, raw: &Range<u64>) {
        let number = || text.parse::<u32>().ok();
        match value {
            Value::ChoiceIndex => {
                if let Some(choice) = self.choice(first) {
                    choice.index = number();
                }
            }
            Value::Finish if text != "null" => {
                let finish = Some((raw.clone(), text.to_owned()));
                match self.choice(first) {
                    Some(choice) => choice.finish = finish,
                    None => self.stop = finish,
                }
            }
            Value::CallIndex => {
                if let Some(call) = self.calls.last_mut() {
                    call.index = number().map(|n| (n, raw.clone()));
                }
            }
            Value::CallName => match self
                .calls
                .iter_mut()
                .rev()
                .find(|c| c.choice == first && (c.legacy || c.call == second))
            {
                Some(call) => call.name = Some(text.to_owned()),
                None => self
                    .calls
                    .push(CallElement { name: Some(text.to_owned()), ..CallElement::default() }),
            },
            Value::FrameType => self.frame_type = text.to_owned(),
            Value::BlockType => self.block_type = text.to_owned(),
            Value::BlockIndex => self.index = number().unwrap_or(0),
            Value::Id => self.id = Some(text.to_owned()),
            Value::Model => self.model = Some(text.to_owned()),
            value => self.tokens.note(value, text),
        }
    }

    fn begin(&mut self, node: Node, first: u32, second: u32, raw: &Range<u64>) {
        match node {
            Node::Choice => {
                self.choices.push(ChoicePart { position: first, ..ChoicePart::default() });
            }
            Node::ToolCall | Node::FunctionCall => self.calls.push(CallElement {
                choice: first,
                call: second,
                raw: raw.clone(),
                legacy: node == Node::FunctionCall,
                ..CallElement::default()
            }),
            _ => {}
        }
    }

    fn end(&mut self, node: Node, first: u32, raw: &Range<u64>) {
        match node {
            Node::Said => match self.choice(first) {
                Some(choice) => choice.said = raw.clone(),
                None => self.said = Some(raw.clone()),
            },
            Node::SaidContent => {
                if let Some(choice) = self.choice(first) {
                    choice.content = Some(raw.clone());
                }
            }
            Node::ToolCalls => {
                if let Some(choice) = self.choice(first) {
                    choice.calls_list = Some(raw.clone());
                }
            }
            Node::Logprobs => {
                if let Some(choice) = self.choice(first) {
                    choice.logprobs = Some(raw.clone());
                }
            }
            Node::ToolCall | Node::FunctionCall => {
                let own = self.calls.iter_mut().rev().find(|c| c.raw.start == raw.start);
                if let Some(call) = own {
                    call.raw = raw.clone();
                }
            }
            Node::Block => self.block = Some(raw.clone()),
            _ => {}
        }
    }

    /// The number of the choice at a position of the event's array.
    pub fn group(&self, position: u32) -> u32 {
        let own = self.choices.iter().find(|c| c.position == position);
        own.and_then(|c| c.index).unwrap_or(position)
    }

    /// The number of the call at a position of a choice's array.
    pub fn call(&self, choice: u32, position: u32) -> u32 {
        let own = self.calls.iter().find(|c| c.choice == choice && c.call == position && !c.legacy);
        own.and_then(|c| c.index.as_ref()).map_or(position, |(index, _)| *index)
    }
}
