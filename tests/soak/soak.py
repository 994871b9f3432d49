"""Mixed load for ten minutes, with faults and policies that change: `./just soak [SECONDS]`.

Every exchange carries what it must come to. At the end each request has had one decision, the proxy lives, its workers
filter, and the slope of its memory is printed; what fails is printed and makes the run fail.
"""

import argparse
import json
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
os.environ["NO_PROXY"] = "127.0.0.1"

import http2  # noqa: E402
from bootstrap import UPSTREAM  # noqa: E402
from client import Answer, exchange  # noqa: E402
from envoy import wait_for  # noqa: E402
from gateway import Gateway, module_path  # noqa: E402
from policies import numbered  # noqa: E402
from providers import OpenAI  # noqa: E402
from samples import INJECTION, SECRET, leaked, tokens  # noqa: E402
from states import BAD_ONE, state, text_of  # noqa: E402
from upstream import SCENARIO, Reply, Upstream, sent  # noqa: E402

RELOAD = 5.0
"""Seconds between two policies; every fourth is a bad one, which changes nothing."""

CLIENTS = 6
"""Threads of clients."""

MIB = 1 << 20
HUGE = 100 * MIB
"""Bytes of an event that is too large to be inspected."""

MOST = 64 * MIB
"""The most that the proxy may have grown by in the second half of a run, in bytes."""

PROVIDER = OpenAI()
TEXT = f"the key {SECRET} is here"
CLEAN = "the river goes over the wall, and what must not pass does not"

Act = Callable[[], None]


