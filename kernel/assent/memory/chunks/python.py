"""Python, by its own parser: functions and classes are sections, methods where a class is too long."""

import ast
import warnings
from collections.abc import Iterator, Sequence

from assent.memory.chunks import code, packing
from assent.memory.chunks.chunk import HEADING, LONGEST, Chunk
from assent.memory.chunks.section import Section, headed

_MOST = 1_000_000  # signs that are parsed: more is generated, and would hold up everything else for seconds

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def chunks(text: str) -> Iterator[Chunk]:
    """The chunks of a Python file; as those of any code where it does not parse."""
    lines = text.split("\n")
    tree = _parsed(text)
    if tree is None:
        return code.chunks(text)
    return packing.code(lines, list(_sections(lines, tree.body, "", 0)))


def _parsed(text: str) -> ast.Module | None:
    if len(text) > _MOST:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _sections(lines: Sequence[str], body: Sequence[ast.stmt], path: str, above: int) -> Iterator[Section]:
    """The sections of what stands below the lines up to `above`."""
    for one in body:
        before, above = above, one.end_lineno or one.lineno
        if not isinstance(one, _Definition):
            continue
        first, end = _first(lines, one, before), above
        title = (f"{path}.{one.name}" if path else one.name)[:HEADING]
        within = _size(lines, first, end) > LONGEST
        parts = list(_sections(lines, one.body, title, one.lineno)) if within else []
        yield from headed(Section(first, title), parts, _size(lines, first, parts[0].start if parts else end))
        yield Section(end, path)


def _size(lines: Sequence[str], first: int, end: int) -> int:
    return sum(map(len, lines[first:end])) + end - first


def _first(lines: Sequence[str], one: _Definition, above: int) -> int:
    """The line, from 0, where a definition begins: with its decorators and the comment above them."""
    first = min([one.lineno, *[decorator.lineno for decorator in one.decorator_list]]) - 1
    while first > above and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return first
