"""The policies that the tests run, as the JSON text that the module gets."""

import json
from pathlib import Path

import yaml

HOSTS = ["api.openai.com", "api.anthropic.com"]

CODENAME = "bluebird"
"""What the user rule of `CODENAMES` finds."""

NO_SHELL = {"defaultAction": "Allow", "rules": [{"id": "no-shell", "tools": ["shell*"], "action": "Deny"}]}

SECRETS = {"name": "secrets", "action": "Mask"}
PII_PACK = {"name": "pii", "action": "Mask", "channels": ["response.text"]}
INJECTION = {"name": "injection", "action": "Reject"}


def policy(name: str, **spec) -> str:
    """A policy for both providers with these sections, as JSON."""
    traffic = [{"hosts": HOSTS, "paths": ["/v1/*"], "dialect": "Auto"}]
    document = {
        "apiVersion": "guard.weir.dev/v1alpha1",
        "kind": "Policy",
        "metadata": {"name": name},
        "spec": {"mode": "Enforce", "failureMode": "FailClosed", "traffic": traffic, **spec},
    }
    return json.dumps(document)


def from_yaml(path: Path) -> str:
    """A policy file as the module wants it: one document, as JSON."""
    return json.dumps(yaml.safe_load(path.read_text()))


def codename_rule(action: str, channels: list[str]) -> dict:
    """A user's own rule."""
    return {
        "id": "codename",
        "description": "Names of unreleased products",
        "keywords": [CODENAME],
        "regex": CODENAME,
        "maxLength": 16,
        "exposure": "Nothing",
        "channels": channels,
        "action": action,
        "examples": {"match": [f"the [[{CODENAME}]] ships"], "clean": ["a blue bird sang"]},
    }


GUARD = policy("guard", packs=[{**INJECTION, "channels": ["request.user"]}, SECRETS])
"""Refuses injected prompts, masks secrets everywhere but in tool calls, where the pack's own default holds."""


def numbered(number: int) -> str:
    """A policy like `GUARD` by another name."""
    return policy(f"policy-{number}", packs=[{**INJECTION, "channels": ["request.user"]}, SECRETS])


NEUTRAL = policy("neutral", packs=[{**INJECTION, "action": "Neutralize", "channels": ["request.toolResult"]}])
"""Takes the sting out of tool results."""

MASK_CALLS = policy("mask-calls", packs=[{**SECRETS, "channels": ["*"]}])
"""Masks secrets in every channel, tool arguments too."""

CODENAMES = policy("codenames", rules=[codename_rule("Reject", ["response.text"])])
"""Refuses an answer that names a product."""

TOOLS = policy("tools", tools=NO_SHELL)
"""No tool whose name begins with `shell`."""

SHADOW = policy("shadow", mode="Shadow", packs=[INJECTION, SECRETS])
"""Looks and records, changes nothing."""

COMPLETION = policy("completion", packs=[INJECTION], refusal={"as": "Completion"})
"""Refuses in the voice of the model."""

PII = policy("pii", packs=[PII_PACK])
"""Masks personal data in answers; its e-mail rule has to hold back the last word."""
