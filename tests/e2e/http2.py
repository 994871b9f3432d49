"""HTTP/2 over cleartext with prior knowledge, for both ends of the proxy, with the same words as `http1` and `client`.

Frames are made by `h2`; when a byte is sent, and what a stream's end looks like, stays ours to choose. A head reads as
in HTTP/1: `:authority` is `host`, and the first line is made of the other pseudo-header fields.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
from h2.errors import ErrorCodes

from client import TIMEOUT, Answer, prepared
from http1 import READ_SIZE, Aborted, CutOff, Head, Headers, Sending, writes

PREFACE = "PRI * HTTP/2.0"
"""What stands where HTTP/1 has its request line."""

WINDOW = 1 << 20
"""Bytes that a peer may send on one stream before we have read them."""

HOP_BY_HOP = ("transfer-encoding", "connection", "trailer")
"""Fields that HTTP/2 forbids or does not need; a `Sending` brings them for HTTP/1."""


class Stream:
    """One exchange on a connection. Iterate it once for the body; then `trailers` and `complete` say how it ended."""

    def __init__(self, connection: "Connection", number: int):
        self._connection = connection
        self._number = number
        self._pieces: asyncio.Queue[tuple[bytes, int] | None] = asyncio.Queue()
        self.head: asyncio.Future[Head] = asyncio.get_running_loop().create_future()
        self.early: list[Head] = []
        self.on_early: Callable[[Head], None] | None = None
        self.trailers: Headers = []
        self.complete = False
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces as they arrive; a peer may send more only when they are taken."""
        while piece := await self._pieces.get():
            self._connection.taken(self._number, piece[1])
            yield piece[0]

    def gone(self) -> bool:
        """Whether the peer reset the stream or closed the connection."""
        return self.closed

    async def send_head(self, headers: Headers, end: bool = False) -> None:
        """Sends a head, pseudo-header fields first."""
        plain = [(name.lower(), value) for name, value in headers if name.lower() not in HOP_BY_HOP]
        await self._connection.act(lambda protocol: protocol.send_headers(self._number, plain, end_stream=end))

    async def send_body(self, body: Sending) -> None:
        """Sends a body as told. Raises `Aborted` where either side ends the stream before its end."""
        try:
            async for part in writes(body, self.gone):
                await self._send(part)
        except CutOff:
            await self.reset()
            raise
        if body.trailers:
            await self.send_head(body.trailers, end=True)
        else:
            await self._connection.act(lambda protocol: protocol.end_stream(self._number))

    async def reset(self, code: int = ErrorCodes.CANCEL) -> None:
        """Ends the stream with RST_STREAM, unless it is over; nothing more comes from it."""
        self.on_close()
        try:
            await self._connection.act(lambda protocol: protocol.reset_stream(self._number, code))
        except Aborted:
            return

    async def _send(self, part: bytes) -> None:
        while part:
            room = await self._connection.room(self._number)
            now, part = part[:room], part[room:]
            await self._connection.act(lambda protocol, now=now: protocol.send_data(self._number, now))

    def on_head(self, headers: list[tuple[str, str]]) -> None:
        """The peer's head, or one with a status of 1xx before it."""
        head = _readable(headers)
        if _is_early(head):
            self.early.append(head)
            if self.on_early:
                self.on_early(head)
        elif not self.head.done():
            self.head.set_result(head)

    def on_data(self, piece: bytes, size: int) -> None:
        """Part of the body, and what it takes of the window; the frame that only ends a body is empty."""
        if piece:
            self._pieces.put_nowait((piece, size))

    def on_end(self) -> None:
        """The peer's side ended as it should."""
        self.complete = True
        self._pieces.put_nowait(None)

    def on_close(self) -> None:
        """The peer reset the stream or went away."""
        self.closed = True
        self._pieces.put_nowait(None)
        if not self.head.done():
            self.head.set_result(Head(""))


