"""Makes a module that traps: the shipped one cannot be brought to it, and what a trap comes to has to be known.

A copy of a module in which the body of one exported function is the single instruction `unreachable`. Sections, sizes
and indices follow the WebAssembly core specification 2.0, chapter 5 (binary format).
"""

from collections.abc import Iterator
from pathlib import Path

HEADER = b"\0asm\1\0\0\0"
"""Magic number and version."""

IMPORTS, EXPORTS, CODE = 2, 7, 10
"""Ids of the sections that are read here."""

FUNCTION = 0
"""The kind of an import or export that is a function; the others are tables, memories, globals and tags."""

TRAPS = b"\x00\x00\x0b"
"""A function body: no local variables, `unreachable`, `end`."""


def write_trapping(module: Path, function: str, path: Path) -> Path:
    """Writes a copy of the module to `path` in which the exported function traps whenever it is called."""
    path.write_bytes(trapping(module.read_bytes(), function))
    return path


def trapping(module: bytes, function: str) -> bytes:
    """The module with another body for one exported function. Raises `KeyError` where it exports none of this name."""
    assert module.startswith(HEADER), "not a module of the version 1"
    sections = list(_sections(module))
    contents = dict(sections)
    body = _exported_functions(contents[EXPORTS])[function] - _imported_functions(contents.get(IMPORTS, b"\0"))
    changed = ((id, _with_body(content, body, TRAPS) if id == CODE else content) for id, content in sections)
    return HEADER + b"".join(bytes([id]) + _sized(content) for id, content in changed)


class _Reader:
    """Reads a section's content from its beginning."""

    def __init__(self, content: bytes, at: int = 0):
        self.content = content
        self.at = at

    def number(self) -> int:
        """An unsigned integer as LEB128: seven bits a byte, the lowest first; the top bit says that more follow."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def byte(self) -> int:
        """The next byte."""
        self.at += 1
        return self.content[self.at - 1]

    def sized(self) -> bytes:
        """A length, and as many bytes."""
        length = self.number()
        self.at += length
        return self.content[self.at - length : self.at]


def _sections(module: bytes) -> Iterator[tuple[int, bytes]]:
    reader = _Reader(module, len(HEADER))
    while reader.at < len(module):
        yield reader.byte(), reader.sized()


def _imported_functions(section: bytes) -> int:
    """How many functions are imported: they have the first indices. A proxy-wasm module imports nothing else."""
    reader = _Reader(section)
    count = reader.number()
    for _ in range(count):
        reader.sized(), reader.sized()
        assert reader.byte() == FUNCTION, "an import that is no function"
        reader.number()
    return count


def _exported_functions(section: bytes) -> dict[str, int]:
    reader = _Reader(section)
    found = {}
    for _ in range(reader.number()):
        name, kind, index = reader.sized().decode(), reader.byte(), reader.number()
        if kind == FUNCTION:
            found[name] = index
    return found


def _with_body(section: bytes, changed: int, body: bytes) -> bytes:
    reader = _Reader(section)
    bodies = [reader.sized() for _ in range(reader.number())]
    bodies[changed] = body
    return _number(len(bodies)) + b"".join(map(_sized, bodies))


def _sized(content: bytes) -> bytes:
    return _number(len(content)) + content


def _number(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])
