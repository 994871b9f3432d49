"""Bodies past every buffer of Envoy's, on every wire: whole, byte for byte, and judged to their last byte."""

import pytest

import openai_wire
from http1 import Sending
from policies import CODENAME, CODENAMES, GUARD
from samples import INJECTION, SECRET, leaked
from upstream import sent

MIB = 1 << 20
SIZES = pytest.mark.parametrize("size", [3 * MIB, 8 * MIB - 2048], ids=["3MiB", "8MiB"])
FRAMINGS = pytest.mark.parametrize("framing", ["length", "chunked"])
WORD = 64 << 10
"""Bytes of one token, so that an event stays below `limits.event`."""


def words(size: int) -> list[str]:
    """Tokens of so many bytes together, none like the one before."""
    return [(f"word{number} " * WORD)[:WORD] for number in range(size // WORD)]


@SIZES
@FRAMINGS
def test_clean_request(gateway, upstream, wire, size, framing):
    body = openai_wire.request(*words(size - 4 * WORD))
    scenario = upstream.add(openai_wire.text("ok"))
    answer = wire.chat(gateway(GUARD), scenario, Sending([body], framing=framing))
    [request] = upstream.received(scenario)
    assert answer.status == 200 and request.complete and request.body == body


@FRAMINGS
def test_secret_at_the_end_of_a_request(gateway, upstream, wire, framing):
    texts = words(3 * MIB)
    scenario = upstream.add(openai_wire.text("ok"))
    body = openai_wire.request(*texts, f"key {SECRET}")
    answer = wire.chat(gateway(GUARD), scenario, Sending([body], framing=framing))
    [request] = upstream.received(scenario)
    seen = [message["content"] for message in request.json()["messages"]]
    assert answer.status == 200 and request.complete
    assert seen[:-1] == texts and seen[-1].startswith("key ") and not leaked(seen[-1])


def test_injection_at_the_end_of_a_request(gateway, upstream, wire):
    scenario = upstream.add(openai_wire.text("never said"))
    answer = wire.chat(gateway(GUARD), scenario, openai_wire.request(*words(3 * MIB), INJECTION))
    assert (answer.status, answer.complete, answer.header("x-weir-decision")) == (403, True, "reject")
    assert not any(request.body or request.complete for request in upstream.received(scenario))


@SIZES
@FRAMINGS
@pytest.mark.parametrize("configuration", [GUARD, CODENAMES], ids=["flowing", "held-whole"])
def test_clean_answer(gateway, upstream, wire, stream, size, framing, configuration):
    script = openai_wire.text(*words(size - 4 * WORD))
    scenario = upstream.add(sent(script, framing=framing))
    answer = wire.chat(gateway(configuration), scenario, openai_wire.request("x", stream=stream))
    [request] = upstream.received(scenario)
    assert answer.complete and answer.status == 200
    assert answer.body == b"".join(script(request).sending.pieces)


@FRAMINGS
def test_secret_at_the_end_of_an_answer(gateway, upstream, wire, stream, framing):
    texts = words(3 * MIB)
    script = openai_wire.text(*texts, "key ", SECRET[:20], SECRET[20:], " end")
    scenario = upstream.add(sent(script, framing=framing))
    answer = wire.chat(gateway(GUARD), scenario, openai_wire.request("x", stream=stream))
    text = answer.body.decode()
    assert answer.complete and texts[-1] in text and " end" in text and not leaked(text)


@FRAMINGS
def test_refused_at_the_end_of_an_answer(gateway, upstream, wire, framing):
    """A document that is held whole shows nothing of itself."""
    envoy = gateway(CODENAMES)
    texts = words(3 * MIB)
    scenario = upstream.add(sent(openai_wire.text(*texts, f"the {CODENAME} ships"), framing=framing))
    answer = wire.chat(envoy, scenario, openai_wire.request("x"))
    assert answer.complete and len(answer.body) < WORD and b'"content_filter"' in answer.body
    assert texts[0][:100] not in answer.body.decode() and CODENAME not in answer.body.decode()
    assert envoy.access(scenario)["weir"]["decision"] == "reject"
