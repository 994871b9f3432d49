"""Trailers end a request's body without an end call: the verdict is taken there too."""

import pytest

import openai_wire
from http1 import Sending
from policies import GUARD
from samples import INJECTION, SECRET, leaked

TRAILERS = [("x-client", "2")]
KIB = 1 << 10


def trailed(body: bytes, cut: int = 0) -> Sending:
    """The body with trailers behind it."""
    return Sending([body], trailers=TRAILERS, cut=cut)


@pytest.mark.parametrize("cut", [0, 50])
def test_injection_with_trailers_is_refused(gateway, upstream, wire, cut):
    envoy = gateway(GUARD)
    scenario = upstream.add(openai_wire.text("never said"))
    answer = wire.chat(envoy, scenario, trailed(openai_wire.request(INJECTION), cut))
    assert (answer.status, answer.complete, answer.header("x-weir-decision")) == (403, True, "reject")
    assert not any(request.body or request.complete for request in upstream.received(scenario))
    assert envoy.access(scenario)["weir"]["decision"] == "reject"


@pytest.mark.parametrize("size", [10, 400 * KIB])
def test_clean_body_passes_with_its_trailers(gateway, upstream, wire, size):
    scenario = upstream.add(openai_wire.text("ok"))
    body = openai_wire.request("word " * (size // 5))
    answer = wire.chat(gateway(GUARD), scenario, trailed(body))
    [request] = upstream.received(scenario)
    assert answer.status == 200 and request.complete
    assert (request.body, request.trailers) == (body, TRAILERS)


def test_secret_with_trailers_is_masked(gateway, upstream, wire):
    scenario = upstream.add(openai_wire.text("ok"))
    answer = wire.chat(gateway(GUARD), scenario, trailed(openai_wire.request(f"key {SECRET} end"), 30))
    [request] = upstream.received(scenario)
    assert answer.status == 200 and request.complete and request.trailers == TRAILERS
    assert request.json()["messages"] and not leaked(request.body.decode())


def test_large_body_with_trailers_is_refused(gateway, upstream, wire):
    """Past `limits.paused` there is no place left to write the body to when trailers come."""
    envoy = gateway(GUARD)
    scenario = upstream.add(openai_wire.text("never said"))
    answer = wire.chat(envoy, scenario, trailed(openai_wire.request("word " * (700 * KIB // 5))))
    assert (answer.status, answer.complete, answer.header("x-weir-decision")) == (413, True, "fail")
    assert not any(request.body or request.complete for request in upstream.received(scenario))
    assert envoy.access(scenario)["weir"]["notInspected"] == ["trailers"]


@pytest.mark.parametrize("prompt", ["hello", INJECTION], ids=["clean", "injection"])
def test_trailers_that_nobody_announced(gateway, upstream, wire, prompt):
    """Passed whole or refused, never passed unjudged or in part."""
    body = openai_wire.request(prompt)
    scenario = upstream.add(openai_wire.text("ok"))
    answer = wire.chat(gateway(GUARD), scenario, Sending([body], cut=20, trailers=TRAILERS, announces=False))
    bodies = [bytes(request.body) for request in upstream.received(scenario) if request.complete]
    assert answer.complete
    if answer.status == 200:
        assert prompt == "hello" and bodies == [body]
    else:
        assert answer.header("x-weir-decision") in ("reject", "fail") and not bodies
