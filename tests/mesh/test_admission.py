"""What the API server refuses under `istio/admission`, case by case, and what it lets through."""

import json

import pytest
import yaml
from envoy import wait_for
from lab import Lab
from manifests import ISTIO, built, kustomized, plugin_of

FILTER = "envoy.filters.network.http_connection_manager"
ROUTER = "envoy.filters.http.router"
WEIR = "extensions.istio.io/trafficextension/weir-egress.weir~istio-translated-wasmplugin"
HASH = "a" * 64


@pytest.fixture(scope="module", autouse=True)
def admission(lab: Lab):
    """The policies, in force."""
    lab.apply(kustomized("admission"))
    lab.namespace("tenant")
    lab.namespace("platform", **{"guard.weir.dev/platform": "true"})
    wait_for("admission", lambda: refusal(lab, filter_patch("REMOVE", WEIR)), 30)
    yield
    lab.kubectl("delete", "-k", str(ISTIO / "admission"))


def refusal(lab: Lab, document: dict) -> str:
    """Why a resource is refused; empty if it is taken. Nothing is stored."""
    return lab.try_out(json.dumps(document), check=False).stderr


def plugin(overlay: str = "egress", **changes) -> dict:
    """An overlay's plugin with fields changed, or taken away (None)."""
    found = plugin_of(built(overlay))
    found["metadata"]["namespace"] = "tenant"
    spec = found["spec"]
    for name, value in changes.items():
        place = spec if name in ("priority", "phase") else spec.get("wasm", spec)
        place.pop(name, None) if value is None else place.update({name: value})
    return found


PLUGIN_CASES = {
    "fail-open": ({"failStrategy": "FAIL_OPEN"}, "failStrategy"),
    "no-strategy": ({"failStrategy": None}, "failStrategy"),
    "unpinned": ({"sha256": None}, "pin the module"),
    "no-policy": ({"pluginConfig": None}, "pluginConfig"),
    "empty-policy": ({"pluginConfig": {}}, "pluginConfig"),
    "no-priority": ({"priority": None}, "priority"),
    "too-early": ({"phase": "AUTHN"}, "phase AUTHN"),
}


@pytest.mark.parametrize("overlay", ["egress", "egress-traffic-extension"])
@pytest.mark.parametrize("changes,reason", PLUGIN_CASES.values(), ids=PLUGIN_CASES.keys())
def test_a_plugin_is_refused(lab, overlay, changes, reason):
    assert reason in refusal(lab, plugin(overlay, **changes))


@pytest.mark.parametrize("overlay", ["egress", "egress-traffic-extension", "sidecar-client", "sidecar-server", "ingress"])
def test_what_is_shipped_is_taken(lab, overlay):
    assert "denied" not in refusal(lab, plugin(overlay))


def test_a_digest_pins_too(lab):
    url = f"oci://registry.example.com/weir/weir@sha256:{HASH}"
    assert "pin the module" not in refusal(lab, plugin(sha256=None, url=url))


def test_others_are_left_alone(lab):
    other = plugin(failStrategy="FAIL_OPEN", sha256=None, pluginConfig={"a": 1}, pluginName="other")
    other["metadata"]["name"] = "other"
    assert refusal(lab, other) == ""


def envoy_filter(*patches: dict, namespace: str = "tenant") -> dict:
    """An EnvoyFilter of these patches."""
    return {
        "apiVersion": "networking.istio.io/v1alpha3",
        "kind": "EnvoyFilter",
        "metadata": {"name": "some", "namespace": namespace},
        "spec": {"configPatches": list(patches)},
    }


def filter_patch(operation: str, name: str = "", namespace: str = "tenant", value: dict | None = None) -> dict:
    """One that changes the HTTP filters around one of them."""
    inner = {"subFilter": {"name": name}} if name else {}
    match = {"listener": {"filterChain": {"filter": {"name": FILTER, **inner}}}}
    patch = {"operation": operation, "value": value or {"name": "some"}}
    return envoy_filter({"applyTo": "HTTP_FILTER", "match": match, "patch": patch}, namespace=namespace)


