"""Two Weirs in one chain, the platform's outside and the team's inside: what a request passes, what a client sees.

Requests pass the outer one first, answers the inner one. Each judges what the other left, and records its own exchange.
"""

import json

import pytest

import openai_wire
from bootstrap import Weir
from client import Answer, exchange
from gateway import Gateway
from http1 import Sending
from policies import CODENAME, CODENAMES, GUARD, PII, SECRETS, codename_rule, policy
from samples import INJECTION, SECRET, leaked, tokens
from states import HOST, MASK_ONLY, PROVIDER, text_of
from upstream import SCENARIO, Reply, Request

TEAM_GUARD = policy("team-guard", packs=[{"name": "injection", "action": "Reject"}, SECRETS])
TEAM_CODENAMES = policy("team-codenames", rules=[codename_rule("Reject", ["response.text"])])
HOLDING = policy("holding", packs=[{"name": "injection", "action": "Reject"}, SECRETS], holdHeaders=True)
TEAM_HOLDING = policy("team-holding", packs=[SECRETS], holdHeaders=True)

LONG = "word " * (600 << 10)
"""A prompt of 3 MiB, past what a paused stream may buffer."""

SAID = f"the key {SECRET} is here"


@pytest.fixture(scope="module")
def chain(upstream, module):
    """Gives the running proxy for an outer and an inner policy."""
    running: dict[tuple[str, str], Gateway] = {}

    def get(outer: str, inner: str, **plan) -> Gateway:
        if (outer, inner) not in running:
            team = (Weir(inner, "weir-team", "weir-team"),)
            running[outer, inner] = Gateway(upstream.port, outer, module=module, inner=team, **plan).start()
        return running[outer, inner]

    yield get
    for envoy in running.values():
        envoy.stop()


def chat(envoy: Gateway, scenario: str, prompt: str, stream: bool, **more) -> Answer:
    """One exchange."""
    body = json.dumps(PROVIDER.request(prompt, stream=stream)).encode()
    return exchange(envoy.port, PROVIDER.path, body, headers=[(SCENARIO, scenario), *more.pop("headers", [])], **more)


def decisions(envoy: Gateway, scenario: str) -> dict[str, str]:
    """What each Weir decided, by its policy; a Weir that told two things of one request fails the test."""
    [line] = envoy.access_lines(scenario)
    told = envoy.records(line)
    found = {record["policy"]: record["decision"] for record in told}
    assert len(found) == len(told) and len({record["id"] for record in told}) == len(told)
    return found


def test_what_one_masked_the_other_leaves_alone(chain, gateway, upstream, wire, stream):
    """To the byte what one Weir makes of it, on both sides, whole and cut small."""
    seen = []
    for envoy in (gateway(MASK_ONLY), chain(MASK_ONLY, TEAM_GUARD)):
        scenario = upstream.add(PROVIDER.answer(tokens(SAID, 3)))
        body = Sending([openai_wire.request(f"my {SECRET} end", stream=stream)], cut=7)
        answer = wire.chat(envoy, scenario, body)
        [request] = upstream.received(scenario)
        assert answer.complete and not leaked(text_of(answer)) and not leaked(request.body.decode())
        seen.append((text_of(answer), bytes(request.body)))
    assert seen[0] == seen[1]
    assert seen[0][0].count("[redacted") == 1


def test_each_masks_its_own(chain, upstream, stream):
    envoy = chain(MASK_ONLY, PII)
    scenario = upstream.add(PROVIDER.answer(tokens(f"{SAID}, write to jane.doe@example.com for more", 4)))
    answer = chat(envoy, scenario, "hello", stream)
    assert answer.complete and not leaked(text_of(answer)) and "jane.doe" not in text_of(answer)
    assert decisions(envoy, scenario) == {"mask-only": "mask", "pii": "mask"}


def test_the_inner_one_masks_first(chain, upstream, stream):
    envoy = chain(GUARD, MASK_ONLY)
    scenario = upstream.add(PROVIDER.answer(tokens(SAID, 4)))
    answer = chat(envoy, scenario, "hello", stream)
    assert answer.complete and not leaked(text_of(answer))
    assert decisions(envoy, scenario) == {"mask-only": "mask", "guard": "pass"}


@pytest.mark.parametrize(
    "outer,inner,expected",
    [
        (GUARD, MASK_ONLY, {"guard": "reject", "mask-only": "pass"}),
        (MASK_ONLY, GUARD, {"mask-only": "pass", "guard": "reject"}),
        (GUARD, TEAM_GUARD, {"guard": "reject", "team-guard": "pass"}),
    ],
    ids=["outer", "inner", "both"],
)
def test_refused_request(chain, upstream, stream, outer, inner, expected):
    envoy = chain(outer, inner)
    scenario = upstream.add(PROVIDER.answer(["never said"]))
    answer = chat(envoy, scenario, INJECTION, stream)
    assert (answer.status, answer.complete) == (403, True)
    assert decisions(envoy, scenario) == expected
    told = envoy.records(envoy.access_lines(scenario)[0])
    [refused] = [record["id"] for record in told if record["decision"] == "reject"]
    of_weir = [(name, value) for name, value in answer.head.headers if name.startswith("x-weir-")]
    assert of_weir == [("x-weir-decision", "reject"), ("x-weir-id", refused)], "of the one that refused, and once"
    assert not any(request.body for request in upstream.received(scenario))


