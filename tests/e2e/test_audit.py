"""Invariants `decided` and `quiet`: every exchange leaves one record, and none holds what a rule matched."""

import json

import pytest

from client import exchange
from policies import GUARD, MASK_CALLS, NEUTRAL, TOOLS
from samples import INJECTION, SECRET, leaked, tokens
from upstream import SCENARIO

DECISIONS = {"pass", "audit", "neutralize", "tokenize", "mask", "reject", "fail"}


@pytest.mark.parametrize(
    "configuration,prompt,tool_result,decision",
    [
        (GUARD, "hello", None, "mask"),
        (GUARD, INJECTION, None, "reject"),
        (NEUTRAL, "hello", INJECTION, "neutralize"),
        (TOOLS, "hello", None, "pass"),
    ],
    ids=["mask", "reject", "neutralize", "pass"],
)
def test_one_record_for_each_exchange(
    gateway, upstream, provider, stream, configuration, prompt, tool_result, decision
):
    envoy = gateway(configuration)
    scenario = upstream.add(provider.answer(tokens(f"key {SECRET} end", 5)))
    body = json.dumps(provider.request(prompt, stream=stream, tool_result=tool_result)).encode()
    exchange(envoy.port, provider.path, body, headers=[(SCENARIO, scenario)], host=provider.host)
    state = envoy.access(scenario)["weir"]
    assert state["decision"] == decision and state["decision"] in DECISIONS
    [record] = [record for record in envoy.audits() if record["id"] == state["id"]]
    assert record["decision"] == decision
    assert record["mode"] == "Enforce" and record["policy"]
    for entry in record["rules"]:
        assert {"rule", "channel", "action", "count"} <= entry.keys() and entry["count"] >= 1


def test_refusals_are_warnings(gateway, upstream, provider):
    envoy = gateway(GUARD)
    scenario = upstream.add(provider.answer(["x"]))
    body = json.dumps(provider.request(INJECTION)).encode()
    exchange(envoy.port, provider.path, body, headers=[(SCENARIO, scenario)], host=provider.host)
    identity = envoy.access(scenario)["weir"]["id"]
    [line] = [line for line in envoy.log().splitlines() if identity in line and "weir_audit" in line]
    assert "[warning]" in line


def test_no_log_stat_or_header_holds_what_was_found(gateway, upstream, provider, stream):
    for configuration in (GUARD, MASK_CALLS, NEUTRAL):
        envoy = gateway(configuration)
        scenario = upstream.add(provider.answer(["k ", SECRET], [("send", [json.dumps({"token": SECRET})])]))
        body = json.dumps(provider.request(f"my {SECRET}", stream=stream, tool_result=INJECTION)).encode()
        answer = exchange(envoy.port, provider.path, body, headers=[(SCENARIO, scenario)], host=provider.host)
        told = json.dumps(envoy.access(scenario)) + envoy.log() + envoy.admin("/stats") + str(answer.head)
        assert not leaked(told)
        assert "previous instructions" not in told
