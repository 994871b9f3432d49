"""`envoy/gateway`: valid by Envoy Gateway's definitions, translated by Envoy Gateway itself, and run by Envoy."""

import copy
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from client import Answer, exchange
from egress import says
from envoy import wait_for
from envoy_gateway import EnvoyGateway
from image import pack
from lab import Lab, tools
from manifests import ISTIO, as_list, kustomized
from network import alone
from providers import OpenAI
from samples import INJECTION, leaked, tokens
from states import text_of
from upstream import SCENARIO, Upstream, sent

FOLDER = ISTIO.parent / "envoy/gateway"
PORT = 8080
DRAIN = 3
"""Seconds after which Envoy closes connections of a listener that has changed."""


def documents() -> list[dict]:
    """What a user applies."""
    return list(yaml.safe_load_all(kustomized("../envoy/gateway")))


def plugin_in(found: list[dict]) -> dict:
    """The one module's part of them."""
    [policy] = [document for document in found if document["kind"] == "EnvoyExtensionPolicy"]
    [wasm] = policy["spec"]["wasm"]
    return wasm


class Running:
    """Envoy Gateway with the resources, the module from a registry and the provider next door; in Enforce."""

    def __init__(self, gateway: EnvoyGateway, provider: Upstream, module: Path):
        self.gateway = gateway
        self.provider = provider
        pins = pack(module.read_bytes(), "0.0.0", gateway.folder / "image")
        url = gateway.push(gateway.folder / "image/artefact")
        image = {"url": url, "sha256": pins["artefact"].removeprefix("sha256:")}
        self.documents = documents()
        for document in self.documents:
            if document["kind"] == "Backend":
                document["spec"] = {"endpoints": [{"ip": {"address": "127.0.0.1", "port": provider.port}}]}
            if document["kind"] == "GatewayClass":
                proxy = {"group": "gateway.envoyproxy.io", "kind": "EnvoyProxy", "name": "host"}
                document["spec"]["parametersRef"] = {**proxy, "namespace": "weir-gateway"}
        wasm = plugin_in(self.documents)
        wasm["code"]["image"] = image
        wasm["config"]["spec"]["mode"] = "Enforce"
        self.documents.append(gateway.proxy("host", "weir-gateway", DRAIN))

    def changed(self, **spec) -> list[dict]:
        """The resources with these fields of the policy's spec."""
        found = copy.deepcopy(self.documents)
        plugin_in(found)["config"]["spec"] |= spec
        return found

    def ask(self, prompt: str = "hello", scenario: str = "", stream: bool = False) -> Answer:
        """One exchange, whose answer holds a secret if no scenario is given."""
        llm = OpenAI()
        scenario = scenario or self.provider.add(says(llm))
        body = json.dumps(llm.request(prompt, stream=stream)).encode()
        answer = exchange(PORT, llm.path, body, headers=[(SCENARIO, scenario)], host=llm.host, timeout=60)
        answer.scenario = scenario
        return answer

    def refuses(self) -> bool:
        """Whether injected prompts are refused by Weir."""
        return self.ask(INJECTION).header("x-weir-decision") == "reject"


