"""Exchanges that end before their end, on every wire: nothing held leaks, the other side learns of it, and each leaves
one record with its decision."""

import threading

import pytest

import openai_wire
from envoy import wait_for
from http1 import Sending
from policies import CODENAMES, GUARD, PII
from samples import INJECTION, SECRET, leaked
from upstream import Reply, sent

POLICIES = pytest.mark.parametrize("configuration", [GUARD, PII, CODENAMES], ids=["mask", "last-word", "refuse"])


def one_record(envoy, scenario: str) -> dict:
    """The record of the only exchange of this scenario."""
    identity = envoy.access(scenario)["weir"]["id"]
    [record] = [record for record in envoy.audits() if record["id"] == identity]
    return record


@POLICIES
def test_upstream_resets_mid_stream(gateway, upstream, wire, configuration):
    envoy = gateway(configuration)
    script = openai_wire.text("Hello ", SECRET[:20], SECRET[20:30], "x")
    scenario = upstream.add(sent(script, abort_after=4))
    answer = wire.chat(envoy, scenario, openai_wire.request("x", stream=True))
    assert not answer.complete and answer.status in (0, 200, 503)
    assert not (configuration == GUARD and leaked(answer.body.decode()))
    assert one_record(envoy, scenario)["decision"]


@POLICIES
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_upstream_truncates_a_document(gateway, upstream, wire, configuration, framing):
    """Less than the head promised, in the middle of a secret."""
    envoy = gateway(configuration)

    def script(request):
        document = openai_wire.text("key ", SECRET).document()
        at = document.index(SECRET.encode()) + 20
        return Reply(
            Sending([document[:at], document[at:]], framing=framing, abort_after=1, pause=0.02),
            200,
            [("content-type", "application/json")],
        )

    scenario = upstream.add(script)
    answer = wire.chat(envoy, scenario, openai_wire.request("x"))
    assert not answer.complete or answer.status >= 500
    assert not (configuration == GUARD and leaked(answer.body.decode()))
    assert one_record(envoy, scenario)["decision"]


@pytest.mark.parametrize("prompt", ["hello", INJECTION], ids=["clean", "injection"])
def test_client_truncates_a_request(gateway, upstream, wire, prompt):
    envoy = gateway(GUARD)
    scenario = upstream.add(openai_wire.text("never said"))
    body = openai_wire.request(prompt)
    sending = Sending([body[:-1], body[-1:]], abort_after=1, pause=0.02)
    assert wire.chat(envoy, scenario, sending).status == 0
    assert one_record(envoy, scenario)["decision"]
    assert not any(request.body or request.complete for request in upstream.received(scenario))


@POLICIES
def test_client_cancels_mid_stream(gateway, upstream, wire, configuration):
    envoy = gateway(configuration)
    whole = openai_wire.text("Hello", " there", " jane.do")
    scenario = upstream.add(lambda request: Reply.stream([*list(whole(request).sending.pieces)[:4], threading.Event()]))
    answer = wire.chat(envoy, scenario, openai_wire.request("x", stream=True), on_piece=lambda _: False)
    assert not answer.complete
    assert wait_for("upstream cancelled", lambda: upstream.received(scenario)[0].cancelled)
    assert one_record(envoy, scenario)["decision"]


@POLICIES
def test_client_cancels_while_nothing_came(gateway, upstream, wire, configuration):
    """The provider is still silent when the client hangs up."""
    envoy = gateway(configuration)
    reached, given_up = threading.Event(), threading.Event()

    def silent(_):
        reached.set()
        return Reply.stream([b": thinking\n\n", threading.Event()])

    scenario = upstream.add(silent)
    sending = Sending([openai_wire.request("x", stream=True)], framing="length")
    wire.chat(envoy, scenario, sending, on_piece=lambda _: given_up.set() or False)
    assert reached.is_set() and given_up.is_set()
    assert wait_for("upstream cancelled", lambda: upstream.received(scenario)[0].cancelled)
    assert one_record(envoy, scenario)["decision"]
