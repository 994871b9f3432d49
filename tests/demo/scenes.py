"""The story, scene by scene. Each shows what client and provider saw and the audit record, then asserts."""

import json

from providers import PROVIDERS
from samples import INJECTION, SECRET, leaked, tokens
from sse import frames
from stage import Seen, Stage
from upstream import sent

OPENAI, ANTHROPIC = PROVIDERS

CLEAN = ["The", " capital", " of", " Mexico", " is", " Mexico", " City", ",", " home", " of", " nine", " million", "."]
PACE = 0.01
"""Seconds between two events of the clean stream: sent at once, no event could be seen to wait for another."""

BEFORE, AFTER = "Use the token ", " and tell nobody."
SHELL = ("shell_exec", ['{"command":', ' "rm -rf', ' /data"}'])
WEATHER = ("get_weather", ['{"city": "Bos', 'ton"}'])


def clean_stream(stage: Stage) -> None:
    """Scene 1."""
    report = stage.report
    report.scene("A clean stream passes untouched", "A question, and an answer of which no rule finds anything.")
    script = sent(OPENAI.answer(CLEAN), pause=PACE)
    question = "What is the capital of Mexico?"
    answer, seen = stage.ask_raw(stage.gateway, OPENAI, script, question)
    whole = b"".join(script(seen.requests[0]).sending.pieces) if seen.requests else b""
    events = len(frames(answer.body))
    report.show("client saw", f"{events} events, {len(answer.body)} bytes: {''.join(CLEAN)}")
    report.show("provider saw", prompt_seen(seen))
    report.record(seen.record)
    same = whole != b"" and answer.body == whole
    report.check(f"every byte came out as the provider sent it ({len(whole)} bytes)", same)
    report.check("the stream ended well", answer.complete and frames(answer.body)[-1][1] == "[DONE]")
    report.check("the decision is pass", seen.decision == "pass", seen.decision)
    _, without = stage.ask_raw(stage.unhurried, OPENAI, script, question)
    report.show("held", f"{held(seen)}; without the pii pack: {held(without)}")
    report.check(
        "only rules of which nothing may leave early held an event",
        without.decision == "pass" and not without.held("events"),
    )


def injected_prompt(stage: Stage) -> None:
    """Scene 2."""
    report = stage.report
    report.scene("An injected prompt is refused", "The same user now tries to talk the model out of its instructions.")
    seen = stage.ask(OPENAI, OPENAI.answer(["never said"]), INJECTION, stream=True)
    error = seen.error
    if error is not None:
        report.show("client saw", f"{type(error).__name__}, status {error.status_code}: {json.dumps(error.body)}")
    report.show("provider saw", "no byte of the question" if not body_seen(seen) else body_seen(seen).decode())
    report.record(seen.record)
    report.check(
        "the SDK raised its own PermissionDeniedError", isinstance(error, OPENAI.denied), error or seen.outcome
    )
    decision = error.response.headers.get("x-weir-decision") if error is not None else None
    report.check("the answer says who refused: x-weir-decision: reject", decision == "reject", decision)
    report.check("no byte of the question went upstream", not body_seen(seen))
    same = error is not None and error.response.headers.get("x-weir-id") == seen.record.get("id")
    report.check("x-weir-id leads to the audit record", same)
    report.check(
        "the refusal does not repeat the text", error is not None and "instructions" not in error.response.text
    )


def tool_result(stage: Stage) -> None:
    """Scene 3."""
    report = stage.report
    story = (
        "The same text again, this time in what a tool brought back: the user did nothing wrong, so the chat goes on."
    )
    report.scene("In a tool result the same text is neutralized", story)
    result = f"Weather in Boston: 18 degrees. {INJECTION} Wind: calm."
    answer = ANTHROPIC.answer(["It is 18", " degrees and calm."])
    seen = stage.ask(ANTHROPIC, answer, "How is the weather?", stream=True, tool_result=result)
    at_provider = ANTHROPIC.seen_tool_result(seen.requests[0]) if seen.requests else ""
    report.show("tool said", result)
    report.show("provider saw", at_provider)
    report.show("client saw", seen.text)
    report.record(seen.record)
    gone = at_provider and "previous instructions" not in at_provider
    report.check("the provider saw a note instead of the text", bool(gone), at_provider)
    kept = at_provider.startswith("Weather in Boston: 18 degrees. ") and at_provider.endswith(" Wind: calm.")
    report.check("the rest of the result is as it was", kept, at_provider)
    report.check("the client got the answer", seen.text == "It is 18 degrees and calm.", seen.error or seen.text)
    report.check("the decision is neutralize", seen.decision == "neutralize", seen.decision)


