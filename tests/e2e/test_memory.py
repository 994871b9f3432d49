"""Resident memory: streams give back what they took, and so do policies that are replaced, each as its delivery lets it.

Under ECDS an old policy goes as soon as the streams that began with it are over. Under LDS it stays until the old
listener has drained. Memory of a VM is never given back to the system; what is free in it is used again.
"""

import json
import re
from datetime import datetime

from client import exchange
from envoy import wait_for
from gateway import Gateway
from policies import GUARD, PII_PACK, SECRETS, policy
from providers import OpenAI
from samples import SECRET, tokens
from states import ask, state
from upstream import SCENARIO

GROWTH = 16 << 20
"""Allowed growth of resident memory, in bytes; an exchange that kept its 20 KiB would need 18 MiB more."""

MIB = 1 << 20
FLAT = 1.1
"""Resident memory that grew by no more than this factor has not grown: pages are taken and left by chance."""

UPDATES = 50
BATCH = 8
"""LDS updates before their old listeners drain."""

RULES = 500
MANY_RULES = 5000
MANY_RULES_COST = 24 * MIB
"""Allowed resident memory of a policy of so many rules, in bytes for each VM that holds it; about half of it is used."""

JUDGED = re.compile(r"^\[([^]]+)]\[(\d+)].*weir: policy active", re.MULTILINE)
"""A VM's line about a policy that it has compiled: when, and the thread."""


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


def with_rules(count: int, number: int) -> str:
    """A policy with so many rules, none like one of another number."""

    def rule(at: int) -> dict:
        name = f"{('falcon', 'granite', 'meadow', 'harbor')[at % 4]}{number}x{at}"
        shapes = (name, rf"project\s+{name}(-\d{{1,3}})?", rf"{name}[-_ ]?(alpha|beta|rc\d{{1,2}})", rf"{name}\d{{4,10}}")
        found = {"keywords": [name], "regex": shapes[at % 4], "before": 16 if at % 4 == 1 else 0}
        found["maxLength"] = 64
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
    """Prints the milliseconds of each VM, at the most: from the line of the canary before it to its own."""
    envoy = fresh(with_rules(1, 0), delivery="ECDS")
    after_update(envoy, upstream, with_rules(1, 1))
    before, seen = envoy.memory(), len(JUDGED.findall(envoy.log()))
    after = after_update(envoy, upstream, with_rules(MANY_RULES, 2))
    wait_for("a verdict of each VM", lambda: len(JUDGED.findall(envoy.log())) >= seen + 3)
    times = [datetime.fromisoformat(time) for time, _ in JUDGED.findall(envoy.log())[seen:]]
    spent = [f"{(time - times[0]).total_seconds() * 1000:.0f}" for time in times[1:]]
    shown(f"{MANY_RULES} rules; ms after the canary: {', '.join(spent)}", [before, after])
    assert after - before < 2 * MANY_RULES_COST, "one on the main thread, one in the worker"
