"""What operators see: the gateway's metrics and records, and recording rules and alerts by a real Prometheus."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml
from egress import ask, back_to_shadow, enforces, records
from envoy import wait_for
from lab import Lab, tools
from manifests import ISTIO, as_list, kustomized, plugin_of
from prometheus import Prometheus, plain_rules
from samples import INJECTION


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rules as Prometheus reads them, without the operator around."""
    return plain_rules(tmp_path_factory.mktemp("rules"))


def promtool(*arguments) -> None:
    """Runs promtool, which must be content."""
    done = subprocess.run([tools() / "bin/promtool", *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_are_good(rules):
    promtool("check", "rules", "--lint=all", "--lint-fatal", rules)


def test_the_alerts_fire_when_they_should(rules):
    cases = rules.parent / "cases.yaml"
    cases.write_text((Path(__file__).parent / "rules.test.yaml").read_text())
    promtool("test", "rules", cases)


def test_the_api_server_takes_it(lab: Lab, mesh):
    lab.try_out(kustomized("monitoring"))


def test_labels_are_those_of_the_bootstraps():
    ours = json.loads((ISTIO / "overlays/egress/custom_bootstrap.json").read_text())
    assert ours["stats_config"] == yaml.safe_load((ISTIO.parent / "envoy/local.yaml").read_text())["stats_config"]


@pytest.fixture(scope="module")
def prometheus(lab: Lab, mesh, tmp_path_factory: pytest.TempPathFactory) -> Prometheus:
    """A Prometheus that scrapes the gateway."""
    started = Prometheus(lab, tmp_path_factory.mktemp("prometheus"))
    started.scrape("gateway")
    return started


def test_prometheus_sees_what_happened(lab: Lab, mesh, provider, prometheus):
    """Counters have their labels, every rule is evaluated without an error, and the recordings have values."""
    lab.apply(as_list(mesh("egress-enforce")))
    enforces(provider)
    for _ in range(5):
        ask(provider, INJECTION)
    decisions = 'sum by (policy, decision) (weir_decisions_total{decision="reject"})'
    found = wait_for("decisions", lambda: prometheus.query(decisions), 30)
    assert found[0]["metric"] == {"policy": "default", "decision": "reject"}
    for recording in ("weir:decisions:rate5m", "weir:refused:ratio5m", "weir:coverage:ratio5m"):
        wait_for(recording, lambda: prometheus.query(recording), 30)  # noqa: B023
    groups = prometheus.get("rules")["groups"]
    health = {rule["name"]: rule["health"] for group in groups for rule in group["rules"]}
    assert len(health) == 10 and set(health.values()) == {"ok"}, health
    assert prometheus.query("weir_policy_active")[0]["metric"]["plugin"].startswith("weir-egress.weir")
    back_to_shadow(lab, mesh, provider)


def test_a_refused_policy_is_an_alert(lab: Lab, mesh, provider, prometheus):
    """The gauges say that the old policy is active, which it is."""
    firing = 'ALERTS{alertname="WeirPolicyRefused", alertstate="firing"}'
    wait_for("the counter, at nothing", lambda: prometheus.query("weir_policy_refused_total"), 30)
    assert not prometheus.query(firing)
    broken = plugin_of(mesh("egress"))
    broken["spec"]["pluginConfig"]["spec"]["packs"] = [{"name": "nobody", "action": "Mask"}, {"name": "noone"}]
    lab.apply(as_list([broken]))
    found = wait_for("the alert", lambda: prometheus.query(firing), 30)
    assert found[0]["metric"]["plugin"].startswith("weir-egress.weir")
    assert prometheus.query("weir_policy_active")[0]["value"][1] == "1"
    back_to_shadow(lab, mesh, provider)


def test_the_record_is_in_the_log(lab: Lab, mesh, provider):
    ask(provider, INJECTION)

    def shadowed() -> list[dict]:
        return [r for r in records(lab) if any(row["mode"] == "Shadow" for row in r.get("rules", []))]

    wait_for("a record", shadowed)
