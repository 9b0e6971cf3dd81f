"""Markdown: its headings open sections, its fenced code is one paragraph."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assent.memory.chunks import packing
from assent.memory.chunks.chunk import HEADING, Chunk
from assent.memory.chunks.packing import blank
from assent.memory.chunks.section import Path, Section, title, under

_HEADING = re.compile(r" {0,3}(#{1,6})(?=\s|$)")
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
_FENCE = re.compile(r"[\s>]{0,40}(`{3,}|~{3,})")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)")


@dataclass(frozen=True, slots=True)
class Outline:
    """Of a text its sections, the lines that stand in fenced code, and the headings that its end stands under."""

    sections: list[Section]
    solid: set[int]
    path: Path


def chunks(text: str) -> Iterator[Chunk]:
    """The chunks of a Markdown file."""
    lines = text.split("\n")
    found = outline(lines)
    yield from packing.prose(lines, found.sections, found.solid)


def outline(lines: Sequence[str], path: Path = ()) -> Outline:
    """The outline of a text that stands under the headings of `path`."""
    sections = [Section(0, title(path))]
    solid: set[int] = set()
    fence = "---" if lines and lines[0].rstrip() == "---" and "---" in lines[1:200] else ""  # what stands before it all
    for at, line in enumerate(lines):
        if at and fence:
            solid.add(at)
            fence = "" if _closes(fence, line) else fence
        elif opened := _FENCE.match(line):
            fence = opened[1]
        elif heading := _heading(lines, at):
            path = under(path, *heading)
            sections.append(Section(at, title(path)))
    return Outline(sections, solid, path)


def _closes(fence: str, line: str) -> bool:
    bare = line.strip(" \t>")
    return len(bare) >= len(fence) and not bare.strip(fence[0])


def _heading(lines: Sequence[str], at: int) -> tuple[int, str] | None:
    """The level and text of a heading that begins there."""
    line = lines[at]
    if found := _HEADING.match(line):
        return len(found[1]), _plain(line[found.end() :].strip().rstrip("#"))
    below = _UNDERLINE.match(lines[at + 1]) if at + 1 < len(lines) and len(line) <= HEADING else None
    if below and not blank(line) and (at == 0 or blank(lines[at - 1])) and line.strip()[0] not in "-=|>*+":
        return (1 if below[1][0] == "=" else 2), _plain(line)
    return None


def _plain(heading: str) -> str:
    return _LINK.sub(r"\1", heading[: 4 * HEADING])
