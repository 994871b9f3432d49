"""An answer refused in the middle ends as the provider itself would end it: nothing of the rest, no broken frame."""

import json

import openai_wire
import sse
from client import exchange
from policies import CODENAME, CODENAMES
from upstream import SCENARIO

TOKENS = ["The", " plan", " for ", CODENAME[:4], CODENAME[4:], " is", " top", " secret", "."]


def test_sdk_sees_the_providers_own_ending(gateway, upstream, provider, stream):
    envoy = gateway(CODENAMES)
    scenario = upstream.add(provider.answer(TOKENS))
    outcome = provider.ask(envoy, scenario, stream=stream)
    [text] = outcome.texts
    assert outcome.finish == [provider.filtered]
    assert CODENAME not in text and "secret" not in text
    record = envoy.access(scenario)["weir"]
    assert record["decision"] == "reject"
    assert [entry["rule"] for entry in record["rules"]] == ["codename"]


def test_what_came_before_is_kept_and_the_frames_are_whole(gateway, upstream, provider):
    scenario = upstream.add(provider.answer(TOKENS))
    body = json.dumps(provider.request(stream=True)).encode()
    answer = exchange(gateway(CODENAMES).port, provider.path, body, headers=[(SCENARIO, scenario)], host=provider.host)
    assert answer.complete and answer.status == 200
    names = [event for event, _ in sse.frames(answer.body)]
    dumped = json.dumps(sse.documents(answer.body))
    assert "plan" in dumped and " top" not in dumped
    if provider.name == "anthropic":
        assert names[-3:] == ["content_block_stop", "message_delta", "message_stop"]
        assert names.count("message_stop") == names.count("message_delta") == 1
    else:
        assert sse.frames(answer.body)[-1] == ("", "[DONE]")
        assert answer.body.count(b"[DONE]") == 1


def test_one_bad_choice_of_two(gateway, upstream):
    """A refusal refuses the exchange: no choice goes on, each open one is closed once."""
    choices = [openai_wire.Choice(text=["A "] * 12), openai_wire.Choice(text=TOKENS)]
    scenario = upstream.add(openai_wire.Chat(choices))
    body = json.dumps({"model": "m", "n": 2, "messages": [{"role": "user", "content": "x"}], "stream": True}).encode()
    answer = exchange(gateway(CODENAMES).port, "/v1/chat/completions", body, headers=[(SCENARIO, scenario)])
    entries = [entry for document in sse.documents(answer.body) for entry in document["choices"]]
    finished = [entry["index"] for entry in entries if entry.get("finish_reason") == "content_filter"]
    assert 1 in finished and len(finished) == len(set(finished))
    assert CODENAME not in json.dumps(entries) and "secret" not in json.dumps(entries)
    assert answer.complete and answer.body.endswith(b"data: [DONE]\n\n")
