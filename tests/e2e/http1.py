"""HTTP/1.1 on bare sockets, for both ends of the proxy: every byte, chunk, pause and trailer is ours to choose.

Follows RFC 9112. The libraries that would do this for us hide exactly what these tests are about.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

Headers = list[tuple[str, str]]

READ_SIZE = 65536
"""Bytes asked of the socket at once."""

HEAD_LIMIT = 1 << 20
"""Longest line of a head that a reader accepts, in bytes."""


@dataclass
class Head:
    """A request or status line and the header fields below it, in order."""

    first: str
    headers: Headers = field(default_factory=list)

    def get(self, name: str, default: str = "") -> str:
        """The first field of this name, whatever its case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), default)


@dataclass
class Sending:
    """How a body goes onto the wire.

    `pieces` are written one after another; a `threading.Event` among them is a gate: the rest waits until it is set.
    `cut` writes at most so many bytes at once (0: a piece at once), `pause` is the time between two writes in seconds,
    `abort_after` closes the socket after so many writes, in the middle of the body. Trailers are announced in the head
    (HTTP/1 only) unless `announces` is false.
    """

    pieces: list[bytes | threading.Event]
    framing: str = "chunked"
    cut: int = 0
    pause: float = 0.0
    trailers: Headers = field(default_factory=list)
    abort_after: int | None = None
    announces: bool = True

    def framing_headers(self) -> Headers:
        """The header fields that announce this framing; `none` and `close` announce nothing."""
        if self.framing == "chunked":
            names = ", ".join(name for name, _ in self.trailers)
            return [("transfer-encoding", "chunked")] + ([("trailer", names)] if names and self.announces else [])
        if self.framing == "length":
            return [("content-length", str(sum(len(piece) for piece in self.pieces if isinstance(piece, bytes))))]
        return []


class Aborted(Exception):
    """Our own side closed the connection on purpose, or the other side went away."""


class CutOff(Aborted):
    """`Sending.abort_after` is reached."""


def encode_head(first: str, headers: Headers) -> bytes:
    """The head as it stands on the wire, with the blank line that ends it."""
    lines = [first, *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """The next head, or None where the connection ended before one began."""
    try:
        text = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise Aborted("connection ended inside a head") from error
        return None
    first, *lines = text.rstrip("\r\n").split("\r\n")
    headers = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return Head(first, headers)


class Body:
    """The body that follows a head. Iterate it once; then `trailers` and `complete` say how it ended."""

    def __init__(self, reader: asyncio.StreamReader, head: Head, bodyless: bool = False, until_close: bool = False):
        self._reader = reader
        self._chunked = "chunked" in head.get("transfer-encoding").lower()
        length = head.get("content-length")
        self._length = 0 if bodyless else int(length) if length else None
        self._until_close = until_close and not bodyless
        self._bodyless = bodyless
        self.trailers: Headers = []
        self.complete = False

    async def __aiter__(self):
        """The pieces as they arrive; stops early, with `complete` false, where the connection ends too soon."""
        try:
            if self._bodyless or (not self._chunked and self._length is None and not self._until_close):
                pieces = self._nothing()
            elif self._chunked:
                pieces = self._chunks()
            elif self._length is not None:
                pieces = self._exactly(self._length)
            else:
                pieces = self._all()
            async for piece in pieces:
                yield piece
            self.complete = True
        except (asyncio.IncompleteReadError, ConnectionError):
            return

    async def _nothing(self):
        for piece in ():
            yield piece

    async def _all(self):
        while piece := await self._reader.read(READ_SIZE):
            yield piece

    async def _exactly(self, length: int):
        while length > 0:
            piece = await self._reader.read(min(length, READ_SIZE))
            if not piece:
                raise asyncio.IncompleteReadError(b"", length)
            length -= len(piece)
            yield piece

    async def _chunks(self):
        while size := int((await self._line()).split(b";")[0], 16):
            async for piece in self._exactly(size):
                yield piece
            await self._line()
        while line := await self._line():
            name, _, value = line.decode("latin-1").partition(":")
            self.trailers.append((name.strip(), value.strip()))

    async def _line(self) -> bytes:
        return (await self._reader.readuntil(b"\r\n"))[:-2]


async def writes(body: Sending, gone: Callable[[], bool]) -> AsyncIterator[bytes]:
    """What is written at once, one after another, past gates and pauses, for any version of HTTP.

    Raises `CutOff` where the body is to be cut off, `Aborted` where the other side goes away before its end.
    """
    count = 0
    for piece in body.pieces:
        if isinstance(piece, threading.Event):
            await _wait(piece, gone)
            continue
        step = body.cut or max(len(piece), 1)
        for start in range(0, len(piece), step):
            if body.abort_after is not None and count >= body.abort_after:
                raise CutOff("closed on purpose")
            yield piece[start : start + step]
            count += 1
            if body.pause:
                await asyncio.sleep(body.pause)
            if gone():
                raise Aborted("the other side went away")


async def send_body(writer: asyncio.StreamWriter, reader: asyncio.StreamReader, body: Sending) -> None:
    """Writes a body as told. Raises `Aborted` where either side goes away before its end."""
    try:
        async for part in writes(body, lambda: _gone(reader)):
            writer.write(b"%x\r\n%b\r\n" % (len(part), part) if body.framing == "chunked" else part)
            await writer.drain()
    except CutOff:
        writer.transport.abort()
        raise
    if body.framing == "chunked":
        writer.write(b"0\r\n" + encode_head("", body.trailers)[2:] if body.trailers else b"0\r\n\r\n")
    await writer.drain()


async def _wait(gate: threading.Event, gone: Callable[[], bool]) -> None:
    """Until the gate opens; gives up where the other side goes away."""
    while not gate.is_set():
        if gone():
            raise Aborted("the other side went away")
        await asyncio.sleep(0.001)


def _gone(reader: asyncio.StreamReader) -> bool:
    """Whether the other side closed the connection, or reset it (which asyncio does not call the end)."""
    return reader.at_eof() or reader.exception() is not None
