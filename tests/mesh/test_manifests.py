"""Everything in `istio/`: taken by the API server and istioctl, valid by the definitions, and with policies that compile."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml
from lab import Lab, tools
from manifests import ISTIO, as_list, as_stream, built, istioctl_takes, plugin_of

OVERLAYS = sorted(folder.name for folder in (ISTIO / "overlays").iterdir())
BUNDLES = ["examples/canary", "examples/break-glass"]
CANARY_POD = "examples/canary-pod"
EXAMPLES = ["examples/assistant", CANARY_POD, *BUNDLES]
ROOT = ISTIO.parent


@pytest.fixture(scope="session")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The definitions of Istio's resources and the Gateway API's, as kubeconform reads them."""
    folder = tmp_path_factory.mktemp("schemas")
    for file in ("crds.yaml", "gateway-api.yaml"):
        for crd in yaml.safe_load_all((tools() / "istio" / file).read_text()):
            if not crd or crd["kind"] != "CustomResourceDefinition":
                continue
            kind, group = crd["spec"]["names"]["kind"].lower(), crd["spec"]["group"]
            for version in crd["spec"]["versions"]:
                schema = closed(version["schema"]["openAPIV3Schema"])
                schema["properties"] |= {"apiVersion": {}, "kind": {}, "metadata": {}}
                (folder / f"{kind}-{group}-{version['name']}.json").write_text(json.dumps(schema))
    return folder


def closed(schema: dict) -> dict:
    """A definition that takes no fields that it does not name, as the API server prunes them."""
    if "properties" in schema:
        open_ended = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
        inner = {name: closed(field) for name, field in schema["properties"].items()}
        schema = {**schema, "properties": inner, **({} if open_ended else {"additionalProperties": False})}
    if isinstance(schema.get("items"), dict):
        schema = {**schema, "items": closed(schema["items"])}
    return schema


@pytest.fixture(scope="session")
def weir() -> Path:
    """The command line."""
    subprocess.run(["cargo", "build", "--quiet", "--package", "weir", "--profile", "ci"], cwd=ROOT, check=True)
    return ROOT / "target/ci/weir"


@pytest.mark.parametrize("overlay", OVERLAYS + EXAMPLES)
def test_the_api_server_takes_it(lab: Lab, overlay):
    documents = built(overlay)
    namespaces = {d["metadata"]["namespace"] for d in documents if "namespace" in d["metadata"]}
    for name in namespaces:
        lab.namespace(name)
    lab.try_out(as_list(documents))


@pytest.mark.parametrize("overlay", OVERLAYS + EXAMPLES)
def test_istioctl_takes_it(overlay):
    istioctl_takes(built(overlay))


@pytest.mark.parametrize("overlay", OVERLAYS + EXAMPLES)
def test_the_definitions_allow_it(overlay, schemas):
    """Of Kubernetes' own resources the API server is the judge."""
    documents = as_stream([d for d in built(overlay) if "." in d["apiVersion"].partition("/")[0]])
    location = f"{schemas}/{{{{.ResourceKind}}}}-{{{{.Group}}}}-{{{{.ResourceAPIVersion}}}}.json"
    command = [tools() / "bin/kubeconform", "-strict", "-summary", "-schema-location", location]
    command += ["-skip", "Deployment,PodDisruptionBudget,NetworkPolicy", "-"]
    done = subprocess.run(command, input=documents, capture_output=True, text=True)
    assert done.returncode == 0 and "Invalid: 0" in done.stdout and "Valid: 0" not in done.stdout, done.stdout


def test_a_field_that_is_unknown_would_be_seen(schemas):
    plugin = plugin_of(built("egress"))
    plugin["spec"]["failStrateggy"] = "FAIL_CLOSE"
    location = f"{schemas}/{{{{.ResourceKind}}}}-{{{{.Group}}}}-{{{{.ResourceAPIVersion}}}}.json"
    command = [tools() / "bin/kubeconform", "-strict", "-schema-location", location, "-"]
    done = subprocess.run(command, input=yaml.safe_dump(plugin), capture_output=True, text=True)
    assert done.returncode != 0 and "failStrateggy" in done.stdout


@pytest.mark.parametrize("overlay", [*OVERLAYS, CANARY_POD, *BUNDLES])
def test_the_policy_compiles(overlay, weir, tmp_path):
    """As it arrives at the proxy."""
    plugin = plugin_of(built(overlay))
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps(plugin["spec"].get("wasm", plugin["spec"])["pluginConfig"]))
    done = subprocess.run([weir, "check", policy], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("overlay", OVERLAYS + BUNDLES)
def test_doctor_finds_nothing(overlay, weir):
    """In an overlay and the example assistant together; by themselves some select what is not there."""
    documents = built(overlay) + (built(EXAMPLES[0]) if overlay.startswith("egress") or overlay in BUNDLES else [])
    done = subprocess.run([weir, "doctor"], input=as_stream(documents), capture_output=True, text=True)
    known = {"sidecar-client": ["no ServiceEntry"], "waypoint": []}.get(overlay, [])
    left = [line for line in done.stdout.splitlines() if not any(reason in line for reason in known)]
    assert left == [], done.stdout


def test_doctor_finds_nothing_with_a_canary_pod(weir):
    documents = [d for folder in ("egress", CANARY_POD, EXAMPLES[0]) for d in built(folder)]
    done = subprocess.run([weir, "doctor"], input=as_stream(documents), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_only_the_named_overlays_enforce():
    def mode(overlay: str) -> str:
        plugin = plugin_of(built(overlay))
        return plugin["spec"].get("wasm", plugin["spec"])["pluginConfig"]["spec"]["mode"]

    enforcing = [overlay for overlay in OVERLAYS if mode(overlay) == "Enforce"]
    assert enforcing == ["egress-enforce", "egress-traffic-extension"]
