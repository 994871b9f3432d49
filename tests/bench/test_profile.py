"""What is measured in V8 is built as the module is."""

import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent


def built(manifest: Path) -> dict:
    """The settings of the profile `module`, with those that it inherits."""
    profiles = tomllib.loads(manifest.read_text())["profile"]
    found = profiles["release"] | profiles["module"]
    return {key: found[key] for key in sorted(found) if key != "inherits"}


def test_the_profiles_are_the_same():
    assert built(HERE / "Cargo.toml") == built(HERE.parents[1] / "Cargo.toml")
