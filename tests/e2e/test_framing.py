"""HTTP around the body: lengths, encodings, trailers, and messages without a body."""

import json

import pytest

import openai_wire
import sse
from client import exchange
from http1 import Sending
from policies import GUARD
from samples import INJECTION, SECRET, leaked
from upstream import SCENARIO, Reply, sent


def ask(envoy, provider, scenario, body, **more):
    """A raw exchange with this provider's path and host."""
    return exchange(envoy.port, provider.path, body, headers=[(SCENARIO, scenario)], host=provider.host, **more)


def dumped(provider, *args, **kwargs) -> bytes:
    """A request body as bytes."""
    return json.dumps(provider.request(*args, **kwargs)).encode()


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_masked_answer_is_framed_right(gateway, upstream, provider, stream, framing):
    scenario = upstream.add(sent(provider.answer(["a ", SECRET, " b"]), framing=framing))
    answer = ask(gateway(GUARD), provider, scenario, dumped(provider, stream=stream))
    assert answer.complete and answer.status == 200 and not leaked(answer.body.decode())
    assert sse.frames(answer.body) if stream else json.loads(answer.body)


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_masked_request_is_framed_right(gateway, upstream, provider, framing):
    scenario = upstream.add(provider.answer(["ok"]))
    answer = ask(gateway(GUARD), provider, scenario, Sending([dumped(provider, f"a {SECRET} b")], framing=framing))
    [request] = upstream.received(scenario)
    assert answer.status == 200 and request.complete
    assert request.json()["messages"] and not leaked(request.body.decode())


def test_answers_come_plain(gateway, upstream, provider):
    scenario = upstream.add(provider.answer(["ok"]))
    headers = [(SCENARIO, scenario), ("accept-encoding", "gzip, br, zstd")]
    exchange(gateway(GUARD).port, provider.path, dumped(provider), headers=headers, host=provider.host)
    [request] = upstream.received(scenario)
    assert request.head.get("accept-encoding", "identity") == "identity"


def test_incoming_weir_headers_do_not_reach_the_provider(gateway, upstream, provider):
    scenario = upstream.add(provider.answer(["ok"]))
    headers = [(SCENARIO, scenario), ("x-weir-caller", "spiffe://forged"), ("X-Weir-Decision", "pass")]
    exchange(gateway(GUARD).port, provider.path, dumped(provider), headers=headers, host=provider.host)
    [request] = upstream.received(scenario)
    assert not [name for name, _ in request.head.headers if name.lower().startswith("x-weir-")]


def test_trailers_after_a_clean_exchange(gateway, upstream, provider, stream):
    script = provider.answer(["all", " fine"])
    scenario = upstream.add(sent(script, framing="chunked", trailers=[("x-checksum", "1")]))
    body = dumped(provider, stream=stream)
    answer = ask(gateway(GUARD), provider, scenario, Sending([body], trailers=[("x-client", "2")]))
    [request] = upstream.received(scenario)
    assert (request.body, request.trailers) == (body, [("x-client", "2")])
    assert answer.complete and answer.trailers == [("x-checksum", "1")]
    assert answer.body == b"".join(script(request).sending.pieces)


def test_trailers_after_edited_bodies(gateway, upstream, provider, stream):
    scenario = upstream.add(
        sent(provider.answer(["a ", SECRET[:9], SECRET[9:]]), framing="chunked", trailers=[("x-checksum", "1")])
    )
    body = dumped(provider, f"a {SECRET} b", stream=stream)
    answer = ask(gateway(GUARD), provider, scenario, Sending([body], cut=100, trailers=[("x-client", "2")]))
    [request] = upstream.received(scenario)
    assert request.json()["messages"] and not leaked(request.body.decode())
    assert request.trailers == [("x-client", "2")]
    assert answer.complete and answer.trailers == [("x-checksum", "1")] and not leaked(answer.body.decode())
    assert sse.frames(answer.body) if stream else json.loads(answer.body)


def test_trailers_are_no_way_around_the_verdict(gateway, upstream, provider):
    """With trailers there is no end-of-stream call for the body: the verdict must be taken there too."""
    scenario = upstream.add(provider.answer(["never said"]))
    answer = ask(
        gateway(GUARD), provider, scenario, Sending([dumped(provider, INJECTION)], trailers=[("x-client", "2")])
    )
    assert (answer.status, answer.header("x-weir-decision")) == (403, "reject")
    assert all(not request.body for request in upstream.received(scenario))


