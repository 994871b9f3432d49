"""A client that sees raw bytes: what the SDKs normalise away (framing, order, padding, trailers) is compared here."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from http1 import HEAD_LIMIT, Aborted, Body, Head, Headers, Sending, encode_head, read_head, send_body

TIMEOUT = 20.0
"""Longest time one exchange may take unless a test says otherwise, in seconds; past it `TimeoutError`."""


@dataclass
class Answer:
    """What came back: `pieces` are (seconds since the request began, bytes) as the socket gave them, `early` the heads
    with a status of 1xx before the answer's own."""

    status: int = 0
    head: Head = field(default_factory=lambda: Head(""))
    early: list[Head] = field(default_factory=list)
    pieces: list[tuple[float, bytes]] = field(default_factory=list)
    trailers: Headers = field(default_factory=list)
    complete: bool = False

    @property
    def body(self) -> bytes:
        """The whole body without its transfer framing."""
        return b"".join(piece for _, piece in self.pieces)

    def header(self, name: str) -> str:
        """The first header of this name, or an empty text."""
        return self.head.get(name)


def exchange(
    port: int,
    path: str,
    body: bytes | Sending = b"",
    *,
    method: str = "POST",
    headers: Headers = (),
    host: str = "api.openai.com",
    address: str = "127.0.0.1",
    on_piece: Callable[[bytes], bool | None] | None = None,
    on_early: Callable[[Head], None] | None = None,
    timeout: float = TIMEOUT,
) -> Answer:
    """One exchange on a connection of its own.

    `on_piece` sees the body so far after every read; where it returns False the client hangs up. `on_early` sees heads
    with a status of 1xx as they come.
    Status 0 and `complete` false say that the proxy closed the connection without an answer.
    """
    exchanged = _exchange((address, port), path, body, method, list(headers), host, on_piece, on_early)
    return asyncio.run(asyncio.wait_for(exchanged, timeout))


def conversation(port: int, requests: list[bytes], *, pipelined: bool, timeout: float = TIMEOUT) -> list[Answer]:
    """Whole requests, heads and all, on one HTTP/1 connection: all at once, or each after the answer before."""
    return asyncio.run(asyncio.wait_for(_conversation(port, requests, pipelined), timeout))


async def _conversation(port, requests, pipelined) -> list[Answer]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=HEAD_LIMIT)
    answers = []
    try:
        if pipelined:
            writer.write(b"".join(requests))
        for request in requests:
            if not pipelined:
                writer.write(request)
            answer = Answer()
            await read_answer_head(reader, answer)
            if not answer.status:
                break
            await _read_body(answer, Body(reader, answer.head, until_close=True), None, time.monotonic())
            answers.append(answer)
    finally:
        writer.transport.abort()
    return answers


def prepared(body: bytes | Sending, headers: Headers) -> tuple[Sending, Headers]:
    """A body as it is to be sent, and the headers with a content type where there is a body."""
    sending = body if isinstance(body, Sending) else Sending([body], framing="length" if body else "none")
    if sending.framing == "none" or any(name.lower() == "content-type" for name, _ in headers):
        return sending, list(headers)
    return sending, [*headers, ("content-type", "application/json")]


async def read_answer_head(reader: asyncio.StreamReader, answer: Answer, on_early=None) -> None:
    """Reads up to the answer's own head; the status stays 0 where the connection ends before it."""
    while head := await read_head(reader):
        answer.head, status = head, int(head.first.split()[1])
        if status >= 200 or status == 101:
            answer.status = status
            return
        answer.early.append(head)
        if on_early:
            on_early(head)


async def _exchange(where, path, body, method, headers, host, on_piece, on_early) -> Answer:
    sending, headers = prepared(body, headers)
    reader, writer = await asyncio.open_connection(*where, limit=HEAD_LIMIT)
    started = time.monotonic()
    all_headers = [("host", host), *headers, *sending.framing_headers()]
    writer.write(encode_head(f"{method} {path} HTTP/1.1", all_headers))
    upload = asyncio.create_task(_upload(writer, reader, sending))
    answer = Answer()
    try:
        await read_answer_head(reader, answer, on_early)
        if not answer.status:
            return answer
        bodyless = method == "HEAD" or answer.status in (101, 204, 304)
        await _read_body(answer, Body(reader, answer.head, bodyless, until_close=True), on_piece, started)
        return answer
    except (Aborted, ConnectionError):
        return answer
    finally:
        upload.cancel()
        writer.transport.abort()


async def _read_body(answer: Answer, body: Body, on_piece, started: float) -> None:
    async for piece in body:
        answer.pieces.append((time.monotonic() - started, piece))
        if on_piece and on_piece(answer.body) is False:
            return
    answer.trailers, answer.complete = body.trailers, body.complete


async def _upload(writer, reader, sending) -> None:
    try:
        await send_body(writer, reader, sending)
    except (Aborted, ConnectionError):
        return
