"""The commands of `istio/RUNBOOK.md` as they stand there, and what each does to an open stream and constant requests."""

import http.client
import json
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import egress
import pytest
import yaml
from client import Answer, exchange
from egress import ask
from envoy import wait_for
from manifests import ISTIO
from providers import OpenAI
from samples import INJECTION, tokens
from test_changes import Load
from test_readme import afterwards, blocks, copy, model, run  # noqa: F401
from test_sidecars import CALLER
from upstream import SCENARIO, Upstream, sent

RUNBOOK = ISTIO / "RUNBOOK.md"
INSTALL, CANARY, CANARY_POD, POD_GONE, ENFORCE, UPGRADE, ROLL_BACK, BREAK_POLICY, BREAK_BUNDLE, MEND = blocks(RUNBOOK)

STREAM = 20
"""Seconds of the stream that is open at each step."""

OTHER = "127.0.0.21"
POD = "127.0.0.22"


class Stream:
    """An answer of `STREAM` seconds that begins on entering; on leaving it is awaited, and is `answer`."""

    def __init__(self, provider: Upstream):
        self._provider = provider
        self._answers: list[Answer] = []
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Stream":
        self._scenario = self._provider.add(sent(OpenAI().answer(tokens("word " * 40, 5)), pause=STREAM / 40))
        self._thread.start()
        wait_for("the stream", lambda: self._provider.received(self._scenario, settled=False))
        return self

    def __exit__(self, *_):
        self._thread.join()

    def _run(self) -> None:
        llm = OpenAI()
        body, headers = json.dumps(llm.request(stream=True)).encode(), [(SCENARIO, self._scenario)]
        self._answers.append(
            exchange(80, llm.path, body, headers=headers, host=llm.host, address=egress.APPLICATION, timeout=3 * STREAM)
        )

    @property
    def answer(self) -> Answer:
        return self._answers[0]

    def whole(self) -> bool:
        """Whether nothing of it is missing, and it took its time."""
        return self.answer.body.endswith(b"data: [DONE]\n\n") and self.answer.pieces[-1][0] > STREAM * 0.9


class Connection:
    """A connection that an application keeps."""

    def __init__(self, provider: Upstream):
        self._headers = {"host": OpenAI.host, "content-type": "application/json"}
        self._connection = http.client.HTTPConnection(egress.APPLICATION, 80, timeout=20)
        self._connection.connect()
        self._socket = self._connection.sock

    def status(self) -> int:
        """How an injected prompt ends on it."""
        self._connection.request("POST", OpenAI.path, json.dumps(OpenAI().request(INJECTION)), self._headers)
        answer = self._connection.getresponse()
        answer.read()
        assert self._connection.sock is self._socket, "it is the same connection"
        return answer.status


@pytest.fixture(scope="module", autouse=True)
def installed(lab, mesh, copy, model) -> None:
    """As the README leaves it: the reader's module in the registry, and the gateway in Shadow."""
    run(lab, copy, blocks()[0])
    run(lab, copy, INSTALL)
    scenario = model.add(egress.says(OpenAI()))
    wait_for("the reader's project", lambda: answers(model, scenario), 60)


def answers(model: Upstream, scenario: str) -> bool:
    """Whether the gateway leads to this model."""
    llm = OpenAI()
    headers = [(SCENARIO, scenario)]
    body = json.dumps(llm.request()).encode()
    answer = exchange(80, llm.path, body, headers=headers, host=llm.host, address=egress.APPLICATION)
    return answer.status == 200 and bool(model.received(scenario))


@pytest.fixture
def timed(lab, copy, record_property) -> Callable:
    """Runs a block and waits for what it is for; the seconds are written into the result."""

    def step(name: str, block: str, probe: Callable[[], bool]) -> None:
        assert not probe(), f"{name}: it is so without the command"
        began = time.monotonic()
        command = threading.Thread(target=run, args=(lab, copy, block))
        command.start()
        wait_for(name, probe, 60)
        record_property(name, time.monotonic() - began)
        command.join()

    return step


def refuses(model: Upstream, address: str = egress.APPLICATION) -> bool:
    """Whether Weir refuses an injected prompt."""
    return ask(model, INJECTION, address=address).header("x-weir-decision") == "reject"


