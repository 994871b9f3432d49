"""One connection, many exchanges: each has its own verdict, and a refusal spoils nothing for those after it."""

import pytest

import client
import http2
import openai_wire
from http1 import encode_head
from policies import CODENAME, CODENAMES, GUARD
from samples import INJECTION, SECRET, leaked
from upstream import SCENARIO

PROMPTS = ["one", INJECTION, "two", f"key {SECRET}", INJECTION, "three"]
STATUSES = [200, 403, 200, 200, 403, 200]


@pytest.mark.parametrize("pipelined", [False, True], ids=["one-by-one", "pipelined"])
def test_http1(gateway, upstream, pipelined):
    scenario = upstream.add(lambda request: openai_wire.text(request.json()["messages"][0]["content"])(request))
    answers = client.conversation(
        gateway(GUARD).port, [framed(scenario, openai_wire.request(prompt)) for prompt in PROMPTS], pipelined=pipelined
    )
    assert [answer.status for answer in answers] == STATUSES
    assert all(answer.complete for answer in answers)
    check(upstream, scenario, [answer.body.decode() for answer in answers])


def test_http2(gateway, upstream):
    """All at once, as streams of one connection."""
    scenario = upstream.add(lambda request: openai_wire.text(request.json()["messages"][0]["content"])(request))
    asked = [
        http2.Asked(openai_wire.PATH, openai_wire.request(prompt), headers=[(SCENARIO, scenario)]) for prompt in PROMPTS
    ]
    answers = http2.together(gateway(GUARD).port, asked)
    assert [answer.status for answer in answers] == STATUSES
    check(upstream, scenario, [answer.body.decode() for answer in answers])


def test_after_a_refused_answer(gateway, upstream, stream):
    """The refused one was being sent when it was refused."""
    bad = upstream.add(openai_wire.text("the ", CODENAME, " ships"))
    good = upstream.add(openai_wire.text("all ", "fine"))
    requests = [framed(scenario, openai_wire.request("x", stream=stream)) for scenario in (bad, good, bad, good)]
    answers = client.conversation(gateway(CODENAMES).port, requests, pipelined=False)
    assert [(answer.status, answer.complete) for answer in answers] == [(200, True)] * 4
    assert [b"content_filter" in answer.body for answer in answers] == [True, False, True, False]


def framed(scenario: str, body: bytes) -> bytes:
    """A whole request as it stands on an HTTP/1 connection."""
    headers = [("host", "api.openai.com"), ("content-type", "application/json"), (SCENARIO, scenario)]
    return encode_head(f"POST {openai_wire.PATH} HTTP/1.1", [*headers, ("content-length", str(len(body)))]) + body


def check(upstream, scenario: str, bodies: list[str]) -> None:
    """Each answer belongs to its request, and no refused body arrived."""
    for number, word in ((0, "one"), (2, "two"), (5, "three")):
        assert word in bodies[number]
    assert not leaked("".join(bodies))
    reached = [bytes(request.body).decode() for request in upstream.received(scenario) if request.body]
    assert len(reached) == 4 and not any(INJECTION in text or leaked(text) for text in reached)
