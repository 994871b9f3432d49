"""Which policy is in force when one is bad: none serves unfiltered, and a good one is not lost to a bad one."""

import pytest

from envoy import wait_for
from gateway import Gateway
from policies import GUARD, policy
from states import BAD_ONE, BAD_TWO, MASK_ONLY, ask, refuses_injection, state

BAD = {
    "empty": "",
    "not-json": "{",
    "wrong-field": BAD_ONE,
    "not-enforced-yet": policy("bad", retrieval={"defaultAction": "Deny"}),
    "unknown-pack": BAD_TWO,
}

UPDATES = pytest.mark.parametrize("delivery", ["ECDS", "LDS"])


def resource(delivery: str) -> str:
    """The resource that an update replaces."""
    return "LDS" if delivery == "LDS" else "weir"


def told(envoy: Gateway) -> dict[str, int]:
    """What the metrics say about the policy."""
    gauges, counters = ("active", "stale", "degraded"), ("stale_requests_total", "degraded_requests_total")
    stats = envoy.stats("wasmcustom.weir_")
    return {
        **{f"policy_{name}": envoy.gauge(f"weir_policy_{name}") for name in gauges},
        **{name: stats.get(f"wasmcustom.weir_{name}", 0) for name in counters},
        "policy_refused_total": stats.get("wasmcustom.weir_policy_refused_plugin=.=weir;.;_total", 0),
    }


@pytest.mark.parametrize("configuration", BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize("delivery", ["Inline", "ECDS"])
def test_bad_policy_on_a_fresh_proxy(fresh, upstream, configuration, delivery):
    envoy = fresh(configuration, delivery=delivery)
    answer = ask(envoy.port, upstream)
    assert state(answer) == "closed" and answer.header("x-weir-reason") == "invalid-policy"
    assert b"policy" in answer.body.lower(), "the reason class is told"
    assert "[error]" in envoy.log() and "weir: policy degraded: " in envoy.log()
    metrics = told(envoy)
    assert (metrics["policy_degraded"], metrics["policy_active"]) == (1, 0)
    assert metrics["degraded_requests_total"] == 1


@UPDATES
def test_good_after_bad(fresh, upstream, delivery):
    envoy = fresh(BAD_ONE, delivery=delivery)
    assert state(ask(envoy.port, upstream)) == "closed"
    envoy.replace_policy(GUARD)
    wait_for("the good policy in force", lambda: state(ask(envoy.port, upstream)) == "filtered")
    assert (told(envoy)["policy_active"], told(envoy)["policy_degraded"]) == (1, 0)


@UPDATES
def test_bad_update_leaves_the_old_policy(fresh, upstream, delivery):
    envoy = fresh(GUARD, delivery=delivery)
    assert state(ask(envoy.port, upstream)) == "filtered" and refuses_injection(envoy.port, upstream)
    assert told(envoy)["policy_refused_total"] == 0
    envoy.replace_policy(BAD_ONE)
    for _ in range(20):
        assert state(ask(envoy.port, upstream)) == "filtered"
    assert refuses_injection(envoy.port, upstream)
    assert envoy.update_stats(resource(delivery))["update_rejected"] == 1
    assert "weir: policy refused: /spec/packz: unknown field" in envoy.log()
    assert told(envoy)["policy_active"] == 1 and told(envoy)["stale_requests_total"] == 0
    assert told(envoy)["policy_refused_total"] == 1
    envoy.replace_policy(MASK_ONLY)
    wait_for("the next policy in force", lambda: not refuses_injection(envoy.port, upstream))
    assert state(ask(envoy.port, upstream)) == "filtered"


def test_a_refused_text_that_comes_again_counts_as_a_success(fresh, upstream):
    """Envoy remembers its refusal and asks nobody: an alert on refused updates alone falls silent."""
    envoy = fresh(GUARD, delivery="ECDS")
    envoy.replace_policy(BAD_ONE)
    first = envoy.update_stats()
    envoy.replace_policy(BAD_ONE)
    again = envoy.update_stats()
    assert again["update_success"] == first["update_success"] + 1
    assert again["update_rejected"] == first["update_rejected"] == 1
    assert refuses_injection(envoy.port, upstream), "the last good policy goes on"


@UPDATES
def test_bad_then_good_then_the_same_bad_again(fresh, upstream, delivery):
    """Envoy remembers that it took the bad text once and does not ask again: the naive module fails open here."""
    envoy = fresh(BAD_ONE, delivery=delivery)
    assert state(ask(envoy.port, upstream)) == "closed"
    envoy.replace_policy(GUARD)
    wait_for("the good policy in force", lambda: state(ask(envoy.port, upstream)) == "filtered")
    envoy.replace_policy(BAD_ONE)
    for _ in range(20):
        assert state(ask(envoy.port, upstream)) == "filtered", "the last good policy goes on"
    assert envoy.update_stats(resource(delivery))["update_rejected"] == 0
    wait_for("stale requests counted", lambda: told(envoy)["stale_requests_total"] > 0)
    envoy.replace_policy(MASK_ONLY)
    wait_for("a later good policy in force", lambda: not refuses_injection(envoy.port, upstream))
    envoy.replace_policy(BAD_TWO)
    for _ in range(20):
        assert state(ask(envoy.port, upstream)) == "filtered"
    envoy.replace_policy(GUARD)
    wait_for("a good policy once more", lambda: refuses_injection(envoy.port, upstream))


def test_what_the_last_good_policy_does_not_name_is_turned_away_while_it_is_stale(fresh, upstream):
    envoy = fresh(BAD_ONE, delivery="ECDS")
    envoy.replace_policy(GUARD)
    wait_for("the good policy in force", lambda: state(ask(envoy.port, upstream)) == "filtered")
    envoy.replace_policy(BAD_ONE)
    wait_for("stale", lambda: told(envoy)["policy_stale"] == 1)
    assert state(ask(envoy.port, upstream, host="internal.example")) == "closed"
    assert state(ask(envoy.port, upstream)) == "filtered"


def test_requests_during_updates_are_all_filtered(fresh, upstream):
    envoy = fresh(GUARD, delivery="ECDS")
    for configuration in (MASK_ONLY, BAD_ONE, GUARD, BAD_TWO, MASK_ONLY):
        before = envoy.stats("http.ingress.downstream_rq_5xx")
        envoy.replace_policy(configuration)
        for _ in range(10):
            assert state(ask(envoy.port, upstream)) == "filtered"
        assert envoy.stats("http.ingress.downstream_rq_5xx") == before