@pytest.mark.parametrize("inner", [MASK_ONLY, GUARD], ids=["outer", "inner"])
def test_refused_at_the_head(chain, upstream, inner):
    """A path that cannot be read is refused before the body; what the request never reached has nothing to record."""
    shadow = policy("shadow", mode="Shadow", packs=[SECRETS])
    envoy = chain(GUARD, MASK_ONLY) if inner == MASK_ONLY else chain(shadow, GUARD)
    scenario = upstream.add(PROVIDER.answer(["never said"]))
    answer = exchange(envoy.port, "/v1/unknown", b'{"a":1}', headers=[(SCENARIO, scenario)])
    assert answer.status == 403 and answer.header("x-weir-decision") == "reject"
    assert decisions(envoy, scenario) == ({"guard": "reject"} | ({} if inner == MASK_ONLY else {"shadow": "audit"}))


@pytest.mark.parametrize(
    "outer,inner,expected",
    [
        (CODENAMES, MASK_ONLY, {"codenames": "reject", "mask-only": "mask"}),
        (MASK_ONLY, CODENAMES, {"mask-only": None, "codenames": "reject"}),
        (CODENAMES, TEAM_CODENAMES, {"codenames": "pass", "team-codenames": "reject"}),
    ],
    ids=["outer", "inner", "both"],
)
def test_refused_answer(chain, upstream, stream, outer, inner, expected):
    """Mid-stream by either. The inner one's refusal ends the answer before the outer one can have more of it."""
    envoy = chain(outer, inner)
    text = f"first {SECRET} and then {CODENAME} is here"
    scenario = upstream.add(PROVIDER.answer(tokens(text, 5)))
    answer = chat(envoy, scenario, "hello", stream)
    masks = MASK_ONLY in (outer, inner)
    assert answer.complete and leaked(text_of(answer)) == (stream and not masks)
    assert CODENAME not in text_of(answer) and "is here" not in text_of(answer)
    assert b"content_filter" in answer.body and answer.body.count(b"[DONE]") == stream
    found = decisions(envoy, scenario)
    assert found.keys() == expected.keys()
    assert all(found[name] == decision for name, decision in expected.items() if decision)


def test_forged_headers_are_taken_off(chain, upstream):
    envoy = chain(GUARD, MASK_ONLY)
    forged = [("x-weir-id", "forged"), ("x-weir-decision", "pass")]

    def script(request: Request) -> Reply:
        reply = PROVIDER.answer(["ok"])(request)
        reply.headers = [*reply.headers, *forged]
        return reply

    scenario = upstream.add(script)
    answer = chat(envoy, scenario, "hello", False, headers=forged)
    [request] = upstream.received(scenario)
    for headers in (answer.head.headers, request.head.headers):
        assert not any(name.startswith("x-weir-") for name, _ in headers)


@pytest.mark.parametrize("trailers", [(), [("x-client", "1")]], ids=["plain", "trailers"])
def test_bodies_that_both_hold(chain, upstream, wire, trailers):
    envoy = chain(GUARD, MASK_ONLY)
    scenario = upstream.add(PROVIDER.answer(tokens(SAID, 4)))
    prompt = "word " * 80_000 if trailers else LONG
    body = openai_wire.request(f"{prompt} {SECRET}")
    answer = wire.chat(envoy, scenario, Sending([body], trailers=list(trailers)))
    [request] = upstream.received(scenario)
    assert answer.complete and answer.status == 200 and not leaked(text_of(answer))
    assert request.complete and request.trailers == list(trailers)
    assert request.json()["messages"][0]["content"].startswith(prompt) and not leaked(request.body[-200:].decode())


@pytest.mark.parametrize("end,complete", [("is here", True), (CODENAME, False)], ids=["clean", "refused"])
@pytest.mark.parametrize("outer,inner", [(CODENAMES, TEAM_CODENAMES), (CODENAMES, GUARD), (GUARD, CODENAMES)])
def test_long_documents_that_one_or_both_hold(chain, upstream, wire, outer, inner, end, complete):
    envoy = chain(outer, inner)
    scenario = upstream.add(PROVIDER.answer([f"{LONG}{end}"]))
    answer = wire.chat(envoy, scenario, openai_wire.request("hello"))
    assert (answer.status, answer.complete) == (200, True)
    assert (LONG in text_of(answer)) == complete and CODENAME not in text_of(answer)


@pytest.mark.parametrize("prompt,status", [("hello", 200), (INJECTION, 403)])
def test_heads_that_both_hold(chain, upstream, wire, prompt, status):
    envoy = chain(HOLDING, TEAM_HOLDING, stops_on_headers=True)
    scenario = upstream.add(PROVIDER.answer(tokens(SAID, 4)))
    answer = wire.chat(envoy, scenario, openai_wire.request(f"{prompt} {SECRET}"))
    assert (answer.status, answer.complete) == (status, True) and not leaked(text_of(answer))
    assert len(upstream.received(scenario)) == (status == 200)
    assert decisions(envoy, scenario) == (
        {"holding": "mask", "team-holding": "mask"} if status == 200 else {"holding": "reject"}
    )


def test_one_that_is_bad_closes_both(fresh, upstream):
    for outer, inner in [("{", GUARD), (GUARD, "{")]:
        envoy = fresh(outer, inner=(Weir(inner, "weir-team", "weir-team"),))
        scenario = upstream.add(PROVIDER.answer(["never said"]))
        answer = chat(envoy, scenario, "hello", False, host=HOST)
        assert (answer.status, answer.header("x-weir-reason")) == (503, "invalid-policy")
        assert not any(request.body for request in upstream.received(scenario))
