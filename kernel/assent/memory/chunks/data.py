"""JSON, YAML, XML, TOML and the like, as the text that they are: by their keys, and by the names of their tables."""

import re
from collections.abc import Iterator

from assent.memory.chunks import code, packing
from assent.memory.chunks.chunk import SIZE, Chunk
from assent.memory.chunks.section import Section

_KEY = re.compile(r"""(?:"([^"]{1,80})"|'([^']{1,80})'|([\w./-][\w ./-]{0,80}?))\s*:(?:\s|$)""")
_TABLE = re.compile(r"\s*\[{1,2}([^\[\]]{1,80})\]{1,2}\s*(?:[#;].*)?$")


def nested(text: str) -> Iterator[Chunk]:
    """The chunks of what is nested: what a key holds is a section of its own if it is long enough."""
    lines = text.split("\n")
    yield from packing.code(lines, code.sections(lines, _key, SIZE // 2))


def tables(text: str) -> Iterator[Chunk]:
    """The chunks of what stands under names in brackets."""
    lines = text.split("\n")
    found = [(at, _TABLE.match(line)) for at, line in enumerate(lines)]
    yield from packing.prose(lines, [Section(at, name[1].strip()) for at, name in found if name])


def _key(line: str) -> str:
    found = _KEY.match(line)
    return next((name for name in found.groups() if name), "") if found else ""
