//! Paths of a JSON document as the dialects name them.

/// One step from a container to its member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seg {
    Key(Key),
    Index(u32),
}

macro_rules! keys {
    ($($name:ident = $text:literal,)*) => {
        /// Member names that some dialect gives a meaning to; every other name is [`Key::Other`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Key { $($name,)* Other }

        impl Key {
            /// The key of a member name.
            pub fn of(name: &str) -> Key {
                match name { $($text => Key::$name,)* _ => Key::Other }
            }
        }
    };
}

keys! {
    Annotations = "annotations", Arguments = "arguments", Audio = "audio", Choices = "choices",
    CompletionTokens = "completion_tokens",
    Citation = "citation", Citations = "citations", Container = "container", Content = "content",
    ContentBlock = "content_block", Context = "context", Conversation = "conversation", Custom = "custom",
    Data = "data", Delta = "delta", Error = "error", File = "file", FileData = "file_data", FileId = "file_id",
    FinishReason = "finish_reason", Function = "function", FunctionCall = "function_call",
    Functions = "functions", Id = "id", ImageUrl = "image_url", Index = "index", Input = "input",
    InputAudio = "input_audio", InputTokens = "input_tokens", Logprobs = "logprobs", McpServers = "mcp_servers", Message = "message",
    Messages = "messages", Model = "model", Name = "name", Object = "object", OutputTokens = "output_tokens",
    ParallelToolCalls = "parallel_tool_calls", PartialJson = "partial_json", Prediction = "prediction",
    PromptTokens = "prompt_tokens", PreviousResponseId = "previous_response_id", Reasoning = "reasoning",
    ReasoningContent = "reasoning_content", ReasoningDetails = "reasoning_details", Refusal = "refusal",
    Role = "role", Signature = "signature", Source = "source", StopReason = "stop_reason",
    Stream = "stream", System = "system", Text = "text", Thinking = "thinking", Title = "title",
    Token = "token", ToolCalls = "tool_calls", ToolChoice = "tool_choice", Tools = "tools",
    Transcript = "transcript", Type = "type", Url = "url", Usage = "usage",
}
