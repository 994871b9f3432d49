"""Two listeners with a Weir each: by plugin names of their own they are apart; under one name they share what is kept.

The shipped configurations have a plugin name for each listener. Whoever shares one gets the last good policy of either
listener for both where one is bad, never traffic without the filter.
"""

import pytest

from bootstrap import Listener, Weir
from envoy import EnvoyFailed, wait_for
from gateway import Gateway
from policies import GUARD, SECRETS, policy
from states import BAD_ONE, BAD_TWO, MASK_ONLY, ask, refuses_injection, state

ELSEWHERE = policy("elsewhere", packs=[SECRETS], traffic=[{"hosts": ["internal.example"], "paths": ["/v1/*"]}])
"""Good, and says nothing about the hosts that the tests ask for."""


def other(configuration: str, plugin: str, delivery: str = "ECDS") -> Listener:
    """The second listener, with one Weir."""
    return Listener("other", (Weir(configuration, "weir-other", plugin, delivery),))


def ports(envoy: Gateway) -> tuple[int, int]:
    """Of the first and the second listener."""
    return envoy.port, wait_for("the other listener", lambda: envoy.listener_port("other"))


def test_names_of_their_own(fresh, upstream):
    envoy = fresh(GUARD, delivery="ECDS", others=(other(BAD_ONE, "weir-other"),))
    first, second = ports(envoy)
    assert [state(ask(port, upstream)) for port in (first, second)] == ["filtered", "closed"]
    envoy.replace_policy(MASK_ONLY, "weir-other")
    wait_for("the other policy", lambda: state(ask(second, upstream)) == "filtered")
    assert refuses_injection(first, upstream) and not refuses_injection(second, upstream)
    envoy.replace_policy(BAD_ONE)
    envoy.replace_policy(BAD_TWO, "weir-other")
    assert refuses_injection(first, upstream) and not refuses_injection(second, upstream)
    assert [envoy.update_stats(name)["update_rejected"] for name in ("weir", "weir-other")] == [1, 1]


def test_each_plugin_tells_its_own_state(fresh, upstream):
    """A second one that is well does not hide the first one that is not."""
    envoy = fresh(BAD_ONE, others=(other(GUARD, "weir-other", "Inline"),))
    assert [state(ask(port, upstream)) for port in ports(envoy)] == ["closed", "filtered"]
    told = {plugin: envoy.gauge("weir_policy_active", plugin) for plugin in ("weir", "weir-other")}
    assert told == {"weir": 0, "weir-other": 1} and envoy.gauge("weir_policy_degraded") == 1


def test_one_resource_for_both(fresh, upstream):
    """As a control plane delivers one plugin to many listeners: one text, one name."""
    both = Listener("other", (Weir(BAD_ONE, delivery="ECDS"),))
    envoy = fresh(BAD_ONE, delivery="ECDS", others=(both,))
    for configuration, expected in [(GUARD, True), (BAD_TWO, True), (MASK_ONLY, False), (BAD_ONE, False)]:
        envoy.replace_policy(configuration)
        for port in ports(envoy):
            wait_for("the last good policy", lambda: state(ask(port, upstream)) == "filtered")
            wait_for("the last good policy", lambda: refuses_injection(port, upstream) == expected)


def test_a_shared_name_lends_no_policy_that_is_for_other_hosts(fresh, upstream):
    envoy = fresh(BAD_ONE, delivery="ECDS", others=(other(ELSEWHERE, "weir"),))
    first, second = ports(envoy)
    wait_for("the other policy", lambda: state(ask(second, upstream, host="internal.example")) == "filtered")
    assert state(ask(first, upstream)) == "closed", "nothing says that this may pass"
    assert state(ask(first, upstream, host="internal.example")) == "filtered"
    stats = envoy.stats("wasmcustom.weir_")
    assert stats["wasmcustom.weir_degraded_requests_total"] and stats["wasmcustom.weir_stale_requests_total"]
    envoy.replace_policy(GUARD)
    wait_for("a policy of its own", lambda: refuses_injection(first, upstream))
    envoy.replace_policy(BAD_ONE)
    wait_for("the last good policy", lambda: state(ask(first, upstream)) == "filtered")


def test_a_shared_name_refuses_a_first_bad_policy(fresh, upstream):
    """The name has had a good policy, so the proxy is told to keep the old one; the new listener has none."""
    envoy = fresh(GUARD, delivery="ECDS", others=(other(BAD_ONE, "weir"),))
    first, second = ports(envoy)
    assert state(ask(first, upstream)) == "filtered"
    assert ask(second, upstream).status == 500
    assert envoy.update_stats("weir-other")["update_rejected"] == 1
    envoy.replace_policy(MASK_ONLY, "weir-other")
    wait_for("the other policy", lambda: state(ask(second, upstream)) == "filtered")
    assert refuses_injection(first, upstream)


def test_a_shared_name_in_a_static_bootstrap_ends_the_proxy(fresh):
    with pytest.raises(EnvoyFailed, match="policy refused"):
        fresh(GUARD, others=(other(BAD_ONE, "weir", "Inline"),))
