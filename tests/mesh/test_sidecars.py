"""Weir in sidecars: on an assistant's calls out, and in front of a model of one's own, by who calls."""

from collections.abc import Iterator

import pytest
from client import Answer
from egress import ask, enforces
from envoy import wait_for
from lab import Lab
from manifests import as_list, built, plugin_of
from providers import OpenAI
from samples import INJECTION, leaked
from states import text_of
from upstream import Upstream

CLIENT, SERVER, OTHER, FRESH = "127.0.0.13", "127.0.0.14", "127.0.0.15", "127.0.0.16"
PORT = 19080

MODELS = """
apiVersion: v1
kind: Namespace
metadata: {name: models}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: strict, namespace: models}
spec: {mtls: {mode: STRICT}}
"""

MODEL = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: {name}, namespace: models}}
spec:
  hosts: [{name}.models.mesh]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{{number: 80, name: http, protocol: HTTP, targetPort: {port}}}]
  workloadSelector: {{labels: {{app: {name}}}}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {{name: {name}, namespace: models}}
spec: {{address: {server}, labels: {{app: {name}, weir: server, security.istio.io/tlsMode: istio}}, serviceAccount: default}}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {{name: {name}, namespace: models}}
spec:
  workloadSelector: {{labels: {{app: {name}}}}}
  ingress:
    - {{port: {{number: {port}, name: http, protocol: HTTP}}, bind: {server}, defaultEndpoint: "127.0.0.1:{model}", captureMode: NONE}}
"""

CALLER = """
apiVersion: v1
kind: Namespace
metadata: {{name: {namespace}}}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {{name: caller, namespace: {namespace}}}
spec:
  workloadSelector: {{labels: {{app: caller}}}}
  egress:
    - {{port: {{number: 80, name: http, protocol: HTTP}}, bind: {address}, captureMode: NONE, hosts: ["*/*"]}}
"""


@pytest.fixture(scope="module")
def model() -> Iterator[Upstream]:
    """The model that is served in the mesh; beside its sidecar, so without TLS."""
    with Upstream() as running:
        yield running


def serve(lab: Lab, name: str, address: str, model: Upstream) -> None:
    """Puts the model into the mesh under a name, with a sidecar of its own."""
    lab.apply(MODEL.format(name=name, port=PORT, server=address, model=model.port))
    lab.proxy(name, "sidecar", "models", address, {"app": name, "weir": "server"})


@pytest.fixture(scope="module")
def callers(lab: Lab, mesh, model: Upstream) -> None:
    """Two assistants and a model, each with a sidecar."""
    lab.apply(MODELS)
    serve(lab, "llm", SERVER, model)
    for namespace, address in [("assistants", CLIENT), ("others", OTHER)]:
        lab.apply(CALLER.format(namespace=namespace, address=address))
        labels = {"app": "caller", "weir": "client"}
        lab.proxy(f"caller-{namespace}", "sidecar", namespace, address, labels)


class Model(OpenAI):
    """A model of one's own behind the provider's API."""

    host = "llm.models.mesh"


def enforced(overlay: str, image) -> dict:
    """An overlay's plugin in Enforce."""
    plugin = plugin_of(built(overlay, image))
    plugin["spec"]["pluginConfig"]["spec"]["mode"] = "Enforce"
    return plugin


def test_without_a_plugin_everything_passes(callers, model):
    for address in (CLIENT, OTHER):
        wait_for("an answer", lambda: ask(model, INJECTION, Model(), address=address).status == 200, 30)


def test_in_front_of_a_model(callers, lab, image, model):
    lab.apply(as_list([enforced("sidecar-server", image)]))
    enforces(model, Model(), CLIENT)
    lab.kubectl("-n", "models", "delete", "wasmplugin", "weir")
    wait_for("no plugin", lambda: ask(model, INJECTION, Model(), address=CLIENT).status == 200, 30)


def test_a_policy_for_one_caller(callers, lab, image, model):
    """One caller's policy refuses injected prompts; another's masks only. Who calls is what mTLS says."""
    plugin = enforced("sidecar-server", image)
    strict = plugin["spec"]["pluginConfig"]["spec"]
    loose = {**strict, "packs": [{"name": "secrets", "action": "Mask"}]}
    named = {"assistants": strict, "others": loose}
    policies = [
        {"metadata": {"name": name}, "spec": {"appliesTo": {"callers": [f"spiffe://cluster.local/ns/{name}/sa/default"]}, **spec}}
        for name, spec in named.items()
    ]
    baseline = {"metadata": {"name": "floor"}, "spec": {"overrides": {"failureMode": "FailClosed"}, "unmatched": "Reject"}}
    plugin["spec"]["pluginConfig"] = {
        "apiVersion": "guard.weir.dev/v1alpha1",
        "kind": "Bundle",
        "metadata": {"name": "models"},
        "spec": {"baseline": baseline, "policies": policies},
    }
    lab.apply(as_list([plugin]))
    enforces(model, Model(), CLIENT)

    def masks() -> bool:
        answer = ask(model, INJECTION, Model(), address=OTHER)
        return answer.status == 200 and not leaked(text_of(answer))

    # A plugin that comes in changes the listener, and connections from before it go on without it until they have drained.
    wait_for("masks", masks, 30)
    lab.kubectl("-n", "models", "delete", "wasmplugin", "weir")
    wait_for("no plugin", lambda: ask(model, INJECTION, Model(), address=OTHER).status == 200, 30)


class Fresh(OpenAI):
    """The same behind a proxy that starts late."""

    host = "fresh.models.mesh"


def test_a_proxy_that_starts_under_a_broken_policy_says_why(callers, lab, image, model):
    """It has no old policy. It refuses as Weir does, with a reason, and serves once the policy is mended."""
    plugin = enforced("sidecar-server", image)
    good = plugin["spec"]["pluginConfig"]["spec"]["packs"]
    plugin["spec"]["pluginConfig"]["spec"]["packs"] = [{"name": "nobody", "action": "Mask"}]
    lab.apply(as_list([plugin]))
    serve(lab, "fresh", FRESH, model)
    answer = wait_for("a reason", lambda: refused(ask(model, "hello", Fresh(), address=CLIENT)), 30)
    assert answer.status == 503 and b"policy" in answer.body
    assert "/spec/packs/0/name" in lab.proxies["fresh"].log(), "the place of the error is in the proxy's log"
    plugin["spec"]["pluginConfig"]["spec"]["packs"] = good
    lab.apply(as_list([plugin]))
    enforces(model, Fresh(), CLIENT)
    lab.kubectl("-n", "models", "delete", "wasmplugin", "weir")


def refused(answer: Answer) -> Answer | None:
    """An answer of Weir's own."""
    return answer if answer.header("x-weir-decision") == "fail" else None


def test_on_the_way_out(callers, lab, image, provider, mesh):
    """An assistant's own sidecar refuses before the shared gateway, which is in Shadow, sees anything."""
    wait_for("an answer", lambda: ask(provider, INJECTION, address=CLIENT).status == 200, 30)
    lab.apply(as_list([enforced("sidecar-client", image)]))
    enforces(provider, OpenAI(), CLIENT)
    assert ask(provider, INJECTION, address=OTHER).status == 200
    lab.kubectl("-n", "assistants", "delete", "wasmplugin", "weir")
    wait_for("no plugin", lambda: ask(provider, INJECTION, address=CLIENT).status == 200, 30)
