"""Uploads as forms are not read: on a host that the policy names they are refused, and counted as `multipart`."""

import pytest

import openai_wire
from envoy import wait_for
from http1 import Sending
from policies import GUARD, policy
from samples import INJECTION
from upstream import SCENARIO, Reply

FORM = (
    b'--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
    b'--b\r\ncontent-disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n'
    + INJECTION.encode()
    + b"\r\n--b--\r\n"
)
KIND = ("content-type", "multipart/form-data; boundary=b")
ALLOWED = policy("uploads", inspection={"unknownShape": "Allow"})
COUNTER = "weir_not_inspected_reason=.=multipart;.;_total"


def upload(wire, envoy, scenario: str, path: str, framing: str):
    """Sends the form."""
    sending = Sending([FORM], framing=framing)
    return wire.exchange(envoy.port, path, sending, headers=[(SCENARIO, scenario), KIND])


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("path", ["/v1/files", openai_wire.PATH])
def test_refused_on_a_named_host(gateway, upstream, wire, path, framing):
    envoy = gateway(GUARD)
    scenario = upstream.add(lambda _: Reply.empty(200))
    before = sum(envoy.stats(COUNTER).values())
    answer = upload(wire, envoy, scenario, path, framing)
    assert (answer.status, answer.complete, answer.header("x-weir-decision")) == (403, True, "reject")
    assert not any(request.body for request in upstream.received(scenario))
    assert envoy.access(scenario)["weir"]["notInspected"] == ["multipart"]
    wait_for("counted", lambda: sum(envoy.stats(COUNTER).values()) == before + 1)


def test_passes_where_allowed_and_is_counted(gateway, upstream, wire):
    envoy = gateway(ALLOWED)
    scenario = upstream.add(lambda _: Reply.empty(200))
    assert upload(wire, envoy, scenario, "/v1/files", "length").status == 200
    [request] = upstream.received(scenario)
    assert request.body == FORM and request.head.get("content-type") == KIND[1]
    assert envoy.access(scenario)["weir"]["notInspected"] == ["multipart"]
