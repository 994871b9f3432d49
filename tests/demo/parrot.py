"""What the fake provider of `./just up` says to whoever asks: it repeats the question, to show what passed."""

from providers import PROVIDERS
from samples import SECRET, tokens
from upstream import Reply, Request

TOKEN = 4
"""Characters in one event."""


def parrot(request: Request) -> Reply:
    """An answer in the dialect of the path. A question with `secret` or `tools` in it gets one to show these."""
    if request.method == "GET":
        return Reply.json(b'{"object":"list","data":[{"id":"parrot","object":"model","owned_by":"weir"}]}')
    provider = next((one for one in PROVIDERS if one.path == request.path.split("?")[0]), PROVIDERS[0])
    said = last_words(request.json())
    if "secret" in said:
        return provider.answer(tokens(f"Between us: {SECRET}, and tell nobody.", TOKEN))(request)
    if "tools" in said:
        called = [("shell_exec", ['{"command":', '"ls"}']), ("get_time", ["{}"])]
        return provider.answer(["Calling."], called)(request)
    return provider.answer(tokens(f"You said: {said}", TOKEN))(request)


def last_words(body: dict) -> str:
    """The text of the last message, whatever its form."""
    messages = body.get("messages") or [{}]
    content = messages[-1].get("content") or ""
    if isinstance(content, str):
        return content
    return " ".join(str(part.get("text") or part.get("content") or "") for part in content)
