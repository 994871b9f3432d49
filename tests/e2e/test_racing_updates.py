"""Good and bad policies written as fast as files can be renamed: no request passes unfiltered, the last good one wins."""

from itertools import cycle

import pytest

from envoy import wait_for
from policies import GUARD, INJECTION, SECRETS, policy
from states import BAD_ONE, MASK_ONLY, ask, refuses_injection, state
from traffic import Traffic

JUDGED = 150
"""So many updates are taken or refused; Envoy reads a file that changes faster less often than it is written."""


def texts():
    """Good policies and bad ones in turns, each new but for the two that come again and again."""
    for number in range(100_000):
        yield policy(f"good-{number}", packs=[INJECTION, SECRETS])
        yield policy(f"bad-{number}", packz=[])
        yield GUARD
        yield BAD_ONE


@pytest.mark.parametrize("taken_once", [False, True], ids=["refused", "taken-once"])
@pytest.mark.parametrize("delivery", ["ECDS", "LDS"])
def test_race(fresh, upstream, delivery, taken_once):
    """`taken-once`: the bad text was all that there was at the start, so Envoy takes it each time it comes again."""
    envoy = fresh(BAD_ONE if taken_once else GUARD, delivery=delivery, concurrency=2, drain=1)
    envoy.replace_policy(GUARD)
    wait_for("the first good policy in force", lambda: state(ask(envoy.port, upstream)) == "filtered")
    resource = "LDS" if delivery == "LDS" else "weir"
    with Traffic(envoy.port, upstream) as traffic:
        written = texts()
        wait_for("a worker each", lambda: traffic.states["filtered"] > 20)
        before = traffic.count()

        def judged() -> int:
            stats = envoy.update_stats(resource)
            return stats["update_success"] + stats["update_rejected"]

        first = judged()
        for configuration, look in zip(written, cycle([False] * 7 + [True])):
            envoy.write_policy(configuration)
            if look and judged() >= first + JUDGED:
                break
        assert traffic.count() > before
        assert set(traffic.go_on()) == {"filtered"}
        envoy.replace_policy(policy("last-bad", packz=[1]))
        assert set(traffic.go_on()) == {"filtered"}
        envoy.replace_policy(MASK_ONLY)
        wait_for("the last one", lambda: not refuses_injection(envoy.port, upstream))
        traffic.go_on()
        envoy.replace_policy(policy("another-last-bad", packz=[]))
        assert not any(refuses_injection(envoy.port, upstream) for _ in range(20)), "the last good one"
    assert set(traffic.states) == {"filtered"}
    stats = envoy.update_stats(resource)
    assert stats["update_success"] and stats["update_rejected"]
