"""One exchange of the demo: the provider told what to say, the question asked through the SDK, everything seen kept."""

import json
from dataclasses import dataclass, field

import anthropic
import openai

from client import Answer, exchange
from gateway import Gateway
from providers import Outcome
from report import Report
from upstream import SCENARIO, Request, Script, Upstream


@dataclass
class Seen:
    """What each side saw, and the audit record. `error` is the SDK's own where the call was refused."""

    outcome: Outcome = field(default_factory=Outcome)
    error: openai.APIStatusError | anthropic.APIStatusError | None = None
    requests: list[Request] = field(default_factory=list)
    record: dict = field(default_factory=dict)

    @property
    def decision(self) -> str:
        """The decision of the audit record."""
        return self.record.get("decision", "")

    @property
    def text(self) -> str:
        """The text that the application got."""
        return "".join(self.outcome.texts)

    def held(self, what: str) -> int:
        """A number of the record's `held`: `events` that waited, `of` how many, `micros` in all."""
        return self.record.get("held", {}).get(what, 0)

    def rules(self) -> list[str]:
        """The rules of the audit record."""
        return [entry["rule"] for entry in self.record.get("rules", [])]


@dataclass
class Stage:
    """The proxy, another whose policy has no pack that holds events, the provider behind both, and the report."""

    gateway: Gateway
    unhurried: Gateway
    upstream: Upstream
    report: Report

    def ask(self, provider, script: Script, prompt: str, **more) -> Seen:
        """One call through the provider's official SDK; `more` as in `providers`."""
        scenario = self.upstream.add(script)
        seen = Seen()
        try:
            seen.outcome = provider.ask(self.gateway, scenario, prompt, **more)
        except (openai.APIStatusError, anthropic.APIStatusError) as error:
            seen.error = error
        seen.requests = self.upstream.received(scenario)
        seen.record = self.gateway.access(scenario)["weir"] or {}
        return seen

    def ask_raw(self, gateway: Gateway, provider, script: Script, prompt: str) -> tuple[Answer, Seen]:
        """One streamed call byte for byte, without an SDK."""
        scenario = self.upstream.add(script)
        body = json.dumps(provider.request(prompt, stream=True)).encode()
        headers = [(SCENARIO, scenario)]
        answer = exchange(gateway.port, provider.path, body, headers=headers, host=provider.host)
        return answer, Seen(requests=self.upstream.received(scenario), record=gateway.access(scenario)["weir"] or {})
