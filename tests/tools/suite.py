"""Runs recipes one after another, all of them, and closes with the sum of what their test runners counted.

Usage: suite.py RUNNER --checks RECIPE... --tests RECIPE... --optional RECIPE...

RUNNER is the command runner. A check counts no tests; a recipe after `--tests` has to run at least one; one after
`--optional` may say why it runs none. A recipe that
ends in failure without a failed test of its own counts as one failed. The last line is `N passed, N failed`, followed
by `, N skipped` where tests were skipped; the exit status is 1 where anything failed.
"""

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass

COLOR = re.compile(r"\x1b\[[0-9;]*m")
CARGO = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;")
PYTEST = re.compile(r"^(?:=+ )?(\d+ [a-z]+(?:, \d+ [a-z]+)*) in \d+\.\d+s\b")
PYTEST_WORDS = {
    "passed": "passed",
    "xpassed": "passed",
    "failed": "failed",
    "error": "failed",
    "errors": "failed",
    "skipped": "skipped",
    "xfailed": "skipped",
}


@dataclass
class Count:
    """How many tests ended in which way."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other: "Count") -> None:
        """Adds another count to this one."""
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self) -> str:
        closing = f"{self.passed} passed, {self.failed} failed"
        return f"{closing}, {self.skipped} skipped" if self.skipped else closing


def count_line(line: str) -> Count:
    """What one line of output says about tests: zero unless it is the closing line of cargo test or pytest."""
    plain = COLOR.sub("", line)
    count = Count()
    if cargo := CARGO.match(plain):
        count.add(Count(*map(int, cargo.groups())))
    elif pytest := PYTEST.match(plain):
        for part in pytest[1].split(", "):
            number, word = part.split(" ")
            if word in PYTEST_WORDS:
                count.add(Count(**{PYTEST_WORDS[word]: int(number)}))
    return count


def judge(lines: Iterable[str], status: int, must_test: bool) -> Count:
    """The count of one recipe, given its output and its exit status."""
    count = Count()
    for line in lines:
        count.add(count_line(line))
    if not count.failed and (status or (must_test and not count.passed)):
        count.failed = 1
    return count


def run(runner: str, recipe: str, must_test: bool) -> Count:
    """Runs a recipe, passes its output on as it comes, and counts."""
    print(f"\n=== {recipe} ===", flush=True)
    begun = time.monotonic()
    command = [runner, "--justfile", "Justfile", recipe]
    lines = []
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    count = judge(lines, process.returncode, must_test)
    outcome = count if must_test else "failed" if count.failed else "ok"
    print(f"=== {recipe}: {outcome}, {time.monotonic() - begun:.0f} s ===", flush=True)
    return count


def main() -> int:
    """Runs what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runner")
    parser.add_argument("--checks", nargs="*", default=[])
    parser.add_argument("--tests", nargs="*", default=[])
    parser.add_argument("--optional", nargs="*", default=[])
    chosen = parser.parse_args()
    total = Count()
    broken = []
    plan = [(name, False) for name in chosen.checks] + [(name, True) for name in chosen.tests]
    for recipe, must_test in plan + [(name, False) for name in chosen.optional]:
        count = run(chosen.runner, recipe, must_test)
        total.add(count)
        if count.failed:
            broken.append(recipe)
    print(f"\nfailed: {', '.join(broken)}" if broken else "\neverything passed")
    print(total)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
