"""Envoy with the module in it and a policy that can be replaced while it runs, and the records that it leaves."""

import json
import os
from dataclasses import replace
from pathlib import Path

from bootstrap import Plan, bootstrap, update_document
from envoy import Envoy, wait_for

PROJECT = Path(__file__).resolve().parents[2]
MODULE = PROJECT / "target/wasm32-wasip1/release/weir_filter.wasm"

AUDIT = "weir_audit "
"""What an audit line of the module begins with, after Envoy's own prefix."""


def module_path() -> Path:
    """Where the module is: `$WEIR_MODULE`, else where `./just build` leaves it."""
    return Path(os.environ.get("WEIR_MODULE", MODULE))


class Gateway(Envoy):
    """One proxy in front of one upstream. Use as a context manager, or call `start` and `stop`.

    Without a module it passes everything. `delivery` (Inline, ECDS or LDS) and `more` are fields of `Plan`.
    """

    def __init__(
        self,
        upstream_port: int,
        configuration: str = "",
        *,
        module: Path | None = None,
        delivery: str = "Inline",
        port: int = 0,
        **more,
    ):
        super().__init__()
        self._plan = Plan(self.folder, upstream_port, module, configuration, delivery, port, **more)
        self._version = 0

    def start(self) -> "Gateway":
        """Runs it; returns when it serves."""
        self._plan.watched.mkdir()
        self._write_resource()
        self.run(self.document())
        return self

    def document(self) -> dict:
        """The bootstrap that it runs."""
        return bootstrap(self._plan)

    __enter__ = start

    def __exit__(self, *_):
        self.stop()

    def replace_policy(self, configuration: str) -> None:
        """Puts a new configuration in place by rename and waits until Envoy has judged it (taken or refused)."""
        before = self._judged()
        self._plan = replace(self._plan, configuration=configuration)
        self._write_resource()
        wait_for("update judged", lambda: self._judged() > before)

    def audits(self) -> list[dict]:
        """The audit records in the log, in order."""
        lines = (line.partition(AUDIT)[2] for line in self.log().splitlines() if AUDIT in line)
        return [json.loads(line) for line in lines]

    def access(self, scenario: str) -> dict:
        """The access log line of the last request of this scenario, its `weir` field as a record (or None)."""
        line = wait_for(f"access log of {scenario}", lambda: self._access_lines(scenario))[-1]
        record = line["weir"]
        return {**line, "weir": json.loads(record) if record not in (None, "-", "") else None}

    def _access_lines(self, scenario: str) -> list[dict]:
        path = self.folder / "access.log"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line for line in map(json.loads, lines) if line["scenario"] == scenario]

    def _judged(self) -> int:
        kind = "listener_manager.lds" if self._plan.delivery == "LDS" else "extension_config_discovery"
        outcomes = ("update_success", "update_rejected", "update_failure")
        return sum(value for name, value in self.stats(kind).items() if name.endswith(outcomes))

    def _write_resource(self) -> None:
        self._version += 1
        beside = self._plan.watched / "resource.next"
        beside.write_text(json.dumps(update_document(self._plan, self._version)))
        beside.rename(self._plan.watched / "resource.json")
