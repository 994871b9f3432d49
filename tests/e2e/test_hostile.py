"""What is sent to crash, hang or bloat a worker, through the real proxy: it goes on filtering, and its memory is bounded."""

import asyncio
import gzip
import json

import pytest

import openai_wire
from client import exchange
from http1 import HEAD_LIMIT, Sending, encode_head, read_head
from policies import INJECTION, SECRETS, policy
from samples import INJECTION as PROMPT
from samples import SECRET
from states import HOST, PATH, ask, state
from upstream import SCENARIO, Reply

MIB = 1 << 20
WORKER = 64 * MIB
"""`limits.worker` of these tests, in bytes."""

PACKS = [{**INJECTION, "channels": ["request.user"]}, SECRETS]
HOSTILE = policy("hostile", packs=PACKS)
CROWDED = policy("crowded", packs=PACKS, limits={"worker": "64Mi"})

CLIENTS = 500
PIECE = 64 << 10
BODY = 8 * MIB - 1024

OPEN = b'{"model":"m","messages":[{"role":"user","content":"'
CLOSE = b'"}]}'


def said(text: str) -> bytes:
    """An event with a delta."""
    delta = {"choices": [{"index": 0, "delta": {"content": text}}]}
    return f"data: {json.dumps(delta)}\n\n".encode()


REQUESTS = {
    "deep": (b"[" * 100_000, [], 400, "fail"),
    "huge name": (b'{"' + b"k" * 4 * MIB + b'":1}', [], 413, "fail"),
    "duplicate members": (b'{"model":1,"model":2}', [], 400, "fail"),
    "invalid UTF-8": (b'{"model":"\xff\xfe"}', [], 400, "fail"),
    "two documents": (b"{}{}", [], 400, "fail"),
    "endless string": (OPEN + b"x" * 12 * MIB, [], 413, "fail"),
    "a million digits": (b'{"n":' + b"1" * 1_000_000 + b"}", [], 413, "fail"),
    "gzip bomb": (gzip.compress(OPEN + b" " * 64 * MIB + CLOSE), [("content-encoding", "gzip")], 413, "fail"),
    "says gzip, is not": (OPEN + CLOSE, [("content-encoding", "gzip")], 400, "fail"),
    "says text": (OPEN + PROMPT.encode() + CLOSE, [("content-type", "text/plain")], 403, "reject"),
    "zero-width flood": (OPEN + "\u200b".encode() * 20_000 + CLOSE, [], 403, "reject"),
    "5,000 secrets": (OPEN + (SECRET.encode() + b" ") * 5000 + CLOSE, [], 200, ""),
}

ANSWERS = {
    "100,000 small deltas": ([said("a") * 1000] * 100, "pass"),
    "event of 1 MiB": ([said("y" * MIB)], "fail"),
    "no line ends": ([b"x" * 4096] * 256, "fail"),
    "10,000 choices": ([said("a").replace(b'"index": 0', b'"index": %d' % n) for n in range(10_000)], "fail"),
    "deep event": ([b"data: " + b"[" * 10_000 + b"\n\n"], "fail"),
    "16 MiB of comments": ([b": x\n\n" * 10_000] * 280, "pass"),
}


@pytest.mark.parametrize("row", REQUESTS)
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_request(gateway, upstream, row, framing):
    body, headers, status, decision = REQUESTS[row]
    envoy = gateway(HOSTILE)
    scenario = upstream.add(openai_wire.text("ok"))
    sending = Sending([body], framing=framing, cut=PIECE)
    answer = exchange(envoy.port, PATH, sending, headers=[(SCENARIO, scenario), *headers], host=HOST)
    assert (answer.status, answer.header("x-weir-decision")) == (status, decision)
    if decision:
        assert not any(request.body for request in upstream.received(scenario))
    assert state(ask(envoy.port, upstream, PROMPT)) == "refused"


@pytest.mark.parametrize("row", ANSWERS)
def test_answer(gateway, upstream, row):
    pieces, decision = ANSWERS[row]
    envoy = gateway(HOSTILE)
    scenario = upstream.add(lambda _: Reply.stream(pieces))
    body = openai_wire.request("hello", stream=True)
    exchange(envoy.port, PATH, body, headers=[(SCENARIO, scenario)], host=HOST)
    assert envoy.access(scenario)["weir"]["decision"] == decision
    assert state(ask(envoy.port, upstream, PROMPT)) == "refused"


class Crowd:
    """Uploads that all wait before their last bytes until each of them has come so far or was answered."""

    def __init__(self, port: int, scenario: str):
        self.port, self.scenario = port, scenario
        self.arrived = 0
        self.all_arrived, self.go_on = asyncio.Event(), asyncio.Event()

    def _arrive(self) -> None:
        self.arrived += 1
        if self.arrived == CLIENTS:
            self.all_arrived.set()

    async def upload(self) -> tuple[int, str]:
        """One body; its status and decision, 0 where the proxy hung up."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=HEAD_LIMIT)
        headers = [("host", HOST), (SCENARIO, self.scenario), ("content-type", "application/json")]
        writer.write(encode_head(f"POST {PATH} HTTP/1.1", [*headers, ("content-length", str(BODY))]))
        answered = asyncio.create_task(read_head(reader))
        sent = asyncio.create_task(self._send(writer))
        try:
            await asyncio.wait({answered, sent}, return_when=asyncio.FIRST_COMPLETED)
            self._arrive()
            await self.go_on.wait()
            if not answered.done() and not sent.exception():
                writer.write(CLOSE)
            head = await answered
            return (int(head.first.split()[1]), head.get("x-weir-decision")) if head else (0, "")
        except ConnectionError:
            return (0, "")
        finally:
            sent.cancel()
            writer.transport.abort()

    async def _send(self, writer: asyncio.StreamWriter) -> None:
        """All but the end."""
        writer.write(OPEN)
        left = BODY - len(OPEN) - len(CLOSE)
        while left:
            size = min(left, PIECE)
            writer.write(b"x" * size)
            left -= size
            await writer.drain()


def test_a_crowd_of_large_bodies(fresh, upstream):
    """They share the worker's memory: some go through, the others are refused, none passes unread."""
    envoy = fresh(CROWDED)
    assert state(ask(envoy.port, upstream, PROMPT)) == "refused"
    scenario, before = upstream.add(openai_wire.text("ok")), envoy.memory()

    async def run() -> tuple[list[tuple[int, str]], int]:
        crowd = Crowd(envoy.port, scenario)
        uploads = [asyncio.create_task(crowd.upload()) for _ in range(CLIENTS)]
        await asyncio.wait_for(crowd.all_arrived.wait(), 120)
        most = await asyncio.to_thread(envoy.memory)
        crowd.go_on.set()
        return await asyncio.wait_for(asyncio.gather(*uploads), 120), most

    outcomes, most = asyncio.run(run())
    counts = {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))}
    print(f"{counts}; {before >> 20} MiB before, {most >> 20} with all open, {envoy.memory() >> 20} after")
    assert set(counts) <= {(200, ""), (413, "fail"), (0, "")} and counts[(413, "fail")] > CLIENTS // 2
    assert 1 <= counts[(200, "")] <= 4 * WORKER // BODY, "the next ones begin when the first are through"
    assert sum(request.complete for request in upstream.received(scenario)) == counts[(200, "")]
    assert max(most, envoy.memory()) - before < 4 * WORKER
    assert envoy.running() and state(ask(envoy.port, upstream, PROMPT)) == "refused"
    assert state(ask(envoy.port, upstream)) == "filtered"
