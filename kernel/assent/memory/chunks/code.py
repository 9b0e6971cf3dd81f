"""Code of any language, and data that is written as such: by indentation, blank lines and, where nothing is indented,
by the depth in braces. What is defined is found by how most languages write it.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from assent.memory.chunks import packing
from assent.memory.chunks.chunk import LONGEST, Chunk
from assent.memory.chunks.packing import blank
from assent.memory.chunks.section import Section, headed

_DEEPEST = 3  # definitions within definitions
_BLANK = -1  # in the place of a level
_LOOKED_AT = 200  # signs of a line
_BELOW = 6  # lines that a head may take
_GOES_ON = re.compile(  # what a line begins with that belongs to what stands above
    r"[{}\])>]|#\s*(?:else|elif|endif)\b|"
    r"(?:end|else|elif|elsif|except|finally|catch|rescue|ensure|then|do|fi|done|esac|begin|as)\b",
    re.IGNORECASE,
)
_DEFINES = [
    re.compile(pattern)
    for pattern in (
        r"(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|override|open|sealed|data|"
        r"inline|virtual|extern|unsafe|const|constexpr|partial|local|declare|pub(?:\([^)]*\))?)\s+)*"
        r"(?:function\*?|func|fun|fn|def|defp|defmodule|class|struct|impl(?:<[^>]*>)?|interface|trait|enum|module|mod|"
        r"namespace|sub|proc|protocol|extension|object|record|type)\s+(?:\([^)]*\)\s*)?([A-Za-z_$][\w.:$]*)",
        r"(?i:create\s+(?:or\s+replace\s+)?(?:(?:temp|temporary|materialized|unique)\s+)*"
        r"(?:table|view|function|procedure|macro|trigger|index|schema)\s+(?:if\s+not\s+exists\s+)?)[\"`\[]?([\w.]+)",
        r"(?:(?:export|const|let|var|local)\s+)*([\w.$]+)\s*(?:<-|=|:)\s*(?:async\s+)?"
        r"(?:function\b|\([^()]*\)\s*=>|\w+\s*=>)",
        r"(?!(?:return|if|else|for|while|switch|throw|new|case|catch|await|yield|do|using|with|match)\b)"
        r"(?:[\w:<>*&\[\],~@]+[ \t]+)*[*&]*([\w:~$]+)[ \t]*\((?:[^();{}]|\([^()]*\))*+\)[^;{}()\n]*\n?\s*\{",
    )
]
_LABEL = re.compile(r"\w+:\s*$")  # of C, which stands in the first column whatever it is in

Named = Callable[[str], str]  # the name of what a line, with those below it, begins to define, or ""


@dataclass(frozen=True, slots=True)
class _Text:
    lines: Sequence[str]
    levels: list[int]
    sizes: list[int]  # of all lines before one
    named: Named
    alone: int  # signs of what is a section of its own


def chunks(text: str) -> Iterator[Chunk]:
    """The chunks of a file in any language."""
    lines = text.split("\n")
    yield from packing.code(lines, sections(lines, defined, 0))


def sections(lines: Sequence[str], named: Named, alone: int) -> list[Section]:
    """A section for all that has a name and `alone` signs; where it is too long, further ones for its parts."""
    sizes = list(accumulate([len(line) + 1 for line in lines], initial=0))
    whole = _Text(lines, _levels(lines), sizes, named, alone)
    return list(_sections(whole, 0, len(lines), _BLANK, "", 0))


def defined(line: str) -> str:
    """The name of what a line of code defines, or nothing."""
    return "" if line.isidentifier() else next((found[1] for pattern in _DEFINES if (found := pattern.match(line))), "")


def _sections(text: _Text, begin: int, end: int, above: int, path: str, depth: int) -> Iterator[Section]:
    """The sections of what stands deeper than `above`; what comes before the first of them has begun already."""
    floor = min([level for level in text.levels[begin:end] if level > above], default=None)
    if floor is None:
        return
    running = True
    for (start, name), (stop, _) in pairwise([*_units(text, begin, end, floor), (end, "")]):
        size = text.sizes[stop] - text.sizes[start]
        own = bool(name) and size >= text.alone
        title = ".".join([part for part in (path, name) if part]) if own else path
        within = size > LONGEST and depth < _DEEPEST
        parts = list(_sections(text, start + 1, stop, floor, title, depth + 1)) if within else []
        if own or not running:
            head = text.sizes[parts[0].start] - text.sizes[start] if parts else size
            parts = headed(Section(start, title), parts, head)
        yield from parts
        running = not own and not within


def _units(text: _Text, begin: int, end: int, floor: int) -> list[tuple[int, str]]:
    """Where something begins at the level `floor`, with its name: after a gap, after what is deeper, or by a name."""
    units: list[tuple[int, str]] = []
    apart = True
    for at in range(begin, end):
        level = text.levels[at]
        if level != floor or (units and _GOES_ON.match(text.lines[at].lstrip())):
            apart = level > floor or level in (floor, _BLANK)
            continue
        head = [line[:_LOOKED_AT].strip() for line in text.lines[at : at + (_BELOW if "(" in text.lines[at] else 1)]]
        name = text.named("\n".join(head))
        if units and not name and _LABEL.match(text.lines[at].lstrip()):
            apart = False
            continue
        if not units or apart or (name and units[-1][1]):
            units.append((at, name))
        elif name:
            units[-1] = (units[-1][0], name)
        apart = False
    return units


def _levels(lines: Sequence[str]) -> list[int]:
    """How far each line is indented, or how deep in braces it stands where none is."""
    levels: list[int] = []
    for line in lines:
        remark = bool(levels) and line.lstrip().startswith("*")  # within a comment of C's kind, which is set off by one
        levels.append(_BLANK if blank(line) else levels[-1] if remark else _indentation(line))
    return levels if max(levels, default=0) > 0 else _depths(lines)


def _indentation(line: str) -> int:
    width = len(line) - len(line.lstrip())
    return width + 3 * line.count("\t", 0, width)


def _depths(lines: Sequence[str]) -> list[int]:
    depth, depths = 0, []
    for line in lines:
        closed = line[:1] in ("}", "]")
        depths.append(_BLANK if blank(line) else max(0, depth - closed))
        opened = line.count("{") + line.count("[")
        depth = max(0, depth + opened - line.count("}") - line.count("]"))
    return depths
