"""The lines of a text as chunks: what belongs together stays together, what is tiny is joined, what is too long is cut.

Of the text nothing is left out but blank lines, and nothing stands in two chunks.
"""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from assent.memory.chunks import seams
from assent.memory.chunks.chunk import LONGEST, SHORTEST, SIZE, Chunk, Unit
from assent.memory.chunks.section import Section, spans

_INDENTED = 200  # signs that are taken for indentation

Range = tuple[int, int]  # a first line and the one after the last, from 0


def prose(lines: Sequence[str], sections: Sequence[Section] = (), solid: Container[int] = ()) -> Iterator[Chunk]:
    """Chunks of whole paragraphs. Blank lines that are `solid` do not end one."""
    for begin, end, title in spans(sections, len(lines)):
        for group in _joined(lines, _paragraphs(lines, begin, end, solid)):
            yield from _chunks(lines, group, title, seams.prose)


def code(lines: Sequence[str], sections: Sequence[Section] = ()) -> Iterator[Chunk]:
    """Chunks of whole sections, as far as they are not too long."""
    for begin, end, title in spans(sections, len(lines)):
        yield from _chunks(lines, (begin, end), title, seams.code)


def placed(found: Iterable[Chunk], unit: Unit, number: int) -> Iterator[Chunk]:
    """The chunks of one page or cell, by its number instead of their lines."""
    chunks = list(found)
    for part, one in enumerate(chunks, 1):
        yield replace(one, unit=unit, first=number, last=number, part=part if len(chunks) > 1 else 0)


def blank(line: str) -> bool:
    """Whether nothing stands in the line."""
    return not line or line.isspace()


def _paragraphs(lines: Sequence[str], begin: int, end: int, solid: Container[int]) -> Iterator[Range]:
    for empty, at in groupby(range(begin, end), lambda line: blank(lines[line]) and line not in solid):
        if not empty:
            numbers = list(at)
            yield numbers[0], numbers[-1] + 1


def _joined(lines: Sequence[str], paragraphs: Iterator[Range]) -> Iterator[Range]:
    """Neighbours that are one chunk; one that is too long takes along a tiny one before it, such as its heading."""
    group, held = (0, 0), 0
    for begin, end in paragraphs:
        size = sum(map(len, lines[begin:end])) + end - begin
        both = held + (begin - group[1]) + size
        tiny = min(held, size) < SHORTEST
        if held and (both <= SIZE or (tiny and both <= LONGEST) or (held < SHORTEST and size > LONGEST)):
            group, held = (group[0], end), both
            continue
        if held:
            yield group
        group, held = (begin, end), size
    if held:
        yield group


def _chunks(lines: Sequence[str], group: Range, title: str, seam: seams.Seam) -> Iterator[Chunk]:
    text = "\n".join(lines[group[0] : group[1]])
    if len(text) <= LONGEST or len(text.strip()) <= LONGEST:
        ranges = [_inked(text, 0, len(text))]
    else:
        ranges = [_inked(text, begin, end) for begin, end in seams.pieces(text, seam)]
    ranges = [(start, stop) for start, stop in ranges if start < stop]
    line, at = group[0] + 1, 0
    for part, (start, stop) in enumerate(ranges, 1):
        line += text.count("\n", at, start)
        last = line + text.count("\n", start, stop)
        yield Chunk(title, text[start:stop], line, last, part=part if len(ranges) > 1 else 0)
        at = start


def _inked(text: str, begin: int, end: int) -> Range:
    """The part of a piece without blank lines around it, with the indentation of its first line."""
    piece = text[begin:end]
    ink, stop = end - len(piece.lstrip()), begin + len(piece.rstrip())
    start = max(begin, text.rfind("\n", begin, ink) + 1)
    return (start if ink - start < _INDENTED else ink), stop
