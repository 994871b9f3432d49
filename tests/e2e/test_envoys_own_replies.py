"""What Envoy itself answers is nobody's answer: it passes unjudged, on every wire, and the exchange has its record."""

import socket

import pytest

import openai_wire
from bootstrap import UPSTREAM
from policies import CODENAMES, GUARD


def passes(wire, envoy, scenario: str, status: int, words: str, **more) -> None:
    """Asks twice: Envoy's own words come through, and each exchange is recorded as passed."""
    for _ in range(2):
        answer = wire.chat(envoy, scenario, openai_wire.request("hello"), **more)
        assert (answer.status, answer.complete) == (status, True)
        assert bool(words) == bool(answer.body) and answer.body.decode().startswith(words)
        assert not answer.header("x-weir-decision")
        record = envoy.access(scenario)["weir"]
        assert (record["decision"], record["notInspected"]) == ("pass", [])
        assert len([line for line in envoy.audits() if line["id"] == record["id"]]) == 1


@pytest.mark.parametrize("configuration", [GUARD, CODENAMES], ids=["flowing", "held-whole"])
def test_no_route(gateway, wire, configuration):
    """404 comes from the router, after the filter has seen the request's head."""
    passes(wire, gateway(configuration), f"no-route-{wire.name}", 404, "", headers=[(UPSTREAM, "nowhere")])


@pytest.mark.parametrize("configuration", [GUARD, CODENAMES], ids=["flowing", "held-whole"])
def test_upstream_refuses_the_connection(fresh, wire, configuration):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        envoy = fresh(configuration, port=closed.getsockname()[1])
        passes(wire, envoy, "refused", 503, "upstream connect error")
