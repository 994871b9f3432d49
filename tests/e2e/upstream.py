"""A fake LLM provider on raw sockets: says what a test tells it to, cut as the test wants, and records what reached it.

It speaks HTTP/1 and HTTP/2 on one port. A script is a function from a request to a reply. A request picks its script by
the header `x-scenario`; without one the provider parrots the last user text in the dialect of the path, so that a
person with curl sees what passed the proxy. `GET /__record` gives the record as JSON.
"""

import asyncio
import base64
import itertools
import json
import ssl
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial

import http2
from http1 import HEAD_LIMIT, Aborted, Body, Head, Headers, Sending, encode_head, read_head, send_body

SCENARIO = "x-scenario"
"""The header that names a script."""

SETTLE = 5.0
"""Longest wait for a request to reach its end, in seconds."""


@dataclass
class Request:
    """What reached the provider. `complete`: the whole body came; `done`: nothing more will happen to this request;
    `cancelled`: the caller went away before the reply was out."""

    head: Head
    body: bytearray = field(default_factory=bytearray)
    trailers: Headers = field(default_factory=list)
    complete: bool = False
    done: bool = False
    cancelled: bool = False

    @property
    def method(self) -> str:
        """The request method."""
        return self.head.first.split(" ")[0]

    @property
    def path(self) -> str:
        """Path and query as sent."""
        return self.head.first.split(" ")[1]

    def json(self) -> dict:
        """The body as a document, or an empty one."""
        try:
            return json.loads(self.body)
        except ValueError:
            return {}

    def as_dict(self) -> dict:
        """For `GET /__record`."""
        try:
            body = {"body": self.body.decode("utf-8")}
        except UnicodeDecodeError:
            body = {"body_base64": base64.b64encode(self.body).decode()}
        shown = {"method": self.method, "path": self.path, "headers": self.head.headers, **body}
        return {**shown, "trailers": self.trailers, "complete": self.complete, "cancelled": self.cancelled}


@dataclass
class Reply:
    """A status, headers and a body on its way; `early` are heads with a status of 1xx to be sent before."""

    sending: Sending
    status: int = 200
    headers: Headers = field(default_factory=list)
    early: list[tuple[int, Headers]] = field(default_factory=list)

    @classmethod
    def json(cls, body: bytes, status: int = 200, framing: str = "length") -> "Reply":
        """A whole document."""
        return cls(Sending([body], framing=framing), status, [("content-type", "application/json")])

    @classmethod
    def stream(cls, events: list) -> "Reply":
        """An event stream, one write an event."""
        headers = [("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache")]
        return cls(Sending(events), 200, headers)

    @classmethod
    def empty(cls, status: int, headers: Headers = ()) -> "Reply":
        """No body at all."""
        length = [] if status in (204, 304) else [("content-length", "0")]
        return cls(Sending([], framing="none"), status, [*headers, *length])


Script = Callable[[Request], Reply]

Write = Callable[[Reply], Awaitable[None]]
"""Sends a reply in the version of HTTP that its request came in."""


def sent(script: Script, **how) -> Script:
    """The same reply sent otherwise: any field of `Sending` (cut, pause, framing, trailers, abort_after, pieces)."""

    def changed(request: Request) -> Reply:
        reply = script(request)
        return replace(reply, sending=replace(reply.sending, **how))

    return changed


class Upstream:
    """The provider, on a thread of its own. Use as a context manager, or call `start` and `stop`. With
    `tls` it speaks nothing else."""

    def __init__(self, port: int = 0, default: Script | None = None, tls: ssl.SSLContext | None = None):
        self.port = port
        self._tls = tls
        self._default = default
        self._scripts: dict[str, Script] = {}
        self._requests: list[Request] = []
        self._connections: set[asyncio.StreamWriter] = set()
        self._names = itertools.count(1)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> "Upstream":
        """Listens; `port` is known when this returns."""
        self._thread.start()
        self._ready.wait(SETTLE)
        return self

    def stop(self) -> None:
        """Ends the thread and every connection."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SETTLE)

    __enter__ = start

    def __exit__(self, *_):
        self.stop()

    def add(self, script: Script) -> str:
        """Files a script under a new name, to be sent in `x-scenario`."""
        name = f"s{next(self._names)}"
        self._scripts[name] = script
        return name

    def received(self, name: str, settled: bool = True) -> list[Request]:
        """The requests of this scenario that arrived so far; by default waits until each of them is done."""
        deadline = time.monotonic() + SETTLE
        while True:
            found = [request for request in self._requests if request.head.get(SCENARIO) == name]
            if not settled or all(request.done for request in found) or time.monotonic() > deadline:
                return found
            time.sleep(0.002)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        serve = asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=HEAD_LIMIT, ssl=self._tls)
        server = self._loop.run_until_complete(serve)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        # A proxy may outlive its provider and keep connections open.
        for writer in self._connections:
            writer.transport.abort()
        self._loop.run_until_complete(asyncio.sleep(0.05))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while head := await read_head(reader):
                if head.first == http2.PREFACE:
                    return await http2.serve(reader, writer, self._serve_stream)
                write = partial(_write, reader, writer, head.first.split(" ")[0])
                await self._answer(Request(head), Body(reader, head), write)
        except (Aborted, ConnectionError):
            return
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _serve_stream(self, stream: http2.Stream) -> None:
        head = await stream.head
        try:
            await self._answer(Request(head), stream, partial(_write_stream, stream, head.first.split(" ")[0]))
        except Aborted:
            await stream.reset()

    async def _answer(self, request: Request, body: Body | http2.Stream, write: Write) -> None:
        if request.path == "/__record":
            record = json.dumps([seen.as_dict() for seen in self._requests]).encode()
            return await write(Reply.json(record))
        self._requests.append(request)
        try:
            async for piece in body:
                request.body += piece
            request.trailers, request.complete = body.trailers, body.complete
            if not body.complete:
                raise Aborted("request cut")
            script = self._scripts.get(request.head.get(SCENARIO)) or self._default or _unknown
            await write(script(request))
        except (Aborted, ConnectionError):
            request.cancelled = True
            raise
        finally:
            request.done = True


async def _write(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, method: str, reply: Reply) -> None:
    sending = reply.sending
    for status, headers in reply.early:
        writer.write(encode_head(f"HTTP/1.1 {status} Early", headers))
    writer.write(encode_head(f"HTTP/1.1 {reply.status} Said", [*reply.headers, *sending.framing_headers()]))
    await writer.drain()
    if method != "HEAD" and sending.framing != "none":
        await send_body(writer, reader, sending)
    if sending.framing == "close":
        raise Aborted("ends by closing")


async def _write_stream(stream: http2.Stream, method: str, reply: Reply) -> None:
    sending = reply.sending
    for status, headers in reply.early:
        await stream.send_head([(":status", str(status)), *headers])
    bodyless = method == "HEAD" or sending.framing == "none"
    headers = [(":status", str(reply.status)), *reply.headers, *sending.framing_headers()]
    await stream.send_head(headers, end=bodyless)
    if not bodyless:
        await stream.send_body(sending)


def _unknown(_: Request) -> Reply:
    return Reply.json(b'{"error":{"message":"no such scenario","type":"invalid_request_error"}}', status=404)
