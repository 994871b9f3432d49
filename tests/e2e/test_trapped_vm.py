"""A VM that traps, which the shipped module cannot: what is in flight ends, and nothing passes without the filter.

Envoy gives a worker a new VM at its next request, at most one a second (`FAIL_RELOAD`). The new VM has no memory, only
what the proxy's VMs share, and is told the same configuration again.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bootstrap import Listener, Weir
from client import Answer
from envoy import wait_for
from gateway import Gateway
from http1 import Sending
from policies import GUARD
from saboteur import trapping, write_trapping
from samples import SECRET, tokens
from states import BAD_ONE, BAD_TWO, MASK_ONLY, PROVIDER, TRAILERS, ask, refuses_injection, state
from traffic import Traffic
from upstream import Reply

HISTORIES = {
    "good": ([GUARD], "filtered"),
    "good-then-refused": ([GUARD, BAD_TWO], "filtered"),
    "degraded": ([BAD_ONE], "closed"),
    "stale": ([BAD_ONE, GUARD, BAD_ONE], "closed"),
}
"""The configurations up to the trap, and what a VM serves that knows none but the last one taken."""

EVERY_HISTORY = pytest.mark.parametrize("configurations,after", HISTORIES.values(), ids=HISTORIES.keys())


@pytest.fixture(scope="module")
def traps_on_trailers(module, tmp_path_factory) -> Path:
    """A module that traps when a request ends with trailers."""
    return write_trapping(module, "proxy_on_request_trailers", tmp_path_factory.mktemp("saboteur") / "trailers.wasm")


@pytest.fixture(scope="module")
def traps_on_tick(module, tmp_path_factory) -> Path:
    """A module that traps whenever its clock ticks, soon after each load."""
    return write_trapping(module, "proxy_on_tick", tmp_path_factory.mktemp("saboteur") / "tick.wasm")


def reloads(envoy: Gateway) -> int:
    """How many new VMs there were."""
    return envoy.stats("wasm.weir.vm_reload_success").get("wasm.weir.vm_reload_success", 0)


def test_saboteur_changes_one_function(module):
    shipped = module.read_bytes()
    with pytest.raises(KeyError):
        trapping(shipped, "no_such_function")
    assert shipped != trapping(shipped, "proxy_on_tick") != trapping(shipped, "proxy_on_request_trailers")


def test_streams_in_flight_end_and_the_next_are_filtered(fresh, upstream, traps_on_trailers):
    """Each ends at the next byte of its provider, which the client does not see any more."""
    envoy = fresh(GUARD, module=traps_on_trailers)
    whole, gate = PROVIDER.answer(tokens(f"Hello {SECRET} is here", 6)), threading.Event()

    def gated(request) -> Reply:
        events = whole(request).sending.pieces
        return Reply.stream([*events[:3], gate, *events[3:]])

    begun = upstream.add(gated)
    readers: set[int] = set()

    def reads(_: bytes) -> None:
        readers.add(threading.get_ident())

    def client() -> Answer:
        return ask(envoy.port, upstream, stream=True, scenario=begun, on_piece=reads)

    with ThreadPoolExecutor(5) as pool:
        in_flight = [pool.submit(client) for _ in range(5)]
        wait_for("streams in flight, the first bytes at their clients", lambda: len(readers) == 5)
        assert state(ask(envoy.port, upstream, trailers=TRAILERS)) == "bare"
        assert "proxy_on_request_trailers failed" in envoy.log()
        gate.set()
        assert {state(future.result()) for future in in_flight} == {"cut"}
    with Traffic(envoy.port, upstream) as traffic:
        wait_for("a new VM", lambda: traffic.states["filtered"])
        assert set(traffic.go_on()) == {"filtered"}
    assert set(traffic.states) <= {"bare", "filtered"} and reloads(envoy) == 1
    assert refuses_injection(envoy.port, upstream)


@EVERY_HISTORY
def test_a_vm_that_traps_again_and_again(fresh, upstream, traps_on_tick, configurations, after):
    first, *updates = configurations
    envoy = fresh(first, module=traps_on_tick, delivery="ECDS")
    for configuration in updates:
        envoy.replace_policy(configuration)
    with Traffic(envoy.port, upstream) as traffic:
        wait_for("new VMs", lambda: reloads(envoy) > 1)
        seen = traffic.states[after]
        wait_for("served again", lambda: traffic.states[after] > seen)
    assert set(traffic.states) <= {"bare", "filtered", "closed", "cut"}
    assert after == "closed" or "closed" not in traffic.states
    assert not any(name.endswith("vm_reload_failure") for name, count in envoy.stats("wasm.weir.").items() if count)


@pytest.mark.parametrize("update,after", [(MASK_ONLY, "filtered"), (BAD_TWO, "filtered"), (BAD_ONE, "closed")])
def test_update_of_a_trapped_vm(fresh, upstream, traps_on_trailers, update, after):
    """The update comes before any request wakes a new VM. `BAD_ONE` was taken once, so Envoy does not ask again."""
    envoy = fresh(BAD_ONE, module=traps_on_trailers, delivery="ECDS")
    envoy.replace_policy(GUARD)
    wait_for("the good policy in force", lambda: state(ask(envoy.port, upstream)) == "filtered")
    assert state(ask(envoy.port, upstream, trailers=TRAILERS)) == "bare"
    envoy.replace_policy(update)
    with Traffic(envoy.port, upstream) as traffic:
        wait_for("served again", lambda: traffic.states[after])
        assert set(traffic.go_on()) == {after}
    envoy.replace_policy(MASK_ONLY)
    wait_for("the next policy", lambda: state(ask(envoy.port, upstream)) == "filtered")


def test_the_other_worker_goes_on(fresh, upstream, traps_on_trailers):
    envoy = fresh(GUARD, module=traps_on_trailers, concurrency=2)
    with Traffic(envoy.port, upstream) as traffic:
        traffic.go_on()
        state(ask(envoy.port, upstream, trailers=TRAILERS))
        wait_for("a new VM", lambda: reloads(envoy))
        traffic.settle()
        assert set(traffic.go_on(40)) == {"filtered"}
    assert set(traffic.states) <= {"bare", "cut", "filtered"}


@pytest.mark.parametrize("first_back", ["degraded", "good"])
def test_listeners_that_share_a_vm_and_a_plugin_name(fresh, upstream, traps_on_trailers, first_back):
    """One has never had a good policy. Whichever wakes the new VM, the other comes back too."""
    other = Listener("other", (Weir(BAD_TWO, "weir-other", delivery="ECDS"),))
    envoy = fresh(BAD_ONE, module=traps_on_trailers, delivery="ECDS", others=(other,))
    degraded, good = envoy.port, envoy.listener_port("other")
    assert {state(ask(port, upstream)) for port in (degraded, good)} == {"closed"}
    envoy.replace_policy(GUARD, "weir-other")
    wait_for("the good policy in force", lambda: state(ask(good, upstream)) == "filtered")
    assert state(ask(good, upstream, trailers=TRAILERS)) == "bare"
    order = [degraded, good] if first_back == "degraded" else [good, degraded]
    for port, expected in ((port, {"closed", "filtered"} if port == degraded else {"filtered"}) for port in order):
        wait_for("served again", lambda: state(ask(port, upstream)) in expected)
    assert state(ask(degraded, upstream, host="internal.example")) == "closed"
    envoy.replace_policy(MASK_ONLY)
    wait_for("a policy of its own", lambda: not refuses_injection(degraded, upstream))
    assert refuses_injection(good, upstream)


def test_fail_closed_stays_closed_until_the_next_policy(fresh, upstream, traps_on_trailers):
    envoy = fresh(GUARD, module=traps_on_trailers, delivery="ECDS", failure_policy="FAIL_CLOSED")
    state(ask(envoy.port, upstream, trailers=TRAILERS))
    assert {state(ask(envoy.port, upstream)) for _ in range(20)} == {"bare"}
    envoy.replace_policy(MASK_ONLY)
    wait_for("the next policy", lambda: state(ask(envoy.port, upstream)) == "filtered")


def test_fail_open_lets_everything_pass(fresh, upstream, traps_on_trailers):
    """Why nothing that Weir ships says FAIL_OPEN."""
    envoy = fresh(GUARD, module=traps_on_trailers, failure_policy="FAIL_OPEN")
    ask(envoy.port, upstream, trailers=TRAILERS)
    with pytest.raises(AssertionError, match="passed without the filter"):
        state(ask(envoy.port, upstream))
