"""Invariant `identity`: without a finding every byte comes out as it went in, and no event waits for a later one."""

import json
import threading

import pytest

import anthropic_wire
import openai_wire
from client import exchange
from http1 import Sending
from policies import GUARD, MASK_CALLS, PII, SHADOW, TOOLS
from samples import INJECTION, SECRET
from upstream import SCENARIO, Reply, sent

CHAT = openai_wire.Chat(
    [
        openai_wire.Choice(text=["The", " capital", " of", " Mexico", ' is 😀 "', "Ciudad\n"], logprobs=True),
        openai_wire.Choice(
            reasoning=["Let me", " see"], calls=[openai_wire.Call("get_time", ['{"zo', 'ne":"U', 'TC"}'])]
        ),
        openai_wire.Choice(refusal=["I", " cannot"]),
    ]
)
MESSAGE = anthropic_wire.Message(
    [
        anthropic_wire.Thinking(["Let", " me count"]),
        anthropic_wire.Text(["Here's an", " OpenTelemet", "ry-", "themed 😀 joke\n"]),
        anthropic_wire.ToolUse("get_time", ['{"zo', 'ne": "U', 'TC"}']),
    ]
)
KEEP_ALIVE = b": keep-alive\n\n"
ANSWERS = {"openai": CHAT, "anthropic": MESSAGE}


def request_body(provider, stream: bool) -> bytes:
    """A request in an order and spacing of its own, which must survive."""
    body = {
        "unknown_field": {"x": [1, 2.50, None]},
        **provider.request("Grüße, 世界 \u2028!", stream=stream, tools=["get_time"]),
    }
    if provider.name == "openai" and stream:
        body["stream_options"] = {"include_usage": True}
    return json.dumps(body, indent=1).encode() + b"\n"


@pytest.mark.parametrize("configuration", [GUARD, TOOLS, PII], ids=["guard", "tools", "pii"])
@pytest.mark.parametrize("cut", [0, 1, 7])
def test_bytes_are_identical(gateway, upstream, provider, stream, configuration, cut):
    envoy = gateway(configuration)
    scenario = upstream.add(sent(ANSWERS[provider.name], cut=cut, pause=0.0002 if cut else 0))
    body = request_body(provider, stream)
    sending = Sending([body], cut=cut * 5, pause=0.0005 if cut else 0)
    answer = exchange(envoy.port, provider.path, sending, headers=[(SCENARIO, scenario)], host=provider.host)
    [request] = upstream.received(scenario)
    assert request.body == body
    direct = ANSWERS[provider.name](request).sending.pieces
    assert answer.complete and answer.status == 200
    # While a call waits for its verdict, comments keep the client from giving up.
    assert answer.body.replace(KEEP_ALIVE, b"") == b"".join(direct)
    assert configuration == TOOLS or KEEP_ALIVE not in answer.body
    assert envoy.access(scenario)["weir"]["decision"] == "pass"


@pytest.mark.parametrize("configuration", [GUARD, MASK_CALLS], ids=["guard", "every-channel"])
def test_no_event_waits_for_the_next(gateway, upstream, provider, configuration):
    """Each event is sent only after the client has the one before it: one held event would stop the stream."""
    events: list = []

    def gated(request):
        events[:] = ANSWERS[provider.name](request).sending.pieces
        return Reply.stream([part for event, gate in zip(events, gates) for part in (event, gate)])

    gates = [threading.Event() for _ in range(200)]
    scenario = upstream.add(gated)

    def open_gates(body: bytes) -> None:
        arrived = b""
        for event, gate in zip(events, gates):
            arrived += event
            if body.startswith(arrived):
                gate.set()

    body = json.dumps(provider.request(stream=True)).encode()
    answer = exchange(
        gateway(configuration).port,
        provider.path,
        body,
        headers=[(SCENARIO, scenario)],
        host=provider.host,
        on_piece=open_gates,
        timeout=10,
    )
    assert answer.complete and answer.body == b"".join(events)


def test_shadow_changes_nothing_and_says_what_it_saw(gateway, upstream, provider, stream):
    envoy = gateway(SHADOW)
    script = provider.answer(["my token is ", SECRET[:9], SECRET[9:], " keep it"])
    scenario = upstream.add(script)
    body = json.dumps(provider.request(INJECTION, stream=stream)).encode()
    answer = exchange(envoy.port, provider.path, body, headers=[(SCENARIO, scenario)], host=provider.host)
    [request] = upstream.received(scenario)
    assert request.body == body
    assert answer.body == b"".join(script(request).sending.pieces)
    record = envoy.access(scenario)["weir"]
    assert record["decision"] in ("pass", "audit") and record["mode"] == "Shadow"
    found = [entry["rule"] for entry in record["rules"]]
    assert any(rule.startswith("injection") for rule in found), found
    assert any(rule.startswith("secrets") for rule in found), found
