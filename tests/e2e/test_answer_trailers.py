"""Trailers end an answer's body without an end call: what was held for a rule is masked and sent before them."""

import pytest

import openai_wire
import sse
from policies import CODENAMES, GUARD, PII
from samples import SECRET, leaked
from upstream import Reply, sent

TRAILERS = [("x-checksum", "1")]

WORDS = "word " * (140 << 10)
"""A text of 700 KiB, past `limits.paused`."""


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_held_tail_is_masked_and_sent(gateway, upstream, wire, stream):
    """The address is the last word, so that it is still held when the text ends."""
    script = openai_wire.text("Write to", " jane", ".doe@", "example", ".com")
    scenario = upstream.add(sent(script, framing="chunked", trailers=TRAILERS))
    answer = wire.chat(gateway(PII), scenario, openai_wire.request("x", stream=stream))
    text = answer.body.decode()
    assert answer.complete and answer.trailers == TRAILERS
    assert "Write to" in text and "jane" not in text and "example" not in text
    if stream:
        assert sse.frames(answer.body)[-1] == ("", "[DONE]") and '"finish_reason":"stop"' in text
    else:
        assert text.endswith("}\n")


@pytest.mark.parametrize("configuration", [GUARD, PII], ids=["whole-body-held", "last-word-held"])
def test_clean_answer_loses_nothing(gateway, upstream, wire, stream, configuration):
    script = openai_wire.text("All is", " jane", ".do")
    scenario = upstream.add(sent(script, framing="chunked", trailers=TRAILERS))
    answer = wire.chat(gateway(configuration), scenario, openai_wire.request("x", stream=stream))
    [request] = upstream.received(scenario)
    assert answer.complete and answer.trailers == TRAILERS
    assert answer.body == b"".join(script(request).sending.pieces)


@pytest.mark.parametrize("trailers", [[], TRAILERS], ids=["end", "trailers"])
def test_stream_without_its_ending(gateway, upstream, wire, trailers):
    """A channel is flushed by its own end, not by the end of the body: what is held then is dropped, and counted."""
    envoy = gateway(PII)
    whole = openai_wire.text("All is well, ", "jane.do")

    def unfinished(request):
        return Reply.stream(list(whole(request).sending.pieces)[:3])

    scenario = upstream.add(sent(unfinished, trailers=trailers))
    answer = wire.chat(envoy, scenario, openai_wire.request("x", stream=True))
    assert answer.complete and answer.trailers == trailers
    assert b"All is well" in answer.body and b"jane" not in answer.body
    assert envoy.access(scenario)["weir"]["bytes"]["dropped"] > 0


def test_last_event_without_its_blank_line(fresh, upstream, wire):
    """It is complete only when the body is, at the trailers, where nothing can be written any more."""
    envoy = fresh(GUARD)
    whole = openai_wire.text("All is well.")

    def unterminated(request):
        *events, last = whole(request).sending.pieces
        return Reply.stream([*events, last[:-1]])

    scenario = upstream.add(sent(unterminated, trailers=TRAILERS))
    answer = wire.chat(envoy, scenario, openai_wire.request("x", stream=True))
    assert b"All is well" in answer.body and b'"finish_reason":"stop"' in answer.body
    assert envoy.running() and wire.chat(envoy, upstream.add(whole), openai_wire.request("x")).complete
    if not answer.complete:
        assert envoy.access(scenario)["weir"]["decision"] == "fail"


def test_large_document_held_whole_with_trailers(fresh, upstream, wire):
    """Past `limits.paused` a document that waits for its verdict cannot be sent any more at the trailers."""
    envoy = fresh(CODENAMES)
    scenario = upstream.add(sent(openai_wire.text(WORDS), framing="chunked", trailers=TRAILERS))
    answer = wire.chat(envoy, scenario, openai_wire.request("x"))
    assert not answer.complete and WORDS.encode() not in answer.body
    assert envoy.running() and wire.chat(envoy, upstream.add(openai_wire.text("ok")), openai_wire.request("x")).complete
    record = envoy.access(scenario)["weir"]
    assert (record["decision"], record["notInspected"]) == ("fail", ["trailers"])
    assert record["bytes"]["dropped"] > len(WORDS)


def test_large_document_that_flows_with_trailers(gateway, upstream, wire):
    scenario = upstream.add(sent(openai_wire.text(WORDS, SECRET), framing="chunked", trailers=TRAILERS))
    envoy = gateway(GUARD)
    answer = wire.chat(envoy, scenario, openai_wire.request("x"))
    assert answer.complete and answer.trailers == TRAILERS
    assert WORDS.encode() in answer.body and not leaked(answer.body.decode())
    assert envoy.access(scenario)["weir"]["decision"] == "mask"
