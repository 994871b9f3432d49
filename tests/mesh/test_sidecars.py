"""Weir in sidecars: on an assistant's calls out, and in front of a model of one's own, by who calls: a sidecar or a gateway."""

import json
import urllib.request
from collections.abc import Iterator

import pytest
from client import Answer, exchange
from egress import ask, enforces, says
from envoy import wait_for
from lab import Lab, Proxy
from manifests import as_list, built, plugin_of
from providers import OpenAI
from samples import INJECTION, leaked
from states import text_of
from upstream import SCENARIO, Upstream

CLIENT, SERVER, OTHER, FRESH, INGRESS = (f"127.0.0.{last}" for last in range(13, 18))
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


GATEWAY = """
apiVersion: v1
kind: Namespace
metadata: {{name: ingress}}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: models, namespace: ingress}}
spec:
  selector: {{app: ingress}}
  servers:
    - {{port: {{number: 80, name: http, protocol: HTTP}}, bind: {address}, hosts: [llm.models.mesh]}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: models, namespace: ingress}}
spec:
  hosts: [llm.models.mesh]
  gateways: [models]
  http:
    - route: [{{destination: {{host: llm.models.mesh, port: {{number: 80}}}}}}]
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
    without_plugin(lab, model, CLIENT)


def by_caller(image, named: dict[str, dict]) -> dict:
    """A plugin in front of the models with these changes of its policy, each for one identity; everyone else is refused."""
    plugin = enforced("sidecar-server", image)
    spec = plugin["spec"]["pluginConfig"]["spec"]
    policies = [
        {"metadata": {"name": f"caller-{at}"}, "spec": {"appliesTo": {"callers": [identity]}, **spec, **changes}}
        for at, (identity, changes) in enumerate(named.items())
    ]
    baseline = {"metadata": {"name": "floor"}, "spec": {"overrides": {"failureMode": "FailClosed"}, "unmatched": "Reject"}}
    plugin["spec"]["pluginConfig"] = {
        "apiVersion": "guard.weir.dev/v1alpha1",
        "kind": "Bundle",
        "metadata": {"name": "models"},
        "spec": {"baseline": baseline, "policies": policies},
    }
    return plugin


def identity(namespace: str, account: str = "default") -> str:
    """What mTLS says of a caller."""
    return f"spiffe://cluster.local/ns/{namespace}/sa/{account}"


LOOSE = {"packs": [{"name": "secrets", "action": "Mask"}]}


def masks(model: Upstream, address: str) -> bool:
    """Whether a caller comes under `LOOSE`: an injected prompt passes, and the secret in the answer does not."""
    answer = ask(model, INJECTION, Model(), address=address)
    return answer.status == 200 and not leaked(text_of(answer))


def test_a_policy_for_one_caller(callers, lab, image, model):
    """One caller's policy refuses injected prompts; another's masks only. Who calls is what mTLS says."""
    lab.apply(as_list([by_caller(image, {identity("assistants"): {}, identity("others"): LOOSE})]))
    enforces(model, Model(), CLIENT)
    # A plugin that comes in changes the listener, and connections from before it go on without it until they have drained.
    wait_for("masks", lambda: masks(model, OTHER), 30)
    without_plugin(lab, model, OTHER)


def without_plugin(lab: Lab, model: Upstream, address: str) -> None:
    """Takes the plugin in front of the models out."""
    lab.kubectl("-n", "models", "delete", "wasmplugin", "weir")
    wait_for("no plugin", lambda: ask(model, INJECTION, Model(), address=address).status == 200, 30)


def drained(proxy: Proxy) -> bool:
    """Whether no listener from before a change is left."""
    url = f"http://127.0.0.1:{proxy.admin}/stats?filter=total_listeners_draining"
    with urllib.request.urlopen(url, timeout=5) as stats:
        return stats.read().decode().split()[-1] == "0"


@pytest.fixture(scope="module")
def gateway(callers, lab: Lab, model: Upstream) -> str:
    """An ingress gateway, with an identity of its own, that leads to the model; its address."""
    lab.apply(GATEWAY.format(address=INGRESS))
    lab.proxy("ingress", "router", "ingress", INGRESS, {"app": "ingress"}, account="front")
    wait_for("an answer", lambda: ask(model, INJECTION, Model(), address=INGRESS).status == 200, 30)
    return INGRESS


def test_no_plain_text_under_strict(gateway, model):
    """What the gateway and the sidecars reach by mTLS is closed to everyone else."""
    body = json.dumps(Model().request("hello")).encode()
    scenario = [(SCENARIO, model.add(says(Model())))]
    answer = exchange(PORT, Model.path, body, headers=scenario, host=Model.host, address=SERVER)
    assert answer.status == 0 and not answer.body and not model.received(scenario[0][1])
    passed = exchange(80, Model.path, body, headers=scenario, host=Model.host, address=gateway)
    assert passed.status == 200, "the same by mTLS"


def test_a_gateway_is_a_caller_of_its_own(gateway, lab, image, model):
    """The gateway's identity decides: the same request by a sidecar ends otherwise, and with the policies exchanged so do
    both. An identity that no policy names is refused."""
    front = identity("ingress", "front")
    lab.apply(as_list([by_caller(image, {front: {}, identity("assistants"): LOOSE})]))
    wait_for("the plugin", lambda: ask(model, INJECTION, Model(), address=gateway).status == 403, 30)
    # The gateway's pool has connections from before the plugin, and those pass it by until they have drained.
    wait_for("the old listener's end", lambda: drained(lab.proxies["llm"]), 30)
    enforces(model, Model(), gateway)
    wait_for("masks", lambda: masks(model, CLIENT), 30)
    wait_for("a stranger is refused", lambda: ask(model, llm=Model(), address=OTHER).status == 403, 30)
    lab.apply(as_list([by_caller(image, {front: LOOSE, identity("assistants"): {}})]))
    enforces(model, Model(), CLIENT)
    wait_for("masks", lambda: masks(model, gateway), 30)
    lab.apply(as_list([by_caller(image, {identity("ingress"): {}, identity("assistants"): {}})]))
    wait_for("another account of the same namespace", lambda: ask(model, llm=Model(), address=gateway).status == 403, 30)
    without_plugin(lab, model, gateway)


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
