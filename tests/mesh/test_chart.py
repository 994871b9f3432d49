"""The Helm chart: what it makes of its values, and Weir by EnvoyFilter, which only the chart brings."""

import json
import os
import subprocess

import egress
import pytest
import yaml
from egress import ask, back_to_shadow, enforces, records
from envoy import wait_for
from lab import Lab, tools
from manifests import ISTIO, Image, as_list, istioctl_takes, kustomized
from providers import OpenAI
from samples import INJECTION

CHART = ISTIO / "chart"


def template(image: Image, *values: str, check: bool = True) -> list[dict]:
    """The chart's resources."""
    done = helm("template", "weir", CHART, "--namespace", egress.NAMESPACE, *pinned(image), *values)
    if check:
        assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document and document["kind"] != "ConfigMap"]


def helm(*arguments, lab: Lab | None = None) -> subprocess.CompletedProcess:
    """Runs helm, with the lab as its cluster or without one."""
    settings = os.environ | ({"KUBECONFIG": str(lab.folder / "kubeconfig")} if lab else {})
    return subprocess.run([tools() / "bin/helm", *map(str, arguments)], capture_output=True, text=True, env=settings)


def pinned(image: Image) -> list[str]:
    """The module's values."""
    return ["--set", f"module.url={image.url}", "--set", f"module.sha256={image.sha256}"]


@pytest.mark.parametrize("kind", ["WasmPlugin", "TrafficExtension", "EnvoyFilter"])
def test_lint(image, kind):
    done = helm("lint", "--strict", CHART, *pinned(image), "--set", f"kind={kind}")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("kind", ["WasmPlugin", "TrafficExtension", "EnvoyFilter"])
def test_the_api_server_and_istioctl_take_it(lab: Lab, mesh, image, kind):
    documents = template(image, "--set", f"kind={kind}")
    lab.try_out(as_list(documents))
    istioctl_takes(documents)


def test_the_policy_is_the_one_of_the_base(image):
    [plugin] = template(image)
    base = yaml.safe_load((ISTIO / "base/policy.yaml").read_text())
    del base["metadata"]["annotations"]
    assert plugin["spec"]["pluginConfig"] == base
    [enforcing] = template(image, "--set", "mode=Enforce")
    assert enforcing["spec"]["pluginConfig"]["spec"]["mode"] == "Enforce"


def test_a_policy_of_ones_own(image, tmp_path):
    own = {"apiVersion": "guard.weir.dev/v1alpha1", "kind": "Policy", "metadata": {"name": "own"}, "spec": {"packs": []}}
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump({"policy": own}))
    [plugin] = template(image, "--values", str(values))
    assert plugin["spec"]["pluginConfig"] == own


def test_labels_of_metrics_are_those_of_the_overlay(image):
    done = helm("template", "weir", CHART, "--namespace", egress.NAMESPACE, *pinned(image))
    [config] = [d for d in yaml.safe_load_all(done.stdout) if d and d["kind"] == "ConfigMap"]
    shipped = (ISTIO / "overlays/egress/custom_bootstrap.json").read_text()
    assert json.loads(config["data"]["custom_bootstrap.json"]) == json.loads(shipped)


WATCHED = ["--set", "monitoring.enabled=true"]


def monitoring_of(image: Image, *values: str) -> list[dict]:
    """What the chart brings with monitoring on, and not without."""
    arguments = ("template", "weir", CHART, "--namespace", egress.NAMESPACE, *pinned(image), *values)
    outputs = [helm(*arguments).stdout, helm(*arguments, *WATCHED).stdout]
    without, found = ([d for d in yaml.safe_load_all(output) if d] for output in outputs)
    assert [d for d in found if d in without] == without != []
    return [d for d in found if d not in without]


def test_monitoring_is_that_of_the_folder(lab: Lab, mesh, image):
    """The same selector, rules and dashboard, under the release's name; and the API server takes it."""

    def told(documents: list[dict]) -> dict:
        return {d["kind"]: d.get("spec") or (d["metadata"]["labels"], d["data"]) for d in documents}

    found = monitoring_of(image)
    assert told(found) == told(list(yaml.safe_load_all(kustomized("monitoring"))))
    assert {d["metadata"]["name"] for d in found} == {"weir", "weir-dashboard"}
    lab.try_out(as_list(found))


def test_monitoring_follows_the_place(image):
    waypoint = "selector=null,targetRefs[0].kind=Gateway,targetRefs[0].name=models"
    found = {d["kind"]: d for d in monitoring_of(image, "--set", f"{waypoint},monitoring.labels.release=prometheus")}
    [expression] = found["PodMonitor"]["spec"]["selector"]["matchExpressions"]
    assert expression == {"key": "gateway.networking.k8s.io/gateway-name", "operator": "In", "values": ["models"]}
    for kind in ("PodMonitor", "PrometheusRule"):
        assert found[kind]["metadata"]["labels"] == {"release": "prometheus"}