@pytest.mark.parametrize("path", ["/v1/models", "/v1/chat/completions"])
@pytest.mark.parametrize("method,status", [("GET", 200), ("HEAD", 200), ("GET", 204), ("DELETE", 204), ("GET", 304)])
def test_messages_without_a_body(gateway, upstream, path, method, status):
    envoy = gateway(GUARD)
    reply = Reply.json(b'{"object":"list","data":[]}') if status == 200 else Reply.empty(status)
    scenario = upstream.add(lambda _: reply)
    answer = exchange(envoy.port, path, method=method, headers=[(SCENARIO, scenario)])
    assert (answer.status, answer.complete) == (status, True)
    assert answer.body == (b'{"object":"list","data":[]}' if (method, status) == ("GET", 200) else b"")
    if path == "/v1/chat/completions":
        assert envoy.access(scenario)["weir"]["decision"] == "pass"


@pytest.mark.parametrize("body", [Sending([], framing="none"), Sending([]), Sending([b""], framing="length")])
def test_empty_request_is_decided(gateway, upstream, provider, body):
    envoy = gateway(GUARD)
    scenario = upstream.add(provider.answer(["ok"]))
    answer = ask(envoy, provider, scenario, body)
    assert answer.complete and answer.status in (200, 400, 403), answer.head
    assert envoy.access(scenario)["weir"]["decision"]


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_empty_answer(gateway, upstream, provider, framing):
    scenario = upstream.add(sent(lambda _: Reply.json(b""), pieces=[], framing=framing))
    answer = ask(gateway(GUARD), provider, scenario, dumped(provider))
    assert (answer.status, answer.complete, answer.body) == (200, True, b"")


def test_providers_own_error_passes(gateway, upstream, provider):
    body = b'{"type":"error","error":{"message":"slow down","type":"rate_limit_error","param":null,"code":null}}'
    scenario = upstream.add(lambda _: Reply.json(body, status=429))
    answer = ask(gateway(GUARD), provider, scenario, dumped(provider))
    assert (answer.status, answer.body) == (429, body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"messages":',
        b'{"a":1}{"b":2}',
        b'{"messages":[],"messages":[]}',
        b"\xff\xfe",
        b'{"a":"\\ud800"}',
        b"[" * 2000,
    ],
    ids=["cut", "trailing", "duplicate-key", "not-utf8", "lone-surrogate", "deep"],
)
def test_ambiguous_requests_are_never_passed(gateway, upstream, provider, body):
    scenario = upstream.add(provider.answer(["never said"]))
    answer = ask(gateway(GUARD), provider, scenario, body)
    assert 400 <= answer.status < 500 and answer.header("x-weir-decision") == "fail", answer.head
    assert all(not request.body for request in upstream.received(scenario))


def test_an_unreadable_encoding_is_decided(gateway, upstream, provider):
    """What cannot be read is not passed as if it had been."""
    scenario = upstream.add(provider.answer(["never said"]))
    headers = [(SCENARIO, scenario), ("content-encoding", "zstd")]
    answer = exchange(gateway(GUARD).port, provider.path, b"(\xb5/\xfd", headers=headers, host=provider.host)
    assert 400 <= answer.status < 500 and answer.header("x-weir-decision") == "fail"


def test_unknown_shape_on_a_named_host_is_refused(gateway, upstream):
    scenario = upstream.add(openai_wire.text("never said"))
    answer = exchange(gateway(GUARD).port, "/v1/nobody/knows", b'{"x":1}', headers=[(SCENARIO, scenario)])
    assert 400 <= answer.status < 500 and answer.header("x-weir-decision") in ("reject", "fail")
    assert all(not request.body for request in upstream.received(scenario))


@pytest.mark.parametrize("path", ["//v1/chat/completions", "/v1/%63hat/completions", "/v1/x/../chat/completions"])
def test_a_path_written_otherwise_is_the_same_path(gateway, upstream, path):
    scenario = upstream.add(openai_wire.text("never said"))
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": INJECTION}]}).encode()
    answer = exchange(gateway(GUARD).port, path, body, headers=[(SCENARIO, scenario)])
    assert 400 <= answer.status < 500 and answer.header("x-weir-decision")
    assert all(not request.body for request in upstream.received(scenario))
