"""Recorded traffic of real providers through a real Envoy: clean, so every byte comes out as it went in."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from client import exchange
from http1 import Sending
from policies import policy
from upstream import SCENARIO, Reply, sent

RECORDINGS = Path(__file__).resolve().parents[1] / "recordings"

KINDS = {"sse": "text/event-stream; charset=utf-8", "json": "application/json"}
"""Content type by the manifest's `format`."""


@dataclass(frozen=True)
class Recording:
    """One recorded exchange."""

    name: str
    host: str
    path: str
    status: int
    kind: str

    def part(self, suffix: str) -> bytes:
        """The raw body of the request or the response."""
        return (RECORDINGS / f"{self.name}.{suffix}").read_bytes()


def recordings() -> list[Recording]:
    """All exchanges of the manifest."""
    rows = [json.loads(line) for line in (RECORDINGS / "manifest.jsonl").read_text().splitlines()]
    return [Recording(row["id"], row["host"], row["path"], row["status"], KINDS[row["format"]]) for row in rows]


def guard(hosts: list[str]) -> str:
    """Secrets alone, for these hosts: personal data and remote references do occur in what people recorded."""
    traffic = [{"hosts": hosts, "paths": ["/*"], "dialect": "Auto"}]
    loose = {"serverSideState": "Audit", "remoteReferences": "Audit", "media": "Audit"}
    return policy("recordings", traffic=traffic, inspection=loose, packs=[{"name": "secrets", "action": "Mask"}])


@pytest.mark.parametrize("recording", recordings(), ids=lambda recording: recording.name)
def test_recorded_exchange_is_untouched(gateway, upstream, recording):
    envoy = gateway(guard(sorted({each.host.partition(":")[0] for each in recordings()})))
    asked, said = recording.part("req"), recording.part("resp")
    reply = Reply(Sending([said]), recording.status, [("content-type", recording.kind)])
    scenario = upstream.add(sent(lambda _: reply, cut=97, pause=0.0005))
    body = Sending([asked], framing="length", cut=1000)
    answer = exchange(envoy.port, recording.path, body, headers=[(SCENARIO, scenario)], host=recording.host)
    [request] = upstream.received(scenario)
    assert request.body == asked
    assert answer.complete and (answer.status, answer.body) == (recording.status, said)
    assert envoy.access(scenario)["weir"]["decision"] in ("pass", "audit")
