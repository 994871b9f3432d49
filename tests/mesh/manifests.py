"""What a user would apply: the overlays of `istio/`, built as `kubectl apply -k` builds them."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml

from lab import tools

ISTIO = Path(__file__).resolve().parents[2] / "istio"
PLUGINS = ("WasmPlugin", "TrafficExtension")


@dataclass
class Image:
    """The module as the lab's registry has it."""

    url: str
    sha256: str
    folder: Path
    """Where it was packed."""
    pins: dict


def built(overlay: str, image: Image | None = None) -> list[dict]:
    """The resources of an overlay, or of a folder of `istio/`, with the module of an image."""
    folder = ISTIO / (overlay if "/" in overlay else f"overlays/{overlay}")
    command = [tools() / "bin/kubectl", "kustomize", folder]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = list(yaml.safe_load_all(text))
    for document in found:
        if image and document["kind"] in PLUGINS:
            spec = document["spec"]
            spec.get("wasm", spec).update({"url": image.url, "sha256": image.sha256})
    return found


def as_list(documents: list[dict]) -> str:
    """Documents as one that can be applied."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": documents})
