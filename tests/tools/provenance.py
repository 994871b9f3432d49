"""Where the module comes from: an in-toto statement with SLSA's provenance (https://slsa.dev/spec/v1.0/provenance).

It says what was built, by which command, of which revision, with which toolchain and crates: those of build time too. No
time of day goes in, so the same sources, built in the same way, give the same bytes. It is a claim until somebody signs it.
"""

import base64
import json
import os
import subprocess
import urllib.parse
from datetime import UTC, datetime

from sbom import ROOT, TARGET, crates, output, rustc

MADE_OF = ["Cargo.toml", "Cargo.lock", "Justfile", "rust-toolchain.toml", ".cargo", "rules", "filter", "tests/tools"]
"""What the module and its image are made of."""
BUILD = "https://guard.weir.dev/build/image/v1"
"""The kind of build: `./just image` of the revision, with the command's own parameters only."""
BUILDER = os.environ.get("WEIR_BUILDER") or "https://guard.weir.dev/builder/unnamed"
"""Who built: a CI says its own URI, which is what a consumer asks for."""


def git(*arguments: str) -> str:
    """What git says; nothing where it has nothing to say, as outside a repository."""
    try:
        return output("git", *arguments).strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def made() -> datetime | None:
    """The time that belongs to the sources: `SOURCE_DATE_EPOCH`, else the revision's."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH") or git("log", "-1", "--format=%ct")
    return datetime.fromtimestamp(int(seconds), UTC) if seconds else None


def source() -> dict:
    """The revision, whether the files are as it has them, and where it is published, if by HTTPS."""
    found = {"name": "source"}
    origin = urllib.parse.urlsplit(git("config", "remote.origin.url"))
    if origin.scheme == "https" and origin.hostname:
        found["uri"] = f"git+https://{origin.hostname}{origin.path}"
    if revision := git("rev-parse", "HEAD"):
        found["digest"] = {"gitCommit": revision}
        found["annotations"] = {"modified": bool(git("status", "--porcelain", "--", *MADE_OF))}
    return found


def materials() -> list[dict]:
    """All that went into the build."""
    commit = rustc()["commit-hash"]
    compiler = {"name": "rust", "uri": f"pkg:github/rust-lang/rust@{commit}", "digest": {"gitCommit": commit}}
    needed = crates("normal,build").values()
    found = [{"uri": crate.purl, "digest": {"sha256": crate.checksum}} for crate in needed if crate.checksum]
    for path, package in sorted(json.loads((ROOT / "tests/tools/package-lock.json").read_text())["packages"].items()):
        if path:
            kind, _, digest = package["integrity"].partition("-")
            uri = f"pkg:npm/{path.rpartition('node_modules/')[2]}@{package['version']}"
            found.append({"uri": uri, "digest": {kind: base64.b64decode(digest).hex()}})
    return [source(), compiler, *found]


def statement(subjects: dict[str, str], byproducts: dict[str, str], version: str) -> dict:
    """The statement about some things, each by its name and sha256."""

    def described(things: dict[str, str]) -> list[dict]:
        return [{"name": name, "digest": {"sha256": digest}} for name, digest in things.items()]

    build = {
        "buildType": BUILD,
        "externalParameters": {"command": "./just image", "version": version},
        "internalParameters": {"package": "weir-filter", "profile": "module", "target": TARGET},
        "resolvedDependencies": materials(),
    }
    versions = {"rustc": rustc()["release"], "cargo": output("cargo", "--version").split()[1]}
    run = {"builder": {"id": BUILDER, "version": versions}, "byproducts": described(byproducts)}
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": described(subjects),
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {"buildDefinition": build, "runDetails": run},
    }
