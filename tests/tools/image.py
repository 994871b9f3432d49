"""Packs the module as an OCI artefact that Istio pulls, and as an image that any container registry takes.

Usage: image.py MODULE FOLDER --version VERSION [--url URL --pin FILE...]

Writes two OCI image layouts (https://github.com/opencontainers/image-spec/blob/main/image-layout.md): `FOLDER/artefact` as
the Wasm image specification has it (https://github.com/solo-io/wasm/blob/master/spec/spec.md: a layer of runtime
configuration and one of the module), and `FOLDER/compat`, a gzipped tar that holds `plugin.wasm`. The same module gives the
same bytes: no time, owner or path goes in.

Beside them, `FOLDER/sbom.json` (CycloneDX) and `FOLDER/provenance.json` (in-toto, SLSA) say what is in the module and where
it comes from. `FOLDER/sbom` and `FOLDER/provenance` are layouts of the same, which refer to the artefact: pushed beside it,
a registry lists them among its referrers. `FOLDER/pins.json` tells the digests of the four, and the sha256 of the module.

With a URL, the `url:` and `sha256:` of each FILE become that URL and the artefact's digest.
"""

import argparse
import gzip
import hashlib
import io
import json
import re
import shutil
import tarfile
from pathlib import Path

import provenance
import sbom

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Layout:
    """An OCI image layout that is written blob by blob."""

    def __init__(self, folder: Path):
        shutil.rmtree(folder, ignore_errors=True)
        self._blobs = folder / "blobs/sha256"
        self._blobs.mkdir(parents=True)
        self._folder = folder
        (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')

    def blob(self, kind: str, content: bytes) -> dict:
        """Puts a blob in, and returns its descriptor."""
        digest = hashlib.sha256(content).hexdigest()
        (self._blobs / digest).write_bytes(content)
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(content)}

    def manifest(self, config: dict, layers: list[dict], annotations: dict, **more) -> dict:
        """Puts the one manifest in, and returns its descriptor."""
        document = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config,
            "layers": layers,
            "annotations": annotations,
            **more,
        }
        descriptor = self.blob(MANIFEST, encoded(document))
        index = {"schemaVersion": 2, "manifests": [descriptor]}
        (self._folder / "index.json").write_bytes(encoded(index))
        return descriptor


def encoded(document: dict) -> bytes:
    """JSON that is the same for the same document."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def archive(module: bytes) -> tuple[bytes, str]:
    """A gzipped tar that holds the module, and the sha256 of the tar within."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        entry = tarfile.TarInfo("plugin.wasm")
        entry.size, entry.mode = len(module), 0o644
        tar.addfile(entry, io.BytesIO(module))
    return gzip.compress(packed.getvalue(), mtime=0), hashlib.sha256(packed.getvalue()).hexdigest()


def pack(module: bytes, version: str, folder: Path) -> dict:
    """Writes the layouts of the module and returns what pins them."""
    layout = Layout(folder / "artefact")
    annotations = {
        "org.opencontainers.image.title": "weir",
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.licenses": "Apache-2.0",
    }
    runtime = {"type": "envoy_proxy", "abiVersions": ["v0-2-1"], "config": {"rootIds": ["weir"]}}
    config = layout.blob("application/vnd.module.wasm.config.v1+json", encoded({"version": version}))
    layers = [
        layout.blob("application/vnd.module.wasm.config.v1+json", encoded(runtime)),
        layout.blob("application/vnd.module.wasm.content.layer.v1+wasm", module),
    ]
    for layer, title in zip(layers, ["runtime-config.json", "plugin.wasm"], strict=True):
        layer["annotations"] = {"org.opencontainers.image.title": title}
    artefact = layout.manifest(config, layers, annotations)["digest"]
    layout = Layout(folder / "compat")
    packed, inner = archive(module)
    config = {
        "architecture": "wasm",
        "os": "wasip1",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{inner}"]},
    }
    compat = layout.manifest(
        layout.blob("application/vnd.oci.image.config.v1+json", encoded(config)),
        [layout.blob("application/vnd.oci.image.layer.v1.tar+gzip", packed)],
        {**annotations, "module.wasm.image/variant": "compat"},
    )["digest"]
    return {"version": version, "sha256": hashlib.sha256(module).hexdigest(), "artefact": artefact, "compat": compat}


def sha256(digest: str) -> str:
    """The digest of a descriptor as manifests of Istio's and statements have it."""
    return digest.removeprefix("sha256:")


def describe(module: bytes, pins: dict, folder: Path) -> dict:
    """Writes what is in the module and where it comes from, as files and as layouts that refer to the artefact; returns what
    pins these."""
    bill = pretty(sbom.bill(module, pins["version"], provenance.made()))
    subjects = {
        "weir_filter.wasm": pins["sha256"],
        "artefact": sha256(pins["artefact"]),
        "compat": sha256(pins["compat"]),
    }
    byproducts = {"sbom.json": hashlib.sha256(bill).hexdigest()}
    origin = pretty(provenance.statement(subjects, byproducts, pins["version"]))
    [subject] = json.loads((folder / "artefact/index.json").read_text())["manifests"]
    found = {}
    for name, kind, content in (
        ("sbom", "application/vnd.cyclonedx+json", bill),
        ("provenance", "application/vnd.in-toto+json", origin),
    ):
        (folder / f"{name}.json").write_bytes(content)
        layout = Layout(folder / name)
        layer = layout.blob(kind, content) | {"annotations": {"org.opencontainers.image.title": f"{name}.json"}}
        nothing = layout.blob("application/vnd.oci.empty.v1+json", b"{}")
        found[name] = layout.manifest(nothing, [layer], {}, artifactType=kind, subject=subject)["digest"]
    return found


def pretty(document: dict) -> bytes:
    """JSON for people, the same for the same document."""
    return (json.dumps(document, indent=2) + "\n").encode()


def pin(file: Path, url: str, digest: str) -> None:
    """Writes URL and digest into a manifest or values, whose comments stay."""
    text, count = file.read_text(), 0
    for key, value in (("url", url), ("sha256", f'"{sha256(digest)}"')):
        text, changed = re.subn(rf"^(  {key}: ).*$", rf"\g<1>{value}", text, count=1, flags=re.MULTILINE)
        count += changed
    if count != 2:
        raise SystemExit(f"{file}: it has no url and sha256 to pin")
    file.write_text(text)


def main() -> None:
    """Packs what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("module", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--version", required=True)
    parser.add_argument("--url", default="")
    parser.add_argument("--pin", type=Path, nargs="*", default=[])
    chosen = parser.parse_args()
    module = chosen.module.read_bytes()
    pins = pack(module, chosen.version, chosen.folder)
    pins |= describe(module, pins, chosen.folder)
    (chosen.folder / "pins.json").write_bytes(pretty(pins))
    for file in chosen.pin if chosen.url else []:
        pin(file, chosen.url, pins["artefact"])
    print(json.dumps(pins, indent=2))


if __name__ == "__main__":
    main()
