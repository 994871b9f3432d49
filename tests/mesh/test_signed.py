"""Who publishes signs, who runs it verifies: the README's own commands with a real cosign, against the lab's registry."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest
import yaml
from image import describe, encoded, pack, pretty
from lab import Lab
from manifests import ISTIO, built, plugin_of

ROOT = ISTIO.parent
PLACE = "signed"
"""Where in the registry it is published: other tests have their images elsewhere."""


def commands() -> list[str]:
    """The shell blocks of the README's section, in order."""
    section = (ISTIO / "README.md").read_text().partition("\n## Signed\n")[2].partition("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)


ATTACH, SIGN, VERIFY = commands()


def run(lab: Lab, folder: Path, block: str) -> subprocess.CompletedProcess:
    """Runs a block in a folder, the lab's registry for the reader's; the keys have no password."""
    environment = {
        **os.environ,
        "PATH": f"{lab.tools}/bin:{os.environ['PATH']}",
        "REGISTRY": f"127.0.0.1:{lab.registry}/{PLACE}",
        "COSIGN_PASSWORD": "",
    }
    command = ["bash", "-euo", "pipefail", "-c", block]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def publish(lab: Lab, module: bytes, folder: Path) -> dict:
    """Packs a module as `./just image` does and pushes it; returns its pins."""
    packed = folder / "target/image"
    pins = pack(module, "0.1.0", packed)
    pins |= describe(module, pins, packed)
    (packed / "pins.json").write_bytes(pretty(pins))
    lab.push(packed / "artefact", "0.1.0", repository=f"{PLACE}/weir/weir")
    return pins


@pytest.fixture(scope="module")
def publisher(lab: Lab, module: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of who has published the module, signed."""
    folder = tmp_path_factory.mktemp("publisher")
    publish(lab, module.read_bytes(), folder)
    for block in (ATTACH, SIGN):
        done = run(lab, folder, block)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def consumer(publisher: Path, tmp_path: Path) -> Path:
    """The folder of who has the publisher's public key, and nothing else of it."""
    shutil.copy(publisher / "cosign.pub", tmp_path)
    return tmp_path


@pytest.fixture
def moved(lab: Lab, publisher: Path, tmp_path_factory: pytest.TempPathFactory):
    """Another module under the same tag, by somebody who may write to the registry; its pins. The tag goes back after."""
    yield publish(lab, b"\0asm\x01\0\0\0", tmp_path_factory.mktemp("other"))
    lab.push(publisher / "target/image/artefact", "0.1.0", repository=f"{PLACE}/weir/weir")


def pins(publisher: Path) -> dict:
    return json.loads((publisher / "target/image/pins.json").read_text())


def call(lab: Lab, path: str, content: bytes = b"", kind: str = "") -> bytes:
    """Reads from the repository, or writes to it."""
    url = f"http://127.0.0.1:{lab.registry}/v2/{PLACE}/weir/weir/{path}"
    request = urllib.request.Request(url, content or None, {"content-type": kind}, method="PUT" if content else "GET")
    with urllib.request.urlopen(request, timeout=10) as reply:
        return reply.read()


def referrers(lab: Lab, digest: str) -> list[dict]:
    """What refers to a digest, in the way of registries that have no list of their own."""
    return json.loads(call(lab, f"manifests/{digest.replace(':', '-')}"))["manifests"]


def test_a_registry_has_what_is_in_it_and_where_it_comes_from(lab, publisher):
    found = {entry["artifactType"]: entry["digest"] for entry in referrers(lab, pins(publisher)["artefact"])}
    for name, kind in (("sbom", "application/vnd.cyclonedx+json"), ("provenance", "application/vnd.in-toto+json")):
        assert found[kind] == pins(publisher)[name]
        [layer] = json.loads(call(lab, f"manifests/{found[kind]}"))["layers"]
        assert call(lab, f"blobs/{layer['digest']}") == (publisher / f"target/image/{name}.json").read_bytes()


def test_a_consumer_verifies_it(lab, publisher, consumer):
    """Signature, bill of materials and provenance; the last command prints the revision."""
    done = run(lab, consumer, VERIFY)
    assert done.returncode == 0, done.stderr
    revision = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert done.stdout.splitlines()[-1] == revision.strip()
    payload = run(lab, consumer, "jq -r .payload sbom.attested | base64 -d").stdout
    attested = json.loads(payload)
    assert attested["predicate"] == json.loads((publisher / "target/image/sbom.json").read_text())
    assert f"sha256:{attested['subject'][0]['digest']['sha256']}" == pins(publisher)["artefact"]


def test_another_module_under_the_tag_does_not_verify(lab, consumer, moved):
    done = run(lab, consumer, VERIFY)
    assert done.returncode != 0 and "no signatures found" in done.stderr, done.stderr


def test_a_signature_of_another_module_does_not_help(lab, publisher, consumer, moved):
    """Whoever moved the tag lets the publisher's signatures refer to their module."""
    size = len(call(lab, f"manifests/{moved['artefact']}"))
    stolen = []
    for entry in referrers(lab, pins(publisher)["artefact"]):
        manifest = json.loads(call(lab, f"manifests/{entry['digest']}"))
        manifest["subject"] |= {"digest": moved["artefact"], "size": size}
        content = encoded(manifest)
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        call(lab, f"manifests/{digest}", content, manifest["mediaType"])
        stolen.append({**entry, "digest": digest, "size": len(content)})
    kind = "application/vnd.oci.image.index.v1+json"
    index = {"schemaVersion": 2, "mediaType": kind, "manifests": stolen}
    call(lab, f"manifests/{moved['artefact'].replace(':', '-')}", encoded(index), kind)
    done = run(lab, consumer, VERIFY)
    assert done.returncode != 0 and "no signatures found" not in done.stderr, done.stderr


def test_another_key_does_not_verify_it(lab, publisher, tmp_path):
    run(lab, tmp_path, "cosign generate-key-pair")
    done = run(lab, tmp_path, VERIFY)
    assert done.returncode != 0 and not done.stdout, done.stderr


def admitted(lab: Lab, publisher: Path, folder: Path, overlay: str, **changes) -> str:
    """What Kyverno's own engine says of an overlay's plugin under the example's policy, with the publisher's key in it."""
    key = (publisher / "cosign.pub").read_text().strip().replace("\n", "\n            ")
    text = (ISTIO / "examples/kyverno.yaml").read_text()
    policy, plugin = folder / "policy.yaml", folder / "plugin.yaml"
    policy.write_text(re.sub(r"-----BEGIN PUBLIC KEY-----.*-----END PUBLIC KEY-----", key, text, flags=re.DOTALL))
    found = plugin_of(built(overlay))
    found["spec"].get("wasm", found["spec"]).update(changes)
    plugin.write_text(yaml.safe_dump(found))
    command = [lab.tools / "bin/kyverno", "apply", policy, "--resource", plugin, "--registry"]
    command += ["--crd-paths", lab.tools / "istio/crds.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == ("pass: 1, fail: 0" not in done.stdout), done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("overlay", ["egress", "egress-traffic-extension"])
def test_a_policy_controller_admits_only_what_is_signed(lab, publisher, moved, tmp_path, overlay):
    """By the digest in the plugin, not by what the tag has meanwhile."""
    name = f"127.0.0.1:{lab.registry}/{PLACE}/weir/weir"
    elsewhere = lab.push(publisher / "target/image/artefact", "0.1.0", repository="elsewhere/weir")
    good, other = (found["artefact"].removeprefix("sha256:") for found in (pins(publisher), moved))
    for url, digest, said in [
        (f"oci://{name}:0.1.0", good, "pass: 1"),
        (f"oci://{name}@sha256:{good}", good, "pass: 1"),
        (f"oci://{name}:0.1.0", other, "not signed by its publisher"),
        (f"oci://{name}@sha256:{other}", good, "not signed by its publisher"),
        (elsewhere, good, "not signed by its publisher"),
        # What is no image is an error, which its failurePolicy refuses.
        ("https://example.com/plugin.wasm", good, "pass: 0, fail: 0, warn: 0, error: 1"),
    ]:
        assert said in admitted(lab, publisher, tmp_path, overlay, url=url, sha256=digest), (url, digest)
