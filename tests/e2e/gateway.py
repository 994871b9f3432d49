"""Envoy with the module in it and a policy that can be replaced while it runs, and the records that it leaves."""

import json
import os
from dataclasses import replace
from pathlib import Path

from bootstrap import Listener, Plan, Weir, bootstrap, update_documents
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
        self._write_resources()
        self.run(self.document(), concurrency=self._plan.concurrency, drain=self._plan.drain)
        return self

    def document(self) -> dict:
        """The bootstrap that it runs."""
        return bootstrap(self._plan)

    __enter__ = start

    def __exit__(self, *_):
        self.stop()

    def replace_policy(self, configuration: str, weir: str = "weir", **more) -> None:
        """Puts a new configuration of one Weir in place and waits until Envoy has judged it (taken or refused). `more`
        are other fields of `Plan` that change with it, such as the module."""
        resource = "LDS" if self._plan.delivery == "LDS" else weir
        before = self._judged(resource)
        self.write_policy(configuration, weir, **more)
        wait_for("update judged", lambda: self._judged(resource) > before)

    def write_policy(self, configuration: str, weir: str = "weir", **more) -> None:
        """The same by rename, without waiting: Envoy may be at an earlier update still."""
        plan = replace(self._plan, **more)
        if weir == "weir":
            plan = replace(plan, configuration=configuration)
        others = tuple(replace(each, weirs=_changed(each.weirs, weir, configuration)) for each in plan.others)
        self._plan = replace(plan, inner=_changed(plan.inner, weir, configuration), others=others)
        self._write_resources("LDS" if plan.delivery == "LDS" else weir)

    def replace_listeners(self, *others: Listener) -> None:
        """Puts other listeners beside the first, which LDS must deliver, and waits until Envoy has judged them."""
        before = self._judged("LDS")
        self._plan = replace(self._plan, others=others)
        self._write_resources("LDS")
        wait_for("listeners judged", lambda: self._judged("LDS") > before)

    def audits(self) -> list[dict]:
        """The audit records in the log, in order."""
        lines = (line.partition(AUDIT)[2] for line in self.log().splitlines() if AUDIT in line)
        return [json.loads(line) for line in lines]

    def access(self, scenario: str) -> dict:
        """The access log line of the last request of this scenario, its `weir` field as a record (or None)."""
        line = self.access_lines(scenario)[-1]
        records = self.records(line)
        return {**line, "weir": records[-1] if records else None}

    def access_lines(self, scenario: str, count: int = 1) -> list[dict]:
        """The access log lines of this scenario once there are so many, as they stand."""

        def enough() -> list[dict]:
            found = self._access_lines(scenario)
            return found if len(found) >= count else []

        return wait_for(f"access log of {scenario}", enough)

    @staticmethod
    def records(line: dict) -> list[dict]:
        """The audit records of an access log line: one of each Weir that the request passed."""
        told, records = line["weir"] or "", []
        while told.strip("-"):
            record, end = json.JSONDecoder().raw_decode(told)
            records.append(record)
            told = told[end:].removeprefix(" ")
        return records

    def _access_lines(self, scenario: str) -> list[dict]:
        path = self.folder / "access.log"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line for line in map(json.loads, lines) if line["scenario"] == scenario]

    def gauge(self, name: str, plugin: str = "weir") -> int:
        """A gauge of one plugin of the module, 0 where it has not told any."""
        full = f"wasmcustom.{name}_plugin=.={plugin};.;"
        return self.stats(full).get(full, 0)

    def update_stats(self, resource: str = "weir") -> dict[str, int]:
        """What became of the updates of a resource: `update_success`, `update_rejected` and their like."""
        found = "listener_manager.lds." if resource == "LDS" else f"extension_config_discovery.http_filter.{resource}."
        return {name.rpartition(".")[2]: value for name, value in self.stats(found).items()}

    def _judged(self, resource: str) -> int:
        outcomes = ("update_success", "update_rejected", "update_failure")
        stats = self.update_stats(resource)
        return sum(stats.get(outcome, 0) for outcome in outcomes)

    def _write_resources(self, only: str = "") -> None:
        """Writes the watched files, or one of them, each by rename."""
        self._version += 1
        for resource, document in update_documents(self._plan, self._version).items():
            if only in ("", resource):
                folder = self._plan.watched(resource)
                folder.mkdir(parents=True, exist_ok=True)
                (folder / "resource.next").write_text(json.dumps(document))
                (folder / "resource.next").rename(folder / "resource.json")


def _changed(weirs: tuple[Weir, ...], name: str, configuration: str) -> tuple[Weir, ...]:
    """The same, with this configuration for the Weirs of this name."""
    return tuple(replace(each, configuration=configuration) if each.name == name else each for each in weirs)
