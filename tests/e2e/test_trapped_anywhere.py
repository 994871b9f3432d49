"""Wherever a VM traps, nothing passes without the filter: no request reaches the provider, no answer the client."""

import json

import pytest

from client import exchange
from envoy import wait_for
from http1 import Sending
from policies import GUARD
from saboteur import write_trapping
from samples import INJECTION, SECRET, leaked, tokens
from states import HOST, PATH, PROVIDER, TRAILERS
from traffic import Traffic
from upstream import SCENARIO

CALLS = {
    "proxy_on_memory_allocate": {"bare"},
    "proxy_on_request_headers": {"bare"},
    "proxy_on_request_body": {"bare"},
    "proxy_on_response_headers": {"bare"},
    "proxy_on_response_body": {"bare", "cut"},
    "proxy_on_response_trailers": {"filtered"},
    "proxy_on_log": {"bare", "cut", "filtered"},
    "proxy_on_done": {"bare", "cut", "filtered"},
    "proxy_on_delete": {"bare", "cut", "filtered"},
}
"""The calls of an exchange, and what exchanges without trailers come to where the call traps."""


@pytest.mark.parametrize("call,expected", CALLS.items(), ids=CALLS.keys())
def test_nothing_passes(fresh, upstream, module, tmp_path, call, expected):
    envoy = fresh(GUARD, module=write_trapping(module, call, tmp_path / "trapping.wasm"))
    body = json.dumps(PROVIDER.request(f"{SECRET} {INJECTION}")).encode()
    scenario = upstream.add(PROVIDER.answer(tokens(SECRET, 4)))
    with Traffic(envoy.port, upstream) as traffic:
        for trailers in ([], TRAILERS) * 10:
            sent = Sending([body[:40], body[40:]], trailers=trailers)
            answer = exchange(envoy.port, PATH, sent, headers=[(SCENARIO, scenario)], host=HOST)
            assert answer.status in (403, 503) and not leaked(answer.body.decode())
            traffic.go_on(2)
        if "filtered" in expected:
            seen = traffic.states["filtered"]
            wait_for("a new VM", lambda: traffic.states["filtered"] > seen)
    assert set(traffic.states) <= expected
    assert not any(request.body for request in upstream.received(scenario, settled=False)), "it went no further"
