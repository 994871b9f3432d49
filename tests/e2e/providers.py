"""The two providers behind one face, through their official SDKs, so that one test reads for both."""

import json
from dataclasses import dataclass, field

import anthropic
import openai

import anthropic_wire
import openai_wire
from gateway import Gateway
from upstream import SCENARIO, Request, Script

TIMEOUT = 20.0
"""Longest time an SDK call may take, in seconds."""


@dataclass
class Outcome:
    """What an application sees: the text of each choice, the tool calls, and how the provider says it ended."""

    texts: list[str] = field(default_factory=list)
    calls: list[tuple[str, dict]] = field(default_factory=list)
    finish: list[str] = field(default_factory=list)


class OpenAI:
    """Chat Completions."""

    name = "openai"
    host = "api.openai.com"
    path = "/v1/chat/completions"
    stopped, called, filtered = "stop", "tool_calls", "content_filter"
    denied = openai.PermissionDeniedError

    def answer(self, text=(), calls=()) -> Script:
        """What the provider is to say: text tokens, then calls as (name, argument fragments)."""
        made = [openai_wire.Call(name, parts, id=f"call_{index:024d}") for index, (name, parts) in enumerate(calls)]
        return openai_wire.Chat([openai_wire.Choice(text=text, calls=made)])

    def request(self, prompt="hello", *, stream=False, tool_result=None, tools=()) -> dict:
        """A request body; with a tool result the conversation has a finished call in it."""
        messages = [{"role": "user", "content": prompt}]
        if tool_result is not None:
            call = {"id": "call_1", "type": "function", "function": {"name": "fetch", "arguments": "{}"}}
            messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
            messages.append({"role": "tool", "tool_call_id": "call_1", "content": tool_result})
        body = {"model": "gpt-4o", "messages": messages, "stream": stream}
        if tools:
            schema = {"type": "object", "properties": {}}
            body["tools"] = [
                {"type": "function", "function": {"name": name, "description": f"does {name}", "parameters": schema}}
                for name in tools
            ]
        return body

    def ask(self, gateway: Gateway, scenario: str, prompt="hello", *, stream=False, **more) -> Outcome:
        """One call through the SDK."""
        made = self.client(gateway, scenario).chat.completions.create(**self.request(prompt, stream=stream, **more))
        return _openai_stream(made) if stream else _openai_whole(made)

    def client(self, gateway: Gateway, scenario: str) -> openai.OpenAI:
        """The SDK pointed at the gateway, without retries."""
        headers = {SCENARIO: scenario, "host": self.host}
        return openai.OpenAI(
            base_url=f"{gateway.url}/v1", api_key="key", max_retries=0, timeout=TIMEOUT, default_headers=headers
        )

    def seen_tool_result(self, request: Request) -> str:
        """The tool result that reached the provider."""
        return next(message["content"] for message in request.json()["messages"] if message["role"] == "tool")

    def seen_tools(self, request: Request) -> list[str]:
        """The names of the tools that reached the provider."""
        return [tool["function"]["name"] for tool in request.json().get("tools") or []]

    def check_error(self, body: object) -> None:
        """The provider's error object, whole, as the SDK hands it out."""
        assert isinstance(body, dict) and {"message", "type", "param", "code"} <= body.keys(), body
        assert body["message"] and isinstance(body["type"], str)


class Anthropic:
    """Messages."""

    name = "anthropic"
    host = "api.anthropic.com"
    path = "/v1/messages"
    stopped, called, filtered = "end_turn", "tool_use", "refusal"
    denied = anthropic.PermissionDeniedError

    def answer(self, text=(), calls=()) -> Script:
        """What the provider is to say: text tokens, then calls as (name, argument fragments)."""
        blocks = [anthropic_wire.Text(text)] if text else []
        for index, (name, parts) in enumerate(calls):
            blocks.append(anthropic_wire.ToolUse(name, parts, id=f"toolu_{index:024d}"))
        return anthropic_wire.Message(blocks)

    def request(self, prompt="hello", *, stream=False, tool_result=None, tools=()) -> dict:
        """A request body; with a tool result the conversation has a finished call in it."""
        messages = [{"role": "user", "content": prompt}]
        if tool_result is not None:
            call = {"type": "tool_use", "id": "toolu_1", "name": "fetch", "input": {}}
            result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": tool_result}
            messages += [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
        body = {"model": "claude-sonnet-4-6", "max_tokens": 64, "messages": messages, "stream": stream}
        if tools:
            schema = {"type": "object", "properties": {}}
            body["tools"] = [{"name": name, "description": f"does {name}", "input_schema": schema} for name in tools]
        return body

    def ask(self, gateway: Gateway, scenario: str, prompt="hello", *, stream=False, **more) -> Outcome:
        """One call through the SDK; the stream goes through its accumulating helper."""
        body = self.request(prompt, stream=stream, **more)
        client = self.client(gateway, scenario)
        if not stream:
            return _anthropic_whole(client.messages.create(**body))
        del body["stream"]
        with client.messages.stream(**body) as made:
            return _anthropic_whole(made.get_final_message())

    def client(self, gateway: Gateway, scenario: str) -> anthropic.Anthropic:
        """The SDK pointed at the gateway, without retries."""
        headers = {SCENARIO: scenario, "host": self.host}
        return anthropic.Anthropic(
            base_url=gateway.url, api_key="key", max_retries=0, timeout=TIMEOUT, default_headers=headers
        )

    def seen_tool_result(self, request: Request) -> str:
        """The tool result that reached the provider."""
        content = request.json()["messages"][-1]["content"][0]["content"]
        return content if isinstance(content, str) else "".join(part["text"] for part in content)

    def seen_tools(self, request: Request) -> list[str]:
        """The names of the tools that reached the provider."""
        return [tool["name"] for tool in request.json().get("tools") or []]

    def check_error(self, body: object) -> None:
        """The provider's error object, whole, as the SDK hands it out."""
        assert isinstance(body, dict) and body.get("type") == "error", body
        assert body["error"]["type"] == "permission_error" and body["error"]["message"]


def _openai_whole(made) -> Outcome:
    calls = [call.function for choice in made.choices for call in choice.message.tool_calls or []]
    return Outcome(
        [choice.message.content or "" for choice in made.choices],
        [(call.name, json.loads(call.arguments)) for call in calls],
        [choice.finish_reason for choice in made.choices],
    )


def _openai_stream(made) -> Outcome:
    """Adds the deltas up as applications do: text by choice, calls by choice and index."""
    texts, calls, finish = {}, {}, {}
    for chunk in made:
        for choice in chunk.choices:
            index = choice.index
            assert index not in finish, "a choice goes on after its finish reason"
            texts[index] = texts.get(index, "") + (choice.delta.content or "")
            for call in choice.delta.tool_calls or []:
                entry = calls.setdefault((index, call.index), ["", ""])
                entry[0] += call.function.name or ""
                entry[1] += call.function.arguments or ""
            if choice.finish_reason:
                finish[index] = choice.finish_reason
    return Outcome(
        [texts[index] for index in sorted(texts)],
        [(name, json.loads(arguments)) for name, arguments in (calls[key] for key in sorted(calls))],
        [finish[index] for index in sorted(finish)],
    )


def _anthropic_whole(made) -> Outcome:
    text = "".join(block.text for block in made.content if block.type == "text")
    calls = [(block.name, block.input) for block in made.content if block.type == "tool_use"]
    return Outcome([text], calls, [made.stop_reason])


PROVIDERS = [OpenAI(), Anthropic()]
