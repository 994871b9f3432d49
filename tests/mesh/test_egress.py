"""The egress gateway: Shadow changes nothing and tells everything; Enforce refuses and masks; nobody sees the key."""

import json

import egress
import pytest
from client import Answer, exchange
from conftest import as_list
from envoy import wait_for
from providers import PROVIDERS, OpenAI
from samples import INJECTION, SECRET, leaked, tokens
from states import text_of
from upstream import SCENARIO


@pytest.fixture(scope="module")
def mesh(lab, image, provider, authority, tmp_path_factory):
    """The gateway in Shadow; gives the resources of any overlay."""
    folder = egress.write_credentials(tmp_path_factory.mktemp("keys") / "credentials")

    def of(overlay: str) -> list[dict]:
        return egress.documents(overlay, image, provider, authority, folder)

    egress.up(lab, of("egress"))
    wait_for("the first answer", lambda: ask(provider).status == 200, 60)
    return of


def says(llm):
    """What the provider answers: a secret, token by token."""
    return llm.answer(tokens(f"the key {SECRET} is here", 4))


def ask(provider, prompt: str = "hello", llm=None, stream: bool = False, headers=()) -> Answer:
    """One exchange of the application: the provider's answer holds a secret."""
    llm = llm or OpenAI()
    scenario = provider.add(says(llm))
    body = json.dumps(llm.request(prompt, stream=stream)).encode()
    sent = [(SCENARIO, scenario), *headers]
    answer = exchange(80, llm.path, body, headers=sent, host=llm.host, address=egress.APPLICATION)
    answer.scenario = scenario
    return answer


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
    expected = {"authorization": f"Bearer {egress.CREDENTIALS['openai']}"}
    if llm.name == "anthropic":
        expected = {"x-api-key": egress.CREDENTIALS["anthropic"]}
    assert keys == expected


def enforces(provider) -> None:
    """Refuses an injected prompt, masks the secret in an answer, and leaves the rest alone."""
    wait_for("Enforce", lambda: ask(provider, INJECTION).status == 403, 30)
    for stream in (False, True):
        answer = ask(provider, stream=stream)
        assert answer.status == 200 and not leaked(text_of(answer)) and "is here" in text_of(answer)


def test_enforce_and_back(mesh, lab, provider):
    lab.apply(as_list(mesh("egress-enforce")))
    enforces(provider)
    lab.apply(as_list(mesh("egress")))
    wait_for("Shadow", lambda: ask(provider, INJECTION).status == 200, 30)


def test_as_a_traffic_extension(mesh, lab, provider):
    """One takes the other's place: with both, each would read everything."""
    lab.apply(as_list(mesh("egress-traffic-extension")))
    lab.kubectl("-n", egress.NAMESPACE, "delete", "wasmplugin", "weir")
    enforces(provider)
    lab.apply(as_list(mesh("egress")))
    lab.kubectl("-n", egress.NAMESPACE, "delete", "trafficextension", "weir")
    wait_for("Shadow", lambda: ask(provider, INJECTION).status == 200, 30)
