"""The shared egress gateway as `istio/overlays` has it, with what a cluster would add, and the provider next door."""

import json
import tempfile
from pathlib import Path

from client import Answer, exchange
from envoy import wait_for
from lab import Lab
from manifests import Image, as_list, built
from providers import OpenAI
from samples import INJECTION, SECRET, leaked, tokens
from states import text_of
from tls import Authority
from upstream import SCENARIO, Upstream

GATEWAY = "127.0.0.11"
APPLICATION = "127.0.0.12"
NAMESPACE = "weir-egress"
CREDENTIALS = {"openai.key": "sk-of-the-gateway", "anthropic.key": "key-of-the-gateway"}

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


LISTENER = f"""
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {{{{name: "{{name}}-listens", namespace: {NAMESPACE}}}}}
spec:
  workloadSelector: {{{{labels: {{{{pod: "{{name}}"}}}}}}}}
  configPatches:
    - applyTo: LISTENER
      match: {{{{context: GATEWAY, listener: {{{{portNumber: 8080}}}}}}}}
      patch: {{{{operation: MERGE, value: {{{{address: {{{{socket_address: {{{{address: "{{address}}"}}}}}}}}}}}}}}}}
"""


def documents(overlay: str, image: Image, provider: Upstream, authority: Authority, credentials: Path) -> list[dict]:
    """The overlay's resources: the module from the lab's registry, the provider next door, the keys from a folder."""
    mounted = json.dumps(built(overlay, image)).replace("/etc/weir/credentials", str(credentials))
    found = json.loads(mounted)
    next_door(found, provider, authority)
    return found


def next_door(found: list[dict], provider: Upstream, authority: Authority) -> None:
    """Lets the providers' resources lead to this one."""
    for document in found:
        spec = document.get("spec", {})
        if document["kind"] == "ServiceEntry":
            spec |= {"resolution": "STATIC", "endpoints": [{"address": "127.0.0.1", "ports": {"http": provider.port}}]}
        for port in spec.get("trafficPolicy", {}).get("portLevelSettings", []):
            port["tls"]["caCertificates"] = str(authority.certificate)


def config(found: list[dict], name: str) -> dict[str, str]:
    """What a ConfigMap among some resources holds."""
    [data] = [d["data"] for d in found if d["kind"] == "ConfigMap" and d["metadata"]["name"] == name]
    return data


def mount(found: list[dict], folder: Path, keys: dict[str, str]) -> None:
    """What a kubelet makes of the gateway's volume, the keys by their files' names beside the ConfigMap: links into a folder
    that is changed as a whole."""
    folder.mkdir(exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix="..", dir=folder))
    for name, text in {**keys, **config(found, "weir-credential-files")}.items():
        (fresh / name).write_text(text)
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
    (folder / "..data_tmp").symlink_to(fresh.name)
    (folder / "..data_tmp").rename(folder / "..data")


def up(lab: Lab, found: list[dict]) -> None:
    """Applies the resources and starts the gateway and an application's sidecar."""
    namespaces = [document for document in found if document["kind"] == "Namespace"]
    lab.apply(as_list(namespaces))
    lab.apply(as_list([document for document in found if document["kind"] != "Namespace"]))
    lab.apply(APP)
    bootstrap = config(found, "weir-bootstrap")["custom_bootstrap.json"]
    labels = {"app": "weir-egress"}
    lab.proxy("gateway", "router", NAMESPACE, GATEWAY, labels, account="weir-egress", bootstrap=bootstrap)
    lab.proxy("assistant", "sidecar", "app", APPLICATION, {"app": "assistant"})


def another(lab: Lab, name: str, address: str, template: dict, bootstrap: str) -> None:
    """What a Deployment with this template of pods, and the Service, would make of one more pod of the gateway. Gateways listen
    on all addresses, which in the lab are of one machine: this one is told to take its own, and goes on to when it leaves."""
    account, labels = template["spec"]["serviceAccountName"], template["metadata"]["labels"] | {"pod": name}
    lab.apply(LISTENER.format(name=name, address=address))
    lab.proxy(name, "router", NAMESPACE, address, labels, account=account, bootstrap=bootstrap)
    spec = {"address": address, "labels": labels, "serviceAccount": account}
    metadata = {"name": name, "namespace": NAMESPACE}
    lab.apply(as_list([{"apiVersion": "networking.istio.io/v1", "kind": "WorkloadEntry", "metadata": metadata, "spec": spec}]))


def says(llm):
    """What the provider answers: a secret, token by token."""
    return llm.answer(tokens(f"the key {SECRET} is here", 4))


def ask(provider, prompt: str = "hello", llm=None, stream: bool = False, headers=(), address: str = APPLICATION) -> Answer:
    """One exchange of the application: the provider's answer holds a secret."""
    llm = llm or OpenAI()
    scenario = provider.add(says(llm))
    body = json.dumps(llm.request(prompt, stream=stream)).encode()
    sent = [(SCENARIO, scenario), *headers]
    answer = exchange(80, llm.path, body, headers=sent, host=llm.host, address=address)
    answer.scenario = scenario
    return answer


def enforces(provider, llm=None, address: str = APPLICATION) -> None:
    """Refuses an injected prompt, masks the secret in an answer, and leaves the rest alone."""
    wait_for("Enforce", lambda: ask(provider, INJECTION, llm, address=address).status == 403, 30)
    for stream in (False, True):
        answer = ask(provider, llm=llm, stream=stream, address=address)
        assert answer.status == 200 and not leaked(text_of(answer)) and "is here" in text_of(answer)


def back_to_shadow(lab: Lab, mesh, provider) -> None:
    """The gateway as the tests find it: its plugin in Shadow, and in force."""
    lab.apply(as_list(mesh("egress")))
    wait_for("Shadow", lambda: ask(provider, INJECTION).status == 200, 30)


def records(lab: Lab, gateway: str = "gateway") -> list[dict]:
    """The audit records in a gateway's access log. While one Weir takes another's place, an exchange may pass both and leave
    a record of each, with a space between."""
    found = []
    for line in lab.proxies[gateway].log().splitlines():
        told = json.loads(line).get("weir") if line.startswith('{"') else None
        while told:
            record, end = json.JSONDecoder().raw_decode(told)
            found.append(record)
            told = told[end:].lstrip()
    return found
