"""The egress gateway: Shadow changes nothing and tells everything; Enforce refuses and masks; nobody sees the key."""

from pathlib import Path

import egress
import pytest
import yaml
from egress import ask, back_to_shadow, enforces, says
from envoy import wait_for
from manifests import as_list
from providers import PROVIDERS
from samples import INJECTION


@pytest.mark.parametrize("llm", PROVIDERS, ids=lambda llm: llm.name)
def test_shadow_changes_nothing(mesh, provider, llm):
    for stream in (False, True):
        answer = ask(provider, INJECTION, llm, stream)
        [seen] = provider.received(answer.scenario)
        assert seen.json() == llm.request(INJECTION, stream=stream)
        assert answer.status == 200 and answer.body == b"".join(says(llm)(seen).sending.pieces)


@pytest.mark.parametrize("llm", PROVIDERS, ids=lambda llm: llm.name)
def test_the_gateway_puts_the_key_in(mesh, provider, llm):
    answer = ask(provider, llm=llm, headers=[("authorization", "Bearer mine"), ("x-api-key", "mine")])
    [seen] = provider.received(answer.scenario)
    keys = {name: value for name, value in seen.head.headers if name in ("authorization", "x-api-key")}
    expected = {"authorization": f"Bearer {egress.CREDENTIALS['openai.key']}"}
    if llm.name == "anthropic":
        expected = {"x-api-key": egress.CREDENTIALS["anthropic.key"]}
    assert keys == expected


def test_a_new_key_is_used_once_it_is_mounted(mesh, provider):
    found = mesh("egress")
    told = yaml.safe_load(egress.config(found, "weir-credential-files")["openai.yaml"])["resources"][0]
    folder = Path(told["generic_secret"]["secret"]["watched_directory"]["path"])

    def uses(key: str) -> bool:
        [seen] = provider.received(ask(provider).scenario)
        return seen.head.get("authorization") == f"Bearer {key}"

    for key in ("sk-of-tomorrow", egress.CREDENTIALS["openai.key"]):
        egress.mount(found, folder, {**egress.CREDENTIALS, "openai.key": key})
        wait_for("the new key", lambda: uses(key), 30)  # noqa: B023


def test_enforce_and_back(mesh, lab, provider):
    lab.apply(as_list(mesh("egress-enforce")))
    enforces(provider)
    back_to_shadow(lab, mesh, provider)


def test_as_a_traffic_extension(mesh, lab, provider):
    """One takes the other's place: with both, each would read everything."""
    lab.apply(as_list(mesh("egress-traffic-extension")))
    lab.kubectl("-n", egress.NAMESPACE, "delete", "wasmplugin", "weir")
    enforces(provider)
    lab.kubectl("-n", egress.NAMESPACE, "delete", "trafficextension", "weir")
    back_to_shadow(lab, mesh, provider)
