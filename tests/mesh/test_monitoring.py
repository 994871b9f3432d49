"""What operators see: the gateway's metrics and records, and recording rules and alerts by a real Prometheus."""

import json
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path

import egress
import pytest
import yaml
from egress import ask, back_to_shadow, enforces, records
from envoy import wait_for
from lab import Lab, free_port, http_ok, tools
from manifests import ISTIO, as_list, kustomized
from samples import INJECTION

MONITORING = ISTIO / "monitoring"


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rules as Prometheus reads them, without the operator around."""
    document = yaml.safe_load((MONITORING / "rules.yaml").read_text())
    path = tmp_path_factory.mktemp("rules") / "rules.yaml"
    path.write_text(yaml.safe_dump(document["spec"]))
    return path


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
def prometheus(lab: Lab, mesh, rules) -> str:
    """A Prometheus that scrapes the gateway; its address."""
    scrape = {
        "job_name": "weir",
        "metrics_path": "/stats/prometheus",
        "scrape_interval": "1s",
        "static_configs": [{"targets": [f"127.0.0.1:{lab.proxies['gateway'].admin}"], "labels": {"namespace": egress.NAMESPACE}}],
    }
    configuration = lab.folder / "prometheus.yaml"
    document = {"global": {"evaluation_interval": "1s"}, "rule_files": [str(rules)], "scrape_configs": [scrape]}
    configuration.write_text(yaml.safe_dump(document))
    address = f"127.0.0.1:{free_port()}"
    command = [lab.tools / "bin/prometheus", f"--config.file={configuration}", f"--web.listen-address={address}"]
    lab.spawn("prometheus", [*command, f"--storage.tsdb.path={lab.folder}/prometheus"])
    wait_for("Prometheus", lambda: http_ok(f"http://{address}/-/ready"), 30)
    return address


def query(address: str, expression: str) -> list[dict]:
    """The series of an expression; one that Prometheus does not understand is an error."""
    url = f"http://{address}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
    with urllib.request.urlopen(url, timeout=10) as reply:
        return json.load(reply)["data"]["result"]


def test_prometheus_sees_what_happened(lab: Lab, mesh, provider, prometheus):
    """Counters have their labels, every rule is evaluated without an error, and the recordings have values."""
    lab.apply(as_list(mesh("egress-enforce")))
    enforces(provider)
    for _ in range(5):
        ask(provider, INJECTION)
    decisions = 'sum by (policy, decision) (weir_decisions_total{decision="reject"})'
    found = wait_for("decisions", lambda: query(prometheus, decisions), 30)
    assert found[0]["metric"] == {"policy": "default", "decision": "reject"}
    for recording in ("weir:decisions:rate5m", "weir:refused:ratio5m", "weir:coverage:ratio5m"):
        wait_for(recording, lambda: query(prometheus, recording), 30)  # noqa: B023
    with urllib.request.urlopen(f"http://{prometheus}/api/v1/rules", timeout=10) as reply:
        groups = json.load(reply)["data"]["groups"]
    health = {rule["name"]: rule["health"] for group in groups for rule in group["rules"]}
    assert len(health) == 9 and set(health.values()) == {"ok"}, health
    assert query(prometheus, "weir_policy_active")[0]["metric"]["plugin"].startswith("weir-egress.weir")
    back_to_shadow(lab, mesh, provider)


def test_the_record_is_in_the_log(lab: Lab, mesh, provider):
    ask(provider, INJECTION)

    def shadowed() -> list[dict]:
        return [r for r in records(lab) if any(row["mode"] == "Shadow" for row in r.get("rules", []))]

    wait_for("a record", shadowed)
