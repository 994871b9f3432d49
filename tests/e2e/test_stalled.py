"""`limits.hold`: a provider that falls silent while a tail is held costs the client the stream, never the guarantee."""

import json
import threading
import time

from client import exchange
from policies import PII_PACK, policy
from upstream import SCENARIO, Reply

HOLD = 0.5
"""The limit in the policy, in seconds."""

IMPATIENT = policy("impatient", packs=[PII_PACK], limits={"hold": "500ms"})


def test_a_stalled_stream_is_ended_and_releases_nothing(gateway, upstream, provider):
    envoy = gateway(IMPATIENT)
    whole = provider.answer(["Write to", " jane.doe@ba"])

    def stalls(request):
        events = whole(request).sending.pieces
        said = next(index for index, event in enumerate(events) if b"jane" in event)
        return Reply.stream([*events[: said + 1], threading.Event()])

    scenario = upstream.add(stalls)
    body = json.dumps(provider.request(stream=True)).encode()
    started = time.monotonic()
    answer = exchange(envoy.port, provider.path, body, headers=[(SCENARIO, scenario)], host=provider.host)
    waited = time.monotonic() - started
    assert HOLD / 2 < waited < 10 * HOLD
    assert not answer.complete and b"Write to" in answer.body and b"jane" not in answer.body
    assert upstream.received(scenario)[0].cancelled
    assert envoy.access(scenario)["weir"]["decision"] == "fail"


def test_a_slow_stream_with_nothing_held_goes_on(gateway, upstream, provider):
    """The limit is on holding, not on thinking."""
    envoy = gateway(IMPATIENT)
    gate = threading.Event()
    whole = provider.answer(["Let me think. ", "Done. "])

    def pauses(request):
        events = whole(request).sending.pieces
        said = next(index for index, event in enumerate(events) if b"think" in event)
        return Reply.stream([*events[: said + 1], gate, *events[said + 1 :]])

    scenario = upstream.add(pauses)
    body = json.dumps(provider.request(stream=True)).encode()
    timer = threading.Timer(3 * HOLD, gate.set)
    timer.start()
    answer = exchange(envoy.port, provider.path, body, headers=[(SCENARIO, scenario)], host=provider.host)
    assert answer.complete and b"Done." in answer.body
