"""The CI workflow of a policy repository, step by step as it stands there, and what Argo CD and Flux are given."""

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import flux
import pytest
import yaml
from egress import ask
from envoy import wait_for
from lab import Lab, tools
from manifests import ISTIO, as_list, plugin_of
from samples import INJECTION
from test_manifests import weir  # noqa: F401

REPOSITORY = ISTIO / "gitops/policy-repository"
WORKFLOW = REPOSITORY / ".github/workflows/policy.yaml"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A policy repository with one commit on `main`, and a branch to change."""
    folder = tmp_path / "repository"
    shutil.copytree(REPOSITORY, folder)
    shutil.copytree(ISTIO, folder / "istio", symlinks=True)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commit(folder)
    git(folder, "update-ref", "refs/remotes/origin/main", "main")
    git(folder, "checkout", "--quiet", "-b", "change")
    return folder


def git(folder: Path, *arguments: str) -> None:
    """Runs git."""
    identity = ["-c", "user.name=platform", "-c", "user.email=platform@example.com"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def commit(folder: Path) -> None:
    """Commits everything."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "policy")


def steps(folder: Path, command: Path) -> dict[str, tuple[int, str]]:
    """Runs the workflow's own steps; by name how each ended, and what it wrote. Its summary is `summary`."""
    [job] = yaml.safe_load(WORKFLOW.read_text())["jobs"].values()
    summary = folder.parent / "summary.md"
    summary.write_text("")
    environment = {
        **os.environ,
        "PATH": f"{command.parent}:{tools()}/bin:{os.environ['PATH']}",
        "GITHUB_BASE_REF": "main",
        "GITHUB_STEP_SUMMARY": str(summary),
    }
    ended = {}
    for step in job["steps"]:
        if "run" in step and step["name"] != "The command line":
            done = subprocess.run(["bash", "-e", "-c", step["run"]], cwd=folder, env=environment, capture_output=True, text=True)
            ended[step["name"]] = (done.returncode, done.stdout + done.stderr)
    return {**ended, "summary": (0, summary.read_text())}


def change(folder: Path, pattern: str, replacement: str) -> None:
    """A pull request that changes the policy."""
    path = folder / "istio/base/policy.yaml"
    text, count = re.subn(pattern, replacement, path.read_text())
    assert count == 1
    path.write_text(text)
    commit(folder)


def test_a_stricter_policy_passes(repository, weir):  # noqa: F811
    change(repository, r"media: Audit", "media: Reject")
    ended = steps(repository, weir)
    assert {name: status for name, (status, _) in ended.items() if status} == {}, ended


def test_a_weaker_policy_is_told_first_and_needs_a_label(repository, weir):  # noqa: F811
    change(repository, r"failureMode: FailClosed", "failureMode: FailOpen")
    ended = steps(repository, weir)
    assert [name for name, (status, _) in ended.items() if status] == ["Weaker only with the label `weaker`"], ended
    assert "failureMode" in ended["summary"][1]


def test_a_broken_policy_fails(repository, weir):  # noqa: F811
    change(repository, r"- \{name: secrets, action: Mask\}", "- {name: secretz, action: Mask}")
    ended = steps(repository, weir)
    assert ended["Check"][0] == 1 and "secretz" in ended["Check"][1]
    assert ended["Test"][0] == 1


def test_a_policy_that_finds_less_fails(repository, weir):  # noqa: F811
    change(repository, r"    - \{name: secrets, action: Mask\}\n", "")
    assert steps(repository, weir)["Test"][0] == 1


def test_a_way_around_fails(repository, weir):  # noqa: F811
    plugin = repository / "istio/base/wasmplugin.yaml"
    plugin.write_text(plugin.read_text().replace("failStrategy: FAIL_RELOAD", "failStrategy: FAIL_OPEN"))
    commit(repository)
    status, told = steps(repository, weir)["Manifests"]
    assert status == 1 and "FAIL_OPEN" in told


@pytest.mark.parametrize("tool", ["argocd", "flux"])
def test_the_api_server_takes_it(lab: Lab, tool):
    for namespace in ("argocd", "flux-system"):
        lab.namespace(namespace)
    lab.try_out((ISTIO / f"gitops/{tool}.yaml").read_text())


def test_flux_rolls_a_policy_out_and_back(lab: Lab, mesh, provider, repository, tmp_path):
    """What is merged is in force, with the branch and the path as the shipped resources have them."""
    overlay = repository / "istio/overlays/egress"
    shutil.rmtree(overlay)
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump({"resources": ["all.yaml"]}))
    enforcing = repository / "istio/overlays/egress-enforce"
    (enforcing / "kustomization.yaml").write_text(yaml.safe_dump({"resources": ["all.yaml"]}))
    for folder, name in ((overlay, "egress"), (enforcing, "egress-enforce")):
        # The lab's providers are next door: what kustomize makes of the overlay, with that changed.
        (folder / "all.yaml").write_text(yaml.safe_dump(plugin_of(mesh(name))))
    git(repository, "checkout", "--quiet", "main")
    commit(repository)
    git(repository, "clone", "--quiet", "--bare", ".", str(tmp_path / "served/weir-policy"))
    documents = list(yaml.safe_load_all((ISTIO / "gitops/flux.yaml").read_text()))
    flux.start(lab)
    with flux.GitServer(tmp_path / "served") as server:
        source, rollout = documents
        source["spec"] |= {"url": server.url("weir-policy"), "interval": "1s"}
        rollout["spec"]["interval"] = "5s"
        lab.namespace("flux-system")
        lab.apply(as_list(documents))
        reconciled(lab)
        for path, status in (("egress-enforce", 403), ("egress", 200)):
            rollout["spec"]["path"] = f"./istio/overlays/{path}"
            lab.apply(as_list([rollout]))
            wait_for(path, lambda: ask(provider, INJECTION).status == status, 60)  # noqa: B023
        lab.kubectl("-n", "flux-system", "delete", "kustomization,gitrepository", "weir", "--wait=false")
        time.sleep(2)


def reconciled(lab: Lab) -> None:
    """Waits until Flux has applied what it found."""

    def ready() -> bool:
        told = lab.kubectl("-n", "flux-system", "get", "kustomization", "weir", "-o", "json").stdout
        conditions = json.loads(told).get("status", {}).get("conditions", [])
        return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

    wait_for("Flux", ready, 60)


@pytest.mark.parametrize("tool,place", [("argocd", ("source", "path")), ("flux", ("path",))])
def test_what_is_rolled_out_is_there(tool, place):
    [document] = [
        d for d in yaml.safe_load_all((ISTIO / f"gitops/{tool}.yaml").read_text()) if d["kind"] in ("Application", "Kustomization")
    ]
    path = document["spec"]
    for key in place:
        path = path[key]
    assert (ISTIO.parent / path / "kustomization.yaml").exists()
    assert path.endswith("overlays/egress"), "Shadow first"
