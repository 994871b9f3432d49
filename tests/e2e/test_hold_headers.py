"""`holdHeaders: true` on a proxy that lets the filter hold heads: the provider sees nothing of a refused request, and a
refused document says so with its status."""

import json
import threading

import pytest

import openai_wire
from gateway import Gateway
from http1 import Sending
from policies import CODENAME, SECRETS, codename_rule, policy
from policies import INJECTION as INJECTION_PACK
from samples import INJECTION, SECRET, leaked
from upstream import Reply, sent

HELD = policy(
    "held-heads", holdHeaders=True, packs=[INJECTION_PACK, SECRETS], rules=[codename_rule("Reject", ["response.text"])]
)
IMPATIENT = policy("impatient-heads", holdHeaders=True, packs=[INJECTION_PACK], limits={"hold": "500ms"})
TRAILERS = [("x-client", "2")]
WAYS = pytest.mark.parametrize(
    "how", [{"framing": "length"}, {"cut": 40}, {"trailers": TRAILERS}], ids=["length", "cut", "trailers"]
)
MIB = 1 << 20


@pytest.fixture(scope="module")
def holding(upstream, module):
    """The proxy that holds heads."""
    with Gateway(upstream.port, HELD, module=module, stops_on_headers=True) as envoy:
        yield envoy


@WAYS
def test_nothing_of_a_refused_request_is_seen(holding, upstream, wire, how):
    scenario = upstream.add(openai_wire.text("never said"))
    answer = wire.chat(holding, scenario, Sending([openai_wire.request(INJECTION)], **how))
    assert (answer.status, answer.complete, answer.header("x-weir-decision")) == (403, True, "reject")
    assert upstream.received(scenario) == []
    assert holding.access(scenario)["weir"]["decision"] == "reject"


@WAYS
def test_clean_request_arrives_as_it_was(holding, upstream, wire, how):
    body = openai_wire.request("hello")
    scenario = upstream.add(openai_wire.text("ok"))
    answer = wire.chat(holding, scenario, Sending([body], **how))
    [request] = upstream.received(scenario)
    assert (answer.status, answer.complete) == (200, True)
    assert request.complete and request.body == body and request.trailers == how.get("trailers", [])
    if how.get("framing") == "length":
        assert request.head.get("content-length") == str(len(body))


@WAYS
def test_masked_request_has_the_length_of_what_is_sent(holding, upstream, wire, how):
    scenario = upstream.add(openai_wire.text("ok"))
    answer = wire.chat(holding, scenario, Sending([openai_wire.request(f"key {SECRET} end")], **how))
    [request] = upstream.received(scenario)
    assert answer.status == 200 and request.complete and request.json()["messages"]
    assert not leaked(request.body.decode())
    if how.get("framing") == "length":
        assert request.head.get("content-length", str(len(request.body))) == str(len(request.body))


@pytest.mark.parametrize("prompt", ["hello", INJECTION], ids=["clean", "injection"])
def test_large_request(holding, upstream, wire, prompt):
    """Past `limits.paused` the head goes on before the verdict; the body does not."""
    scenario = upstream.add(openai_wire.text("ok"))
    body = openai_wire.request("word " * (3 * MIB // 5), prompt)
    answer = wire.chat(holding, scenario, body)
    requests = upstream.received(scenario)
    if prompt == "hello":
        assert answer.status == 200 and [request.body for request in requests] == [body]
    else:
        assert (answer.status, answer.complete) == (403, True)
        assert not any(request.body or request.complete for request in requests)


def test_client_waits_for_100(holding, upstream, wire):
    """Envoy sends `100 Continue` before the filter holds anything."""
    go = threading.Event()
    body = openai_wire.request("hello")
    scenario = upstream.add(openai_wire.text("ok"))
    sending = Sending([go, body], framing="chunked")
    headers = [("expect", "100-continue")]
    answer = wire.chat(holding, scenario, sending, headers=headers, on_early=lambda _: go.set())
    assert (answer.status, answer.complete) == (200, True)
    assert [request.body for request in upstream.received(scenario)] == [body]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_body_is_no_wait(holding, upstream, wire, method):
    scenario = upstream.add(lambda _: Reply.json(b'{"data":[]}'))
    answer = wire.chat(holding, scenario, method=method)
    assert (answer.status, answer.complete) == (200, True)


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_refused_document_has_a_status(holding, upstream, wire, framing):
    scenario = upstream.add(sent(openai_wire.text("the ", CODENAME, " ships"), framing=framing, cut=100))
    answer = wire.chat(holding, scenario, openai_wire.request("x"))
    assert (answer.status, answer.complete, answer.header("x-weir-decision")) == (403, True, "reject")
    assert json.loads(answer.body)["error"]["message"] and CODENAME not in answer.body.decode()
    assert holding.access(scenario)["weir"]["decision"] == "reject"


def test_refused_document_with_trailers(holding, upstream, wire):
    script = sent(openai_wire.text(f"the {CODENAME} ships"), framing="chunked", trailers=[("x-end", "1")])
    scenario = upstream.add(script)
    answer = wire.chat(holding, scenario, openai_wire.request("x"))
    assert (answer.status, answer.complete) == (403, True) and CODENAME not in answer.body.decode()


@pytest.mark.parametrize(
    "framing,size,trailers",
    [
        ("length", 100, []),
        ("chunked", 100, []),
        ("chunked", 100, [("x-end", "1")]),
        ("length", 3 * MIB, []),
        ("chunked", 3 * MIB, []),
    ],
    ids=["length", "chunked", "trailers", "large-length", "large-chunked"],
)
def test_clean_document_arrives_as_it_was(holding, upstream, wire, framing, size, trailers):
    script = openai_wire.text("word " * (size // 5))
    scenario = upstream.add(sent(script, framing=framing, trailers=trailers))
    answer = wire.chat(holding, scenario, openai_wire.request("x"))
    assert (answer.status, answer.complete, answer.trailers) == (200, True, trailers)
    assert answer.body == script.document()


def test_stream_is_not_held(holding, upstream, wire):
    """Its head leaves at once, so that a refusal in the middle ends it as the provider would."""
    scenario = upstream.add(openai_wire.text("the", " plan ", CODENAME, " ships"))
    answer = wire.chat(holding, scenario, openai_wire.request("x", stream=True))
    assert (answer.status, answer.complete) == (200, True)
    assert b"content_filter" in answer.body and CODENAME not in answer.body.decode()


def test_without_the_proxys_leave_the_request_is_ended(fresh, upstream, wire):
    """Such a proxy brings no body while heads are held: the client is told, instead of waiting for ever."""
    envoy = fresh(IMPATIENT)
    scenario = upstream.add(openai_wire.text("never said"))
    answer = wire.chat(envoy, scenario, openai_wire.request("hello"))
    assert (answer.status, answer.header("x-weir-decision")) == (408, "fail")
    assert upstream.received(scenario) == []
    assert envoy.access(scenario)["weir"]["notInspected"] == ["hold"]
