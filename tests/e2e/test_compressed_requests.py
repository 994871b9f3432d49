"""Compressed request bodies are read: what is inside is judged, and goes on decoded."""

import gzip
import zlib

import pytest

import openai_wire
from http1 import Sending
from policies import GUARD
from samples import INJECTION, SECRET, leaked

TRAILERS = [("x-client", "2")]
WAYS = pytest.mark.parametrize(
    "how", [{"framing": "length"}, {"cut": 7}, {"trailers": TRAILERS}], ids=["length", "cut", "trailers"]
)
CODINGS = pytest.mark.parametrize("coding,encode", [("gzip", gzip.compress), ("deflate", zlib.compress)])


def ask(wire, envoy, scenario: str, coding: str, body: bytes, **how):
    """Sends the encoded body."""
    return wire.chat(envoy, scenario, Sending([body], **how), headers=[("content-encoding", coding)])


@CODINGS
@WAYS
def test_injection_inside_is_refused(gateway, upstream, wire, coding, encode, how):
    scenario = upstream.add(openai_wire.text("never said"))
    answer = ask(wire, gateway(GUARD), scenario, coding, encode(openai_wire.request(INJECTION)), **how)
    assert (answer.status, answer.complete, answer.header("x-weir-decision")) == (403, True, "reject")
    assert not any(request.body or request.complete for request in upstream.received(scenario))


@CODINGS
@WAYS
def test_clean_body_goes_on_decoded(gateway, upstream, wire, coding, encode, how):
    body = openai_wire.request("hello")
    scenario = upstream.add(openai_wire.text("ok"))
    answer = ask(wire, gateway(GUARD), scenario, coding, encode(body), **how)
    [request] = upstream.received(scenario)
    assert answer.status == 200 and request.complete and request.body == body
    assert request.head.get("content-encoding", "none") == "none"
    assert request.head.get("content-length", str(len(body))) == str(len(body))
    assert request.trailers == how.get("trailers", [])


@CODINGS
def test_secret_inside_is_masked(gateway, upstream, wire, coding, encode):
    scenario = upstream.add(openai_wire.text("ok"))
    answer = ask(wire, gateway(GUARD), scenario, coding, encode(openai_wire.request(f"key {SECRET} end")))
    [request] = upstream.received(scenario)
    content = request.json()["messages"][0]["content"]
    assert answer.status == 200 and content.startswith("key ") and content.endswith(" end") and not leaked(content)


@CODINGS
def test_large_body(gateway, upstream, wire, coding, encode):
    body = openai_wire.request(*(f"line {number} of {number * number % 97}" for number in range(90_000)))
    assert len(body) > 4 << 20
    scenario = upstream.add(openai_wire.text("ok"))
    answer = ask(wire, gateway(GUARD), scenario, coding, encode(body))
    [request] = upstream.received(scenario)
    assert answer.status == 200 and request.complete and request.body == body


@CODINGS
@pytest.mark.parametrize("size", [4 << 20, 64 << 20], ids=["ratio", "too-large"])
def test_bomb_is_refused(gateway, upstream, wire, coding, encode, size):
    envoy = gateway(GUARD)
    scenario = upstream.add(openai_wire.text("never said"))
    answer = ask(wire, envoy, scenario, coding, encode(b" " * size))
    assert (answer.status, answer.complete, answer.header("x-weir-decision")) == (413, True, "fail")
    assert not any(request.body or request.complete for request in upstream.received(scenario))
    assert envoy.access(scenario)["weir"]["notInspected"] in (["ratio"], ["too-large"])


@CODINGS
@pytest.mark.parametrize(
    "spoil",
    [lambda b: b[:-5], lambda b: b + b"x", lambda b: b + b, lambda b: b"x" + b],
    ids=["cut", "more", "twice", "junk"],
)
def test_what_is_not_its_coding_is_refused(gateway, upstream, wire, coding, encode, spoil):
    scenario = upstream.add(openai_wire.text("never said"))
    answer = ask(wire, gateway(GUARD), scenario, coding, spoil(encode(openai_wire.request("hello"))))
    assert (answer.status, answer.complete, answer.header("x-weir-decision")) == (400, True, "fail")
    assert not any(request.body or request.complete for request in upstream.received(scenario))


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "compress"])
def test_other_codings_are_refused(gateway, upstream, wire, coding):
    envoy = gateway(GUARD)
    scenario = upstream.add(openai_wire.text("never said"))
    answer = ask(wire, envoy, scenario, coding, gzip.compress(openai_wire.request(INJECTION)))
    assert (answer.status, answer.complete, answer.header("x-weir-decision")) == (415, True, "fail")
    assert not any(request.body for request in upstream.received(scenario))
    assert envoy.access(scenario)["weir"]["notInspected"] == ["encoding"]
