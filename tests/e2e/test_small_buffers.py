"""Envoy with 32 KiB of buffer for each connection, and `limits.paused` below it: nothing depends on the default MiB."""

import pytest

import openai_wire
from gateway import Gateway
from http1 import Sending
from policies import CODENAME, CODENAMES, SECRETS, codename_rule, policy
from policies import INJECTION as INJECTION_PACK
from samples import INJECTION, SECRET, leaked
from upstream import Reply, sent

BUFFER = 32 << 10
SMALL = policy(
    "small",
    packs=[INJECTION_PACK, SECRETS],
    rules=[codename_rule("Reject", ["response.text"])],
    limits={"paused": "16Ki"},
)
FLOWING = policy("small-flowing", packs=[INJECTION_PACK, SECRETS], limits={"paused": "16Ki"})
TRAILERS = [("x-end", "1")]
KIB, MIB = 1 << 10, 1 << 20


@pytest.fixture(scope="module", params=[SMALL, FLOWING], ids=["held-whole", "flowing"])
def small(request, upstream, module):
    """The proxy with little room, under a policy that holds documents whole and under one that does not."""
    with Gateway(upstream.port, request.param, module=module, buffer_limit=BUFFER) as envoy:
        yield envoy


@pytest.mark.parametrize("size", [20 * KIB, 3 * MIB], ids=["20KiB", "3MiB"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_request(small, upstream, wire, size, framing):
    body = openai_wire.request("word " * (size // 5), "end")
    scenario = upstream.add(openai_wire.text("ok"))
    answer = wire.chat(small, scenario, Sending([body], framing=framing))
    [request] = upstream.received(scenario)
    assert answer.status == 200 and request.complete and request.body == body


@pytest.mark.parametrize("size", [10, 20 * KIB, 3 * MIB], ids=["10B", "20KiB", "3MiB"])
def test_injection(small, upstream, wire, size):
    scenario = upstream.add(openai_wire.text("never said"))
    answer = wire.chat(small, scenario, openai_wire.request("word " * (size // 5), INJECTION))
    assert (answer.status, answer.complete, answer.header("x-weir-decision")) == (403, True, "reject")
    assert not any(request.body or request.complete for request in upstream.received(scenario))


@pytest.mark.parametrize("size,status", [(10 * KIB, 200), (100 * KIB, 413)], ids=["10KiB", "100KiB"])
def test_request_trailers(small, upstream, wire, size, status):
    body = openai_wire.request("word " * (size // 5), f"key {SECRET}")
    scenario = upstream.add(openai_wire.text("ok"))
    answer = wire.chat(small, scenario, Sending([body], trailers=TRAILERS))
    assert (answer.status, answer.complete) == (status, True)
    for request in upstream.received(scenario):
        assert request.complete is (status == 200) and not leaked(request.body.decode())
        assert request.trailers == (TRAILERS if status == 200 else [])


@pytest.mark.parametrize("size", [20 * KIB, 3 * MIB], ids=["20KiB", "3MiB"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_answer(small, upstream, wire, stream, size, framing):
    tokens = ["word " * KIB] * (size // (5 * KIB))
    script = sent(openai_wire.text(*tokens, "key ", SECRET, " end"), framing=framing)
    scenario = upstream.add(script)
    answer = wire.chat(small, scenario, openai_wire.request("x", stream=stream))
    text = answer.body.decode()
    assert answer.complete and answer.status == 200 and not leaked(text)
    assert text.count("word ") == len(tokens) * KIB and " end" in text


@pytest.mark.parametrize("size", [20 * KIB, 3 * MIB], ids=["20KiB", "3MiB"])
def test_refused_answer(request, small, upstream, wire, stream, size):
    tokens = ["word " * KIB] * (size // (5 * KIB))
    scenario = upstream.add(openai_wire.text(*tokens, CODENAME, " end"))
    answer = wire.chat(small, scenario, openai_wire.request("x", stream=stream))
    refuses = request.node.callspec.params["small"] == SMALL
    assert answer.complete and answer.status == 200
    assert (b"content_filter" in answer.body, CODENAME in answer.body.decode()) == (refuses, not refuses)


@pytest.mark.parametrize("size", [10 * KIB, 100 * KIB], ids=["10KiB", "100KiB"])
def test_answer_trailers(small, upstream, wire, stream, size):
    tokens = ["word " * KIB] * (size // (5 * KIB))
    script = sent(openai_wire.text(*tokens, SECRET), framing="chunked", trailers=TRAILERS)
    scenario = upstream.add(script)
    answer = wire.chat(small, scenario, openai_wire.request("x", stream=stream))
    assert not leaked(answer.body.decode()) and small.running()
    if answer.complete:
        assert answer.trailers == TRAILERS and answer.body.count(b"word ") == len(tokens) * KIB
    else:
        # A document that is held whole, past the buffer or with trailers that no head announced to an HTTP/1 client.
        assert not stream and (size > BUFFER or (wire.down, wire.up) == ("h1", "h2"))
        assert small.access(scenario)["weir"]["decision"] == "fail"


def test_default_limits_with_small_buffers(fresh, upstream, wire):
    """An operator lowers Envoy's buffers and leaves the policy as it is."""
    envoy = fresh(CODENAMES, buffer_limit=BUFFER)
    scenario = upstream.add(openai_wire.text("word " * (20 * KIB)))
    answer = wire.chat(envoy, scenario, openai_wire.request("x"))
    assert answer.complete and answer.body.count(b"word ") == 20 * KIB
    assert envoy.running()


@pytest.fixture(scope="module", params=[False, True], ids=["heads-go", "heads-held"])
def tiny(request, upstream, module):
    """A proxy whose socket reads are larger than its buffers."""
    rules = [codename_rule("Reject", ["response.text"])]
    more = {"holdHeaders": True} if request.param else {}
    configuration = policy("tiny", packs=[INJECTION_PACK], rules=rules, limits={"paused": "2Ki"}, **more)
    with Gateway(
        upstream.port, configuration, module=module, buffer_limit=4 * KIB, stops_on_headers=request.param
    ) as envoy:
        yield envoy


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("side", ["request", "answer"])
def test_burst_after_a_small_piece(request, tiny, upstream, wire, side, framing):
    """While a stream is paused Envoy appends what it reads to its buffer before the filter can take it."""
    held = request.node.callspec.params["tiny"] and framing == "chunked"
    if held and wire.down == "h1" and (side == "request" or wire.up == "h1"):
        request.applymarker(pytest.mark.xfail(strict=True, reason="heads are held, so the stream has to be paused"))
    words = "word " * (60 * KIB)
    document, body = openai_wire.text(words).document(), openai_wire.request(words)

    def burst(whole: bytes) -> Sending:
        return Sending([whole[:KIB], whole[KIB:]], framing=framing, pause=0.05)

    if side == "request":
        scenario = upstream.add(openai_wire.text("ok"))
        answer = wire.chat(tiny, scenario, burst(body))
        assert answer.status == 200 and [request.body for request in upstream.received(scenario)] == [body]
    else:
        scenario = upstream.add(lambda _: Reply(burst(document), 200, [("content-type", "application/json")]))
        answer = wire.chat(tiny, scenario, openai_wire.request("x"))
        assert (answer.status, answer.complete, answer.body == document) == (200, True, True)
