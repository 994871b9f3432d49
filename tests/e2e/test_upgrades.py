"""A connection that turns into another protocol cannot be read: on a named host `inspection` decides about it."""

import pytest

import openai_wire
from envoy import wait_for
from policies import GUARD, policy
from upstream import SCENARIO, Reply
from wire import Wire

WEBSOCKET = [
    ("connection", "Upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
]
ALLOWED = policy("upgrades", inspection={"unknownShape": "Allow"})
COUNTER = "weir_not_inspected_reason=.=upgrade;.;_total"
ELSEWHERE = "example.com"


def handshake(wire, envoy, scenario: str, path: str, host: str):
    """The opening of a WebSocket, which HTTP/2 calls an extended CONNECT."""
    headers = [(":protocol", "websocket"), WEBSOCKET[2]] if wire.down == "h2" else WEBSOCKET
    method = "CONNECT" if wire.down == "h2" else "GET"
    return wire.exchange(envoy.port, path, method=method, headers=[(SCENARIO, scenario), *headers], host=host)


def count(envoy) -> int:
    """How many were counted so far."""
    return sum(envoy.stats(COUNTER).values())


@pytest.mark.parametrize("path", ["/v1/realtime", openai_wire.PATH, "/other"])
def test_refused_on_a_named_host(gateway, upstream, wire, path):
    envoy = gateway(GUARD)
    scenario = upstream.add(lambda _: Reply.empty(200))
    before = count(envoy)
    answer = handshake(wire, envoy, scenario, path, "api.openai.com")
    assert (answer.status, answer.complete, answer.header("x-weir-decision")) == (403, True, "reject")
    assert not upstream.received(scenario)
    record = envoy.access(scenario)["weir"]
    assert record["by"] == "inspection-unknown-shape" and record["notInspected"] == ["upgrade"]
    wait_for("counted", lambda: count(envoy) == before + 1)


@pytest.mark.parametrize("configuration,host", [(GUARD, ELSEWHERE), (ALLOWED, "api.openai.com")])
def test_passes_elsewhere(gateway, upstream, configuration, host):
    """A host that nobody names, or a policy that allows it."""
    envoy = gateway(configuration)
    scenario = upstream.add(lambda _: Reply.empty(101, WEBSOCKET[:2]))
    answer = handshake(Wire("h1", "h1"), envoy, scenario, "/v1/realtime", host)
    assert (answer.status, answer.header("upgrade")) == (101, "websocket")
    record = envoy.access(scenario)["weir"]
    assert record is None if host == ELSEWHERE else record["notInspected"] == ["upgrade"]
