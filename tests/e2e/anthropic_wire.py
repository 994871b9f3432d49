"""Anthropic Messages as the vendor writes it: event names, pings and padding follow recordings.

One description of an answer gives both the JSON document and the event stream.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from upstream import Reply, Request

ID = "msg_01MXWxhWoPSgrYhjTuMDM6F1"
USAGE = {"input_tokens": 17, "output_tokens": 3}


@dataclass(frozen=True)
class Text:
    """A text block."""

    tokens: Sequence[str]

    def opening(self) -> dict:
        """The block as `content_block_start` shows it."""
        return {"type": "text", "text": ""}

    def deltas(self) -> Iterator[dict]:
        """The deltas in order."""
        return ({"type": "text_delta", "text": token} for token in self.tokens)

    def whole(self) -> dict:
        """The block as it stands in a document."""
        return {"type": "text", "text": "".join(self.tokens)}


@dataclass(frozen=True)
class Thinking:
    """A thinking block; its signature covers the text, so nobody may edit it."""

    tokens: Sequence[str]
    signature: str = "EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pkiMOYds"

    def opening(self) -> dict:
        """The block as `content_block_start` shows it."""
        return {"type": "thinking", "thinking": "", "signature": ""}

    def deltas(self) -> Iterator[dict]:
        """The deltas in order, the signature last."""
        for token in self.tokens:
            yield {"type": "thinking_delta", "thinking": token}
        yield {"type": "signature_delta", "signature": self.signature}

    def whole(self) -> dict:
        """The block as it stands in a document."""
        return {"type": "thinking", "thinking": "".join(self.tokens), "signature": self.signature}


@dataclass(frozen=True)
class ToolUse:
    """A tool call; `fragments` are the pieces of its JSON text."""

    name: str
    fragments: Sequence[str]
    id: str = "toolu_01C3Y57WiK7E1q95fLVPaaNv"

    def opening(self) -> dict:
        """The block as `content_block_start` shows it."""
        return {"type": "tool_use", "id": self.id, "name": self.name, "input": {}}

    def deltas(self) -> Iterator[dict]:
        """The deltas in order; the vendor begins with an empty one."""
        return ({"type": "input_json_delta", "partial_json": part} for part in ("", *self.fragments))

    def whole(self) -> dict:
        """The block as it stands in a document, the arguments as an object."""
        return {**self.opening(), "input": json.loads("".join(self.fragments))}


@dataclass(frozen=True)
class Message:
    """An answer to `POST /v1/messages`."""

    blocks: Sequence[Text | Thinking | ToolUse]
    model: str = "claude-sonnet-4-6"

    def __call__(self, request: Request) -> Reply:
        if request.json().get("stream"):
            return Reply.stream(list(self.events()))
        return Reply.json(self.document())

    def stop_reason(self) -> str:
        """`tool_use` where a tool is called, else the end of the turn."""
        return "tool_use" if any(isinstance(block, ToolUse) for block in self.blocks) else "end_turn"

    def events(self) -> Iterator[bytes]:
        """The frames of the stream."""
        shell = {**self._shell(), "content": [], "stop_reason": None, "stop_sequence": None, "usage": USAGE}
        yield _event({"type": "message_start", "message": shell})
        for index, block in enumerate(self.blocks):
            yield _event({"type": "content_block_start", "index": index, "content_block": block.opening()})
            if index == 0:
                yield b'event: ping\ndata: {"type": "ping"}\n\n'
            for delta in block.deltas():
                yield _event({"type": "content_block_delta", "index": index, "delta": delta})
            yield _event({"type": "content_block_stop", "index": index})
        ending = {"stop_reason": self.stop_reason(), "stop_sequence": None}
        yield _event({"type": "message_delta", "delta": ending, "usage": {"output_tokens": 171}})
        yield _event({"type": "message_stop"})

    def document(self) -> bytes:
        """The same answer not streamed."""
        ending = {"stop_reason": self.stop_reason(), "stop_sequence": None, "usage": USAGE}
        body = {**self._shell(), "content": [block.whole() for block in self.blocks], **ending}
        return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()

    def _shell(self) -> dict:
        return {"model": self.model, "id": ID, "type": "message", "role": "assistant"}


def text(*tokens: str) -> Message:
    """One text block with these tokens."""
    return Message([Text(tokens)])


def _event(data: dict) -> bytes:
    """One frame; the padding differs from frame to frame as in the recordings."""
    dumped = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    padding = " " * (len(dumped) * 7 % 16)
    return f"event: {data['type']}\ndata: {dumped[:-1]}{padding}}}\n\n".encode()