@pytest.fixture(scope="module")
def running(module: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """In a network without anything else, since Envoy Gateway's ports are fixed and open to every address."""
    folder = tmp_path_factory.mktemp("envoy-gateway")
    with alone(), Upstream() as provider, EnvoyGateway(folder) as gateway:
        made = Running(gateway, provider, module)
        gateway.start(made.documents)
        wait_for("Envoy", lambda: gateway.listens(PORT), 60)
        wait_for("the module", lambda: made.ask().status == 200, 60)
        yield made


def test_the_api_server_takes_it(lab: Lab):
    """By the definitions of Envoy Gateway and the Gateway API, each field of which it must know."""
    lab.apply((tools() / "istio/envoy-gateway.yaml").read_text())
    lab.namespace("weir-gateway")
    definition = "crd/envoyextensionpolicies.gateway.envoyproxy.io"
    lab.kubectl("wait", "--for=condition=established", "--timeout=60s", definition)
    lab.try_out(as_list(documents()))
    wrong = documents()
    plugin_in(wrong)["failOpened"] = False
    refused = lab.try_out(as_list(wrong), check=False)
    assert refused.returncode and "failOpened" in refused.stderr


def test_what_is_shipped_is_pinned_and_fails_closed():
    wasm = plugin_in(documents())
    assert wasm["failOpen"] is False and len(wasm["code"]["image"]["sha256"]) == 64
    assert wasm["config"]["spec"]["mode"] == "Shadow"
    policy, base = (yaml.safe_load((folder / "policy.yaml").read_text()) for folder in (FOLDER, ISTIO / "base"))
    assert policy == base, "one default policy"


def test_refused_masked_and_clean(running):
    assert running.refuses()
    for stream in (False, True):
        answer = running.ask(stream=stream)
        assert answer.status == 200 and not leaked(text_of(answer)) and "is here" in text_of(answer)
    llm = OpenAI()
    clean = running.ask(scenario=running.provider.add(llm.answer(["nothing to hide"])))
    [seen] = running.provider.received(clean.scenario)
    assert seen.json() == llm.request("hello")
    assert clean.body == b"".join(llm.answer(["nothing to hide"])(seen).sending.pieces)


def test_a_large_request(running):
    """Many times what Envoy Gateway lets a connection buffer."""
    assert running.ask("word " * 300_000).status == 200
    assert running.ask("word " * 300_000 + INJECTION).status == 403


def test_a_broken_policy_leaves_the_old_one(running):
    running.gateway.apply(running.changed(packs=[{"name": "nobody", "action": "Mask"}]))
    wait_for("the refusal", lambda: "weir: policy refused: /spec/packs/0/name" in running.gateway.log(), 30)
    for _ in range(10):
        assert running.refuses()
    running.gateway.apply(running.documents)


def test_a_change_of_policy(running, record_property):
    """It changes the listener: no request fails, but a stream that outlasts the drain is cut."""
    llm = OpenAI()
    slow = running.provider.add(sent(llm.answer(tokens("word " * 40, 5)), pause=0.3))
    answers = []
    stream = threading.Thread(target=lambda: answers.append(running.ask(scenario=slow, stream=True)))
    stream.start()
    wait_for("the stream", lambda: running.provider.received(slow, settled=False))
    began = time.monotonic()
    running.gateway.apply(running.changed(mode="Shadow"))
    statuses = set()

    def shadow() -> bool:
        statuses.add(running.ask(scenario=running.provider.add(llm.answer(["fine"]))).status)
        return running.ask(INJECTION).status == 200

    wait_for("Shadow", shadow, 30)
    record_property("a policy in Envoy Gateway", time.monotonic() - began)
    assert statuses == {200}
    stream.join()
    [answer] = answers
    assert answer.status == 200 and not answer.complete
    running.gateway.apply(running.documents)
    wait_for("Enforce", running.refuses, 30)


def test_a_policy_of_a_route_takes_its_place(running):
    """Why nobody else may write an EnvoyExtensionPolicy in the namespace."""
    [own] = [document for document in running.changed(mode="Shadow") if document["kind"] == "EnvoyExtensionPolicy"]
    own["metadata"]["name"] = "own"
    own["spec"]["targetRefs"] = [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "openai"}]
    running.gateway.apply([*running.documents, own])
    wait_for("the other policy alone", lambda: running.ask(INJECTION).status == 200, 30)
    running.gateway.apply(running.documents)
    wait_for("the Gateway's", running.refuses, 30)


def test_a_module_with_another_digest_lets_nothing_pass(running):
    found = copy.deepcopy(running.documents)
    plugin_in(found)["code"]["image"]["sha256"] = "0" * 63 + "a"
    running.gateway.apply(found)
    wait_for("the wrong digest", lambda: running.ask().status == 500, 30)
    assert {running.ask().status for _ in range(10)} == {500}
    running.gateway.apply(running.documents)
    wait_for("the module", running.refuses, 30)
