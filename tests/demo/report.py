"""Prints the story and counts the assertions. Colour only on a terminal, and nothing depends on it."""

import json
import os
import sys
import textwrap

WIDTH = 110
LABEL = 15
SHOWN = 900
"""Most characters shown of one thing; the rest is counted."""


class Report:
    """What a reader sees, in order."""

    def __init__(self):
        self._colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self.scenes = 0
        self.passed = 0
        self.failed = 0

    def scene(self, title: str, story: str) -> None:
        """Begins a scene."""
        self.scenes += 1
        print(f"\n{self._paint('1', f'{self.scenes}. {title}')}")
        print(textwrap.fill(story, WIDTH, initial_indent="   ", subsequent_indent="   "))

    def show(self, label: str, text: str) -> None:
        """A labelled passage."""
        if len(text) > SHOWN:
            text = f"{text[:SHOWN]}… ({len(text) - SHOWN} characters more)"
        lines = [part for line in text.splitlines() or [""] for part in textwrap.wrap(line, WIDTH - LABEL - 3) or [""]]
        for index, line in enumerate(lines):
            name = label if index == 0 else ""
            print(f"   {self._paint('36', name.ljust(LABEL))}{line}")

    def record(self, record: dict | None) -> None:
        """The audit record as the access log has it."""
        self.show("audit record", json.dumps(record, ensure_ascii=False))

    def check(self, claim: str, holds: bool, found: object = "") -> None:
        """Counts one assertion; says what was found where it does not hold."""
        if holds:
            self.passed += 1
            print(f"   {self._paint('32', 'assert ok:')} {claim}")
        else:
            self.failed += 1
            print(
                f"   {self._paint('31', 'assert FAILED:')} {claim}"
                + (f"\n      found: {found!r}"[:600] if found != "" else "")
            )

    def summary(self, seconds: float) -> int:
        """The last line; returns the exit code."""
        total = self.passed + self.failed
        line = f"{self.scenes} scenes, {total} assertions: {self.passed} ok, {self.failed} failed, {seconds:.1f} s"
        print(f"\n{self._paint('31' if self.failed else '32', line)}")
        return 1 if self.failed or not total else 0

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text
