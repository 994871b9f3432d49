"""A denied tool is not offered to the model, and a denied call does not reach the application; its siblings do."""

import json

import pytest

from client import exchange
from policies import TOOLS
from providers import OpenAI
from upstream import SCENARIO

WEATHER = ("get_weather", ['{"ci', 'ty":"Bos', 'ton"}'])
SHELL = ("shell_exec", ['{"cmd":"rm', ' -rf /"}'])
TIME = ("get_time", ["{}"])
ALLOWED = [("get_weather", {"city": "Boston"}), ("get_time", {})]


@pytest.mark.parametrize(
    "calls",
    [[WEATHER, SHELL, TIME], [SHELL, WEATHER, TIME], [WEATHER, TIME, SHELL]],
    ids=["between", "first", "last"],
)
def test_denied_call_among_siblings(gateway, upstream, provider, stream, calls):
    envoy = gateway(TOOLS)
    scenario = upstream.add(provider.answer(["Let me look."], calls))
    outcome = provider.ask(envoy, scenario, stream=stream)
    assert outcome.calls == ALLOWED
    assert outcome.texts[0].startswith("Let me look.")
    assert outcome.finish == [provider.called]
    record = envoy.access(scenario)["weir"]
    assert any(entry["rule"] == "no-shell" for entry in record["rules"]), record


def test_the_finish_reason_follows_when_no_call_is_left(gateway, upstream, provider, stream):
    scenario = upstream.add(provider.answer((), [SHELL]))
    outcome = provider.ask(gateway(TOOLS), scenario, stream=stream)
    assert outcome.calls == []
    assert outcome.finish[0] not in (provider.called, None)


def test_nothing_of_a_denied_call_is_on_the_wire(gateway, upstream, provider, stream):
    scenario = upstream.add(provider.answer((), [SHELL, WEATHER]))
    body = json.dumps(provider.request(stream=stream)).encode()
    answer = exchange(gateway(TOOLS).port, provider.path, body, headers=[(SCENARIO, scenario)], host=provider.host)
    assert answer.complete and answer.status == 200
    assert b"rm" not in answer.body.replace(b"permi", b"") and b"get_weather" in answer.body


def test_openai_helper_accumulates_what_is_left(gateway, upstream):
    """The SDK's own accumulator indexes calls by position: it must get through a list with a call taken out."""
    provider = OpenAI()
    scenario = upstream.add(provider.answer((), [WEATHER, SHELL, TIME]))
    client = provider.client(gateway(TOOLS), scenario)
    request = provider.request()
    del request["stream"]
    with client.chat.completions.stream(**request) as stream:
        [choice] = stream.get_final_completion().choices
    assert [call.function.name for call in choice.message.tool_calls] == ["get_weather", "get_time"]


def test_denied_definition_is_not_offered(gateway, upstream, provider, stream):
    scenario = upstream.add(provider.answer(["ok"]))
    outcome = provider.ask(
        gateway(TOOLS), scenario, stream=stream, tools=["get_weather", "shell_exec", "shell", "get_time"]
    )
    [request] = upstream.received(scenario)
    assert provider.seen_tools(request) == ["get_weather", "get_time"]
    assert outcome.texts == ["ok"]


def test_no_definition_left(gateway, upstream, provider):
    """The providers refuse an empty list, so none is sent."""
    scenario = upstream.add(provider.answer(["ok"]))
    provider.ask(gateway(TOOLS), scenario, tools=["shell_exec"])
    [request] = upstream.received(scenario)
    assert request.json().get("tools", None) is None
