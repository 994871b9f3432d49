"""Reads Server-Sent Events strictly, so that a broken frame is an error here and not a shrug."""

import json


def frames(body: bytes) -> list[tuple[str, str]]:
    """The (event, data) pairs of a body. Raises where a frame is cut or a line has no meaning."""
    text = body.decode("utf-8")
    assert text == "" or text.endswith("\n\n"), f"the stream ends inside a frame: {text[-80:]!r}"
    found = []
    for block in text.split("\n\n")[:-1]:
        event, data = "", []
        for line in block.strip("\n").split("\n"):
            name, _, value = line.partition(":")
            if name == "event":
                event = value.removeprefix(" ")
            elif name == "data":
                data.append(value.removeprefix(" "))
            else:
                assert name == "", f"a line that is no field: {line!r}"
        if data:
            found.append((event, "\n".join(data)))
    return found


def documents(body: bytes) -> list[dict]:
    """The JSON documents of a stream, without `[DONE]`."""
    return [json.loads(data) for _, data in frames(body) if data != "[DONE]"]
