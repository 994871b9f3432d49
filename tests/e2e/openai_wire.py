"""OpenAI Chat Completions as the vendor writes it: field order, padding and last frames follow recorded exchanges.

One description of an answer gives both the JSON document and the event stream.
"""

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from upstream import Reply, Request

PATH = "/v1/chat/completions"

ID = "chatcmpl-C2P1wP1damHwC6sXvGAIh5PMvH6wM"
FINGERPRINT = "fp_ff25b2783a"
CREATED = 1754688908
PADDING = "KhEoTT6u7JgGis"
"""The vendor pads each chunk with a random text, so that lengths tell an eavesdropper less."""

USAGE = {
    "prompt_tokens": 14,
    "completion_tokens": 8,
    "total_tokens": 22,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
}


@dataclass(frozen=True)
class Call:
    """A tool call; `arguments` are the fragments of its JSON text."""

    name: str
    arguments: Sequence[str]
    id: str = "call_u0T52evs3Y0byXDiUv5Al8dG"


@dataclass(frozen=True)
class Choice:
    """One answer among n; every text is given as the tokens that a stream would carry."""

    text: Sequence[str] = ()
    calls: Sequence[Call] = ()
    reasoning: Sequence[str] = ()
    refusal: Sequence[str] = ()
    logprobs: bool = False
    finish: str = ""

    def finish_reason(self) -> str:
        """What the vendor would say at the end, unless the test says it."""
        return self.finish or ("tool_calls" if self.calls else "stop")


@dataclass(frozen=True)
class Chat:
    """An answer to `POST /v1/chat/completions`. Choices are interleaved token by token in a stream."""

    choices: Sequence[Choice]
    model: str = "gpt-4o-2024-08-06"

    def __call__(self, request: Request) -> Reply:
        asked = request.json()
        if asked.get("stream"):
            return Reply.stream(list(self.events(bool((asked.get("stream_options") or {}).get("include_usage")))))
        return Reply.json(self.document())

    def events(self, usage: bool = False) -> Iterator[bytes]:
        """The frames of the stream, `[DONE]` last."""
        deltas = [list(_deltas(choice)) for choice in self.choices]
        for row in itertools.zip_longest(*deltas):
            for index, item in enumerate(row):
                if item is not None:
                    yield self._chunk([{"index": index, **item}], usage)
        if usage:
            yield self._chunk([], usage, USAGE)
        yield b"data: [DONE]\n\n"

    def document(self) -> bytes:
        """The same answer not streamed, indented as the vendor indents it."""
        body = {
            "id": ID,
            "object": "chat.completion",
            "created": CREATED,
            "model": self.model,
            "choices": [_choice(index, choice) for index, choice in enumerate(self.choices)],
            "usage": USAGE,
            "service_tier": "default",
            "system_fingerprint": FINGERPRINT,
        }
        return (json.dumps(body, indent=2, ensure_ascii=False) + "\n").encode()

    def _chunk(self, choices: list, with_usage: bool, usage: dict | None = None) -> bytes:
        body = {
            "id": ID,
            "object": "chat.completion.chunk",
            "created": CREATED,
            "model": self.model,
            "service_tier": "default",
            "system_fingerprint": FINGERPRINT,
            "choices": choices,
            **({"usage": usage} if with_usage else {}),
            "obfuscation": PADDING,
        }
        return f"data: {json.dumps(body, separators=(',', ':'), ensure_ascii=False)}\n\n".encode()


def request(*prompts: str, stream: bool = False, **more) -> bytes:
    """A request body, each prompt a message of the user's."""
    messages = [{"role": "user", "content": prompt} for prompt in prompts]
    return json.dumps({"model": "gpt-4o", "messages": messages, "stream": stream, **more}).encode()


def text(*tokens: str, **more) -> Chat:
    """One choice with these tokens."""
    return Chat([Choice(text=tokens, **more)])


def calls(*made: Call) -> Chat:
    """One choice with these tool calls and no text; each gets an id of its own."""
    return Chat([Choice(calls=[replace(call, id=f"{call.id[:-1]}{index}") for index, call in enumerate(made)])])


def _deltas(choice: Choice) -> Iterator[dict]:
    first = {"role": "assistant", "content": None if choice.calls and not choice.text else "", "refusal": None}
    yield _delta(first)
    for token in choice.reasoning:
        yield _delta({"reasoning_content": token})
    for token in choice.text:
        yield _delta({"content": token}, logprobs=_logprobs([token]) if choice.logprobs else None)
    for token in choice.refusal:
        yield _delta({"refusal": token})
    for index, call in enumerate(choice.calls):
        opening = {"index": index, "id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
        yield _delta({"tool_calls": [opening]})
        for fragment in call.arguments:
            yield _delta({"tool_calls": [{"index": index, "function": {"arguments": fragment}}]})
    yield _delta({}, finish=choice.finish_reason())


def _delta(delta: dict, logprobs: dict | None = None, finish: str | None = None) -> dict:
    return {"delta": delta, "logprobs": logprobs, "finish_reason": finish}


def _choice(index: int, choice: Choice) -> dict:
    message = {"role": "assistant", "content": "".join(choice.text) or None, "refusal": "".join(choice.refusal) or None}
    if choice.reasoning:
        message["reasoning_content"] = "".join(choice.reasoning)
    if choice.calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": "".join(call.arguments)}}
            for call in choice.calls
        ]
    message["annotations"] = []
    logprobs = _logprobs(choice.text) if choice.logprobs else None
    return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": choice.finish_reason()}


def _logprobs(tokens: Sequence[str]) -> dict:
    content = [
        {"token": token, "logprob": -0.01, "bytes": list(token.encode()), "top_logprobs": []} for token in tokens
    ]
    return {"content": content, "refusal": None}
