"""A client that goes away in the middle costs nothing but its own stream."""

import threading

import pytest

from envoy import wait_for
from policies import GUARD, PII
from samples import SECRET
from upstream import Reply, sent


@pytest.mark.parametrize("configuration", [GUARD, PII], ids=["nothing-held", "tail-held"])
def test_client_cancels_mid_stream(gateway, upstream, provider, configuration):
    envoy = gateway(configuration)
    whole = provider.answer(["Hello", " there", " jane.do"])

    def endless(request):
        events = whole(request).sending.pieces
        return Reply.stream([*events[: 6 if provider.name == "anthropic" else 4], threading.Event()])

    scenario = upstream.add(endless)
    with provider.client(envoy, scenario) as client:
        request = provider.request(stream=True)
        made = client.chat.completions if provider.name == "openai" else client.messages
        stream = made.create(**request)
        next(iter(stream))
        stream.close()
    assert wait_for("upstream cancelled", lambda: upstream.received(scenario)[0].cancelled)
    assert envoy.access(scenario)["weir"]["decision"], "a stream that is cut off has a decision too"
    again = upstream.add(provider.answer(["still ", "here"]))
    assert provider.ask(envoy, again, stream=True).texts == ["still here"]
    assert envoy.running()


def test_upstream_dies_mid_stream(gateway, upstream, provider):
    """A tail that was held is dropped, not leaked, and the next exchange is fine."""
    envoy = gateway(GUARD)
    answer = provider.answer(["token ", SECRET[:20], SECRET[20:30], SECRET[30:]])
    scenario = upstream.add(sent(answer, abort_after=4))
    with pytest.raises(Exception) as caught:
        provider.ask(envoy, scenario, stream=True)
    assert SECRET[4:12] not in str(caught.value)
    again = upstream.add(provider.answer(["ok"]))
    assert provider.ask(envoy, again).texts == ["ok"]
