"""The harness itself, through a proxy without the module: what it claims to send and see must be so."""

import json
import threading

import pytest

import openai_wire
import sse
from client import exchange
from gateway import Gateway
from http1 import Sending
from providers import OpenAI
from upstream import SCENARIO, Reply, sent


@pytest.fixture(scope="module")
def plain(upstream):
    """A proxy that does nothing."""
    with Gateway(upstream.port) as envoy:
        yield envoy


def test_sdk_reads_both_forms(plain, upstream, provider, stream):
    scenario = upstream.add(provider.answer(["Hel", "lo"], [("get_time", ['{"zo', 'ne":"UTC"}'])]))
    outcome = provider.ask(plain, scenario, stream=stream)
    assert (outcome.texts, outcome.calls) == (["Hello"], [("get_time", {"zone": "UTC"})])
    assert outcome.finish == [provider.called]


def test_body_trailers_and_cuts_arrive(plain, upstream, wire):
    script = openai_wire.text("a", "b")
    scenario = upstream.add(sent(script, cut=7, pause=0.001, trailers=[("x-end", "1")]))
    body = Sending([b'{"stream"', b":true}"], trailers=[("x-start", "2")], pause=0.005)
    answer = wire.exchange(plain.port, "/v1/chat/completions", body, headers=[(SCENARIO, scenario)])
    [request] = upstream.received(scenario)
    assert request.head.first.endswith("HTTP/2" if wire.up == "h2" else "HTTP/1.1")
    assert answer.head.first.startswith("HTTP/2" if wire.down == "h2" else "HTTP/1.1")
    assert answer.complete and answer.trailers == [("x-end", "1")] and len(answer.pieces) > 10
    assert answer.body == b"".join(script.events())
    assert (request.body, request.trailers) == (b'{"stream":true}', [("x-start", "2")])


def test_gate_holds_until_opened(plain, upstream, wire):
    gate = threading.Event()
    scenario = upstream.add(lambda _: Reply.stream([b"data: 1\n\n", gate, b"data: 2\n\n"]))
    seen = []

    def note(body: bytes) -> None:
        seen.append(body)
        gate.set()

    answer = wire.exchange(plain.port, "/v1/x", headers=[(SCENARIO, scenario)], on_piece=note)
    assert seen == [b"data: 1\n\n", b"data: 1\n\ndata: 2\n\n"] and answer.complete


def test_hanging_up_and_cutting_off_are_seen(plain, upstream, wire):
    endless = upstream.add(lambda _: Reply.stream([b"data: 1\n\n", threading.Event()]))
    assert not wire.exchange(plain.port, "/v1/x", headers=[(SCENARIO, endless)], on_piece=lambda _: False).complete
    assert upstream.received(endless)[0].cancelled
    cut = upstream.add(sent(openai_wire.text("a"), abort_after=1))
    assert not wire.exchange(plain.port, "/v1/x", b'{"stream":true}', headers=[(SCENARIO, cut)]).complete


def test_a_request_cut_off_is_seen(plain, upstream, wire):
    scenario = upstream.add(openai_wire.text("never said"))
    body = Sending([b"a" * 10, b"b" * 10], abort_after=1, pause=0.01)
    assert wire.exchange(plain.port, "/v1/x", body, headers=[(SCENARIO, scenario)]).status == 0
    [request] = upstream.received(scenario)
    assert request.cancelled and not request.complete


def test_large_bodies_arrive(plain, upstream, wire):
    body = bytes(range(256)) * (4096 * 8)
    scenario = upstream.add(lambda request: Reply.json(bytes(request.body)))
    answer = wire.exchange(plain.port, "/v1/x", body, headers=[(SCENARIO, scenario)])
    assert answer.complete and answer.body == body


def test_access_log_and_stats(plain, upstream):
    scenario = upstream.add(openai_wire.text("a"))
    OpenAI().ask(plain, scenario)
    line = plain.access(scenario)
    assert (line["status"], line["weir"]) == (200, None)
    assert plain.stats("downstream_rq_2xx") and plain.memory() > 1 << 20


def test_record_is_served(upstream):
    scenario = upstream.add(openai_wire.text("a"))
    exchange(upstream.port, "/v1/chat/completions", b'{"n":1}', headers=[(SCENARIO, scenario)])
    record = json.loads(exchange(upstream.port, "/__record", method="GET").body)
    assert record[-1]["body"] == '{"n":1}' and record[-1]["complete"]


@pytest.mark.parametrize("broken", [b"data: 1", b"data: 1\n", b"nonsense: 1\n\n"])
def test_broken_frames_are_errors(broken):
    with pytest.raises(AssertionError):
        sse.frames(broken)
