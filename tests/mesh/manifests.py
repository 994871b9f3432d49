"""What a user would apply: the overlays of `istio/`, built as `kubectl apply -k` builds them."""

import copy
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


def kustomized(folder: str) -> str:
    """What kustomize makes of a folder of `istio/`."""
    command = [tools() / "bin/kubectl", "kustomize", ISTIO / folder]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def built(overlay: str, image: Image | None = None) -> list[dict]:
    """The resources of an overlay, or of a folder of `istio/`, with the module of an image."""
    found = list(yaml.safe_load_all(kustomized(overlay if "/" in overlay else f"overlays/{overlay}")))
    for document in found:
        if image and document["kind"] in PLUGINS:
            spec = document["spec"]
            spec.get("wasm", spec).update({"url": image.url, "sha256": image.sha256})
    return found


def plugin_of(documents: list[dict]) -> dict:
    """A copy of the one plugin among some resources."""
    [found] = [document for document in documents if document["kind"] in PLUGINS]
    return copy.deepcopy(found)


def as_stream(documents: list[dict]) -> str:
    """Documents as a stream of YAML."""
    return "\n---\n".join(yaml.safe_dump(document) for document in documents)


def istioctl_takes(documents: list[dict]) -> None:
    """`istioctl validate` has nothing to say of them."""
    command = [tools() / "bin/istioctl", "validate", "-f", "-"]
    done = subprocess.run(command, input=as_stream(documents), capture_output=True, text=True)
    assert done.returncode == 0 and "Warning" not in done.stdout + done.stderr, done.stdout + done.stderr


def as_list(documents: list[dict]) -> str:
    """Documents as one that can be applied."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": documents})
