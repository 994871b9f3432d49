//! Anthropic Messages: <https://docs.anthropic.com/en/api/messages> and its streaming events.

use weir_rules::Channel;

use super::meaning::{Lane, Meaning, Node, Value};
use super::path::Key::{self, *};
use super::path::Seg::{self, Index as I, Key as K};

/// A string or scalar of a request body.
pub fn request(path: &[Seg]) -> Meaning {
    match path {
        [K(System)] | [K(System), I(_), K(Text)] => Meaning::Text(Channel::RequestSystem),
        [K(System), I(_), K(Type)] => Meaning::Structural,
        [K(Messages), I(_), K(Role)] => Meaning::Value(Value::Role),
        [K(Messages), I(_), K(Content)] => Meaning::Spoken,
        [K(Messages), I(_), K(Content), I(_), rest @ ..] => block(rest),
        [K(Tools), I(_), K(Name)] => Meaning::Value(Value::ToolName),
        [K(Tools), I(_), K(Type)] => Meaning::Structural,
        [K(Tools), ..] => Meaning::Text(Channel::RequestToolDefinition),
        [K(McpServers), I(_), K(Url)] => Meaning::Reference,
        [K(ToolChoice), K(Name)] => Meaning::Value(Value::ChosenTool),
        [K(ToolChoice), ..] => Meaning::Structural,
        [K(Model)] => Meaning::Value(Value::Model),
        [K(Stream)] => Meaning::Value(Value::Stream),
        [K(Container), ..] => Meaning::State,
        _ => Meaning::Text(Channel::RequestOther),
    }
}

fn block(path: &[Seg]) -> Meaning {
    match path {
        [K(Text)] => Meaning::Spoken,
        [K(Type)] => Meaning::Value(Value::BlockType),
        [K(Thinking)] => Meaning::Signed(Channel::RequestAssistant),
        [K(Signature)] | [K(Data)] => Meaning::Structural,
        [K(Input), ..] => Meaning::Text(Channel::RequestToolCall),
        [K(Content)] => Meaning::Result,
        [K(Content), I(_), K(Text)] => Meaning::Result,
        [K(Content), I(_), K(Type)] => Meaning::Structural,
        [K(Source), K(Content)] | [K(Source), K(Content), I(_), K(Text)] => {
            Meaning::Text(Channel::RequestDocument)
        }
        [K(Title | Context)] | [K(Content), I(_), K(Title | Context)] => {
            Meaning::Text(Channel::RequestDocument)
        }
        [K(Source)] => Meaning::Text(Channel::RequestDocument),
        [K(Source), rest @ ..] | [K(Content), I(_), K(Source), rest @ ..] => source(rest),
        _ => Meaning::Text(Channel::RequestOther),
    }
}

fn source(path: &[Seg]) -> Meaning {
    match path {
        [K(Type)] => Meaning::Value(Value::SourceType),
        [K(Data)] => Meaning::SourceData,
        [K(Url)] => Meaning::Url,
        [K(FileId)] => Meaning::Reference,
        _ => Meaning::Text(Channel::RequestOther),
    }
}

/// A container or member of a request body.
pub fn request_node(path: &[Seg]) -> Option<Node> {
    match path {
        [K(Messages), I(_)] => Some(Node::Message),
        [K(Tools)] => Some(Node::Tools),
        [K(Tools), I(_)] => Some(Node::Tool),
        [K(ToolChoice)] => Some(Node::ToolChoice),
        _ => None,
    }
}

/// A string or scalar of a whole answer, or of one stream event.
pub fn answer(path: &[Seg]) -> Meaning {
    match path {
        [K(Message), K(Type)] => Meaning::Structural,
        [K(Message), rest @ ..] if !rest.is_empty() => answer(rest),
        [K(Content), I(_), rest @ ..] | [K(ContentBlock), rest @ ..] => answer_block(rest),
        [K(Delta), K(Key::PartialJson)] => Meaning::Lane(Lane::Arguments),
        [K(Delta), K(StopReason)] | [K(StopReason)] => Meaning::Value(Value::Finish),
        [K(Delta), K(Citation), ..] => Meaning::Text(Channel::ResponseCitation),
        [K(Delta), rest @ ..] => answer_block(rest),
        [K(Type)] => Meaning::Value(Value::FrameType),
        [K(Key::Index)] => Meaning::Value(Value::BlockIndex),
        [K(Id)] => Meaning::Value(Value::Id),
        [K(Model)] => Meaning::Value(Value::Model),
        [K(Role)] => Meaning::Structural,
        [K(Usage), K(InputTokens)] => Meaning::Value(Value::InputTokens),
        [K(Usage), K(OutputTokens)] => Meaning::Value(Value::OutputTokens),
        _ => Meaning::Text(Channel::ResponseOther),
    }
}

fn answer_block(path: &[Seg]) -> Meaning {
    match path {
        [K(Text)] => Meaning::Lane(Lane::Text),
        [K(Thinking)] => Meaning::Lane(Lane::Signed),
        [K(Signature | Data)] => Meaning::Structural,
        [K(Type)] => Meaning::Value(Value::BlockType),
        [K(Name)] => Meaning::Value(Value::CallName),
        [K(Input), ..] => Meaning::Text(Channel::ResponseToolCall),
        [K(Citations | Citation), ..] => Meaning::Text(Channel::ResponseCitation),
        _ => Meaning::Text(Channel::ResponseOther),
    }
}

/// A container or member of an answer.
pub fn answer_node(path: &[Seg]) -> Option<Node> {
    match path {
        [K(Content), I(_)] | [K(ContentBlock)] => Some(Node::Block),
        [K(Delta)] => Some(Node::Said),
        _ => None,
    }
}
