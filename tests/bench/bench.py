"""The benchmark; `./just bench` runs it. What is measured and how to read it: README.md beside."""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import goals  # noqa: E402
import micro  # noqa: E402
import micro_report  # noqa: E402
import report  # noqa: E402
from envoy import envoy_binary  # noqa: E402
from machine import machine  # noqa: E402
from variants import Built, Variant, policies, start  # noqa: E402

KIB = 1024
RATE = 400
"""Requests a second where the rate is fixed: a proxy that takes 2 ms for each still keeps up."""


@dataclass(frozen=True)
class Case:
    """One line of the table: a job of the load client, and what its CPU time is divided by."""

    name: str
    job: str
    unit: str
    """`request`: microseconds of CPU for each; `event`: the same, which is seconds for a million."""
    fixed: bool = False
    """The job says how much it does; others are repeated for a while."""
    patient: bool = True
    """Filters that take a quarter of a second for a request run it too."""
    asks: str = "cpu"
    """`cpu`; `saturation`: requests a second; `rate`: latency at a fixed rate."""


def cases(quick: bool) -> list[Case]:
    """What is run, quick or whole."""
    sizes = [(1, "1 KiB"), (8, "8 KiB"), (64, "64 KiB"), (1024, "1 MiB")]
    found = [Case(f"answer {name}", f"answers connections=4 size={size * KIB}", "request") for size, name in sizes]
    found += [Case(f"request {name}", f"requests connections=4 size={size * KIB}", "request") for size, name in sizes[1:3]]
    found.append(Case("200 streams", "streams streams=200 events=100 gap=20000 spread=500000", "event", fixed=True))
    if not quick:
        job = "streams streams=1000 events=40 gap=100000 spread=2000000"
        found.append(Case("1,000 streams", job, "event", fixed=True))
        found.append(Case("image 5 MiB", f"image size={5 * KIB * KIB}", "request", patient=False))
        found.append(Case("conversation, 60 turns", "conversation turns=60 size=400", "request", patient=False))
        found.append(Case("conversation, new words", "conversation turns=60 size=400 fresh=1", "request", patient=False))
    found.append(Case("bursts", "bursts events=20000", "event", patient=False))
    if not quick:
        found.append(Case("bursts, 4 times as long", "bursts events=80000", "event", patient=False))
    for size, name in sizes[:2]:
        job = f"answers connections=32 size={size * KIB}"
        found.append(Case(f"saturation, answer {name}", job, "request", asks="saturation"))
        job = f"scheduled connections=32 size={size * KIB} rate={RATE} requests={RATE * (1 if quick else 3)}"
        found.append(Case(f"{RATE} a second, answer {name}", job, "request", fixed=True, asks="rate"))
    return found


QUICK = ["none", "reader", "weir", "extproc-idle"]
WHOLE = ["none", "noop", "reader", "weir", "weir-open", "weir-1000", "weir-shadow", "lua", "extproc-idle", "extproc-rules"]
SLOW = ["lua"]
"""Variants that are left out of cases for which they have no patience."""


class Client:
    """The load client, kept running so that its start is not measured."""

    def __init__(self, programs: Path, folder: Path):
        command = [programs / "load", HERE / "text", folder / "weir.json"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, job: str) -> dict:
        """Does one job."""
        self.begin(job)
        return self.wait(job)

    def begin(self, job: str) -> None:
        """Hands it a job."""
        self._process.stdin.write(job + "\n")
        self._process.stdin.flush()

    def wait(self, job: str) -> dict:
        """Until it has done the job."""
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the load client ended at: {job}")
        return json.loads(line)

    def stop(self) -> None:
        """Ends it."""
        self._process.stdin.close()
        self._process.wait()


def measure(client: Client, variant: Variant, case: Case, seconds: float, counts: dict) -> dict:
    """Runs one case once; how often it repeats its request was found at its first run."""
    kind, _, rest = case.job.partition(" ")
    job = f"{kind} port={variant.envoy.port} {rest}"
    key = (variant.name, case.name)
    if not case.fixed:
        if key not in counts:
            tried = 32 if case.asks == "saturation" else 8
            client.run(f"{job} requests={tried // 2}")
            trial = client.run(f"{job} requests={tried}")
            each = trial["seconds"] / tried
            counts[key] = max(8, min(20_000, int(seconds / each)))
        job = f"{job} requests={counts[key]}"
    tells = variant.name.startswith("weir") and case.unit == "event"
    earlier = variant.events() if tells else {}
    before = variant.cpu()
    seen = client.run(job)
    cpu = variant.cpu() - before
    if tells:
        seen["weir"] = {key: count - earlier[key] for key, count in variant.events().items()}
    done = seen["events"] if case.unit == "event" else seen["requests"]
    if not done:
        raise RuntimeError(f"{variant.name}: nothing came of {job}")
    return {"cpu": cpu / done * 1e6, "rate": done / seen["seconds"], "busy": cpu / seen["seconds"], **seen}


