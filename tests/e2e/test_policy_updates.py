"""Which policy is in force when one is bad: none serves unfiltered, and a good one is not lost to a bad one."""

import json

import pytest

from client import Answer, exchange
from envoy import wait_for
from gateway import Gateway
from policies import GUARD, SECRETS, policy
from providers import OpenAI
from samples import INJECTION, SECRET, leaked
from upstream import SCENARIO

BAD = {
    "empty": "",
    "not-json": "{",
    "wrong-field": policy("bad", packz=[]),
    "not-enforced-yet": policy("bad", retrieval={"defaultAction": "Deny"}),
    "unknown-pack": policy("bad", packs=[{"name": "nobody", "action": "Mask"}]),
}
BAD_ONE, BAD_TWO = BAD["wrong-field"], BAD["unknown-pack"]
MASK_ONLY = policy("mask-only", packs=[SECRETS])

PROVIDER = OpenAI()


def ask(envoy: Gateway, upstream, prompt: str = "hello") -> Answer:
    """One exchange whose answer holds a secret, so that an unfiltered one shows."""
    scenario = upstream.add(PROVIDER.answer(["the key ", SECRET, " is here"]))
    body = json.dumps(PROVIDER.request(prompt)).encode()
    return exchange(envoy.port, PROVIDER.path, body, headers=[(SCENARIO, scenario)])


def filtered(answer: Answer) -> bool:
    """Whether the secret was masked in a good answer; an answer that shows it fails the test here and now."""
    assert not leaked(answer.body.decode()), "passed without the filter"
    return answer.status == 200 and b"is here" in answer.body


def closed(answer: Answer) -> bool:
    """Whether the request was turned away because there is no policy to judge it."""
    assert not leaked(answer.body.decode()), "passed without the filter"
    return answer.status == 503 and answer.header("x-weir-decision") == "fail"


def refuses_injection(envoy: Gateway, upstream) -> bool:
    """Whether the policy in force is `GUARD`, which has the pack, or `MASK_ONLY`, which has not."""
    answer = ask(envoy, upstream, INJECTION)
    return answer.status == 403


@pytest.mark.parametrize("configuration", BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize("delivery", ["Inline", "ECDS"])
def test_bad_policy_on_a_fresh_proxy(fresh, upstream, configuration, delivery):
    envoy = fresh(configuration, delivery=delivery)
    answer = ask(envoy, upstream)
    assert closed(answer), (answer.head, answer.body)
    assert b"policy" in answer.body.lower(), "the reason class is told"
    assert "weir" in envoy.log() and "policy" in envoy.log()


@pytest.mark.parametrize("delivery", ["ECDS", "LDS"])
def test_good_after_bad(fresh, upstream, delivery):
    envoy = fresh(BAD_ONE, delivery=delivery)
    assert closed(ask(envoy, upstream))
    envoy.replace_policy(GUARD)
    wait_for("the good policy in force", lambda: filtered(ask(envoy, upstream)))


@pytest.mark.parametrize("delivery", ["ECDS", "LDS"])
def test_bad_update_leaves_the_old_policy(fresh, upstream, delivery):
    envoy = fresh(GUARD, delivery=delivery)
    assert filtered(ask(envoy, upstream)) and refuses_injection(envoy, upstream)
    envoy.replace_policy(BAD_ONE)
    for _ in range(20):
        assert filtered(ask(envoy, upstream))
    assert refuses_injection(envoy, upstream)
    envoy.replace_policy(MASK_ONLY)
    wait_for("the next policy in force", lambda: not refuses_injection(envoy, upstream))
    assert filtered(ask(envoy, upstream))


@pytest.mark.parametrize("delivery", ["ECDS", "LDS"])
def test_bad_then_good_then_the_same_bad_again(fresh, upstream, delivery):
    """Envoy remembers that it took the bad text once and does not ask again: the naive module fails open here."""
    envoy = fresh(BAD_ONE, delivery=delivery)
    assert closed(ask(envoy, upstream))
    envoy.replace_policy(GUARD)
    wait_for("the good policy in force", lambda: filtered(ask(envoy, upstream)))
    envoy.replace_policy(BAD_ONE)
    for _ in range(20):
        assert filtered(ask(envoy, upstream)), "the last good policy goes on"
    envoy.replace_policy(MASK_ONLY)
    wait_for("a later good policy in force", lambda: not refuses_injection(envoy, upstream))
    envoy.replace_policy(BAD_TWO)
    for _ in range(20):
        assert filtered(ask(envoy, upstream))
    envoy.replace_policy(GUARD)
    wait_for("a good policy once more", lambda: refuses_injection(envoy, upstream))


def test_requests_during_updates_are_all_filtered(fresh, upstream):
    envoy = fresh(GUARD, delivery="ECDS")
    for configuration in (MASK_ONLY, BAD_ONE, GUARD, BAD_TWO, MASK_ONLY):
        before = envoy.stats("http.ingress.downstream_rq_5xx")
        envoy.replace_policy(configuration)
        for _ in range(10):
            assert filtered(ask(envoy, upstream))
        assert envoy.stats("http.ingress.downstream_rq_5xx") == before