def passes(model: Upstream) -> bool:
    """Whether an injected prompt passes."""
    return ask(model, INJECTION).status == 200


@pytest.fixture
def enforced(lab, copy, model) -> None:
    """The gateway in Enforce, as the reader's project has it."""
    run(lab, copy, ENFORCE)
    wait_for("Enforce", lambda: refuses(model), 30)


def test_to_install_and_to_take_out_cut_what_outlasts_the_drain(lab, mesh, copy, model, timed):
    """Which is why breaking the glass does neither. Short requests never fail."""
    with Load(model) as load:
        with Stream(model) as stream:
            lab.kubectl("-n", egress.NAMESPACE, "delete", "wasmplugin", "weir")
        assert not stream.answer.complete
        with Stream(model) as stream:
            run(lab, copy, INSTALL)
        assert not stream.answer.complete
    assert set(load.statuses) == {200}


def test_canary_and_enforce(lab, mesh, copy, model, timed):
    """One namespace first, then all."""
    lab.apply(CALLER.format(namespace="elsewhere", address=OTHER))
    lab.proxy("caller-elsewhere", "sidecar", "elsewhere", OTHER, {"app": "caller"})
    policy = copy / "istio/examples/canary/policy.yaml"
    policy.write_text(policy.read_text().replace("ns/assistants/", "ns/app/"))
    run(lab, copy, INSTALL)
    wait_for("Shadow", lambda: passes(model) and ask(model, INJECTION, address=OTHER).status == 200, 30)
    before = Connection(model)
    assert before.status() == 200
    with Stream(model) as stream, Load(model) as load:
        timed("canary", CANARY, lambda: refuses(model))
        assert not refuses(model, OTHER)
        assert before.status() == 403
        timed("enforce", ENFORCE, lambda: refuses(model, OTHER))
        assert before.status() == 403
    assert stream.whole() and set(load.statuses) == {200}


def second_pod(lab) -> None:
    """The canary's pod, as its Deployment has it."""

    def get(*arguments: str) -> dict:
        return json.loads(lab.kubectl("-n", egress.NAMESPACE, "get", *arguments, "-o", "json").stdout)

    template = get("deployment", "weir-egress-canary")["spec"]["template"]
    bootstrap = get("configmap", template["metadata"]["annotations"]["sidecar.istio.io/bootstrapOverride"])["data"]
    egress.another(lab, "gateway-canary", POD, template, bootstrap["custom_bootstrap.json"])


def test_a_canary_by_pod(lab, mesh, copy, model):
    """About half of the calls are enforced; the rest, and all of them afterwards, pass as before."""
    run(lab, copy, INSTALL)
    wait_for("Shadow", lambda: passes(model), 30)
    with Stream(model) as stream, Load(model) as load:
        run(lab, copy, CANARY_POD)
        second_pod(lab)
        wait_for("the canary", lambda: refuses(model), 30)
        refused = sum(refuses(model) for _ in range(60))
        assert 10 < refused < 50
        told = egress.records(lab, "gateway-canary")
        assert {(r["policy"], r["mode"]) for r in told} == {("default", "Shadow"), ("canary", "Enforce")}
        run(lab, copy, POD_GONE)
        lab.kubectl("-n", egress.NAMESPACE, "delete", "workloadentry", "gateway-canary")
        wait_for("no canary", lambda: not any(refuses(model) for _ in range(10)), 30)
        # Envoy writes its log once a second.
        time.sleep(2)
        told = egress.records(lab, "gateway-canary")
        assert all(passes(model) for _ in range(10))
        time.sleep(2)
        assert egress.records(lab, "gateway-canary") == told, "it is out of the Service"
        lab.kubectl("-n", egress.NAMESPACE, "get", "deployment/weir-egress", "wasmplugin/weir")
    assert stream.whole() and set(load.statuses) == {200}


def test_break_the_glass_of_one_policy(lab, mesh, copy, model, enforced, timed):
    before = Connection(model)
    assert before.status() == 403
    with Stream(model) as stream, Load(model) as load:
        timed("break glass: one policy to Shadow", BREAK_POLICY, lambda: passes(model))
        assert before.status() == 200
    assert stream.whole() and set(load.statuses) == {200}