def test_a_release_is_installed_enforced_and_taken_out(lab: Lab, mesh, image):
    """By helm itself, as its notes say; in a namespace in which no proxy is."""

    def mode() -> str:
        path = "jsonpath={.spec.pluginConfig.spec.mode}"
        return lab.kubectl("-n", "released", "get", "wasmplugin", "guard", "-o", path, check=False).stdout

    def done(*arguments) -> str:
        finished = helm(*arguments, "--namespace", "released", lab=lab)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    notes = done("install", "guard", CHART, "--create-namespace", *pinned(image), *WATCHED)
    assert mode() == "Shadow" and "PodMonitor guard" in notes and "in Shadow" in notes
    assert "in Enforce" in done("upgrade", "guard", CHART, "--reuse-values", "--set", "mode=Enforce")
    assert mode() == "Enforce"
    lab.kubectl("-n", "released", "get", "podmonitor,prometheusrule", "guard")
    done("uninstall", "guard")
    assert mode() == ""


REFUSED = {
    "fail-open": (["failStrategy=FAIL_OPEN"], "failStrategy"),
    "unpinned": (["module.sha256="], "sha256"),
    "everywhere": (["selector=null"], "selector"),
    "both": (["targetRefs[0].kind=Gateway", "targetRefs[0].name=a"], "targetRefs"),
    "a-typing-error": (["modul.url=x"], "modul"),
    "held-by-a-plugin": (["policy.kind=Policy", "policy.metadata.name=a", "policy.spec.holdHeaders=true"], "holdHeaders"),
    "nobody-to-watch": (["selector=null,monitoring.enabled=true,targetRefs[0].kind=Service,targetRefs[0].name=a"], "Gateway"),
    "waypoint": (["kind=EnvoyFilter", "targetRefs[0].kind=Gateway", "targetRefs[0].name=a"], "targetRefs"),
}


@pytest.mark.parametrize("values,named", REFUSED.values(), ids=REFUSED.keys())
def test_bad_values_are_refused(image, values, named):
    done = helm("template", "weir", CHART, *pinned(image), *(part for v in values for part in ("--set", v)))
    assert done.returncode != 0 and named in done.stderr


def test_as_a_part_of_another_chart(image, tmp_path):
    """An assistant's own chart brings Weir along."""
    (tmp_path / "Chart.yaml").write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v2",
                "name": "assistant",
                "version": "1.0.0",
                "dependencies": [{"name": "weir", "version": "0.1.0", "repository": f"file://{CHART}"}],
            }
        )
    )
    module = {"url": image.url, "sha256": image.sha256}
    (tmp_path / "values.yaml").write_text(yaml.safe_dump({"weir": {"module": module, "selector": {"app": "assistant"}}}))
    assert helm("dependency", "build", tmp_path).returncode == 0
    done = helm("template", "assistant", tmp_path, "--namespace", "assistants")
    [plugin] = [d for d in yaml.safe_load_all(done.stdout) if d and d["kind"] == "WasmPlugin"]
    assert plugin["spec"]["pluginConfig"]["kind"] == "Policy", done.stderr


def test_by_envoyfilter(lab: Lab, mesh, image, provider):
    """Beside the overlay's gateway, in the plugin's place. Its policy changes without a request failing."""
    lab.kubectl("-n", egress.NAMESPACE, "delete", "wasmplugin", "weir")
    values = ["--set", "kind=EnvoyFilter,envoyFilter.bufferLimit=2097152,envoyFilter.holdHeaders=true"]
    lab.apply(as_list(template(image, *values, "--set", "mode=Enforce")))
    enforces(provider)
    assert provider.received(ask(provider, INJECTION).scenario) == [], "not even the head of a refused request"
    lab.apply(as_list(template(image, *values)))
    wait_for("Shadow", lambda: ask(provider, INJECTION).status == 200, 30)
    large = ask(provider, "word " * 300_000, OpenAI())
    assert large.status == 200, "more than a proxy's own buffer of 1 MiB"
    lab.kubectl("-n", egress.NAMESPACE, "delete", "envoyfilter", "weir")
    lab.apply(as_list(mesh("egress")))


def test_records_go_to_the_access_log(lab: Lab, mesh, image, provider):
    lab.kubectl("-n", egress.NAMESPACE, "delete", "wasmplugin", "weir")
    lab.apply(as_list(template(image, "--set", "kind=EnvoyFilter", "--set", "mode=Enforce")))
    enforces(provider)
    found = wait_for("records", lambda: [r for r in records(lab) if r["decision"] == "reject"])
    assert found[0]["policy"] == "default"
    lab.kubectl("-n", egress.NAMESPACE, "delete", "envoyfilter", "weir")
    back_to_shadow(lab, mesh, provider)
