"""The shared egress gateway as `istio/overlays` has it, with what a cluster would add, and the provider next door."""

import json
from pathlib import Path

import yaml
from conftest import ROOT, Image, as_list, built
from lab import Lab, Proxy
from tls import Authority
from upstream import Upstream

GATEWAY = "127.0.0.11"
APPLICATION = "127.0.0.12"
NAMESPACE = "weir-egress"
CREDENTIALS = {"openai": "sk-of-the-gateway", "anthropic": "key-of-the-gateway"}

APP = f"""
apiVersion: v1
kind: Namespace
metadata: {{name: app}}
---
# What traffic capture would do: the application's calls go to the sidecar at its own address.
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {{name: assistant, namespace: app}}
spec:
  workloadSelector: {{labels: {{app: assistant}}}}
  egress:
    - {{port: {{number: 80, name: http, protocol: HTTP}}, bind: {APPLICATION}, captureMode: NONE, hosts: ["{NAMESPACE}/*"]}}
---
# What the endpoints controller would do.
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {{name: gateway, namespace: {NAMESPACE}}}
spec: {{address: {GATEWAY}, labels: {{app: weir-egress}}, serviceAccount: weir-egress}}
"""


def documents(overlay: str, image: Image, provider: Upstream, authority: Authority, credentials: Path) -> list[dict]:
    """The overlay's resources: the module from the lab's registry, the provider next door, the keys from a folder."""
    text = built(ROOT / "istio/overlays" / overlay).replace("/etc/weir/credentials", str(credentials))
    found = list(yaml.safe_load_all(text))
    for document in found:
        spec = document.get("spec", {})
        if document["kind"] in ("WasmPlugin", "TrafficExtension"):
            spec.get("wasm", spec).update({"url": image.url, "sha256": image.sha256})
        if document["kind"] == "ServiceEntry":
            spec |= {"resolution": "STATIC", "endpoints": [{"address": "127.0.0.1", "ports": {"http": provider.port}}]}
        for port in spec.get("trafficPolicy", {}).get("portLevelSettings", []):
            port["tls"]["caCertificates"] = str(authority.certificate)
    return found


def write_credentials(folder: Path) -> Path:
    """The files of the Secret that the gateway mounts."""
    folder.mkdir(exist_ok=True)
    for name, key in CREDENTIALS.items():
        secret = {"name": name, "generic_secret": {"secret": {"inline_string": key}}}
        kind = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
        (folder / f"{name}.yaml").write_text(json.dumps({"resources": [{"@type": kind, **secret}]}))
    return folder


def up(lab: Lab, found: list[dict]) -> tuple[Proxy, Proxy]:
    """Applies the resources and starts the gateway and an application's sidecar."""
    namespaces = [document for document in found if document["kind"] == "Namespace"]
    lab.apply(as_list(namespaces))
    lab.apply(as_list([document for document in found if document["kind"] != "Namespace"]))
    lab.apply(APP)
    gateway = lab.proxy("gateway", "router", NAMESPACE, GATEWAY, {"app": "weir-egress"}, account="weir-egress")
    sidecar = lab.proxy("assistant", "sidecar", "app", APPLICATION, {"app": "assistant"})
    return gateway, sidecar
