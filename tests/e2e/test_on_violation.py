"""How an answer ends that is refused in the middle: `Drain` lets the provider finish unheard, `Cut` stops it, at the
price of a stream that is aborted after its ending."""

import threading
from dataclasses import replace

import pytest

import openai_wire
import sse
from client import exchange
from envoy import wait_for
from policies import CODENAME, codename_rule, policy
from upstream import SCENARIO, Reply, sent

RULES = [codename_rule("Reject", ["response.text"])]
CUT = policy("cut", rules=RULES, onViolation="Cut")
DRAIN = policy("drain", rules=RULES, onViolation="Drain")


def saying(*after: threading.Event | bytes, rest: int = 0, pause: float = 0.0):
    """Says the codename, then what is given, gates among it, then goes on for so many events and ends."""

    def script(request):
        events = list(openai_wire.text("the", " plan ", CODENAME, *[" and"] * rest)(request).sending.pieces)
        said = next(number for number, event in enumerate(events) if CODENAME.encode() in event) + 1
        reply = Reply.stream([*events[:said], *after, *events[said:]])
        return replace(reply, sending=replace(reply.sending, pause=pause))

    return script


def check(answer) -> None:
    """What the client saw is the provider's own ending, whole, and nothing of the rest."""
    text = answer.body.decode()
    assert answer.status == 200 and sse.frames(answer.body)[-1] == ("", "[DONE]")
    assert "plan" in text and '"finish_reason":"content_filter"' in text
    assert CODENAME not in text and " and" not in text
    assert text.count("[DONE]") == 1


MORE = list(openai_wire.text(*[" and"] * 100).events())[1:-2]
"""Events that follow without an end."""


@pytest.mark.parametrize("after", [[], MORE], ids=["silent", "goes-on"])
def test_cut_stops_the_provider(gateway, upstream, wire, after):
    """With the next event, or where the provider falls silent, soon after."""
    envoy = gateway(CUT)
    scenario = upstream.add(saying(*after, threading.Event(), pause=0.005))
    answer = wire.chat(envoy, scenario, openai_wire.request("x", stream=True))
    check(answer)
    assert not answer.complete
    assert wait_for("upstream cancelled", lambda: upstream.received(scenario)[0].cancelled)
    record = envoy.access(scenario)["weir"]
    assert record["decision"] == "reject" and record["by"] == "codename"
    assert len([line for line in envoy.audits() if line["id"] == record["id"]]) == 1
    assert envoy.running()


def test_drain_ends_cleanly(gateway, upstream, wire):
    """The ending is there before the provider goes on; the stream ends when the provider does."""
    envoy = gateway(DRAIN)
    gate = threading.Event()
    scenario = upstream.add(saying(gate, rest=50))

    def ended(body: bytes) -> None:
        if b"[DONE]" in body:
            gate.set()

    answer = wire.chat(envoy, scenario, openai_wire.request("x", stream=True), on_piece=ended)
    check(answer)
    assert answer.complete and gate.is_set()
    [request] = upstream.received(scenario)
    assert request.done and not request.cancelled
    assert envoy.access(scenario)["weir"]["decision"] == "reject"


def test_cut_where_the_answer_is_at_its_end(gateway, upstream, wire):
    """Nothing is left to stop: the stream ends cleanly."""
    events = b"".join(openai_wire.text(CODENAME).events())
    scenario = upstream.add(lambda _: Reply.stream([events]))
    answer = wire.chat(gateway(CUT), scenario, openai_wire.request("x", stream=True))
    text = answer.body.decode()
    assert answer.status == 200 and text.endswith("data: [DONE]\n\n") and CODENAME not in text


@pytest.mark.parametrize("configuration", [CUT, DRAIN], ids=["cut", "drain"])
def test_a_document_ends_cleanly_either_way(gateway, upstream, wire, configuration):
    scenario = upstream.add(openai_wire.text("the ", CODENAME, " ships"))
    answer = wire.chat(gateway(configuration), scenario, openai_wire.request("x"))
    assert (answer.status, answer.complete) == (200, True)
    assert b'"content_filter"' in answer.body and CODENAME not in answer.body.decode()


@pytest.mark.parametrize("configuration", [CUT, DRAIN], ids=["cut", "drain"])
def test_trailers_after_a_refusal(gateway, upstream, wire, configuration):
    envoy = gateway(configuration)
    scenario = upstream.add(sent(saying(rest=3), trailers=[("x-end", "1")]))
    answer = wire.chat(envoy, scenario, openai_wire.request("x", stream=True))
    check(answer)
    assert envoy.running() and envoy.access(scenario)["weir"]["decision"] == "reject"
    again = upstream.add(openai_wire.text("still here"))
    assert exchange(envoy.port, openai_wire.PATH, openai_wire.request("x"), headers=[(SCENARIO, again)]).complete
