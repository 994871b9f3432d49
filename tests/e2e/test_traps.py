"""The table in `TRAPS.md` is true: every test that it names is there, on the wires that it says."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
NAMED = re.compile(r"`(test_\w+)\.py::(test_\w+)`")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (FOLDER / "TRAPS.md").read_text().splitlines()
    if line.startswith("| ") and "::" in line
]
"""Trap, tests, wires."""

NAMES = [(file, test, wires) for _, tests, wires in ROWS for file, test in NAMED.findall(tests)]


def parameters(file: str, test: str) -> list[str]:
    """What a test asks for: fixtures and the names of its parameters."""
    return list(inspect.signature(getattr(importlib.import_module(file), test)).parameters)


@pytest.mark.parametrize("file,test,wires", NAMES, ids=[f"{file}::{test}" for file, test, _ in NAMES])
def test_named_test_is_there(file, test, wires):
    asked = parameters(file, test)
    on_all = "wire" in asked or {"up", "down"} <= set(asked)
    assert on_all is (wires == "all"), f"{test} takes {asked}"


def test_every_row_has_a_test():
    assert len(ROWS) > 25 and all(NAMED.search(tests) for _, tests, _ in ROWS)