def split_secret(stage: Stage) -> None:
    """Scene 4."""
    report = stage.report
    pieces = tokens(BEFORE + SECRET + AFTER, 5)
    story = f"The model gives a credential away in {len(pieces)} events: no event holds enough of it to know it by."
    report.scene("A secret split over stream events is masked", story)
    seen = stage.ask(OPENAI, OPENAI.answer(pieces), "How do I log in?", stream=True)
    report.show("provider sent", "|".join(pieces))
    report.show("client saw", seen.text)
    report.show("provider saw", prompt_seen(seen))
    report.record(seen.record)
    report.check(
        "nothing of the secret beyond its public prefix reached the client", bool(seen.text) and not leaked(seen.text)
    )
    around = seen.text.startswith(BEFORE) and seen.text.endswith(AFTER)
    report.check("the text around it is as it was", around, seen.error or seen.text)
    report.check("the stream ended as always", seen.outcome.finish == [OPENAI.stopped], seen.outcome.finish)
    named = seen.decision == "mask" and any(rule.startswith("secrets-") for rule in seen.rules())
    report.check("the record names the rule, and not what it found", named and not leaked(json.dumps(seen.record)))


def secret_in_arguments(stage: Stage) -> None:
    """Scene 5."""
    report = stage.report
    arguments = json.dumps({"url": "https://example.com", "header": f"token {SECRET}", "note": 'say "hi"'})
    story = (
        "The model puts the credential into a tool call: a JSON text inside a JSON string, cut every four characters."
    )
    report.scene("Inside tool arguments it is masked too", story)
    seen = stage.ask(
        ANTHROPIC, ANTHROPIC.answer(["On it."], [("fetch", tokens(arguments, 4))]), "Fetch it.", stream=True
    )
    called = dict(seen.outcome.calls).get("fetch", {})
    report.show("provider sent", f"fetch({arguments})")
    report.show("client saw", "; ".join(f"{name}({json.dumps(given)})" for name, given in seen.outcome.calls))
    report.show("provider saw", prompt_seen(seen))
    report.record(seen.record)
    header = called.get("header", "")
    report.check("the SDK parsed the call", bool(called), seen.error or seen.outcome)
    report.check("the argument is masked", header.startswith("token ") and not leaked(header), header)
    same = called.get("url") == "https://example.com" and called.get("note") == 'say "hi"'
    report.check("its siblings are as they were", same, called)
    report.check("the decision is mask", seen.decision == "mask", seen.decision)


def denied_tool(stage: Stage) -> None:
    """Scene 6."""
    report = stage.report
    story = "The application offers the model two tools; the policy forbids one. The model calls both all the same."
    report.scene("A denied tool is neither offered nor called", story)
    answer = OPENAI.answer((), [SHELL, WEATHER])
    seen = stage.ask(OPENAI, answer, "Clean up.", stream=True, tools=["get_weather", "shell_exec"])
    offered = OPENAI.seen_tools(seen.requests[0]) if seen.requests else []
    names = [name for name, _ in seen.outcome.calls]
    report.show("provider saw", f"tools: {', '.join(offered)}")
    report.show("provider sent", "; ".join(f"{name}({''.join(parts)})" for name, parts in (SHELL, WEATHER)))
    report.show(
        "client saw", "; ".join(f"{name}({json.dumps(given)})" for name, given in seen.outcome.calls) + f" {seen.text}"
    )
    report.record(seen.record)
    report.check("the provider was offered the allowed tool only", offered == ["get_weather"], offered)
    report.check("the denied call did not reach the client", names and "shell_exec" not in names, seen.error or names)
    report.check(
        "its sibling did, whole", seen.outcome.calls == [("get_weather", {"city": "Boston"})], seen.outcome.calls
    )
    report.check("the record names the rule", "no-shell" in seen.rules(), seen.rules())


SCENES = [clean_stream, injected_prompt, tool_result, split_secret, secret_in_arguments, denied_tool]


def held(seen: Seen) -> str:
    """How many events waited, and how long."""
    count, waited = seen.held("events"), seen.held("micros") / 1000
    return f"{count} of {seen.held('of')} events" + (f", {waited / count:.1f} ms each" if count else "")


def body_seen(seen: Seen) -> bytes:
    """Every byte of a request body that reached the provider."""
    return b"".join(request.body for request in seen.requests)


def prompt_seen(seen: Seen) -> str:
    """The last message that reached the provider."""
    messages = seen.requests[-1].json().get("messages", []) if seen.requests else []
    return json.dumps(messages[-1], ensure_ascii=False) if messages else "nothing"
