"""Bodies past Envoy's 1 MiB buffer, in both directions."""

import base64
import json
import random

import pytest

import openai_wire
from client import exchange
from http1 import Sending
from policies import GUARD
from samples import INJECTION, SECRET, leaked
from upstream import SCENARIO

MIB = 1 << 20


def image(size: int) -> str:
    """A data URI of about so many bytes, the same at every run."""
    return "data:image/png;base64," + base64.b64encode(random.Random(1).randbytes(size * 3 // 4)).decode()


def with_image(size: int, *texts: str) -> bytes:
    """A chat request with a picture, and these texts after it."""
    parts = [
        {"type": "image_url", "image_url": {"url": image(size)}},
        *({"type": "text", "text": text} for text in texts),
    ]
    return json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": parts}]}).encode()


def ask(envoy, scenario, body):
    """A raw chat exchange."""
    return exchange(envoy.port, "/v1/chat/completions", body, headers=[(SCENARIO, scenario)])


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("size", [3 * MIB, 5 * MIB])
def test_request_with_an_image(gateway, upstream, size, framing):
    scenario = upstream.add(openai_wire.text("a ", "cat"))
    body = with_image(size, "What is this?")
    answer = ask(gateway(GUARD), scenario, Sending([body], framing=framing))
    [request] = upstream.received(scenario)
    assert answer.status == 200, answer.body[:300]
    assert request.complete and request.body == body


def test_secret_behind_an_image_is_masked(gateway, upstream):
    scenario = upstream.add(openai_wire.text("ok"))
    answer = ask(gateway(GUARD), scenario, with_image(3 * MIB, f"my key: {SECRET}."))
    [request] = upstream.received(scenario)
    text = request.json()["messages"][0]["content"][1]["text"]
    assert answer.status == 200 and text.startswith("my key: ") and not leaked(text)
    assert request.json()["messages"][0]["content"][0]["image_url"]["url"] == image(3 * MIB)


def test_injection_behind_an_image_is_refused(gateway, upstream):
    scenario = upstream.add(openai_wire.text("never said"))
    answer = ask(gateway(GUARD), scenario, with_image(5 * MIB, INJECTION))
    assert (answer.status, answer.header("x-weir-decision")) == (403, "reject")
    assert all(not request.body for request in upstream.received(scenario))


def test_past_the_limit_is_refused(gateway, upstream):
    envoy = gateway(GUARD)
    scenario = upstream.add(openai_wire.text("never said"))
    answer = ask(envoy, scenario, with_image(9 * MIB))
    assert 400 <= answer.status < 500 and answer.header("x-weir-decision") == "fail"
    assert not any(request.complete for request in upstream.received(scenario))
    again = upstream.add(openai_wire.text("ok"))
    assert ask(envoy, again, with_image(1000)).status == 200


@pytest.mark.parametrize("secret_last", [False, True], ids=["clean", "secret-at-the-end"])
def test_large_answer(gateway, upstream, stream, secret_last):
    words = [f"word{number} " * 40 for number in range(8000)]
    assert sum(map(len, words)) > 2 * MIB
    script = openai_wire.text(*words, *([SECRET] if secret_last else []), " end")
    scenario = upstream.add(script)
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": stream}).encode()
    answer = ask(gateway(GUARD), scenario, body)
    [request] = upstream.received(scenario)
    whole = b"".join(script(request).sending.pieces)
    assert answer.complete and answer.status == 200
    assert not leaked(answer.body.decode())
    assert (answer.body == whole) is not secret_last
    assert abs(len(answer.body) - len(whole)) < 200
