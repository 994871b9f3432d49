"""The runbook is true as far as tests go: every test that it names is there, and every section names one."""

import re

import pytest

from gateway import PROJECT

FOLDER = PROJECT / "tests/e2e"
TEXT = (PROJECT / "docs/runbook.md").read_text()
DEFINED = {
    name: path.name
    for path in sorted(FOLDER.glob("test_*.py"))
    for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
}
"""Every test and the file that it is in."""

FILES = sorted(set(re.findall(r"`(test_\w+\.py)", TEXT)))
NAMES = sorted(set(re.findall(r"`(?:(test_\w+\.py)::)?(test_\w+)`", TEXT)))
IN_RUST = sorted(set(re.findall(r"`([\w/]+\.rs)`: `(\w+)`", TEXT)))


@pytest.mark.parametrize("file", FILES)
def test_named_file_is_there(file):
    assert (FOLDER / file).exists()


@pytest.mark.parametrize("file,name", NAMES, ids=[name for _, name in NAMES])
def test_named_test_is_there(file, name):
    assert DEFINED.get(name) and file in ("", DEFINED[name])


@pytest.mark.parametrize("file,name", IN_RUST)
def test_named_unit_test_is_there(file, name):
    assert f"fn {name}(" in (PROJECT / file).read_text()


def test_every_section_names_one():
    sections = re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]
    assert len(sections) > 5 and all("`test_" in section for section in sections)
