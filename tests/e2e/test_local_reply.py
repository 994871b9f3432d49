"""Answers that Envoy makes itself pass the filter on their way out: each is recorded once."""

import json
import socket

from client import exchange
from policies import GUARD
from samples import INJECTION
from upstream import SCENARIO


def body(provider, prompt: str) -> bytes:
    """A request with this prompt."""
    return json.dumps(provider.request(prompt)).encode()


def test_our_own_reply_is_recorded_once(gateway, upstream, provider):
    envoy = gateway(GUARD)
    scenario = upstream.add(provider.answer(["never said"]))
    answer = exchange(
        envoy.port, provider.path, body(provider, INJECTION), headers=[(SCENARIO, scenario)], host=provider.host
    )
    assert (answer.status, answer.complete) == (403, True)
    for header in ("x-weir-decision", "x-weir-id"):
        assert len([name for name, _ in answer.head.headers if name == header]) == 1
    assert json.loads(answer.body)["error"]["message"]
    envoy.access(scenario)
    records = [record for record in envoy.audits() if record["id"] == answer.header("x-weir-id")]
    assert [record["decision"] for record in records] == ["reject"]


def test_envoys_reply_when_the_provider_is_down(fresh, provider):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        envoy = fresh(GUARD, port=closed.getsockname()[1])
        for _ in range(2):
            answer = exchange(
                envoy.port, provider.path, body(provider, "hello"), headers=[(SCENARIO, "down")], host=provider.host
            )
            assert (answer.status, answer.complete) == (503, True)
            assert b"upstream connect error" in answer.body
        assert envoy.access("down")["weir"]["decision"], "decided although no provider answered"