def test_break_the_glass_of_a_bundle(lab, mesh, copy, model, timed):
    run(lab, copy, CANARY)
    wait_for("the canary", lambda: refuses(model), 30)
    before = Connection(model)
    assert before.status() == 403
    with Stream(model) as stream, Load(model) as load:
        timed("break glass: a bundle, for an hour", BREAK_BUNDLE, lambda: passes(model))
        assert before.status() == 200
        timed("the glass mended by hand", MEND, lambda: refuses(model))
    assert stream.whole() and set(load.statuses) == {200}


def test_broken_glass_mends_itself(lab, mesh, copy, model):
    """At the moment that the bundle names, without another command."""
    run(lab, copy, CANARY)
    wait_for("the canary", lambda: refuses(model), 30)
    until = time.time() + 10
    run(lab, copy, BREAK_BUNDLE.replace("1 hour", "10 seconds"))
    wait_for("broken glass", lambda: passes(model), 30)
    wait_for("the moment", lambda: refuses(model), 30)
    assert until - 1 < time.time() < until + 3
    # What has expired stays in the file, and is no error.
    run(lab, copy, BREAK_BUNDLE.partition("\n")[2])
    assert refuses(model)


def other_module(copy: Path, name: bytes) -> None:
    """Gives the project another module: the same with a section more, which nothing reads."""
    target = copy / "target"
    built = (target / "wasm32-wasip1/release/weir_filter.wasm").read_bytes()
    if target.is_symlink():
        real = target.resolve()
        target.unlink()
        target.mkdir()
        for entry in real.iterdir():
            if entry.name not in ("wasm32-wasip1", "image"):
                (target / entry.name).symlink_to(entry)
    own = target / "wasm32-wasip1/release/weir_filter.wasm"
    own.parent.mkdir(parents=True, exist_ok=True)
    # Section 0, its size, and its name.
    own.write_bytes(built + bytes([0, len(name) + 1, len(name)]) + name)


def git(copy: Path, *arguments: str) -> None:
    """Runs git in the project."""
    subprocess.run(["git", *arguments], cwd=copy, check=True, capture_output=True)


def modules(lab) -> str:
    """What the gateway's Envoy says of the filters that discovery gave it."""
    address = f"http://127.0.0.1:{lab.proxies['gateway'].admin}/config_dump?resource=ecds_filters"
    return subprocess.run(["curl", "-sS", address], check=True, capture_output=True, text=True).stdout


def pinned(copy: Path) -> str:
    """The digest in the project's plugin."""
    return yaml.safe_load((copy / "istio/base/wasmplugin.yaml").read_text())["spec"]["sha256"]


def test_upgrade_and_roll_back(lab, mesh, copy, model, enforced, timed):
    """Another module, then one that nobody pushed, and back to the one that worked."""
    git(copy, "init", "--quiet")
    git(copy, "config", "user.name", "platform")
    git(copy, "config", "user.email", "platform@example.com")
    git(copy, "add", "istio")
    git(copy, "commit", "--quiet", "--message", "before")
    first = pinned(copy)
    other_module(copy, b"second")
    before = Connection(model)
    with Stream(model) as stream, Load(model) as load:
        timed("upgrade of the module", UPGRADE, lambda: pinned(copy) != first and pinned(copy) in modules(lab))
        assert before.status() == 403 and refuses(model)
    assert stream.whole() and set(load.statuses) == {200}
    git(copy, "commit", "--quiet", "--all", "--message", "the second module")
    second = pinned(copy)
    other_module(copy, b"third")
    with Stream(model) as stream:
        unpushed = [line for line in UPGRADE.replace("0.2.0", "0.3.0").splitlines() if "crane" not in line]
        run(lab, copy, "\n".join(unpushed))
        wait_for("the module that nobody has", lambda: ask(model).status == 403, 30)
        assert {ask(model).status for _ in range(10)} == {403} and not refuses(model), "by the proxy, and not by Weir"
        git(copy, "commit", "--quiet", "--all", "--message", "the third module")
        timed("roll back from a module that cannot be pulled", ROLL_BACK, lambda: ask(model).status == 200)
        assert pinned(copy) == second and second in modules(lab) and refuses(model)
    assert stream.whole()
