"""The bill of materials of the module: the crates that are linked into it, as CycloneDX 1.6.

Cargo itself says which those are, for the module's target and with the features of that build: what runs at build time
only, in tests or on other targets is not among them. The same sources give the same bytes.
"""

import hashlib
import json
import subprocess
import tomllib
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = "wasm32-wasip1"
PACKAGE = "weir-filter"


@dataclass
class Crate:
    """A crate and what it needs."""

    name: str
    version: str
    license: str = ""
    checksum: str = ""
    """The sha256 of the registry's archive; crates of this repository have none."""
    needs: set[str] = field(default_factory=set)

    @property
    def purl(self) -> str:
        """Its package URL, which is its reference as well."""
        return f"pkg:cargo/{self.name}@{self.version}"

    def component(self) -> dict:
        """What CycloneDX calls it. A crate of this repository is in no registry, so it has no package URL."""
        found = {"type": "library", "bom-ref": self.purl, "name": self.name, "version": self.version}
        if self.license:
            found["licenses"] = [{"expression": self.license.replace("/", " OR ")}]
        if self.checksum:
            found |= {"purl": self.purl, "hashes": [{"alg": "SHA-256", "content": self.checksum}]}
        return found


def output(*command: str) -> str:
    """What a command prints, in the project's folder: rustup chooses the project's toolchain there."""
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def crates(edges: str = "normal,no-proc-macro") -> dict[str, Crate]:
    """The crates of the module by package URL, in the order of their names."""
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    checksums = {(p["name"], p["version"]): p.get("checksum", "") for p in lock["package"]}
    tree = ["--package", PACKAGE, "--target", TARGET, "--edges", edges, "--no-dedupe"]
    found, path = {}, []
    for line in output("cargo", "tree", "--locked", *tree, "--prefix", "depth", "--format", " {p}|{l}").splitlines():
        head, _, license = line.partition("|")
        depth, name, version = head.split()[:3]
        crate = Crate(name, version.removeprefix("v"), license)
        crate = found.setdefault(crate.purl, crate)
        crate.checksum = checksums[name, crate.version]
        path[int(depth) :] = [crate]
        if int(depth):
            path[-2].needs.add(crate.purl)
    return dict(sorted(found.items()))


def rustc() -> dict[str, str]:
    """What the compiler says of itself."""
    return dict(line.split(": ", 1) for line in output("rustc", "--version", "--verbose").splitlines() if ": " in line)


def library() -> dict:
    """Rust's standard library, which comes compiled with the toolchain."""
    compiler = rustc()
    return {
        "type": "library",
        "bom-ref": "rust-std",
        "name": "rust-std",
        "version": compiler["release"],
        "description": f"Rust's standard library for {TARGET}, as its toolchain ships it, with wasi-libc",
        "licenses": [{"expression": "MIT OR Apache-2.0"}],
        "purl": f"pkg:github/rust-lang/rust@{compiler['commit-hash']}",
    }


def bill(module: bytes, version: str, made: datetime | None) -> dict:
    """The bill of a module. `made` is a time that belongs to its sources."""
    linked = crates()
    [root] = [crate.purl for crate in linked.values() if crate.name == PACKAGE]
    digest = hashlib.sha256(module).hexdigest()
    subject = {"type": "application", "bom-ref": "weir", "name": "weir", "version": version}
    subject |= {
        "licenses": [{"license": {"id": "Apache-2.0"}}],
        "hashes": [{"alg": "SHA-256", "content": digest}],
    }
    needs = {"weir": {root, "rust-std"}, "rust-std": set()} | {crate.purl: crate.needs for crate in linked.values()}
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": subject},
        "components": [*(crate.component() for crate in linked.values()), library()],
        "dependencies": [{"ref": ref, "dependsOn": sorted(needs[ref])} for ref in sorted(needs)],
    }
    if made:
        document["metadata"]["timestamp"] = made.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    # A number of its own for each content, as the format asks for.
    name = json.dumps(document, sort_keys=True)
    return {**document, "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}"}
