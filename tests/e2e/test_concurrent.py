"""Streams of one worker share a machine and its memory, never their text."""

import json
from concurrent.futures import ThreadPoolExecutor

from client import exchange
from policies import GUARD
from providers import PROVIDERS
from samples import SECRET, leaked, tokens
from upstream import SCENARIO, sent

STREAMS = 24


def test_streams_do_not_mix(gateway, upstream):
    """Every stream is slow and cut small, so that all are open at once; every second one has a secret in it."""
    envoy = gateway(GUARD)

    def run(number: int) -> None:
        provider = PROVIDERS[number % 2]
        mine, secret = f"stream-{number}-", SECRET if number % 4 < 2 else "nothing"
        script = sent(provider.answer(tokens(f"{mine * 20}{secret}{mine * 20}", 6)), cut=50, pause=0.001)
        scenario = upstream.add(script)
        body = json.dumps(provider.request(f"I am {mine}", stream=True)).encode()
        answer = exchange(envoy.port, provider.path, body, headers=[(SCENARIO, scenario)], host=provider.host)
        [request] = upstream.received(scenario)
        assert answer.complete and not leaked(answer.body.decode()) and request.body == body
        if secret == "nothing":
            assert answer.body == b"".join(script(request).sending.pieces)
        assert envoy.access(scenario)["weir"]["decision"] == ("mask" if secret == SECRET else "pass")

    with ThreadPoolExecutor(STREAMS) as pool:
        for done in [pool.submit(run, number) for number in range(STREAMS)]:
            done.result()
