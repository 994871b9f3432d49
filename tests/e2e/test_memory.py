"""Resident memory: streams give back what they took, and so do policies that are replaced, each as its delivery lets it.

Under ECDS an old policy goes as soon as the streams that began with it are over. Under LDS it stays until the old
listener has drained. Memory of a VM is never given back to the system; what is free in it is used again.
"""

import json

from client import exchange
from envoy import wait_for
from gateway import Gateway
from policies import GUARD, PII_PACK, SECRETS, policy
from providers import OpenAI
from samples import SECRET, tokens
from states import ask, refuses_injection, state
from upstream import SCENARIO

GROWTH = 16 << 20
"""Allowed growth of resident memory, in bytes; an exchange that kept its 20 KiB would need 18 MiB more."""

MIB = 1 << 20
FLAT = 1.03
"""Resident memory that grew by no more than this factor has not grown: pages are taken and left by chance."""

UPDATES = 50
BATCH = 8
"""LDS updates before their old listeners drain."""

RULES = 500
MANY_RULES = 5000
MANY_RULES_COST = 24 * MIB
"""Allowed resident memory of a policy of so many rules, in bytes for each VM that holds it; about half of it is used."""
MANY_RULES_TIME = 250
"""Allowed milliseconds of a worker's CPU for compiling them; about a quarter is used."""

COSTLY = "([a-z]|[0-9]|[x-z]){1,460}"
"""A pattern that takes some 30 KiB."""


def test_memory_stays(fresh, upstream):
    envoy, provider = fresh(GUARD), OpenAI()
    scenario = upstream.add(provider.answer(tokens(f"{'x ' * 5000} {SECRET} end", 500)))
    body = json.dumps(provider.request("y" * 10000, stream=True)).encode()

    def run(times: int) -> int:
        for _ in range(times):
            answer = exchange(envoy.port, provider.path, body, headers=[(SCENARIO, scenario)])
            assert answer.status == 200 and answer.complete
        return envoy.memory()

    first = run(100)
    assert run(900) - first < GROWTH


def with_rules(count: int, number: int, costly: str = "") -> str:
    """A policy with so many rules, none like one of another number; each ends with a pattern that may cost memory."""

    def rule(at: int) -> dict:
        name = f"{('falcon', 'granite', 'meadow', 'harbor')[at % 4]}{number}x{at}"
        shapes = (name, rf"project\s+{name}(-\d{{1,3}})?", rf"{name}[-_ ]?(alpha|beta|rc\d{{1,2}})", rf"{name}\d{{4,10}}")
        found = {"keywords": [name], "regex": shapes[at % 4] + costly, "before": 16 if at % 4 == 1 else 0}
        found["maxLength"] = 512 if costly else 64
        return {"id": f"rule-{at}", **found, "channels": ["request.user", "response.text"], "action": "Mask"}

    return policy(f"policy-{number}", packs=[SECRETS, PII_PACK], rules=[rule(at) for at in range(count)])


def shown(what: str, sizes: list[int]) -> None:
    """Prints resident memory after one step after another."""
    print(f"{what}, MiB resident:", *(f"{size / MIB:.1f}" for size in sizes))


def after_update(envoy: Gateway, upstream, configuration: str) -> int:
    """Resident memory when the policy is in force and has served."""
    envoy.replace_policy(configuration)
    assert state(ask(envoy.port, upstream)) == "filtered"
    return envoy.memory()


def test_ecds_updates_leave_it_flat(fresh, upstream):
    envoy = fresh(with_rules(RULES, 0), delivery="ECDS")
    sizes = [after_update(envoy, upstream, with_rules(RULES, number)) for number in range(1, UPDATES + 1)]
    shown(f"{UPDATES} ECDS updates", sizes)
    assert max(sizes[1:]) < FLAT * sizes[1]


def test_lds_updates_take_their_drain_time(fresh, upstream):
    """It grows with each listener that drains, and no further once as many have drained before."""
    envoy = fresh(with_rules(RULES, 0), delivery="LDS", drain=1)
    draining = "listener_manager.total_filter_chains_draining"
    sizes, tops = [], []
    for batch in range(4):
        for number in range(batch * BATCH, (batch + 1) * BATCH):
            sizes.append(after_update(envoy, upstream, with_rules(RULES, number + 1)))
        tops.append(max(sizes[-BATCH:]))
        wait_for("drained", lambda: envoy.stats(draining)[draining] == 0)
    shown(f"{len(sizes)} LDS updates, drained after each {BATCH}", sizes)
    assert tops[-1] < FLAT * tops[0]


def test_what_five_thousand_rules_cost(fresh, upstream):
    """They are compiled three times: by the canary, on the main thread, and by the worker."""
    envoy = fresh(with_rules(1, 0), delivery="ECDS")
    after_update(envoy, upstream, with_rules(1, 1))
    wait_for("a verdict of each VM", lambda: envoy.log().count("weir: policy active") == 6)
    before, at = envoy.memory(), envoy.worker_milliseconds()
    envoy.replace_policy(with_rules(MANY_RULES, 2))
    wait_for("a verdict of each VM", lambda: envoy.log().count("weir: policy active") == 9)
    spent = envoy.worker_milliseconds() - at
    assert state(ask(envoy.port, upstream)) == "filtered"
    after = envoy.memory()
    shown(f"{MANY_RULES} rules, {spent} ms of the worker", [before, after])
    assert after - before < 2 * MANY_RULES_COST, "one on the main thread, one in the worker"
    assert spent < MANY_RULES_TIME


def test_a_policy_too_large_for_a_worker_is_refused(fresh, upstream):
    envoy = fresh(GUARD, delivery="ECDS")
    after_update(envoy, upstream, with_rules(10_000, 1, COSTLY))
    assert envoy.update_stats()["update_rejected"] == 1
    assert "weir: policy refused: it takes more than 128 MiB of memory" in envoy.log()
    assert refuses_injection(envoy.port, upstream)


def test_a_worker_without_memory_keeps_its_policy(fresh, upstream):
    """LDS updates pile up while old listeners drain. A trap in a worker's configuration would let everything pass."""
    envoy = fresh(with_rules(1, 0), delivery="LDS", drain=600)
    sizes = []
    for number in range(1, 20):
        sizes.append(after_update(envoy, upstream, with_rules(3000, number, COSTLY)))
        if envoy.gauge("weir_policy_stale"):
            break
    shown("LDS updates until a worker is full", sizes)
    assert 2 < len(sizes) < 19 and "weir: policy stale: no memory is left for it" in envoy.log()
    after_update(envoy, upstream, with_rules(1, 1))