class Soak:
    """The load and what it found wrong."""

    def __init__(self, envoy: Gateway, upstream: Upstream):
        self.done: Counter[str] = Counter()
        self.requests = 0
        self.wrong: list[str] = []
        self._envoy = envoy
        self._upstream = upstream
        self._lock = threading.Lock()
        self._over = threading.Event()
        leaky, clean = PROVIDER.answer(tokens(TEXT, 4)), PROVIDER.answer(tokens(CLEAN, 4))
        gate = threading.Event()
        self._scripts = {
            "leaky": upstream.add(leaky),
            "clean": upstream.add(clean),
            "reset": upstream.add(sent(leaky, abort_after=6)),
            "trickle": upstream.add(sent(leaky, cut=7, pause=0.002)),
            "stall": upstream.add(lambda request: Reply.stream([leaky(request).sending.pieces[0], gate])),
            "truncated": upstream.add(lambda request: Reply.stream(leaky(request).sending.pieces[:6] + [b'data: {"id":"x","ch'])),
            "garbage": upstream.add(lambda request: Reply.stream([b"data: {nonsense " + SECRET.encode() + b"\n\n"])),
            "huge": upstream.add(lambda request: Reply.stream([b'data: {"x":"', *[b"x" * MIB] * (HUGE // MIB), b'"}\n\n'])),
        }
        self._acts: list[tuple[int, str, int, Act]] = [
            (20, "clean", 1, self.clean),
            (20, "masked, whole", 1, lambda: self.masked(stream=False)),
            (20, "masked, streamed", 1, lambda: self.masked(stream=True)),
            (15, "refused", 1, self.refused),
            (8, "upstream resets", 1, self.reset),
            (6, "slow trickle", 1, lambda: self.masked(stream=True, script="trickle")),
            (6, "client cancels a stalled stream", 1, self.cancel),
            (6, "truncated event", 1, self.truncated),
            (6, "garbage", 1, self.garbage),
            (3, "HTTP/2 resets", 20, self.resets),
        ]

    def start(self) -> list[threading.Thread]:
        """Begins the load."""
        threads = [threading.Thread(target=self._run, args=[seed], daemon=True) for seed in range(CLIENTS)]
        for thread in threads:
            thread.start()
        return threads

    def stop(self, threads: list[threading.Thread]) -> None:
        """Ends it when every exchange is over."""
        self._over.set()
        for thread in threads:
            thread.join()

    def act(self, name: str, requests: int, act: Act) -> None:
        """Runs one exchange and keeps what it found wrong."""
        try:
            act()
        except Exception as error:  # Whatever it is, it is a finding, and the others go on.
            with self._lock:
                self.wrong.append(f"{name}: {type(error).__name__}: {str(error)[:300]}")
        with self._lock:
            self.done[name] += 1
            self.requests += requests

    def _run(self, seed: int) -> None:
        choice = random.Random(seed)
        weights = [act[0] for act in self._acts]
        while not self._over.is_set():
            _, name, requests, act = choice.choices(self._acts, weights)[0]
            self.act(name, requests, act)

    def ask(self, script: str, prompt: str = "hello", stream: bool = True, **how) -> Answer:
        """One exchange."""
        body = json.dumps(PROVIDER.request(prompt, stream=stream)).encode()
        headers = [(SCENARIO, self._scripts[script])]
        return exchange(self._envoy.port, PROVIDER.path, body, headers=headers, host=PROVIDER.host, **how)

    def clean(self) -> None:
        """Arrives as it was sent."""
        answer = self.ask("clean")
        assert answer.complete and text_of(answer) == CLEAN, answer.status

    def masked(self, stream: bool, script: str = "leaky") -> None:
        """Arrives without the secret."""
        found = state(self.ask(script, stream=stream))
        assert found == "filtered", found

    def refused(self) -> None:
        """Does not reach the provider."""
        found = state(self.ask("leaky", INJECTION))
        assert found == "refused", found

    def reset(self) -> None:
        """Is seen as cut off, without the secret."""
        answer = self.ask("reset")
        assert not answer.complete and not leaked(text_of(answer))

    def truncated(self) -> None:
        """What was never finished stays away, and so does the secret that it began."""
        assert not leaked(text_of(self.ask("truncated")))

    def garbage(self) -> None:
        """Cannot be inspected and is not passed."""
        answer = self.ask("garbage")
        assert not leaked(answer.body.decode()) and b"nonsense" not in answer.body

    def cancel(self) -> None:
        """The client goes away after the first bytes, or after a second without any."""
        try:
            answer = self.ask("stall", on_piece=lambda _: False, timeout=1.0)
        except TimeoutError:
            return
        assert not answer.complete

    def resets(self) -> None:
        """Twenty streams of one connection, reset at the first byte."""
        body = json.dumps(PROVIDER.request("hello", stream=True)).encode()
        headers = [(SCENARIO, self._scripts["trickle"]), (UPSTREAM, "h2")]
        asked = [http2.Asked(PROVIDER.path, body, headers=headers, on_piece=lambda _: False) for _ in range(20)]
        answers = http2.together(self._envoy.port, asked)
        assert not any(answer.complete for answer in answers)

    def huge(self) -> None:
        """Ends with an error, long before it has come."""
        answer = self.ask("huge", timeout=60)
        assert len(answer.body) < MIB, len(answer.body)


def slope(samples: list[tuple[float, int]]) -> float:
    """Bytes a second, by least squares."""
    times, sizes = zip(*samples)
    mean_time, mean_size = sum(times) / len(times), sum(sizes) / len(sizes)
    spread = sum((t - mean_time) ** 2 for t in times)
    return sum((t - mean_time) * (s - mean_size) for t, s in samples) / spread if spread else 0.0


def decisions(envoy: Gateway) -> int:
    """How many decisions the module has counted."""
    return sum(v for name, v in envoy.stats("weir_decisions").items() if "weir_decisions" in name)


def main() -> int:
    """Runs it and prints what it came to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", nargs="?", type=float, default=600.0)
    seconds = parser.parse_args().seconds
    samples: list[tuple[float, int]] = []
    with Upstream() as upstream, Gateway(upstream.port, numbered(0), module=module_path(), delivery="ECDS", concurrency=2) as envoy:
        soak = Soak(envoy, upstream)
        threads = soak.start()
        began, turn = time.monotonic(), 0
        while (now := time.monotonic() - began) < seconds:
            turn += 1
            envoy.replace_policy(BAD_ONE if turn % 4 == 0 else numbered(turn))
            if turn % 6 == 1:
                soak.act("100 MiB event", 1, soak.huge)
            samples.append((now, envoy.memory()))
            print(f"{now:5.0f} s  {soak.requests:7} requests  {samples[-1][1] >> 20:5} MB  {len(soak.wrong)} wrong", flush=True)
            time.sleep(max(0.0, began + turn * RELOAD - time.monotonic()))
        soak.stop(threads)
        envoy.replace_policy(numbered(0))
        soak.act("refused", 1, soak.refused)
        soak.act("masked, streamed", 1, lambda: soak.masked(stream=True))
        active = "http.ingress.downstream_rq_active"
        wait_for("every exchange over", lambda: envoy.stats(active)[active] == 0, 30)
        counted = decisions(envoy)
        alive = envoy.running()
    late = [s for s in samples if s[0] >= samples[-1][0] / 2]
    grown = late[-1][1] - late[0][1]
    print("\n" + "\n".join(f"{count:8}  {name}" for name, count in soak.done.most_common()))
    print(f"\n{turn} policies, {soak.requests} requests, {counted} decisions")
    print(f"memory in the second half: {slope(late) * 60 / MIB:+.2f} MB a minute, {grown / MIB:+.1f} MB in all")
    wrong = list(soak.wrong)
    if not alive:
        wrong.append("the proxy ended")
    if counted != soak.requests:
        wrong.append(f"{soak.requests - counted} requests without a decision")
    if grown > MOST:
        wrong.append("the memory grows")
    for line in wrong[:20]:
        print(f"wrong: {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
