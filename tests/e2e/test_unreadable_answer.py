"""An answer that cannot be read is not passed as if it had been: what comes after does not get out."""

import json

import pytest

from client import exchange
from policies import GUARD
from samples import SECRET, leaked
from upstream import SCENARIO, Reply

BROKEN = b'data: {"choices":[{"index":0,"delta":{"content":"%b"}\n\n'
TWICE = b'data: {"choices":[{"index":0,"delta":{"content":"a","content":"%b"}}]}\n\n'
NOT_UTF8 = b'data: {"choices":[{"index":0,"delta":{"content":"\xff %b"}}]}\n\n'


def ask(envoy, provider, scenario, stream):
    """A raw exchange."""
    body = json.dumps(provider.request(stream=stream)).encode()
    return exchange(envoy.port, provider.path, body, headers=[(SCENARIO, scenario)], host=provider.host)


@pytest.mark.parametrize("frame", [BROKEN, TWICE, NOT_UTF8], ids=["cut", "duplicate-key", "not-utf8"])
def test_unreadable_frame(gateway, upstream, provider, frame):
    envoy = gateway(GUARD)
    before, after = list(provider.answer(["Hello"])(_Streaming()).sending.pieces), frame.replace(b"%b", SECRET.encode())
    scenario = upstream.add(lambda _: Reply.stream([*before[:3], after, *before[3:]]))
    answer = ask(envoy, provider, scenario, True)
    assert not leaked(answer.body.decode(errors="replace"))
    record = envoy.access(scenario)["weir"]
    assert record["decision"] in ("fail", "mask"), record
    assert (record["decision"] == "fail") or frame == TWICE


@pytest.mark.parametrize("body", [b'{"choices":[{"message":{"content":"@@"}}', b"@@", b'{"a":"@@"}{"b":1}'])
def test_unreadable_document(gateway, upstream, provider, body):
    envoy = gateway(GUARD)
    scenario = upstream.add(lambda _: Reply.json(body.replace(b"@@", SECRET.encode())))
    answer = ask(envoy, provider, scenario, False)
    assert not leaked(answer.body.decode())
    assert envoy.access(scenario)["weir"]["decision"] in ("fail", "mask")


def test_encoded_answer(gateway, upstream, provider):
    """The proxy asked for a plain answer; a provider that packs it all the same is not believed to be clean."""
    envoy = gateway(GUARD)
    packed = Reply.json(b"\x1f\x8b\x08\x00not really gzip")
    packed.headers.append(("content-encoding", "gzip"))
    scenario = upstream.add(lambda _: packed)
    answer = ask(envoy, provider, scenario, False)
    assert b"not really" not in answer.body
    assert envoy.access(scenario)["weir"]["decision"] == "fail"


class _Streaming:
    """A request that asks for a stream, to render events with."""

    def json(self) -> dict:
        """The one field that matters."""
        return {"stream": True}
