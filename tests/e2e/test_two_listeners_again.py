"""A listener that is removed and comes back while another goes on: what is known of it lives as long as its VMs.

Its Weir has a plugin name of its own. In the VM that the other listener keeps alive the name is remembered whether the
old listener still drains or not; in a VM of its own it is forgotten with the drain.
"""

import pytest

from bootstrap import Listener, Weir
from envoy import wait_for
from gateway import Gateway
from policies import GUARD
from states import BAD_ONE, BAD_TWO, MASK_ONLY, ask, state

DRAINED, DRAINING = 1, 600
"""Seconds that a removed listener goes on: over before the listener comes back, or not."""

SHARED, OWN = "weir", "weir-second"
"""The VM that the first listener has too, and one that dies with the second."""


def second(configuration: str, vm: str) -> Listener:
    """The listener that goes and comes."""
    return Listener("second", (Weir(configuration, "weir-second", "weir-second", vm=vm),))


def serves(envoy: Gateway, upstream) -> str:
    """What the second listener serves, or that there is none."""
    port = envoy.listener_port("second")
    return state(ask(port, upstream)) if port else "absent"


@pytest.mark.parametrize(
    "vm,drain,history,again,expected",
    [
        (SHARED, DRAINED, [GUARD], GUARD, "filtered"),
        (SHARED, DRAINED, [GUARD], BAD_ONE, "absent"),
        (SHARED, DRAINED, [BAD_ONE], BAD_ONE, "closed"),
        (SHARED, DRAINED, [BAD_ONE, GUARD], BAD_ONE, "filtered"),
        (SHARED, DRAINING, [BAD_ONE, GUARD], BAD_ONE, "filtered"),
        (SHARED, DRAINING, [BAD_ONE, GUARD], BAD_TWO, "absent"),
        (OWN, DRAINING, [GUARD], BAD_ONE, "absent"),
        (OWN, DRAINING, [BAD_ONE], GUARD, "filtered"),
        (OWN, DRAINED, [GUARD], BAD_ONE, "closed"),
        (OWN, DRAINED, [BAD_ONE, GUARD], BAD_ONE, "closed"),
    ],
    ids=[
        "good-good",
        "good-bad",
        "bad-bad",
        "stale",
        "stale-while-draining",
        "another-bad-while-draining",
        "own-vm-while-draining",
        "own-vm-bad-good-while-draining",
        "own-vm-forgets",
        "own-vm-forgets-what-it-took",
    ],
)
def test_comes_back(fresh, upstream, vm, drain, history, again, expected):
    envoy = fresh(MASK_ONLY, delivery="LDS", drain=drain, others=(second(history[0], vm),))
    for configuration in history[1:]:
        envoy.replace_listeners(second(configuration, vm))
    before = "filtered" if GUARD in history else "closed"
    wait_for("the listener before", lambda: serves(envoy, upstream) == before)
    envoy.replace_listeners()
    if drain == DRAINED:
        name = "listener_manager.total_listeners_draining"
        wait_for("drained", lambda: envoy.stats(name)[name] == 0)
    envoy.replace_listeners(second(again, vm))
    rejected = expected == "absent"
    assert envoy.update_stats("LDS")["update_rejected"] == rejected
    wait_for(expected, lambda: serves(envoy, upstream) == expected)
    assert serves(envoy, upstream) == expected and state(ask(envoy.port, upstream)) == "filtered"
    if rejected:
        envoy.replace_listeners(second(GUARD, vm))
        wait_for("a good policy repairs it", lambda: serves(envoy, upstream) == "filtered")
