"""The module's metrics as Prometheus sees them, with the labels that the shipped bootstraps make of them."""

import json
import re

import pytest
import yaml

from client import exchange
from envoy import wait_for
from gateway import PROJECT
from policies import GUARD
from samples import INJECTION, SECRET, leaked, tokens
from upstream import SCENARIO

LINE = re.compile(r"^(weir_\w+?)(?:\{(.*)\})? (\d+)$")


def metrics(envoy) -> dict[tuple[str, frozenset], int]:
    """Every metric of the module by name and labels."""
    found = {}
    for line in envoy.admin("/stats/prometheus").splitlines():
        if match := LINE.match(line):
            labels = frozenset(re.findall(r'(\w+)="([^"]*)"', match[2] or ""))
            found[match[1], labels] = int(match[3])
    return found


def tags(name: str) -> list[dict]:
    """The `stats_tags` of a shipped bootstrap."""
    return yaml.safe_load((PROJECT / "envoy" / name).read_text())["stats_config"]["stats_tags"]


def test_the_bootstraps_make_the_same_labels():
    assert tags("local.yaml") == tags("egress.yaml")


@pytest.fixture
def tagged(fresh):
    """A proxy whose metrics have labels."""
    return fresh(GUARD, stats_tags=tags("local.yaml"))


def test_every_label_is_one(tagged, upstream):
    for prompt in ("hello", INJECTION):
        scenario = upstream.add(openai(SECRET))
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": prompt}], "stream": True}).encode()
        exchange(tagged.port, "/v1/chat/completions", body, headers=[(SCENARIO, scenario)])
        tagged.access(scenario)
    exchange(tagged.port, "/v1/chat/completions", b'{"a":1,"a":2}', headers=[(SCENARIO, upstream.add(openai("x")))])
    wait_for("three decisions", lambda: total(metrics(tagged), "weir_decisions_total") == 3)
    seen = metrics(tagged)
    assert not [name for name, _ in seen if "=." in name or ";" in name]
    by_decision = {dict(labels)["decision"]: count for (name, labels), count in seen.items() if name == "weir_decisions_total"}
    assert by_decision == {"mask": 1, "reject": 1, "fail": 1}
    assert ("weir_not_inspected_total", frozenset({("reason", "ambiguous")})) in seen
    findings = [dict(labels) for name, labels in seen if name == "weir_findings_total"]
    assert {"rule", "channel", "action", "mode"} <= findings[0].keys()
    assert {"response.text"} <= {labels["channel"] for labels in findings}
    assert total(seen, "weir_bytes_total") > 0 and ("weir_policy_active", frozenset({("plugin", "weir")})) in seen
    assert not leaked(tagged.admin("/stats/prometheus"))


def total(seen: dict, name: str) -> int:
    """The sum of a counter over its labels."""
    return sum(count for (own, _), count in seen.items() if own == name)


def openai(text: str):
    """An OpenAI answer that says this, token by token."""
    import openai_wire

    return openai_wire.text(*tokens(f"key {text} end", 5))


def test_a_flood_of_refusals_is_counted(fresh, upstream):
    envoy = fresh(GUARD)
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": INJECTION}]}).encode()
    for _ in range(120):
        exchange(envoy.port, "/v1/chat/completions", body)

    def told() -> int:
        lines = [line.split("weir_audit", 1)[1] for line in envoy.log().splitlines() if "weir_audit" in line]
        collapsed = sum(json.loads(line.split(" ", 1)[1])["count"] for line in lines if line.startswith("_collapsed"))
        return collapsed + sum(not line.startswith("_collapsed") for line in lines)

    wait_for("every refusal told or counted", lambda: told() == 120)
    assert "weir_audit_collapsed" in envoy.log()
    numbers = [int(n) for n in re.findall(r'\{"sequence":(\d+)', envoy.log())]
    assert numbers == list(range(1, len(numbers) + 1))
