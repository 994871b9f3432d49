"""A policy's and a module's changes in a running mesh: what traffic sees of them."""

import json
import threading
import time

import egress
import pytest
from client import exchange
from egress import ask, back_to_shadow
from envoy import wait_for
from manifests import as_list, plugin_of
from providers import OpenAI
from samples import INJECTION, tokens
from upstream import SCENARIO, sent

STREAM = 60
"""Seconds of the stream that a change must not cut."""


class Load:
    """Constant requests of the application while a test changes something; `statuses` counts how they ended."""

    def __init__(self, provider):
        self.statuses: dict[int, int] = {}
        self._provider = provider
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(2)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            status = ask(self._provider).status
            self.statuses[status] = self.statuses.get(status, 0) + 1


def plugin(documents: list[dict], **changes) -> list[dict]:
    """The plugin alone, changed: `policy` are fields of the policy's spec, others of the plugin's."""
    found = plugin_of(documents)
    found["spec"]["pluginConfig"]["spec"] |= changes.pop("policy", {})
    found["spec"] |= changes
    return [found]


def refuses(provider) -> bool:
    """Whether the policy in force refuses injected prompts."""
    return ask(provider, INJECTION).status == 403


@pytest.fixture
def enforced(mesh, lab, provider):
    """The gateway in Enforce; afterwards in Shadow again."""
    lab.apply(as_list(mesh("egress-enforce")))
    wait_for("Enforce", lambda: refuses(provider), 30)
    yield mesh("egress-enforce")
    back_to_shadow(lab, mesh, provider)


def test_a_change_of_policy_fails_no_request(mesh, lab, provider, record_property):
    with Load(provider) as load:
        for overlay, wanted in [("egress-enforce", True), ("egress", False)] * 2:
            documents = plugin(mesh(overlay))
            began = time.monotonic()
            lab.apply(as_list(documents))
            wait_for("the change", lambda: refuses(provider) == wanted, 30)
            took = time.monotonic() - began
            record_property("seconds", took)
            time.sleep(0.5)
    assert set(load.statuses) == {200} and load.statuses[200] > 100, load.statuses


def test_a_stream_survives_a_change(mesh, lab, provider):
    """It goes on under the policy that it began with, long after the time that a changed listener would drain."""
    llm = OpenAI()
    scenario = provider.add(sent(llm.answer(tokens("word " * 60, 5)), pause=STREAM / 60))
    body = json.dumps(llm.request(stream=True)).encode()
    answers = []

    def run() -> None:
        headers = [(SCENARIO, scenario)]
        answers.append(
            exchange(80, llm.path, body, headers=headers, host=llm.host, address=egress.APPLICATION, timeout=2 * STREAM)
        )

    stream = threading.Thread(target=run)
    stream.start()
    time.sleep(3)
    lab.apply(as_list(plugin(mesh("egress-enforce"))))
    wait_for("Enforce", lambda: refuses(provider), 30)
    lab.apply(as_list(plugin(mesh("egress"))))
    wait_for("Shadow", lambda: not refuses(provider), 30)
    stream.join()
    [answer] = answers
    assert answer.complete and answer.body.endswith(b"data: [DONE]\n\n")
    assert answer.pieces[-1][0] > STREAM * 0.9


def test_a_broken_policy_leaves_the_old_one(enforced, lab, provider):
    with Load(provider) as load:
        lab.apply(as_list(plugin(enforced, policy={"packs": [{"name": "nobody", "action": "Mask"}]})))
        wait_for("istiod to hear of it", lambda: "ACK ERROR" in lab.log("istiod"), 30)
        time.sleep(1)
        assert refuses(provider), "the old policy goes on"
    assert set(load.statuses) == {200}


@pytest.mark.parametrize("strategy", ["FAIL_CLOSE", "FAIL_RELOAD"])
def test_a_module_that_cannot_be_pulled_lets_nothing_pass(enforced, lab, provider, strategy):
    changed = plugin(enforced, url=enforced_url(enforced) + "-missing", failStrategy=strategy, sha256="0" * 63 + "a")
    lab.apply(as_list(changed))
    wait_for("the missing module", lambda: ask(provider).status in (403, 500, 503), 30)
    assert {ask(provider).status for _ in range(10)} <= {403, 500, 503}
    lab.apply(as_list(plugin(enforced)))
    wait_for("the module", lambda: ask(provider).status == 200, 30)


def enforced_url(documents: list[dict]) -> str:
    """Where the plugin's module lies."""
    return plugin(documents)[0]["spec"]["url"]