def other_patch(place: str, operation: str, value: dict) -> dict:
    """One that changes something else."""
    return envoy_filter({"applyTo": place, "patch": {"operation": operation, "value": value}})


ENVOYFILTER_CASES = {
    "removes-it": filter_patch("REMOVE", WEIR),
    "removes-any": filter_patch("REMOVE"),
    "replaces-it": filter_patch("REPLACE", WEIR),
    "changes-it": filter_patch("MERGE", WEIR, value={"disabled": True}),
    "follows-it": filter_patch("INSERT_AFTER", WEIR),
    "before-the-router": filter_patch("INSERT_BEFORE", ROUTER),
    "at-the-end": filter_patch("ADD"),
    "no-connection-manager": other_patch("NETWORK_FILTER", "REMOVE", {"name": FILTER}),
    "other-filters": other_patch("NETWORK_FILTER", "MERGE", {"name": FILTER, "typed_config": {"http_filters": []}}),
    "disabled-by-route": other_patch("HTTP_ROUTE", "MERGE", {"typed_per_filter_config": {WEIR: {"disabled": True}}}),
    "disabled-by-host": other_patch("VIRTUAL_HOST", "MERGE", {"typedPerFilterConfig": {WEIR: {"disabled": True}}}),
    "its-configuration": other_patch("EXTENSION_CONFIG", "MERGE", {"name": WEIR}),
}


@pytest.mark.parametrize("document", ENVOYFILTER_CASES.values(), ids=ENVOYFILTER_CASES.keys())
def test_an_envoyfilter_is_refused(lab, document):
    assert "denied" in refusal(lab, document)


INNOCENT = {
    "first": filter_patch("INSERT_FIRST"),
    "before-another": filter_patch("INSERT_BEFORE", "envoy.filters.http.cors"),
    "changes-another": filter_patch("MERGE", "envoy.filters.http.cors"),
    "a-route": other_patch("HTTP_ROUTE", "MERGE", {"route": {"timeout": "5s"}}),
    "a-cluster": other_patch("CLUSTER", "MERGE", {"connect_timeout": "5s"}),
    "platform": filter_patch("REMOVE", WEIR, namespace="platform"),
}


@pytest.mark.parametrize("document", INNOCENT.values(), ids=INNOCENT.keys())
def test_other_envoyfilters_are_left_alone(lab, document):
    assert "denied" not in refusal(lab, document)


def by_envoyfilter(**changes) -> dict:
    """Weir, brought by an EnvoyFilter of the platform's."""
    remote = {"http_uri": {"uri": "oci://registry.example.com/weir/weir:0.1.0", "timeout": "30s"}, "sha256": HASH}
    config = {
        "name": "weir",
        "root_id": "weir",
        "failure_policy": "FAIL_RELOAD",
        "configuration": {
            "@type": "type.googleapis.com/google.protobuf.StringValue",
            "value": json.dumps(yaml.safe_load((ISTIO / "base/policy.yaml").read_text())),
        },
        "vm_config": {"code": {"remote": remote}},
        **changes,
    }
    kind = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"
    value = {"name": "weir", "typed_config": {"@type": kind, "config": config}}
    return filter_patch("INSERT_BEFORE", ROUTER, namespace="platform", value=value)


def test_weir_by_envoyfilter(lab):
    assert "denied" not in refusal(lab, by_envoyfilter())
    assert "failure_policy" in refusal(lab, by_envoyfilter(failure_policy="FAIL_OPEN"))
    assert "pin the module" in refusal(lab, by_envoyfilter(vm_config={"code": {"local": {"filename": "/x"}}}))
    assert "StringValue" in refusal(lab, by_envoyfilter(configuration={}))
