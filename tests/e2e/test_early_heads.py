"""Heads with a status of 1xx come before the answer's own, and are not taken for it."""

import threading

import pytest

import openai_wire
from http1 import Sending
from policies import GUARD
from samples import INJECTION, SECRET, leaked
from upstream import Reply

EXPECT = [("expect", "100-continue")]
LINK = ("link", "</a>; rel=preload")


@pytest.mark.parametrize("prompt,status", [("hello", 200), (INJECTION, 403)], ids=["clean", "injection"])
def test_client_waits_for_100(gateway, upstream, wire, prompt, status):
    """The body comes only after `100 Continue`: Envoy sends it, whatever the filter waits for."""
    go = threading.Event()
    body = openai_wire.request(prompt)
    scenario = upstream.add(openai_wire.text("ok"))
    sending = Sending([go, body], framing="chunked")
    answer = wire.chat(gateway(GUARD), scenario, sending, headers=EXPECT, on_early=lambda _: go.set())
    assert go.is_set() and (answer.status, answer.complete) == (status, True)
    bodies = [bytes(request.body) for request in upstream.received(scenario)]
    assert bodies == [body] if status == 200 else not any(bodies)


@pytest.mark.parametrize("early", [(100, []), (102, []), (103, [LINK])], ids=["100", "102", "103"])
def test_provider_sends_one(gateway, upstream, wire, early):
    """The answer after it is judged."""
    whole = openai_wire.text("key ", SECRET, " end")

    def script(request):
        reply = whole(request)
        return Reply(reply.sending, 200, reply.headers, [early])

    envoy = gateway(GUARD)
    scenario = upstream.add(script)
    answer = wire.chat(envoy, scenario, openai_wire.request("x", stream=True))
    assert (answer.status, answer.complete) == (200, True)
    assert not leaked(answer.body.decode()) and answer.body.endswith(b"data: [DONE]\n\n")
    assert all(f" {early[0]}" in head.first for head in answer.early)
    assert envoy.access(scenario)["weir"]["decision"] == "mask"