class Connection:
    """A connection with its streams. `on_request` gets each stream that the peer opens."""

    def __init__(self, reader, writer, on_request: Callable[[Stream], Awaitable[None]] | None = None):
        self._reader, self._writer, self._on_request = reader, writer, on_request
        self._streams: dict[int, Stream] = {}
        self._tasks: set[asyncio.Task] = set()
        self._moved = asyncio.Event()
        config = h2.config.H2Configuration(client_side=on_request is None, header_encoding="utf-8")
        self._protocol = h2.connection.H2Connection(config)
        self._protocol.initiate_connection()
        codes = h2.settings.SettingCodes
        self._protocol.update_settings({codes.INITIAL_WINDOW_SIZE: WINDOW, codes.ENABLE_CONNECT_PROTOCOL: 1})
        self._protocol.increment_flow_control_window(16 * WINDOW)

    def open(self) -> Stream:
        """A new stream of ours."""
        number = self._protocol.get_next_available_stream_id()
        stream = self._streams[number] = Stream(self, number)
        return stream

    async def act(self, action: Callable[[h2.connection.H2Connection], None]) -> None:
        """Does something to the protocol and sends what comes of it. Raises `Aborted` where it came too late."""
        try:
            action(self._protocol)
        except h2.exceptions.ProtocolError as error:
            raise Aborted("the stream is over") from error
        await self.flush()

    async def flush(self) -> None:
        """Sends what the protocol has ready."""
        try:
            self._writer.write(self._protocol.data_to_send())
            await self._writer.drain()
        except ConnectionError as error:
            raise Aborted("the other side went away") from error

    async def room(self, number: int) -> int:
        """How many bytes may be sent on this stream now; waits until there is one."""
        while True:
            moved = self._moved
            if self._streams[number].gone():
                raise Aborted("the other side went away")
            try:
                window = self._protocol.local_flow_control_window(number)
            except h2.exceptions.ProtocolError as error:
                raise Aborted("the stream is over") from error
            if window > 0:
                return min(window, self._protocol.max_outbound_frame_size)
            await moved.wait()

    def taken(self, number: int, size: int) -> None:
        """Bytes of a body were read: the peer may send as many more."""
        try:
            self._protocol.acknowledge_received_data(size, number)
            self._writer.write(self._protocol.data_to_send())
        except (h2.exceptions.ProtocolError, ConnectionError):
            return

    def close(self) -> None:
        """Ends the connection at once."""
        self._writer.transport.abort()

    async def run(self, before: bytes = b"") -> None:
        """Reads frames until the connection ends; `before` was read already."""
        try:
            data = before
            while data or (data := await self._reader.read(READ_SIZE)):
                for event in self._protocol.receive_data(data):
                    self._dispatch(event)
                await self.flush()
                data = b""
                self._wake()
        except (h2.exceptions.ProtocolError, ConnectionError, Aborted):
            return
        finally:
            for stream in self._streams.values():
                stream.on_close()
            self._wake()

    def _wake(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    def _dispatch(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.RequestReceived) and self._on_request:
            stream = self._streams[event.stream_id] = Stream(self, event.stream_id)
            stream.on_head(event.headers)
            task = asyncio.create_task(self._on_request(stream))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return
        stream = self._streams.get(getattr(event, "stream_id", 0))
        if stream is None:
            return
        if isinstance(event, (h2.events.ResponseReceived, h2.events.InformationalResponseReceived)):
            stream.on_head(event.headers)
        elif isinstance(event, h2.events.DataReceived):
            stream.on_data(event.data, event.flow_controlled_length)
        elif isinstance(event, h2.events.TrailersReceived):
            stream.trailers = list(event.headers)
        elif isinstance(event, h2.events.StreamEnded):
            stream.on_end()
        elif isinstance(event, h2.events.StreamReset):
            stream.on_close()


async def serve(reader, writer, on_request: Callable[[Stream], Awaitable[None]]) -> None:
    """Serves a connection whose first line, `PREFACE`, was read already with the blank line after it."""
    await Connection(reader, writer, on_request).run(f"{PREFACE}\r\n\r\n".encode())


def exchange(
    port: int,
    path: str,
    body: bytes | Sending = b"",
    *,
    method: str = "POST",
    headers: Headers = (),
    host: str = "api.openai.com",
    on_piece: Callable[[bytes], bool | None] | None = None,
    on_early: Callable[[Head], None] | None = None,
    timeout: float = TIMEOUT,
) -> Answer:
    """One exchange on a connection of its own, as `client.exchange`; to hang up is to reset the stream."""
    asked = Asked(path, body, method, headers, host, on_piece, on_early)
    [answer] = together(port, [asked], timeout)
    return answer


@dataclass
class Asked:
    """One request among others on a connection."""

    path: str
    body: bytes | Sending = b""
    method: str = "POST"
    headers: Headers = ()
    host: str = "api.openai.com"
    on_piece: Callable[[bytes], bool | None] | None = None
    on_early: Callable[[Head], None] | None = None


def together(port: int, asked: list[Asked], timeout: float = TIMEOUT) -> list[Answer]:
    """Exchanges that begin at once, each as a stream of one connection."""
    return asyncio.run(asyncio.wait_for(_together(port, asked), timeout))


async def _together(port: int, asked: list[Asked]) -> list[Answer]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    connection = Connection(reader, writer)
    await connection.flush()
    reading = asyncio.create_task(connection.run())
    try:
        return await asyncio.gather(*(_ask(connection, one) for one in asked))
    finally:
        reading.cancel()
        connection.close()


async def _ask(connection: Connection, asked: Asked) -> Answer:
    sending, headers = prepared(asked.body, asked.headers)
    started = time.monotonic()
    stream = connection.open()
    stream.on_early = asked.on_early
    pseudo = [(":method", asked.method), (":scheme", "http"), (":authority", asked.host), (":path", asked.path)]
    pseudo += [field for field in headers if field[0].startswith(":")]
    plain = [field for field in headers if not field[0].startswith(":")]
    await stream.send_head([*pseudo, *plain, *sending.framing_headers()], end=sending.framing == "none")
    upload = asyncio.create_task(_upload(stream, sending))
    answer = Answer()
    try:
        answer.head = await stream.head
        answer.early = stream.early
        if not answer.head.first:
            return answer
        answer.status = int(answer.head.first.split()[1])
        async for piece in stream:
            answer.pieces.append((time.monotonic() - started, piece))
            if asked.on_piece and asked.on_piece(answer.body) is False:
                await stream.reset()
                return answer
        answer.trailers, answer.complete = stream.trailers, stream.complete
        return answer
    finally:
        upload.cancel()


async def _upload(stream: Stream, sending: Sending) -> None:
    if sending.framing == "none":
        return
    try:
        await stream.send_body(sending)
    except Aborted:
        return


def _is_early(head: Head) -> bool:
    status = head.first.split(" ")[1]
    return status.startswith("1") and len(status) == 3


def _readable(headers: list[tuple[str, str]]) -> Head:
    """A head as `http1.read_head` gives it."""
    pseudo = {name: value for name, value in headers if name.startswith(":")}
    plain = [(name, value) for name, value in headers if not name.startswith(":")]
    if ":status" in pseudo:
        return Head(f"HTTP/2 {pseudo[':status']}", plain)
    return Head(f"{pseudo[':method']} {pseudo.get(':path', '*')} HTTP/2", [("host", pseudo[":authority"]), *plain])
