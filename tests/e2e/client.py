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
    """What came back: `pieces` are (seconds since the request began, bytes) as the socket gave them."""

    status: int = 0
    head: Head = field(default_factory=lambda: Head(""))
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
    on_piece: Callable[[bytes], bool | None] | None = None,
    timeout: float = TIMEOUT,
) -> Answer:
    """One exchange on a connection of its own.

    `on_piece` sees the body so far after every read; where it returns False the client hangs up.
    Status 0 and `complete` false say that the proxy closed the connection without an answer.
    """
    return asyncio.run(asyncio.wait_for(_exchange(port, path, body, method, list(headers), host, on_piece), timeout))


async def _exchange(port, path, body, method, headers, host, on_piece) -> Answer:
    sending = body if isinstance(body, Sending) else Sending([body], framing="length" if body else "none")
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=HEAD_LIMIT)
    started = time.monotonic()
    if sending.framing != "none" and not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("content-type", "application/json"))
    all_headers = [("host", host), *headers, *sending.framing_headers()]
    writer.write(encode_head(f"{method} {path} HTTP/1.1", all_headers))
    upload = asyncio.create_task(_upload(writer, reader, sending))
    answer = Answer()
    try:
        answer.head = await read_head(reader) or Head("")
        if not answer.head.first:
            return answer
        answer.status = int(answer.head.first.split()[1])
        bodyless = method == "HEAD" or answer.status in (204, 304)
        stream = Body(reader, answer.head, bodyless=bodyless, until_close=True)
        async for piece in stream:
            answer.pieces.append((time.monotonic() - started, piece))
            if on_piece and on_piece(answer.body) is False:
                return answer
        answer.trailers, answer.complete = stream.trailers, stream.complete
        return answer
    except (Aborted, ConnectionError):
        return answer
    finally:
        upload.cancel()
        writer.transport.abort()


async def _upload(writer, reader, sending) -> None:
    try:
        await send_body(writer, reader, sending)
    except (Aborted, ConnectionError):
        return
