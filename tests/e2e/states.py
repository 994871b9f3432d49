"""Which policy serves, told by one exchange: good and bad policies, and what an answer says about the one in force.

The provider's answer always holds a secret that every good policy here masks, so that an exchange which passed without
the filter shows; whoever looks at such an answer fails the test here and now.
"""

import json
from collections.abc import Callable

from client import Answer, exchange
from http1 import Headers, Sending
from policies import SECRETS, policy
from providers import OpenAI
from samples import INJECTION, SECRET, leaked, tokens
from upstream import SCENARIO, Upstream

BAD_ONE = policy("bad", packz=[])
BAD_TWO = policy("bad", packs=[{"name": "nobody", "action": "Mask"}])
MASK_ONLY = policy("mask-only", packs=[SECRETS])
"""Masks secrets as `GUARD` does, and lets injected prompts pass, by which the two are told apart."""

PROVIDER = OpenAI()
PATH, HOST = PROVIDER.path, PROVIDER.host

TRAILERS: Headers = [("x-client", "1")]
"""Trailers of a request; a module of `saboteur` may trap on them."""


def ask(
    port: int,
    upstream: Upstream,
    prompt: str = "hello",
    *,
    stream: bool = False,
    trailers: Headers = (),
    host: str = HOST,
    scenario: str = "",
    on_piece: Callable[[bytes], bool | None] | None = None,
) -> Answer:
    """One exchange whose answer holds a secret; `on_piece` as of `exchange`."""
    scenario = scenario or upstream.add(PROVIDER.answer(tokens(f"the key {SECRET} is here", 4)))
    body = json.dumps(PROVIDER.request(prompt, stream=stream)).encode()
    sent = Sending([body], trailers=list(trailers)) if trailers else body
    return exchange(port, PATH, sent, headers=[(SCENARIO, scenario)], host=host, on_piece=on_piece)


def state(answer: Answer) -> str:
    """What served it: `filtered` the secret is masked, `refused` by a rule, `closed` there is no policy, `bare` Envoy
    turned it away before a filter saw it, `cut` it began and did not end."""
    text = text_of(answer)
    assert not leaked(text), "passed without the filter"
    if answer.status == 200:
        return "filtered" if answer.complete and "is here" in text else "cut"
    decision = answer.header("x-weir-decision")
    words = {(403, "reject"): "refused", (503, "fail"): "closed", (503, ""): "bare"}
    assert (answer.status, decision) in words, (answer.status, decision, answer.body)
    return words[answer.status, decision]


def text_of(answer: Answer) -> str:
    """The body, with the texts of a stream's events put together; as far as they came."""
    body = answer.body.decode()
    if not answer.header("content-type").startswith("text/event-stream"):
        return body
    events = (line.removeprefix("data: ") for line in body.split("\n\n")[:-1])
    documents = (json.loads(event) for event in events if event.startswith("{"))
    choices = (choice for document in documents for choice in document["choices"])
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def refuses_injection(port: int, upstream: Upstream) -> bool:
    """Whether the policy in force is `GUARD`, which has the pack, or `MASK_ONLY`, which has not."""
    return state(ask(port, upstream, INJECTION)) == "refused"
