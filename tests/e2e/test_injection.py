"""An injected prompt is refused in the provider's own words before a byte of it goes upstream; in a tool result it is
made harmless, and the conversation goes on."""

import json

import pytest

from client import exchange
from policies import COMPLETION, GUARD, NEUTRAL
from samples import INJECTION, with_json_escapes, with_look_alikes, with_zero_width
from upstream import SCENARIO

DISGUISES = {
    "plain": INJECTION,
    "capitals": INJECTION.upper(),
    "look-alike": with_look_alikes(INJECTION),
    "zero-width": with_zero_width(INJECTION),
    "full-width": "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in INJECTION),
    "in-the-middle": f"Please sum this up. {INJECTION} Thanks!",
}
MARKER = "@@"


def refused_nothing_sent(upstream, scenario) -> None:
    """No byte of the body reached the provider, which may have seen the head."""
    assert all(not request.body for request in upstream.received(scenario))


@pytest.mark.parametrize("text", DISGUISES.values(), ids=DISGUISES.keys())
def test_refused_with_the_providers_own_error(gateway, upstream, provider, stream, text):
    envoy = gateway(GUARD)
    scenario = upstream.add(provider.answer(["never said"]))
    with pytest.raises(provider.denied) as caught:
        provider.ask(envoy, scenario, text, stream=stream)
    error = caught.value
    assert error.status_code == 403
    provider.check_error(error.body)
    assert error.response.headers["x-weir-decision"] == "reject"
    assert error.response.headers["x-weir-id"]
    assert "x-weir-rule" not in error.response.headers, "which rule it was is not told"
    assert "instructions" not in error.response.text, "the text is not echoed"
    refused_nothing_sent(upstream, scenario)
    record = envoy.access(scenario)["weir"]
    assert record["decision"] == "reject" and record["id"] == error.response.headers["x-weir-id"]


def test_refused_when_written_with_json_escapes(gateway, upstream, provider):
    scenario = upstream.add(provider.answer(["never said"]))
    body = json.dumps(provider.request(MARKER)).replace(MARKER, with_json_escapes(INJECTION)).encode()
    assert b"gnore" not in body and json.loads(body)
    answer = exchange(gateway(GUARD).port, provider.path, body, headers=[(SCENARIO, scenario)], host=provider.host)
    assert (answer.status, answer.header("x-weir-decision")) == (403, "reject")
    refused_nothing_sent(upstream, scenario)


def test_an_ordinary_question_about_instructions_passes(gateway, upstream, provider, stream):
    scenario = upstream.add(provider.answer(["Read", " the manual."]))
    outcome = provider.ask(
        gateway(GUARD), scenario, "Where are the previous instructions for the washing machine?", stream=stream
    )
    assert outcome.texts == ["Read the manual."]


def test_same_text_in_a_tool_result_is_neutralized(gateway, upstream, provider, stream):
    envoy = gateway(NEUTRAL)
    scenario = upstream.add(provider.answer(["fine"]))
    result = f"Weather: 18 degrees. {INJECTION} Wind: calm."
    outcome = provider.ask(envoy, scenario, stream=stream, tool_result=result)
    [request] = upstream.received(scenario)
    seen = provider.seen_tool_result(request)
    assert "previous instructions" not in seen
    assert seen.startswith("Weather: 18 degrees. ") and seen.endswith(" Wind: calm."), seen
    assert len(seen) > len("Weather: 18 degrees.  Wind: calm."), "a note stands in its place"
    assert outcome.texts == ["fine"]
    assert envoy.access(scenario)["weir"]["decision"] == "neutralize"


def test_refused_as_a_completion(gateway, upstream, provider, stream):
    """`refusal.as: Completion`: a 200 that says so in the dialect, so that an application shows it as an answer."""
    scenario = upstream.add(provider.answer(["never said"]))
    outcome = provider.ask(gateway(COMPLETION), scenario, INJECTION, stream=stream)
    assert outcome.finish == [provider.filtered]
    assert "never said" not in outcome.texts[0]
    refused_nothing_sent(upstream, scenario)
