"""Every expression of the dashboard shows something in a real Prometheus, after traffic of which each has a part."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import egress
import pytest
from applications import Applications
from dashboard import board, draw, filled, label_values, panels
from envoy import wait_for
from lab import Lab
from manifests import as_list, plugin_of
from prometheus import Prometheus

SECOND = "127.0.0.21"
EXCEPTION = {
    "id": "EXC-12",
    "rules": ["injection-*"],
    "match": {"channels": ["request.toolResult"]},
    "reason": "the security wiki quotes attacks",
    "owner": "security",
    "expires": "2026-01-31",
}


def policy(mesh, overlay: str, **changes) -> str:
    """The gateway's plugin with an exception that has expired; personal data, unknown paths and what
    is no JSON are only counted."""
    found = plugin_of(mesh(overlay))
    spec = found["spec"]["pluginConfig"]["spec"]
    for pack in spec["packs"]:
        if pack["name"] == "pii":
            pack["mode"] = "Shadow"
    spec["inspection"]["unknownShape"] = "Audit"
    spec |= {"exceptions": [EXCEPTION], "failureMode": "FailOpen"} | changes
    return as_list([found])


def second_gateway(lab: Lab, mesh) -> None:
    """Another pod of the gateway, to which the applications' sidecar sends its share."""
    found = mesh("egress")
    [deployment] = [document for document in found if document["kind"] == "Deployment"]
    bootstrap = egress.config(found, "weir-bootstrap")["custom_bootstrap.json"]
    egress.another(lab, "gateway-2", SECOND, deployment["spec"]["template"], bootstrap)


BROKEN = [{"name": "nobody", "action": "Mask"}]
"""Packs that no module has."""


@pytest.fixture(scope="module")
def day(lab: Lab, mesh, provider, tmp_path_factory, request) -> Iterator[Prometheus]:
    """A day of a mesh in short, as a Prometheus saw it: Shadow, Enforce and an attack; a broken policy, under which another
    gateway starts; its cure, and the same again. With `--picture FILE` it takes minutes, and the dashboard is drawn."""
    picture: Path | None = request.config.getoption("--picture")
    hour = 60.0 if picture else 8.0
    prometheus = Prometheus(lab, tmp_path_factory.mktemp("day"))
    prometheus.scrape("gateway")
    began = time.time()
    try:
        with Applications(provider) as applications:
            happen(lab, mesh, prometheus, applications, hour)
            if picture:
                draw(prometheus, began, time.time(), picture)
            yield prometheus
    finally:
        lab.kubectl("-n", egress.NAMESPACE, "delete", "workloadentry", "gateway-2", "--ignore-not-found")
        egress.back_to_shadow(lab, mesh, provider)


def happen(lab: Lab, mesh, prometheus: Prometheus, applications: Applications, hour: float) -> None:
    """What happens on that day; an hour takes so many seconds."""
    lab.apply(policy(mesh, "egress"))
    applications.for_a_while(hour)
    lab.apply(policy(mesh, "egress-enforce"))
    applications.for_a_while(hour)
    applications.weights["injection"] += 25
    applications.for_a_while(hour * 3 / 4)
    applications.weights["injection"] -= 25
    applications.for_a_while(hour / 2)
    lab.apply(policy(mesh, "egress-enforce", packs=BROKEN))
    second_gateway(lab, mesh)
    prometheus.scrape("gateway", "gateway-2")
    applications.for_a_while(hour / 2)
    wait_for("a request without a policy", lambda: prometheus.query("weir_degraded_requests_total"), 30)
    lab.apply(policy(mesh, "egress-enforce"))
    applications.for_a_while(hour)
    # It has had a good policy now, and keeps it when the broken one that it took at its start comes again.
    lab.apply(policy(mesh, "egress-enforce", packs=BROKEN))
    applications.for_a_while(hour / 2)
    wait_for("a request under a stale policy", lambda: prometheus.query("weir_stale_requests_total"), 30)
    lab.apply(policy(mesh, "egress-enforce"))
    applications.for_a_while(hour)


TARGETS = [(panel["title"], target["expr"]) for panel in panels() for target in panel["targets"]]


@pytest.mark.parametrize("title,expression", TARGETS, ids=[f"{title}-{i}" for i, (title, _) in enumerate(TARGETS)])
def test_a_panel_shows_something(day, title, expression):
    """No panel is an exception: what is rare in a mesh is made to happen in this one."""
    wait_for(title, lambda: [one for one in day.query(filled(expression)) if one["value"][1] != "NaN"], 20)


def test_what_happens_is_what_it_shows(day):
    """Not only something: each decision, both modes, all states of a policy, and the attack."""
    shown = {panel["title"]: panel["targets"][0]["expr"] for panel in panels()}

    def ever(title: str, label: str) -> set[str]:
        series = day.query(f"max_over_time(({filled(shown[title])})[10m:1s]) > 0")
        return {one["metric"].get(label, "") for one in series}

    assert ever("Decisions", "decision") == {"pass", "audit", "neutralize", "mask", "reject", "fail"}
    assert {"injection-override-instructions", "secrets-github-token"} <= ever("Findings that act (Enforce), by rule", "rule")
    assert "pii-email" in ever("Findings that only count (Shadow), by rule", "rule")
    assert {"ambiguous", "unknown-path", "malformed"} <= ever("Not inspected, by reason", "reason")
    assert ever("Policy in force, by proxy", "state") == {"good", "stale", "none"}
    assert ever("Exchanges, by proxy", "pod") == {"gateway", "gateway-2"}
    [refused] = day.query(f"max_over_time(({filled(shown['Refused'])})[10m:1s])")
    # On a calm day it is 0.04.
    assert 0.06 < float(refused["value"][1]) < 1
    [coverage] = day.query(f"min_over_time(({filled(shown['Coverage'])})[10m:1s])")
    assert 0.3 < float(coverage["value"][1]) < 0.99


@pytest.mark.parametrize("name", ["namespace", "plugin", "policy"])
def test_a_variable_offers_something(day, name):
    """And what it offers narrows the panels: nothing is left of them for another."""
    [variable] = [one for one in board()["templating"]["list"] if one["name"] == name]
    [offered] = label_values(day, variable)
    escaped = re.escape(offered).replace("\\", "\\\\")
    using = [expression for _, expression in TARGETS if f"${name}" in expression]
    assert using
    for expression in using:
        assert day.query(filled(expression, **{name: escaped})), expression
        assert not [s for s in day.query(filled(expression, **{name: "nobody"})) if s["value"][1] not in ("0", "NaN")]


def test_the_panels_do_not_overlap():
    taken = set()
    for panel in board()["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken and at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in board()["panels"]}) == len(board()["panels"])


def test_every_metric_is_documented(day):
    """No panel of Weir's own has a metric that docs/audit.md does not know."""
    named = set(re.findall(r"\bweir_\w+", " ".join(expression for _, expression in TARGETS)))
    documented = (Path(__file__).resolve().parents[2] / "docs/audit.md").read_text()
    assert len(named) > 10
    for name in named:
        assert f"`{name.removesuffix('_bucket')}`" in documented, name
