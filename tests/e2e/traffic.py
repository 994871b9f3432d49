"""Requests without a pause from some threads, while a test changes what they pass through."""

import threading
from collections import Counter
from itertools import cycle

from envoy import wait_for
from providers import OpenAI
from samples import SECRET, tokens
from states import ask, state
from upstream import Upstream

CLIENTS = 4
"""Threads: half of them ask for streams, half for whole documents."""


class Traffic:
    """Constant traffic to a port from entering to leaving. Leaving raises what a thread ran into, a leak before all."""

    def __init__(self, port: int, upstream: Upstream, clients: int = CLIENTS):
        self.states: Counter[str] = Counter()
        self.scenario = upstream.add(OpenAI().answer(tokens(f"the key {SECRET} is here", 4)))
        self._upstream = upstream
        self._port = port
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._errors: list[Exception] = []
        self._turns = [0] * clients
        kinds = zip(range(clients), cycle([True, False]))
        self._threads = [threading.Thread(target=self._run, args=kind, daemon=True) for kind in kinds]

    def __enter__(self) -> "Traffic":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()
        if self._errors and kind is None:
            raise self._errors[0]

    def count(self) -> int:
        """How many exchanges are over."""
        return sum(self.states.values())

    def go_on(self, exchanges: int = 20) -> Counter[str]:
        """Waits until so many more are over, and returns what they came to."""
        before = Counter(self.states)
        wait_for("more traffic", lambda: self._errors or self.count() >= before.total() + exchanges, 30)
        return Counter(self.states) - before

    def settle(self) -> None:
        """Waits until every exchange is over that is under way now."""
        before = list(self._turns)

        def moved() -> bool:
            return all(now > then for now, then in zip(self._turns, before))

        wait_for("the end of what is under way", lambda: self._errors or moved(), 30)

    def _run(self, client: int, stream: bool) -> None:
        while not self._over.is_set():
            try:
                served = state(ask(self._port, self._upstream, stream=stream, scenario=self.scenario))
            except Exception as error:
                self._errors.append(error)
                return
            with self._lock:
                self.states[served] += 1
                self._turns[client] += 1
