"""The versions of HTTP on the two sides of the proxy: what holds on one pair need not hold on another."""

import threading
from concurrent.futures import Future
from dataclasses import dataclass

import client
import http2
import openai_wire
from bootstrap import UPSTREAM
from client import Answer
from envoy import Envoy
from http1 import Headers, Sending
from upstream import SCENARIO


@dataclass(frozen=True)
class Wire:
    """The version that the client speaks, and the one that the provider is spoken to in: `h1` or `h2`."""

    down: str
    up: str

    @property
    def name(self) -> str:
        """Both, downstream first."""
        return f"{self.down}-{self.up}"

    def exchange(self, port: int, path: str, body: bytes | Sending = b"", *, headers: Headers = (), **more) -> Answer:
        """`client.exchange` over these versions."""
        if self.up == "h2" and UPSTREAM not in dict(headers):
            headers = [*headers, (UPSTREAM, "h2")]
        return (http2 if self.down == "h2" else client).exchange(port, path, body, headers=headers, **more)

    def chat(
        self, envoy: Envoy, scenario: str, body: bytes | Sending = b"", *, headers: Headers = (), **more
    ) -> Answer:
        """An exchange with OpenAI's chat path."""
        return self.exchange(envoy.port, openai_wire.PATH, body, headers=[(SCENARIO, scenario), *headers], **more)

    def begin_chat(self, *args, **more) -> "Future[Answer]":
        """The same on a thread of its own, for tests that look at the other end meanwhile."""
        future: Future[Answer] = Future()

        def run() -> None:
            try:
                future.set_result(self.chat(*args, **more))
            except Exception as error:
                future.set_exception(error)

        threading.Thread(target=run, daemon=True).start()
        return future


WIRES = [Wire(down, up) for down in ("h1", "h2") for up in ("h1", "h2")]
