"""Packs the module as an OCI artefact that Istio pulls, and as an image that any container registry takes.

Usage: image.py MODULE FOLDER --version VERSION

Writes an OCI image layout to FOLDER (https://github.com/opencontainers/image-spec/blob/main/image-layout.md) with two
manifests: `VERSION`, in the layout of the Wasm image specification
(https://github.com/solo-io/wasm/blob/master/spec/spec.md: a layer of runtime configuration and one of the module), and
`VERSION-compat`, a gzipped tar that holds `plugin.wasm`. Beside it `FOLDER.json` tells their digests and the sha256 of the
module. The same module gives the same bytes: no time, owner or path goes in.
"""

import argparse
import gzip
import hashlib
import io
import json
import shutil
import tarfile
from pathlib import Path

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
NAME = "org.opencontainers.image.ref.name"


class Layout:
    """An OCI image layout that is written blob by blob."""

    def __init__(self, folder: Path):
        shutil.rmtree(folder, ignore_errors=True)
        self._blobs = folder / "blobs/sha256"
        self._blobs.mkdir(parents=True)
        self._folder = folder
        self._manifests: list[dict] = []
        (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')

    def blob(self, kind: str, content: bytes) -> dict:
        """Puts a blob in, and returns its descriptor."""
        digest = hashlib.sha256(content).hexdigest()
        (self._blobs / digest).write_bytes(content)
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(content)}

    def manifest(self, tag: str, config: dict, layers: list[dict], annotations: dict) -> str:
        """Puts a manifest in under a tag, and returns its digest."""
        document = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config,
            "layers": layers,
            "annotations": annotations,
        }
        descriptor = self.blob(MANIFEST, encoded(document))
        self._manifests.append({**descriptor, "annotations": {NAME: tag}})
        index = {"schemaVersion": 2, "manifests": self._manifests}
        (self._folder / "index.json").write_bytes(encoded(index))
        return descriptor["digest"]


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
    """Writes the layout and returns what pins it."""
    layout = Layout(folder)
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
    artefact = layout.manifest(version, config, layers, annotations)
    packed, inner = archive(module)
    config = {
        "architecture": "wasm",
        "os": "wasip1",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{inner}"]},
    }
    compat = layout.manifest(
        f"{version}-compat",
        layout.blob("application/vnd.oci.image.config.v1+json", encoded(config)),
        [layout.blob("application/vnd.oci.image.layer.v1.tar+gzip", packed)],
        {**annotations, "module.wasm.image/variant": "compat"},
    )
    pins = {"version": version, "sha256": hashlib.sha256(module).hexdigest(), "artefact": artefact, "compat": compat}
    folder.with_suffix(".json").write_text(json.dumps(pins, indent=2) + "\n")
    return pins


def main() -> None:
    """Packs what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("module", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--version", required=True)
    chosen = parser.parse_args()
    print(json.dumps(pack(chosen.module.read_bytes(), chosen.version, chosen.folder), indent=2))


if __name__ == "__main__":
    main()
