//! OpenAI Chat Completions: <https://platform.openai.com/docs/api-reference/chat>, with the fields that
//! compatible servers add (`reasoning_content`, `reasoning`, `reasoning_details`).

use weir_rules::Channel;

use super::meaning::{Lane, Meaning, Node, Value};
use super::path::Key::*;
use super::path::Seg::{self, Index as I, Key as K};

/// A string or scalar of a request body.
pub fn request(path: &[Seg]) -> Meaning {
    let assistant = Meaning::Text(Channel::RequestAssistant);
    match path {
        [K(Messages), I(_), K(Role)] => Meaning::Value(Value::Role),
        [K(Messages), I(_), K(Content)] | [K(Messages), I(_), K(Content), I(_), K(Text)] => {
            Meaning::Spoken
        }
        [K(Messages), I(_), K(Content), I(_), K(Refusal)]
        | [K(Messages), I(_), K(Refusal | Reasoning | ReasoningContent)]
        | [K(Prediction), K(Content), ..] => assistant,
        [K(Messages), I(_), K(Content), I(_), rest @ ..] => part(rest),
        [K(Messages), I(_), K(ToolCalls), I(_), K(Function), K(Arguments)]
        | [K(Messages), I(_), K(FunctionCall), K(Arguments)] => {
            Meaning::Arguments(Channel::RequestToolCall)
        }
        [K(Messages), I(_), K(ToolCalls), I(_), K(Custom), K(Input)] => {
            Meaning::Text(Channel::RequestToolCall)
        }
        [K(Messages), I(_), K(ToolCalls), I(_), K(Type)] => Meaning::Structural,
        [K(Tools), I(_), K(Function | Custom), K(Name)] | [K(Tools | Functions), I(_), K(Name)] => {
            Meaning::Value(Value::ToolName)
        }
        [K(Tools), I(_), K(Type)] => Meaning::Structural,
        [K(Tools | Functions), ..] => Meaning::Text(Channel::RequestToolDefinition),
        [K(ToolChoice), K(Function | Custom), K(Name)] | [K(FunctionCall), K(Name)] => {
            Meaning::Value(Value::ChosenTool)
        }
        [K(ToolChoice | FunctionCall), ..] => Meaning::Structural,
        [K(Model)] => Meaning::Value(Value::Model),
        [K(Stream)] => Meaning::Value(Value::Stream),
        [K(PreviousResponseId | Conversation), ..] => Meaning::State,
        _ => Meaning::Text(Channel::RequestOther),
    }
}

fn part(path: &[Seg]) -> Meaning {
    match path {
        [K(ImageUrl)] | [K(ImageUrl), K(Url)] => Meaning::Url,
        [K(InputAudio), K(Data)] | [K(File), K(FileData)] => Meaning::Media,
        [K(File), K(FileId)] => Meaning::Reference,
        [K(Type)] => Meaning::Structural,
        _ => Meaning::Text(Channel::RequestOther),
    }
}

/// A container or member of a request body.
pub fn request_node(path: &[Seg]) -> Option<Node> {
    match path {
        [K(Messages), I(_)] => Some(Node::Message),
        [K(Tools | Functions)] => Some(Node::Tools),
        [K(Tools | Functions), I(_)] => Some(Node::Tool),
        [K(ToolChoice | FunctionCall)] => Some(Node::ToolChoice),
        [K(ParallelToolCalls)] => Some(Node::ParallelToolCalls),
        _ => None,
    }
}

/// A string or scalar of an answer: a whole body (`message`) or a stream event (`delta`).
pub fn answer(path: &[Seg]) -> Meaning {
    match path {
        [K(Choices), I(_), K(Message | Delta), rest @ ..] => said(rest),
        [K(Choices), I(_), K(Key::Index)] => Meaning::Value(Value::ChoiceIndex),
        [K(Choices), I(_), K(FinishReason)] => Meaning::Value(Value::Finish),
        [K(Choices), I(_), K(Logprobs), K(Content | Refusal), I(_), K(Token)] => {
            Meaning::Lane(Lane::Logprobs)
        }
        [K(Choices), I(_), K(Logprobs), ..] => Meaning::Structural,
        [K(Id)] => Meaning::Value(Value::Id),
        [K(Model)] => Meaning::Value(Value::Model),
        [K(Object)] => Meaning::Structural,
        [K(Usage), K(PromptTokens)] => Meaning::Value(Value::InputTokens),
        [K(Usage), K(CompletionTokens)] => Meaning::Value(Value::OutputTokens),
        _ => Meaning::Text(Channel::ResponseOther),
    }
}

use super::path::Key;

fn said(path: &[Seg]) -> Meaning {
    match path {
        [K(Content)] | [K(Content), I(_), K(Text)] => Meaning::Lane(Lane::Text),
        [K(Refusal)] => Meaning::Lane(Lane::Refusal),
        [K(Reasoning)] => Meaning::Lane(Lane::Reasoning),
        [K(ReasoningContent)] => Meaning::Lane(Lane::ReasoningContent),
        [K(ReasoningDetails), I(_), K(Text)] => Meaning::Lane(Lane::ReasoningDetails),
        [K(ReasoningDetails), I(_), K(Type | Signature | Data)] => Meaning::Structural,
        [K(ToolCalls), I(_), K(Function), K(Arguments)] => Meaning::Lane(Lane::Arguments),
        [K(ToolCalls), I(_), K(Custom), K(Input)] => Meaning::Lane(Lane::CustomInput),
        [K(ToolCalls), I(_), K(Function | Custom), K(Name)] => Meaning::Value(Value::CallName),
        [K(ToolCalls), I(_), K(Key::Index)] => Meaning::Value(Value::CallIndex),
        [K(FunctionCall), K(Arguments)] => Meaning::Lane(Lane::LegacyArguments),
        [K(FunctionCall), K(Name)] => Meaning::Value(Value::CallName),
        [K(Annotations), ..] => Meaning::Text(Channel::ResponseCitation),
        [K(Audio), K(Transcript)] => Meaning::Lane(Lane::Transcript),
        [K(Audio), K(Data)] => Meaning::Media,
        [K(Role)] | [K(ToolCalls), I(_), K(Type)] | [K(Content), I(_), K(Type)] => {
            Meaning::Structural
        }
        _ => Meaning::Text(Channel::ResponseOther),
    }
}

/// A container or member of an answer.
pub fn answer_node(path: &[Seg]) -> Option<Node> {
    match path {
        [K(Choices), I(_)] => Some(Node::Choice),
        [K(Choices), I(_), K(Logprobs)] => Some(Node::Logprobs),
        [K(Choices), I(_), K(Message | Delta)] => Some(Node::Said),
        [K(Choices), I(_), K(Message | Delta), K(Content)] => Some(Node::SaidContent),
        [K(Choices), I(_), K(Message | Delta), K(ToolCalls)] => Some(Node::ToolCalls),
        [K(Choices), I(_), K(Message | Delta), K(ToolCalls), I(_)] => Some(Node::ToolCall),
        [K(Choices), I(_), K(Message | Delta), K(FunctionCall)] => Some(Node::FunctionCall),
        _ => None,
    }
}
