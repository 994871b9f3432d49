"""The bootstraps in `envoy/` are valid as they stand, and the egress gateway keeps the provider's key to itself."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from client import exchange
from envoy import Envoy, envoy_binary, envoy_version, wait_for
from gateway import MODULE, PROJECT
from providers import OpenAI
from samples import INJECTION
from upstream import SCENARIO

KEYS = {"openai": "sk-provider-openai", "anthropic": "sk-provider-anthropic"}
CLIENT_KEYS = [("authorization", "Bearer client-key"), ("x-api-key", "client-key"), ("cookie", "session=client-key")]


NEEDS_PREFIX = pytest.mark.skipif(envoy_version() < (1, 37), reason="egress.yaml needs header_value_prefix, Envoy 1.37")


@pytest.mark.parametrize("name", ["local.yaml", "ecds/envoy.yaml", pytest.param("egress.yaml", marks=NEEDS_PREFIX)])
def test_valid_as_it_stands(module, name):
    if not MODULE.exists():
        pytest.fail(f"the bootstraps load {MODULE} (run ./just build)", pytrace=False)
    command = [envoy_binary(), "--mode", "validate", "-c", f"envoy/{name}", "--use-dynamic-base-id"]
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr[-2000:]
    assert "weir" in (PROJECT / "envoy" / name).read_text()


def egress(upstream_port: int, module: Path) -> dict:
    """The egress bootstrap on free ports, with both providers played by the fake one, in plain text."""
    document = yaml.safe_load((PROJECT / "envoy/egress.yaml").read_text())
    document["admin"]["address"]["socket_address"]["port_value"] = 0
    [listener] = document["static_resources"]["listeners"]
    listener["address"]["socket_address"]["port_value"] = 0
    filters = listener["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"]
    filters[0]["typed_config"]["config"]["vm_config"]["code"]["local"]["filename"] = str(module)
    for cluster in document["static_resources"]["clusters"]:
        del cluster["transport_socket"]
        options = cluster["typed_extension_protocol_options"]["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"]
        options["explicit_http_config"] = {"http_protocol_options": options.pop("auto_config")["http_protocol_options"]}
        [endpoint] = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
        endpoint["endpoint"]["address"] = {"socket_address": {"address": "127.0.0.1", "port_value": upstream_port}}
    return document


@pytest.fixture
def start_egress(upstream, module):
    """Starts the egress gateway with these keys in place."""
    envoy = Envoy()

    def start(keys: dict[str, str]) -> Envoy:
        folder = envoy.folder / "envoy/credentials"
        shutil.copytree(PROJECT / "envoy/credentials", folder, ignore=shutil.ignore_patterns("*.key"))
        for name, key in keys.items():
            (folder / f"{name}.key").write_text(key + "\n")
        envoy.run(egress(upstream.port, module), working_directory=envoy.folder)
        return envoy

    yield start
    envoy.stop()


def ask(envoy, upstream, provider, prompt="hello"):
    """One exchange with an application's own keys in it; returns the answer and what the provider got."""
    scenario = upstream.add(provider.answer(["ok"]))
    headers = [(SCENARIO, scenario), *CLIENT_KEYS]
    if provider.name == "anthropic":
        headers.append(("anthropic-version", "2023-06-01"))
    body = json.dumps(provider.request(prompt)).encode()
    answer = exchange(envoy.port, provider.path, body, headers=headers, host="gateway.internal")
    return answer, upstream.received(scenario)


@NEEDS_PREFIX
def test_the_providers_key_replaces_the_clients(start_egress, upstream, provider):
    answer, [request] = ask(start_egress(KEYS), upstream, provider)
    assert answer.status == 200, answer.body
    sent = {name.lower(): value for name, value in request.head.headers}
    if provider.name == "openai":
        assert sent["authorization"] == f"Bearer {KEYS['openai']}" and "x-api-key" not in sent
    else:
        assert sent["x-api-key"] == KEYS["anthropic"] and "authorization" not in sent
    assert "client-key" not in json.dumps(request.head.headers)
    assert "gateway.internal" not in sent["host"]


@NEEDS_PREFIX
def test_without_a_key_nothing_leaves(start_egress, upstream, provider):
    answer, requests = ask(start_egress({}), upstream, provider)
    assert answer.status == 401 and not requests


@NEEDS_PREFIX
def test_a_key_is_rotated_without_a_restart(start_egress, upstream):
    envoy = start_egress(KEYS)
    beside = envoy.folder / "envoy/credentials/next"
    beside.write_text("sk-rotated\n")
    beside.rename(envoy.folder / "envoy/credentials/openai.key")

    def rotated() -> bool:
        _, [request] = ask(envoy, upstream, OpenAI())
        return request.head.get("authorization") == "Bearer sk-rotated"

    assert wait_for("rotated key in use", rotated)


@NEEDS_PREFIX
def test_egress_is_guarded(start_egress, upstream, provider):
    answer, requests = ask(start_egress(KEYS), upstream, provider, INJECTION)
    assert (answer.status, answer.header("x-weir-decision")) == (403, "reject")
    assert not any(request.body for request in requests)
