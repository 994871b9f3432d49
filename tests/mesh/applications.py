"""Applications that talk to their providers through the gateway, until told otherwise: most mean well."""

import json
import random
import threading
import time

from client import exchange
from egress import APPLICATION
from providers import Anthropic, OpenAI
from samples import INJECTION, SECRET, tokens
from upstream import SCENARIO, Reply, Request, Script, Upstream, sent

MAIL = "jane.doe@example.com"
PIXEL = "data:image/png;base64," + "A" * 400
PACE = 0.15
"""Seconds between two exchanges of one application, on average."""

def unfinished(script: Script) -> Script:
    """The beginning of a stream, whose end never comes."""

    def cut(request: Request) -> Reply:
        reply = script(request)
        return Reply.stream(list(reply.sending.pieces)[:3])

    return cut


def calls() -> dict[str, tuple]:
    """What applications do: how often, with which provider, where, the request's body, and what the provider says to it."""
    openai, anthropic = OpenAI(), Anthropic()
    chat, messages = openai.path, anthropic.path
    hello = openai.request("hello", stream=True)
    fine = openai.answer(tokens("All is well, and here is a somewhat longer answer to read.", 4))
    other = anthropic.answer(tokens("All is well, and here is a somewhat longer answer to read.", 4))
    secret = sent(openai.answer(tokens(f"the key {SECRET} is here", 4)), pause=0.005)
    mail = openai.answer(tokens(f"write to {MAIL} now", 4))
    picture = {"type": "image_url", "image_url": {"url": PIXEL}}
    seen = {"model": "gpt-4o", "messages": [{"role": "user", "content": [picture, {"type": "text", "text": "What is it?"}]}]}
    return {
        "clean": (30, openai, chat, hello, fine),
        "other": (20, anthropic, messages, anthropic.request("hello", stream=True), other),
        "whole": (10, openai, chat, openai.request("hello"), fine),
        "secret": (4, openai, chat, hello, secret),
        "mail": (3, openai, chat, hello, mail),
        "person": (3, anthropic, messages, anthropic.request(f"write to {MAIL}"), other),
        "tool": (2, openai, chat, openai.request("go on", tool_result=INJECTION), fine),
        "picture": (2, openai, chat, seen, fine),
        "injection": (1, openai, chat, openai.request(INJECTION), fine),
        "ambiguous": (2, openai, chat, b'{"model":"gpt-4o","model":"x","messages":[]}', fine),
        "broken": (2, openai, chat, b'{"model":"gpt-4o","messages":[' + b" " * 4000, no_json),
        "unknown": (2, openai, "/v1/unknown", {"input": "hello"}, fine),
        "unfinished": (2, openai, chat, hello, unfinished(openai.answer(["All is well, ", SECRET[:12]]))),
    }


def no_json(_: Request) -> Reply:
    """What a provider says to what it cannot read."""
    return Reply.json(b'{"error":{"message":"not JSON","type":"invalid_request_error","param":null,"code":null}}', 400)


class Applications:
    """Use as a context manager. `weights` says how often each call is made; a test may change it. `busy` is how much they do,
    from none (0) to all they can (1 and more)."""

    def __init__(self, provider: Upstream, count: int = 3):
        self.weights = {name: weight for name, (weight, *_) in calls().items()}
        self.busy = 1.0
        self._calls = {name: (*call, provider.add(script)) for name, (_, *call, script) in calls().items()}
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(count)]

    def __enter__(self) -> "Applications":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, number: int) -> None:
        chance = random.Random(number)
        while not self._over.wait(chance.expovariate(max(self.busy, 0.01) / PACE)):
            [name] = chance.choices(list(self.weights), list(self.weights.values()))
            self._call(name)

    def _call(self, name: str) -> None:
        llm, path, body, scenario = self._calls[name]
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        exchange(80, path, sent, headers=[(SCENARIO, scenario)], host=llm.host, address=APPLICATION)

    def for_a_while(self, seconds: float) -> None:
        """Lets them work, with the small ups and downs of a day."""
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            self.busy = 0.8 + 0.25 * random.Random(int(now / 3)).random()
            time.sleep(min(1.0, end - now))
