"""The story of the project told by a real Envoy: `./just demo`. Exit code 0 only where every assertion held."""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import harness  # noqa: F401
from envoy import EnvoyFailed
from gateway import Gateway, module_path
from policies import from_yaml
from report import Report
from scenes import SCENES
from stage import Stage
from upstream import Upstream

POLICY = Path(__file__).parent / "policy.yaml"


def main() -> int:
    """Runs the scenes in order; a scene that breaks is a failed assertion and the next one runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--policy", type=Path, default=POLICY, help="policy file (YAML) instead of the demo's own")
    policy = parser.parse_args().policy
    os.environ["NO_PROXY"] = "127.0.0.1"
    module = module_path()
    if not module.exists():
        print(f"the module is missing: {module} (run ./just build)", file=sys.stderr)
        return 2
    started = time.monotonic()
    report = Report()
    size = module.stat().st_size // 1024
    print(f"application -> Envoy with {module.name} ({size} KiB), policy {policy.name} -> fake provider")
    configuration = from_yaml(policy)
    with (
        Upstream() as upstream,
        Gateway(upstream.port, configuration, module=module) as gateway,
        Gateway(upstream.port, unhurried(configuration), module=module) as other,
    ):
        for scene in SCENES:
            try:
                scene(Stage(gateway, other, upstream, report))
            except Exception as error:
                report.check("the scene runs to its end", False, error)
        report.check("Envoy is still running", gateway.running() and other.running())
    return report.summary(time.monotonic() - started)


def unhurried(configuration: str) -> str:
    """The policy without personal data, the pack that may let nothing of a match leave and so holds events."""
    document = json.loads(configuration)
    spec = document["spec"]
    spec["packs"] = [pack for pack in spec.get("packs", []) if pack["name"] != "pii"]
    return json.dumps(document)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except EnvoyFailed as error:
        print(error, file=sys.stderr)
        sys.exit(2)
