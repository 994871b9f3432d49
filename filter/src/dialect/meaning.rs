//! What a dialect says of a place in a document, whatever the dialect.

use weir_rules::Channel;

use super::Direction;

/// A text that a client joins over stream events, by choice or block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    Text,
    Transcript,
    Refusal,
    Reasoning,
    ReasoningContent,
    ReasoningDetails,
    /// Reasoning that the provider signs: it is never edited.
    Signed,
    /// Tool-call arguments: JSON inside a JSON string.
    Arguments,
    /// Free text input of a custom tool.
    CustomInput,
    LegacyArguments,
    /// Tokens of `logprobs`: a copy of the text.
    Logprobs,
}

impl Lane {
    /// The channel whose rules read this lane.
    pub fn channel(self) -> Channel {
        match self {
            Lane::Text | Lane::Transcript | Lane::Logprobs => Channel::ResponseText,
            Lane::Refusal => Channel::ResponseRefusal,
            Lane::Reasoning | Lane::ReasoningContent | Lane::ReasoningDetails | Lane::Signed => {
                Channel::ResponseReasoning
            }
            Lane::Arguments | Lane::CustomInput | Lane::LegacyArguments => {
                Channel::ResponseToolCall
            }
        }
    }

    /// Whether the text is itself JSON.
    pub fn is_nested(self) -> bool {
        matches!(self, Lane::Arguments | Lane::LegacyArguments)
    }
}

/// What a string or scalar at a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Text of one channel, complete in this string.
    Text(Channel),
    /// JSON inside a string, of one channel.
    Arguments(Channel),
    /// Text that belongs to the channel of its message's role.
    Spoken,
    /// Content of a tool result or a document, by the type of its block.
    Result,
    /// `source.data`: a document's text or base64, by the type of its source.
    SourceData,
    /// Text that a signature covers.
    Signed(Channel),
    /// Text that continues over stream events.
    Lane(Lane),
    /// Short values that decide something.
    Value(Value),
    /// An image or file inside the document: not inspected, counted.
    Media,
    /// A URL: media when it carries its data, else a reference that cannot be inspected.
    Url,
    /// Something stored elsewhere that the model will read.
    Reference,
    /// Conversation state at the provider.
    State,
    /// Identifies or types the document, where numbers are nobody's.
    Structural,
}

impl Meaning {
    /// The channel whose rules read it, where the place alone decides that.
    pub fn channel(self, direction: Direction) -> Channel {
        match (self, direction) {
            (
                Meaning::Text(channel) | Meaning::Arguments(channel) | Meaning::Signed(channel),
                _,
            ) => channel,
            (Meaning::Lane(lane), _) => lane.channel(),
            (Meaning::SourceData, _) => Channel::RequestDocument,
            (Meaning::Result, _) => Channel::RequestToolResult,
            (Meaning::Value(Value::ToolName), _) => Channel::RequestToolDefinition,
            (Meaning::Value(Value::CallName), _) => Channel::ResponseToolCall,
            (_, Direction::Request) => Channel::RequestOther,
            (_, Direction::Answer) => Channel::ResponseOther,
        }
    }
}

/// Values read whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    Role,
    BlockType,
    SourceType,
    ToolName,
    ChosenTool,
    CallName,
    CallIndex,
    ChoiceIndex,
    BlockIndex,
    FrameType,
    Finish,
    Model,
    Stream,
    Id,
    /// Tokens used, as the provider counts them.
    InputTokens,
    OutputTokens,
}

/// Objects, arrays and members that the filter may have to cut out or replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    Message,
    Tools,
    Tool,
    ToolChoice,
    ParallelToolCalls,
    Choice,
    /// `message` or `delta` of a choice.
    Said,
    /// `content` of a message or delta, whatever its value.
    SaidContent,
    ToolCalls,
    ToolCall,
    FunctionCall,
    Logprobs,
    /// A content block of an Anthropic answer.
    Block,
}
