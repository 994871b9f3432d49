"""Hundreds of streams opened and reset on one HTTP/2 connection: each has its record, and the proxy is as before."""

import threading

import pytest

import http2
import openai_wire
from bootstrap import UPSTREAM
from envoy import wait_for
from http1 import Sending
from policies import GUARD
from samples import INJECTION
from upstream import SCENARIO, Reply

STREAMS = 300


@pytest.mark.parametrize("up", ["h1", "h2"])
@pytest.mark.parametrize("when", ["upload", "answer"])
def test_three_hundred_resets(fresh, upstream, up, when):
    """Reset in the middle of the upload, or when the first event arrived."""
    envoy = fresh(GUARD)
    whole = openai_wire.text("Hello", " there")
    scenario = upstream.add(lambda r: Reply.stream([next(iter(whole(r).sending.pieces)), threading.Event()]))
    headers = [(SCENARIO, scenario), (UPSTREAM, up)]
    body = openai_wire.request("hello", stream=True)
    sending = Sending([body[:-1], body[-1:]], abort_after=1) if when == "upload" else body
    asked = [http2.Asked(openai_wire.PATH, sending, headers=headers, on_piece=lambda _: False) for _ in range(STREAMS)]
    answers = http2.together(envoy.port, asked)
    assert len(answers) == STREAMS and not any(answer.complete for answer in answers)
    active = "http.ingress.downstream_rq_active"
    wait_for("all streams gone", lambda: envoy.stats(active)[active] == 0)
    wait_for("all recorded", lambda: len(envoy.audits()) == STREAMS)
    assert len({record["id"] for record in envoy.audits()}) == STREAMS
    good = upstream.add(openai_wire.text("fine"))
    assert all(ask(envoy, good, up, "hello") == 200 for _ in range(5))
    assert ask(envoy, good, up, INJECTION) == 403


def ask(envoy, scenario: str, up: str, prompt: str) -> int:
    """The status of an exchange."""
    headers = [(SCENARIO, scenario), (UPSTREAM, up)]
    return http2.exchange(envoy.port, openai_wire.PATH, openai_wire.request(prompt), headers=headers).status