def run(arguments: argparse.Namespace) -> dict:
    """All variants, side by side, in rounds."""
    built = Built(arguments.programs, arguments.modules, arguments.weir)
    names = arguments.variants.split(",") if arguments.variants else QUICK if arguments.quick else WHOLE
    chosen = [case for case in cases(arguments.quick) if arguments.cases in case.name]
    rounds, seconds = (3, 0.5) if arguments.quick else (5, 1.5)
    results: dict[str, dict[str, list]] = {case.name: {} for case in chosen}
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as temporary:
        folder = Path(temporary)
        for name, document in policies().items():
            (folder / f"{name}.json").write_text(json.dumps(document))
        command = [built.programs / "upstream", HERE / "text", folder / "weir.json"]
        upstream = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        client = Client(built.programs, folder)
        variants: list[Variant] = []
        counts: dict = {}
        try:
            port = int(upstream.stdout.readline())
            for name in names:
                variants.append(start(name, port, built, folder))
            rest = {variant.name: variant.memory() for variant in variants}
            # Before anything else: what a load leaves behind would be taken for memory that a stream does not need.
            memory = {} if arguments.quick else hold(client, variants, rest)
            for turn in range(rounds):
                for case in chosen:
                    for variant in variants[turn % len(variants) :] + variants[: turn % len(variants)]:
                        if case.patient or variant.name not in SLOW:
                            one = measure(client, variant, case, seconds, counts)
                            results[case.name].setdefault(variant.name, []).append(one)
                print(f"round {turn + 1} of {rounds}", file=sys.stderr)
            loaded = {variant.name: variant.memory() for variant in variants}
        finally:
            for variant in variants:
                variant.stop()
            client.stop()
            upstream.terminate()
            upstream.wait()
    return {
        "machine": {**machine(), "envoy": envoy_release()},
        "command": "./just bench quick" if arguments.quick else "./just bench",
        "module": built.weir.stat().st_size,
        "variants": [v.name for v in variants],
        "units": {case.name: case.unit for case in chosen},
        "asks": {case.name: case.asks for case in chosen},
        "cases": results,
        "started": {v.name: v.started for v in variants},
        "rest": rest,
        "loaded": loaded,
        "streams": memory,
    }


def hold(client: Client, variants: list[Variant], rest: dict[str, int]) -> dict:
    """Resident memory that each of many open streams adds to a proxy at rest, before the first of them ends."""
    found: dict[str, dict] = {}
    for variant in variants:
        for streams in (100, 1000, 5000):
            # The first ones end after 4 s; a processor that must answer within 0.2 s would refuse many that begin at once.
            job = f"streams port={variant.envoy.port} streams={streams} events=8 gap=500000 spread=2000000"
            client.begin(job)
            time.sleep(3.5)
            found.setdefault(variant.name, {})[str(streams)] = (variant.memory() - rest[variant.name]) / streams
            if refused := client.wait(job)["refused"]:
                print(f"{variant.name}: {refused} of {streams} open streams were refused", file=sys.stderr)
    return found


def envoy_release() -> str:
    """Version of the proxy."""
    told = subprocess.run([envoy_binary(), "--version"], capture_output=True, text=True, check=True).stdout
    return told.partition("version:")[2].split("/")[1].strip()


def main() -> None:
    """Reads the arguments, runs, writes the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="?", choices=["quick", "micro"])
    parser.add_argument("--programs", type=Path, required=True)
    parser.add_argument("--micro", type=Path, required=True)
    parser.add_argument("--modules", type=Path, required=True)
    parser.add_argument("--weir", type=Path, required=True)
    parser.add_argument("--variants", default="")
    parser.add_argument("--cases", default="")
    parser.add_argument("--results", type=Path)
    arguments = parser.parse_args()
    arguments.quick = arguments.part == "quick"
    engine = (arguments.programs / "micro", arguments.micro)
    if arguments.part == "micro":
        paths = micro.run(*engine)
        write(arguments.results, "micro", paths, micro_report.markdown(paths))
        return
    # 5,000 open streams are two sockets each in the proxy, and one in client and provider; they inherit it.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    found = run(arguments)
    found["compile"] = micro.compiled(*engine)
    found["goals"] = goals.judge(found)
    write(arguments.results, "results", found, report.markdown(found), report.plots(found))
    if not arguments.quick:
        paths = micro.run(*engine)
        write(arguments.results, "micro", paths, micro_report.markdown(paths))


def write(folder: Path | None, name: str, found: dict, text: str, drawings: dict[str, str] | None = None) -> None:
    """Prints the tables, and writes them with their data and drawings."""
    print(text)
    if not folder:
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
    (folder / f"{name}.md").write_text(text)
    for drawing, content in (drawings or {}).items():
        (folder / f"{drawing}.svg").write_text(content)


if __name__ == "__main__":
    main()
