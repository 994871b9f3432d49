"""Policies that change under load: nothing is lost, and a stream ends on the policy that it began with."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from client import Answer
from envoy import wait_for
from gateway import Gateway
from policies import GUARD, PII_PACK, numbered, policy
from samples import SECRET, leaked, tokens
from states import PROVIDER, ask, state, text_of
from traffic import Traffic
from upstream import Reply

RELOADS = 25
STREAMS = 200

LAX = policy("lax", packs=[PII_PACK])
"""Good, and without a rule that finds the secret."""


def gated(text: str, size: int, gates: list[threading.Event]):
    """A streamed answer with gates at even distances."""
    whole = PROVIDER.answer(tokens(text, size))

    def script(request) -> Reply:
        events = whole(request).sending.pieces
        step = len(events) // (len(gates) + 1)
        for place, gate in reversed(list(enumerate(gates, 1))):
            events.insert(place * step, gate)
        return Reply.stream(events)

    return script


def in_flight(envoy: Gateway) -> int:
    """Requests that are not over."""
    name = "http.ingress.downstream_rq_active"
    return envoy.stats(name)[name]


def records(envoy: Gateway, scenario: str, count: int = 1) -> list[dict]:
    """The records of a scenario's requests; each has one."""
    lines = envoy.access_lines(scenario, count)
    told = [envoy.records(line) for line in lines]
    assert [len(found) for found in told] == [1] * count
    return [found[0] for found in told]


def test_no_request_fails(fresh, upstream):
    envoy = fresh(numbered(0), delivery="ECDS", concurrency=2)
    with Traffic(envoy.port, upstream) as traffic:
        for number in range(1, RELOADS + 1):
            envoy.replace_policy(numbered(number))
            traffic.go_on(4)
    assert set(traffic.states) == {"filtered"}
    assert envoy.update_stats()["update_success"] == RELOADS + 1
    told = records(envoy, traffic.scenario, traffic.count())
    assert len({record["id"] for record in told}) == traffic.count(), "one record each"
    assert {record["decision"] for record in told} == {"mask"}
    seen = [int(record["policy"].removeprefix("policy-")) for record in told]
    assert len(set(seen)) > RELOADS // 2 and seen[-1] == RELOADS


@pytest.mark.parametrize("delivery", ["ECDS", "LDS"])
def test_a_stream_ends_on_the_policy_that_it_began_with(fresh, upstream, delivery):
    envoy = fresh(GUARD, delivery=delivery, drain=600)
    gate = threading.Event()
    slow = upstream.add(gated(f"the key {SECRET} is here", 6, [gate]))
    quick = upstream.add(PROVIDER.answer(tokens(f"the key {SECRET} is here", 6)))
    with ThreadPoolExecutor() as pool:
        old = pool.submit(ask, envoy.port, upstream, stream=True, scenario=slow)
        wait_for("the stream in flight", lambda: upstream.received(slow, settled=False) and in_flight(envoy))
        envoy.replace_policy(LAX)
        wait_for(
            "the lax policy in force",
            lambda: leaked(text_of(ask(envoy.port, upstream, stream=True, scenario=quick))),
        )
        assert not old.done()
        gate.set()
        assert state(old.result()) == "filtered"
    [before] = records(envoy, slow)
    after = records(envoy, quick)[-1]
    assert (before["policy"], before["decision"]) == ("guard", "mask")
    assert (after["policy"], after["decision"]) == ("lax", "pass")
    assert before["policyHash"] != after["policyHash"]


def test_lds_cuts_what_is_longer_than_its_drain(fresh, upstream):
    """Envoy closes the old listener's connections then; what was held does not leak."""
    envoy = fresh(GUARD, delivery="LDS", drain=1)
    scenario = upstream.add(gated(f"the key {SECRET} is here", 6, [threading.Event()]))
    with ThreadPoolExecutor() as pool:
        old = pool.submit(ask, envoy.port, upstream, stream=True, scenario=scenario)
        wait_for("the stream in flight", lambda: upstream.received(scenario, settled=False) and in_flight(envoy))
        envoy.replace_policy(LAX)
        assert state(old.result()) == "cut"
    assert records(envoy, scenario)[0]["policy"] == "guard"


def test_two_hundred_streams_through_five_reloads(fresh, upstream):
    """Forty begin under each of five policies; the last policy in force would let their secrets pass."""
    envoy = fresh(numbered(0), delivery="ECDS", concurrency=2)
    gates = [threading.Event() for _ in range(6)]
    scenarios = [
        upstream.add(gated(f"stream-{number}- {SECRET} and {SECRET} -{number}-end", 5, gates)) for number in range(STREAMS)
    ]

    def run(scenario: str) -> Answer:
        return ask(envoy.port, upstream, stream=True, scenario=scenario)

    with ThreadPoolExecutor(STREAMS) as pool:
        answers = []
        for round, update in enumerate([*map(numbered, range(1, 5)), LAX]):
            begun = scenarios[round * STREAMS // 5 : (round + 1) * STREAMS // 5]
            answers += [pool.submit(run, scenario) for scenario in begun]
            wait_for("all in flight", lambda: in_flight(envoy) == len(answers), 30)
            envoy.replace_policy(update)
            gates[round].set()
        assert in_flight(envoy) == STREAMS and not any(answer.done() for answer in answers)
        gates[-1].set()
        texts = [(answer.result().complete, text_of(answer.result())) for answer in answers]
    for number, (complete, text) in enumerate(texts):
        assert complete and not leaked(text)
        assert text.startswith(f"stream-{number}- ") and text.endswith(f" -{number}-end")
    for number, scenario in enumerate(scenarios):
        [record] = records(envoy, scenario)
        assert (record["decision"], record["policy"]) == ("mask", f"policy-{number * 5 // STREAMS}")
        assert sum(row["count"] for row in record["rules"]) == 2
    assert envoy.update_stats()["update_rejected"] == 0
