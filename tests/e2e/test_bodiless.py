"""Messages that have no body, on every wire: they end with their head, and are decided all the same."""

import pytest

import openai_wire
from policies import CODENAMES, GUARD
from upstream import SCENARIO, Reply

DOCUMENT = b'{"object":"list","data":[]}'


@pytest.mark.parametrize("path", ["/v1/models", openai_wire.PATH])
@pytest.mark.parametrize("method,status", [("GET", 200), ("HEAD", 200), ("DELETE", 204), ("GET", 304)])
@pytest.mark.parametrize("configuration", [GUARD, CODENAMES], ids=["flowing", "held-whole"])
def test_no_body(gateway, upstream, wire, path, method, status, configuration):
    envoy = gateway(configuration)
    reply = Reply.json(DOCUMENT) if status == 200 else Reply.empty(status, [("etag", '"1"')])
    scenario = upstream.add(lambda _: reply)
    answer = wire.exchange(envoy.port, path, method=method, headers=[(SCENARIO, scenario)])
    assert (answer.status, answer.complete) == (status, True)
    assert answer.body == (DOCUMENT if (method, status) == ("GET", 200) else b"")
    assert answer.header("etag") == ("" if status == 200 else '"1"')
    [request] = upstream.received(scenario)
    assert request.complete and request.body == b""
    if path == openai_wire.PATH:
        assert envoy.access(scenario)["weir"]["decision"] == "pass"


@pytest.mark.parametrize("status", [204, 304])
def test_no_body_after_a_post(gateway, upstream, wire, status):
    scenario = upstream.add(lambda _: Reply.empty(status))
    answer = wire.chat(gateway(GUARD), scenario, openai_wire.request("hello"))
    assert (answer.status, answer.complete, answer.body) == (status, True, b"")
