"""An Envoy process: starts it from a bootstrap document, waits until it serves, reads its log, admin page and stats.

Envoy gets SIGTERM when the thread that started it ends, so start it from a thread that outlives it.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

START = 30.0
"""Longest time for a proxy to come up, in seconds; the first compilation of the module is in it."""

SETTLE = 10.0
"""Longest wait for a log line, a number or an update, in seconds."""

T = TypeVar("T")


class EnvoyFailed(Exception):
    """Envoy did not come up, or went away; the message ends with the end of its log."""


def envoy_binary() -> str:
    """`$ENVOY`, else the one installed beside this Python, else the one on the path."""
    beside = Path(sys.executable).parent / "envoy"
    found = os.environ.get("ENVOY") or (str(beside) if beside.exists() else shutil.which("envoy"))
    if not found:
        raise EnvoyFailed("no Envoy found: set ENVOY, or install tests/requirements.txt")
    return found


def envoy_version() -> tuple[int, int]:
    """Major and minor version of the binary; it prints `version: <commit>/1.40.0/…`."""
    told = subprocess.run([envoy_binary(), "--version"], capture_output=True, text=True, check=True).stdout
    major, minor, *_ = told.partition("version:")[2].split("/")[1].split(".")
    return int(major), int(minor)


def wait_for(what: str, probe: Callable[[], T | None], seconds: float = SETTLE) -> T:
    """Asks until the answer is true and returns it; says what was missing where it never is."""
    deadline = time.monotonic() + seconds
    while not (found := probe()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.01)
    return found


def resident(pid: int) -> int:
    """Resident memory of a process in bytes."""
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


class Envoy:
    """One proxy process with a folder of its own, removed at the end."""

    def __init__(self):
        self._temporary = tempfile.TemporaryDirectory(prefix="weir-e2e-")
        self.folder = Path(self._temporary.name)
        self._process: subprocess.Popen | None = None
        self._admin = 0
        self.port = 0

    def run(
        self,
        document: dict,
        working_directory: Path | None = None,
        *,
        concurrency: int = 1,
        drain: int = 1,
        wasm_log: str = "info",
    ) -> None:
        """Starts it with this bootstrap, so many workers and so many seconds for old listeners to drain; lines of modules
        below `wasm_log` are not written. `port`, of the first listener, is known when this returns."""
        config, admin, log = self.folder / "bootstrap.json", self.folder / "admin", self.folder / "envoy.log"
        config.write_text(json.dumps(document))
        command = [envoy_binary(), "-c", str(config), "--admin-address-path", str(admin)]
        command += ["--concurrency", str(concurrency), "--drain-time-s", str(drain)]
        command += ["--use-dynamic-base-id", "--file-flush-interval-msec", "20", "-l", "warning"]
        command += ["--component-log-level", f"wasm:{wasm_log}"]
        with log.open("wb") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output, cwd=working_directory)
        address = self._alive("admin address", lambda: admin.exists() and admin.read_text())
        self._admin = int(address.rsplit(":", 1)[1])
        self._alive("ready", lambda: self.admin("/ready").startswith("LIVE"))
        self.port = self._alive("listener", self.listener_port)

    def stop(self) -> None:
        """Ends the process and removes its folder."""
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(SETTLE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._temporary.cleanup()

    @property
    def url(self) -> str:
        """Where clients go."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process that runs, 0 where there is none."""
        return self._process.pid if self._process else 0

    def running(self) -> bool:
        """Whether the process is still there."""
        return self._process is not None and self._process.poll() is None

    def listener_port(self, name: str = "") -> int:
        """The port of the listener of this name, or of the first; 0 while there is none."""
        found = json.loads(self.admin("/listeners?format=json") or "{}").get("listener_statuses", [])
        ports = (each["local_address"]["socket_address"]["port_value"] for each in found if name in ("", each["name"]))
        return next(ports, 0)

    def admin(self, path: str) -> str:
        """What the admin endpoint says, or an empty text where it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._admin}{path}", timeout=5) as answer:
                return answer.read().decode()
        except OSError:
            return ""

    def stats(self, pattern: str = "") -> dict[str, int]:
        """Counters and gauges whose name holds `pattern`."""
        lines = (line.rpartition(": ") for line in self.admin("/stats").splitlines())
        return {name: int(value) for name, _, value in lines if pattern in name and value.isdigit()}

    def log(self) -> str:
        """Everything that Envoy and the module logged so far."""
        return (self.folder / "envoy.log").read_text(errors="replace")

    def memory(self) -> int:
        """Resident memory of the process in bytes."""
        return resident(self._process.pid) if self._process else 0

    def worker_milliseconds(self) -> int:
        """CPU time that the worker threads have used, which hardly depends on what else the machine does."""
        tasks = Path(f"/proc/{self._process.pid}/task").iterdir() if self._process else ()
        stats = [(task / "stat").read_text() for task in tasks if "wrk:worker" in (task / "comm").read_text()]
        ticks = sum(int(field) for stat in stats for field in stat.rpartition(")")[2].split()[11:13])
        return ticks * 1000 // os.sysconf("SC_CLK_TCK")

    def _alive(self, what: str, probe: Callable[[], T | None]) -> T:
        def probe_alive() -> T | None:
            if not self.running():
                raise EnvoyFailed(f"Envoy ended before its {what}:\n{self.log()[-3000:]}")
            return probe()

        return wait_for(what, probe_alive, START)
