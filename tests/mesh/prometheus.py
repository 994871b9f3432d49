"""A real Prometheus in the lab: it scrapes gateways, and evaluates the rules of `istio/monitoring`."""

import json
import urllib.parse
import urllib.request
from pathlib import Path

import egress
import yaml
from envoy import wait_for
from lab import Lab, free_port, http_ok
from manifests import ISTIO

MONITORING = ISTIO / "monitoring"


def plain_rules(folder: Path) -> Path:
    """The rules as Prometheus reads them, without the operator around."""
    path = folder / "rules.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load((MONITORING / "rules.yaml").read_text())["spec"]))
    return path


class Prometheus:
    """Runs until the lab ends."""

    def __init__(self, lab: Lab, folder: Path):
        self._targets = folder / "targets.json"
        self._lab = lab
        self.scrape()
        job = {
            "job_name": "weir",
            "metrics_path": "/stats/prometheus",
            "scrape_interval": "1s",
            "file_sd_configs": [{"files": [str(self._targets)], "refresh_interval": "1s"}],
        }
        document = {
            "global": {"evaluation_interval": "1s"},
            "rule_files": [str(plain_rules(folder))],
            "scrape_configs": [job],
        }
        configuration = folder / "prometheus.yaml"
        configuration.write_text(yaml.safe_dump(document))
        self.address = f"127.0.0.1:{free_port()}"
        command = [lab.tools / "bin/prometheus", f"--config.file={configuration}", f"--web.listen-address={self.address}"]
        lab.spawn("prometheus", [*command, f"--storage.tsdb.path={folder}/prometheus"])
        wait_for("Prometheus", lambda: http_ok(f"http://{self.address}/-/ready"), 30)

    def scrape(self, *names: str) -> None:
        """The proxies to scrape from now on, with the labels that a PodMonitor gives them; and istiod."""
        istiod = {"targets": [f"127.0.0.1:{self._lab.istiod}"], "labels": {"__metrics_path__": "/metrics"}}
        found = [
            istiod,
            *(
                {
                    "targets": [f"127.0.0.1:{self._lab.proxies[name].admin}"],
                    "labels": {"namespace": egress.NAMESPACE, "pod": name},
                }
                for name in names
            ),
        ]
        self._targets.write_text(json.dumps(found))

    def get(self, path: str, **parameters) -> dict | list:
        """What the API answers; an expression that Prometheus does not understand is an error."""
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=30) as reply:
            return json.load(reply)["data"]

    def query(self, expression: str) -> list[dict]:
        """The series of an expression, now."""
        return self.get("query", query=expression)["result"]
