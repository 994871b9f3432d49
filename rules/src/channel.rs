//! Channels: one ordered text that a client or model will read as one (design decision 5). The list is closed.

macro_rules! channels {
    ($($variant:ident = $name:literal: $doc:literal,)*) => {
        /// Where a text stands: side and speaker.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Channel {
            $(#[doc = $doc] $variant,)*
        }

        impl Channel {
            /// All channels, in their order.
            pub const LIST: &[Channel] = &[$(Channel::$variant,)*];

            /// The name in policies and records.
            pub fn name(self) -> &'static str {
                match self { $(Channel::$variant => $name,)* }
            }
        }
    };
}

channels! {
    RequestSystem = "request.system": "System and developer prompts.",
    RequestUser = "request.user": "What a user wrote.",
    RequestAssistant = "request.assistant": "Earlier answers in the history.",
    RequestToolDefinition = "request.toolDefinition": "Names, descriptions and schemas of the tools offered.",
    RequestToolCall = "request.toolCall": "Arguments of earlier tool calls.",
    RequestToolResult = "request.toolResult": "What tools returned.",
    RequestDocument = "request.document": "Documents and search results.",
    RequestOther = "request.other": "Strings at paths that no dialect names.",
    ResponseText = "response.text": "The answer's text.",
    ResponseReasoning = "response.reasoning": "Reasoning and thinking.",
    ResponseRefusal = "response.refusal": "The model's own refusal.",
    ResponseToolCall = "response.toolCall": "Arguments of tool calls.",
    ResponseCitation = "response.citation": "Citations and annotations.",
    ResponseOther = "response.other": "Strings at paths that no dialect names.",
}

impl std::fmt::Display for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Channel {
    type Err = ();

    fn from_str(name: &str) -> Result<Channel, ()> {
        Channel::LIST.iter().copied().find(|c| c.name() == name).ok_or(())
    }
}

/// A set of channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ChannelSet(u16);

impl ChannelSet {
    pub const EMPTY: ChannelSet = ChannelSet(0);
    pub const ALL: ChannelSet = ChannelSet(0x3fff);
    /// Channels of requests.
    pub const REQUEST: ChannelSet = ChannelSet(0x00ff);
    /// Channels of answers.
    pub const RESPONSE: ChannelSet = ChannelSet(0x3f00);

    /// The set of these channels.
    pub fn of(channels: &[Channel]) -> ChannelSet {
        channels.iter().fold(ChannelSet::EMPTY, |all, c| all.union(ChannelSet::from(*c)))
    }

    pub fn contains(self, channel: Channel) -> bool {
        self.intersects(ChannelSet::from(channel))
    }

    pub fn intersects(self, other: ChannelSet) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether all of these channels are in `other`.
    pub fn is_within(self, other: ChannelSet) -> bool {
        self.0 & !other.0 == 0
    }

    pub fn union(self, other: ChannelSet) -> ChannelSet {
        ChannelSet(self.0 | other.0)
    }

    pub fn intersection(self, other: ChannelSet) -> ChannelSet {
        ChannelSet(self.0 & other.0)
    }

    pub fn without(self, other: ChannelSet) -> ChannelSet {
        ChannelSet(self.0 & !other.0)
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn iter(self) -> impl Iterator<Item = Channel> {
        Channel::LIST.iter().copied().filter(move |c| self.contains(*c))
    }
}

impl From<Channel> for ChannelSet {
    fn from(channel: Channel) -> ChannelSet {
        ChannelSet(1 << channel as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sides_are_all_channels() {
        assert_eq!(ChannelSet::REQUEST.union(ChannelSet::RESPONSE), ChannelSet::ALL);
        assert!(!ChannelSet::REQUEST.intersects(ChannelSet::RESPONSE));
        for channel in Channel::LIST {
            let side = channel.name().starts_with("request.");
            assert_eq!(ChannelSet::REQUEST.contains(*channel), side, "{channel}");
            assert_eq!(channel.name().parse(), Ok(*channel));
        }
        assert_eq!(ChannelSet::ALL.iter().count(), Channel::LIST.len());
    }
}
