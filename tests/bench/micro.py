"""The micro-benches: one path of the engine at a time, natively and in V8, beside what else reads text."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from machine import machine
from variants import PROJECT, policies, policy

HERE = Path(__file__).resolve().parent
RUNNER = PROJECT / "tests/tools/wasi-runner.mjs"

CHANNELS = ["response.text", "request.user"]
PATHS = ["prose", "code", "near-misses", "dense-hits", "escapes", "cjk", "base64", "one-byte"]
"""As in src/micro/texts.rs. All are read in pieces of 4 KiB, but for the last."""
PIECE = 4096
ROUNDS = 5


@dataclass(frozen=True)
class Column:
    """What reads a text, and where."""

    name: str
    program: str
    kind: str
    streams: bool = True
    """It can go on where it stopped, so that single bytes are its business too."""


COLUMNS = [
    Column("weir", "native", "scan"),
    Column("weir, V8", "V8", "scan"),
    Column("memcpy", "native", "copy"),
    Column("memcpy, V8", "V8", "copy"),
    Column("regex set", "native", "regex-set", streams=False),
    Column("regex set, V8", "V8", "regex-set", streams=False),
    Column("regex each", "native", "regex-each", streams=False),
    Column("vectorscan", "vectorscan", ""),
]


@dataclass(frozen=True)
class Body:
    """A row of whole bodies: the job, its file, and what a figure is of."""

    name: str
    kind: str
    file: str
    unit: str


BODIES = [
    Body("burst of events", "burst", "stream", "event"),
    Body("one event a call", "paced", "stream", "event"),
    Body("answers of 64 KiB", "answers", "answers", "MB/s"),
    Body("the same in escapes", "answers", "answers-escaped", "MB/s"),
    Body("requests of 64 KiB", "requests", "requests", "MB/s"),
]
RULES = ["weir", "weir-open", "no rules"]
"""Policies that bodies run under; the last has no packs, which shows what reading bodies costs by itself."""


class Program:
    """A program that answers lines with lines of JSON."""

    def __init__(self, command: list, folder: Path):
        self._process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder
        )

    def ask(self, job: str) -> dict:
        """Does one job; what cannot be done is told in `error`."""
        self._process.stdin.write(job + "\n")
        self._process.stdin.flush()
        return self.read(job)

    def read(self, job: str) -> dict:
        """The next line."""
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the program ended at: {job}")
        return json.loads(line)

    def stop(self) -> None:
        """Ends it."""
        self._process.stdin.close()
        self._process.wait()


@contextmanager
def programs(native: Path, wasm: Path) -> Iterator[tuple[Path, dict[str, Program]]]:
    """The engine natively and in V8, in a folder of their own with policies and the rules' examples."""
    with TemporaryDirectory(prefix="weir-micro-") as temporary, ExitStack() as stack:
        folder = Path(temporary)
        for name, document in (policies() | {"no-rules": policy(packs=[])}).items():
            (folder / f"{name}.json").write_text(json.dumps(document))
        (folder / "examples").write_text(json.dumps(examples()))
        # Under WASI a path is relative to the folder in which the runner was started.
        commands = {"native": [native, "."], "V8": ["node", "--no-warnings", RUNNER, wasm, "."]}
        running = {}
        for name, command in commands.items():
            running[name] = Program(command, folder)
            stack.callback(running[name].stop)
        yield folder, running


def examples() -> list[str]:
    """Texts in which built-in rules find something."""
    files = sorted((PROJECT / "rules/packs").glob("*/*.yaml"))
    marked = (text for path in files for text in yaml.safe_load(path.read_text())["examples"]["match"])
    return [text.replace("[[", "").replace("]]", "") for text in marked]


