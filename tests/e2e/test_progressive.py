"""`requestMode: Progressive`: a request flows while it is judged, and its end waits for the verdict."""

import threading

import pytest

import openai_wire
from envoy import wait_for
from http1 import Sending
from policies import INJECTION as INJECTION_PACK
from policies import SECRETS, policy
from samples import INJECTION, SECRET

PROGRESSIVE = policy("progressive", requestMode="Progressive", packs=[INJECTION_PACK, SECRETS])
FRAMINGS = pytest.mark.parametrize("framing", ["length", "chunked"])
MIB = 1 << 20
CHUNK = 256 << 10


def arrived(upstream, scenario: str) -> bytes:
    """What the provider has of the body so far."""
    return b"".join(bytes(request.body) for request in upstream.received(scenario, settled=False))


@FRAMINGS
def test_bytes_flow_and_the_last_waits(gateway, upstream, wire, framing):
    """The client holds its end back: the provider then has all of the body but the last byte."""
    body, gate, end = openai_wire.request("word " * 1000), threading.Event(), threading.Event()
    half = len(body) // 2
    scenario = upstream.add(openai_wire.text("ok"))
    last = [body[half:], end] if framing == "chunked" else [body[half:-1], end, body[-1:]]
    pieces = [body[:half], gate, *last]
    answer = wire.begin_chat(gateway(PROGRESSIVE), scenario, Sending(pieces, framing=framing))
    wait_for("first half", lambda: len(arrived(upstream, scenario)) >= half - 2)
    assert body.startswith(arrived(upstream, scenario))
    gate.set()
    most = len(body) - (1 if framing == "chunked" else 2)
    wait_for("all but the end", lambda: len(arrived(upstream, scenario)) == most)
    assert not upstream.received(scenario, settled=False)[0].complete
    end.set()
    assert answer.result().status == 200
    [request] = upstream.received(scenario)
    assert request.complete and request.body == body


@FRAMINGS
@pytest.mark.parametrize("prompt", [INJECTION, f"key {SECRET} end"], ids=["injection", "secret"])
def test_refused_midway(gateway, upstream, wire, framing, prompt):
    """What is on its way cannot be edited any more, so that a mask refuses too."""
    scenario, gate = upstream.add(openai_wire.text("never said")), threading.Event()
    body = openai_wire.request("word " * (MIB // 5), prompt, "word " * (MIB // 5))
    sending = Sending([body[:CHUNK], gate, body[CHUNK:]], framing=framing, cut=CHUNK)
    answer = wire.begin_chat(gateway(PROGRESSIVE), scenario, sending)
    wait_for("the beginning", lambda: arrived(upstream, scenario))
    gate.set()
    answer = answer.result()
    assert (answer.status, answer.complete, answer.header("x-weir-decision")) == (403, True, "reject")
    [request] = upstream.received(scenario)
    assert request.cancelled and not request.complete
    assert body.startswith(request.body) and len(request.body) < len(body)


@pytest.mark.parametrize("prompt", [INJECTION, f"key {SECRET} end"], ids=["injection", "secret"])
def test_record_of_a_refusal(gateway, upstream, wire, prompt):
    envoy = gateway(PROGRESSIVE)
    scenario = upstream.add(openai_wire.text("never said"))
    assert wire.chat(envoy, scenario, openai_wire.request(prompt)).status == 403
    record = envoy.access(scenario)["weir"]
    assert record["decision"] == "reject" and record["by"]


def test_refused_as_soon_as_it_is_known(gateway, upstream, wire):
    """The client sends no more, and the provider is not kept waiting for a request that is refused already."""
    scenario = upstream.add(openai_wire.text("never said"))
    body = openai_wire.request(INJECTION, "word " * 100)
    pieces = [body[:200], threading.Event(), body[200:]]
    answer = wire.chat(gateway(PROGRESSIVE), scenario, Sending(pieces))
    assert (answer.status, answer.header("x-weir-decision")) == (403, "reject")
    assert not any(request.complete for request in upstream.received(scenario))


@pytest.mark.parametrize("body", [b'{"messages":[]} x', b'{"messages":[],"messages":[]}', b'{"messages":'])
def test_ambiguity_is_refused(gateway, upstream, wire, body):
    scenario = upstream.add(openai_wire.text("never said"))
    answer = wire.chat(gateway(PROGRESSIVE), scenario, Sending([body], cut=3))
    assert (answer.status, answer.complete, answer.header("x-weir-decision")) == (400, True, "fail")
    assert not any(request.complete for request in upstream.received(scenario))


@pytest.mark.parametrize("prompt", ["hello", INJECTION], ids=["clean", "injection"])
def test_with_trailers(gateway, upstream, wire, prompt):
    """The last byte would have to be written where Envoy takes none."""
    scenario = upstream.add(openai_wire.text("never said"))
    body = Sending([openai_wire.request(prompt)], cut=20, trailers=[("x-client", "2")])
    answer = wire.chat(gateway(PROGRESSIVE), scenario, body)
    assert (answer.status, answer.complete) == (413 if prompt == "hello" else 403, True)
    assert not any(request.complete for request in upstream.received(scenario))


def test_memory_is_constant(fresh, upstream, wire):
    """96 MiB pass, twelve times `limits.request`; what grows is what Envoy itself keeps for a window of HTTP/2."""
    envoy = fresh(PROGRESSIVE)
    scenario = upstream.add(openai_wire.text("ok"))
    texts = [(f"word{number} " * CHUNK)[:CHUNK] for number in range(4)]
    assert wire.chat(envoy, scenario, Sending([openai_wire.request(*texts)], framing="length")).status == 200
    before, peak = envoy.memory(), 0
    body = openai_wire.request(*(texts * 96))
    answer = wire.begin_chat(envoy, scenario, Sending([body], framing="length", cut=CHUNK))
    while not answer.done():
        peak = max(peak, envoy.memory())
    assert answer.result().status == 200
    request = upstream.received(scenario)[-1]
    assert request.complete and request.body == body and len(body) > 96 * MIB
    assert peak - before < 48 * MIB, (peak - before) / MIB
