"""Streams give back what they took: a thousand exchanges leave the process no larger than the first hundred did."""

import json

from client import exchange
from policies import GUARD
from providers import OpenAI
from samples import SECRET, tokens
from upstream import SCENARIO

GROWTH = 16 << 20
"""Allowed growth of resident memory, in bytes; an exchange that kept its 20 KiB would need 18 MiB more."""


def test_memory_stays(fresh, upstream):
    envoy, provider = fresh(GUARD), OpenAI()
    scenario = upstream.add(provider.answer(tokens(f"{'x ' * 5000} {SECRET} end", 500)))
    body = json.dumps(provider.request("y" * 10000, stream=True)).encode()

    def run(times: int) -> int:
        for _ in range(times):
            answer = exchange(envoy.port, provider.path, body, headers=[(SCENARIO, scenario)])
            assert answer.status == 200 and answer.complete
        return envoy.memory()

    first = run(100)
    assert run(900) - first < GROWTH