def vectorscan(folder: Path) -> tuple[Program | None, dict]:
    """The program around the library, and what it says of itself; none where the library or a compiler is missing."""
    program = folder / "vectorscan"
    try:
        asked = ["pkg-config", "--cflags", "--libs", "libhs"]
        flags = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
        source = ["-std=c11", "-D_POSIX_C_SOURCE=200809L", "-O2", HERE / "vectorscan.c", "-o", program]
        subprocess.run(["cc", *source, *flags], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None, {"version": "not installed"}
    running = Program([program, ".", *CHANNELS], folder)
    return running, running.read("compiling")


def compiled(native: Path, wasm: Path) -> dict:
    """Seconds in which a policy is read and compiled, natively and in V8: the least of some."""
    with programs(native, wasm) as (_, running):
        return {
            name: {where: min(_seconds(program, f"compile {name}") for _ in range(ROUNDS)) for where, program in running.items()}
            for name in policies()
        }


def _seconds(program: Program, job: str) -> float:
    answer = program.ask(job)
    if "error" in answer:
        raise RuntimeError(f"{job}: {answer['error']}")
    return answer["seconds"]


def run(native: Path, wasm: Path, rounds: int = ROUNDS) -> dict:
    """Everything, in rounds; in each of them all texts are new, and all columns of a row run one after another."""
    with programs(native, wasm) as (folder, running), ExitStack() as stack:
        patterns = {}
        for channel in CHANNELS:
            patterns[channel] = running["native"].ask(f"patterns {channel}")
            running["V8"].ask(f"patterns {channel}")
        library, told = vectorscan(folder)
        if library:
            running["vectorscan"] = library
            stack.callback(library.stop)
        for channel in CHANNELS:
            patterns[channel]["vectorscan"] = told.get(channel, 0)
        texts: dict = {channel: {path: {} for path in PATHS} for channel in CHANNELS}
        bodies: dict = {body.name: {} for body in BODIES}
        for turn in range(rounds):
            made = running["native"].ask(f"write {HERE / 'text'} {turn + 1} {folder / 'examples'}")
            for channel in CHANNELS:
                for path in PATHS:
                    for name, seen in _texts(running, channel, path, turn):
                        texts[channel][path].setdefault(name, []).append(seen)
            for body in BODIES:
                for name, seen in _bodies(running, body, made["events"]):
                    bodies[body.name].setdefault(name, []).append(seen)
            print(f"micro: round {turn + 1} of {rounds}", file=sys.stderr)
    node = subprocess.run(["node", "-p", "process.versions.v8"], capture_output=True, text=True, check=True)
    return {
        "machine": {**machine(), "v8": node.stdout.strip(), "vectorscan": told["version"].strip()},
        "command": "./just bench micro",
        "patterns": patterns,
        "texts": texts,
        "bodies": bodies,
        "units": {body.name: body.unit for body in BODIES},
        "compile": compiled(native, wasm),
    }


def _texts(running: dict[str, Program], channel: str, path: str, turn: int) -> Iterator[tuple[str, dict]]:
    single = path == "one-byte"
    piece = 1 if single else PIECE
    first = turn % len(COLUMNS)
    for column in COLUMNS[first:] + COLUMNS[:first]:
        program = running.get(column.program)
        if program and (column.streams or not single):
            job = f"{column.kind} {channel} {piece} {channel}.{path}".strip()
            answer = program.ask(job)
            yield column.name, _rate(answer, job)


def _bodies(running: dict[str, Program], body: Body, events: int) -> Iterator[tuple[str, dict]]:
    for rules in RULES:
        for where in ("native", "V8"):
            job = f"{body.kind} {rules.replace(' ', '-')} {body.file}"
            answer = running[where].ask(job)
            seen = _rate(answer, job)
            if body.unit == "event":
                seen |= {"micros": answer["seconds"] / events * 1e6, "held": answer["found"] / events}
            yield f"{rules}, {where}", seen


def _rate(answer: dict, job: str) -> dict:
    if "error" in answer:
        raise RuntimeError(f"{job}: {answer['error']}")
    return {"rate": answer["bytes"] / answer["seconds"] / 1e6, "found": answer["found"]}
