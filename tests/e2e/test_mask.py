"""A secret in an answer never reaches the client beyond anchor and mask, however it is cut, wherever it stands."""

import json

import pytest

import anthropic_wire
import openai_wire
import sse
from client import exchange
from policies import GUARD, MASK_CALLS, PII
from providers import OpenAI
from samples import SECRET, leaked, tokens
from upstream import SCENARIO, sent

BEFORE, AFTER = "Use the token ", " with care, and tell nobody."
MAIL = "jane.doe@bank.example"


def decoded(body: bytes) -> str:
    """Everything a reader could get out of the bytes: the raw text and each JSON string put together by kind."""
    text = body.decode()
    return text + json.dumps(sse.documents(body), ensure_ascii=False) if text.startswith(("data", "event")) else text


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 100])
def test_secret_over_events(gateway, upstream, provider, stream, size):
    envoy = gateway(GUARD)
    scenario = upstream.add(provider.answer(tokens(BEFORE + SECRET + AFTER, size)))
    outcome = provider.ask(envoy, scenario, stream=stream)
    [text] = outcome.texts
    assert not leaked(text)
    assert text.startswith(BEFORE) and text.endswith(AFTER), text
    assert text != BEFORE + AFTER, "the mask leaves a mark"
    assert outcome.finish == [provider.stopped]
    record = envoy.access(scenario)["weir"]
    assert record["decision"] == "mask"
    assert any(entry["rule"].startswith("secrets") and entry["action"].lower() == "mask" for entry in record["rules"])


@pytest.mark.parametrize("size", [1, 3, 7])
def test_secret_in_tool_arguments(gateway, upstream, provider, stream, size):
    arguments = json.dumps({"header": f"token {SECRET}", "note": 'say "hi"\n'})
    scenario = upstream.add(provider.answer((), [("send", tokens(arguments, size)), ("get_time", ["{}"])]))
    outcome = provider.ask(gateway(MASK_CALLS), scenario, stream=stream)
    [(name, masked), sibling] = outcome.calls
    assert (name, sibling) == ("send", ("get_time", {}))
    assert not leaked(json.dumps(masked))
    assert masked["header"].startswith("token ") and masked["note"] == 'say "hi"\n'
    assert outcome.finish == [provider.called]


def test_secret_in_the_second_choice(gateway, upstream, stream):
    choices = [
        openai_wire.Choice(text=tokens("x" * 60, 3)),
        openai_wire.Choice(text=tokens(BEFORE + SECRET + AFTER, 3)),
    ]
    scenario = upstream.add(openai_wire.Chat(choices))
    outcome = OpenAI().ask(gateway(GUARD), scenario, stream=stream)
    assert outcome.texts[0] == "x" * 60
    assert not leaked(outcome.texts[1]) and outcome.texts[1].endswith(AFTER)
    assert outcome.finish == ["stop", "stop"]


@pytest.mark.parametrize(
    "choice",
    [
        openai_wire.Choice(reasoning=tokens(BEFORE + SECRET + AFTER, 4), text=["done"]),
        openai_wire.Choice(refusal=tokens(BEFORE + SECRET + AFTER, 4)),
        openai_wire.Choice(text=tokens(BEFORE + SECRET + AFTER, 4), logprobs=True),
    ],
    ids=["reasoning", "refusal", "logprobs"],
)
def test_secret_in_every_channel_of_a_chat(gateway, upstream, stream, choice):
    scenario = upstream.add(openai_wire.Chat([choice]))
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": stream}).encode()
    answer = exchange(gateway(GUARD).port, "/v1/chat/completions", body, headers=[(SCENARIO, scenario)])
    assert answer.complete and answer.status == 200
    documents = sse.documents(answer.body) if stream else [json.loads(answer.body)]
    seen = {"content": "", "refusal": "", "reasoning_content": "", "logprobs": ""}
    for document in documents:
        for entry in document["choices"]:
            part = entry.get("delta") or entry.get("message") or {}
            for field in ("content", "refusal", "reasoning_content"):
                seen[field] += part.get(field) or ""
            for token in (entry.get("logprobs") or {}).get("content") or []:
                seen["logprobs"] += token["token"] + bytes(token["bytes"]).decode()
    assert seen["content"] or seen["refusal"], "something of the answer is left"
    for field, text in seen.items():
        assert not leaked(text), field


def test_thinking_is_never_half_edited(gateway, upstream, stream):
    """A signature covers the block: it is dropped or refused, never edited under its signature."""
    block = anthropic_wire.Thinking(tokens(BEFORE + SECRET + AFTER, 4))
    scenario = upstream.add(anthropic_wire.Message([block, anthropic_wire.Text(["done"])]))
    body = json.dumps({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}], "stream": stream})
    host = "api.anthropic.com"
    answer = exchange(gateway(GUARD).port, "/v1/messages", body.encode(), headers=[(SCENARIO, scenario)], host=host)
    assert answer.complete
    documents = sse.documents(answer.body) if stream else [json.loads(answer.body)]
    thinking = "".join(document.get("delta", {}).get("thinking", "") for document in documents)
    thinking += "".join(part.get("thinking", "") for document in documents for part in document.get("content", []))
    assert not leaked(thinking)
    if thinking != BEFORE + SECRET + AFTER:
        signatures = [document["delta"].get("signature") for document in documents if "delta" in document]
        assert block.signature not in signatures, "an edited block keeps the signature of the original"


@pytest.mark.parametrize("cut", [1, 3, 11])
def test_secret_cut_over_tcp(gateway, upstream, provider, cut):
    """Raw bytes in segments of any size, the token one event, or its letters as JSON escapes."""
    script = provider.answer([BEFORE, SECRET, AFTER])
    scenario = upstream.add(sent(script, cut=cut, pause=0.0003))
    body = json.dumps(provider.request(stream=True)).encode()
    answer = exchange(gateway(GUARD).port, provider.path, body, headers=[(SCENARIO, scenario)], host=provider.host)
    assert answer.complete and not leaked(decoded(answer.body))
    assert sse.frames(answer.body)


def test_secret_written_with_json_escapes(gateway, upstream, provider, stream):
    plain = provider.answer([BEFORE + "@@" + AFTER])
    escaped = "".join(f"\\u{ord(character):04x}" for character in SECRET).encode()

    def script(request):
        reply = plain(request)
        pieces = [piece.replace(b"@@", escaped) for piece in reply.sending.pieces]
        return sent(lambda _: reply, pieces=pieces)(request)

    scenario = upstream.add(script)
    outcome = provider.ask(gateway(GUARD), scenario, stream=stream)
    [text] = outcome.texts
    assert not leaked(text) and text.startswith(BEFORE) and text.endswith(AFTER)


def test_secret_in_a_prompt_does_not_go_upstream(gateway, upstream, provider):
    scenario = upstream.add(provider.answer(["ok"]))
    outcome = provider.ask(gateway(GUARD), scenario, BEFORE + SECRET + AFTER)
    [request] = upstream.received(scenario)
    text = json.dumps(request.json(), ensure_ascii=False)
    assert request.complete and outcome.texts == ["ok"]
    assert not leaked(text) and BEFORE in text and AFTER in text


@pytest.mark.parametrize("size", [1, 4, 9])
def test_mail_address_of_which_nothing_may_leave(gateway, upstream, provider, stream, size):
    scenario = upstream.add(provider.answer(tokens(f"Write to {MAIL} today.", size)))
    outcome = provider.ask(gateway(PII), scenario, stream=stream)
    [text] = outcome.texts
    assert "jane" not in text and "bank.example" not in text
    assert text.startswith("Write to ") and text.endswith(" today.")
