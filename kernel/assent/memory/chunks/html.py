"""HTML as the text that a reader sees, under its headings.

Not by the standard library's parser, which takes time by the square of what is not closed. Here every sign is looked at
a few times only, whatever the markup.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from itertools import chain

from assent.memory.chunks import packing
from assent.memory.chunks.chunk import Chunk
from assent.memory.chunks.section import Path, Section, title, under

_UNSEEN = re.compile(
    r"<!--(?:-?>|.*?(?:--!?>|\Z))|<(script|style|template|svg)\b[^<>]*+>.*?(?:</\1\s*+>|\Z)|<[!?][^<>]*+>?",
    re.DOTALL | re.IGNORECASE,
)
_TAG = re.compile(r"""<(/?)([a-z][^\s/<>"']*+)(?>[^<>"']++|"[^"<]*+"|'[^'<]*+'|["'])*+>""", re.IGNORECASE)
_HEADINGS = {"title": 1, **{f"h{level}": level for level in range(1, 7)}}
_PARAGRAPHS = {
    *("address", "article", "aside", "blockquote", "body", "div", "dl", "fieldset", "figure", "footer", "form", "head"),
    *("header", "hr", "main", "nav", "ol", "p", "pre", "section", "table", "ul", *_HEADINGS),
}
_ENDS = {*_PARAGRAPHS, "br", "dd", "dt", "figcaption", "li", "option", "tr"}  # the line
_APART = {"td", "th"}  # from what stands before in the line


def chunks(text: str) -> Iterator[Chunk]:
    """The chunks of a page, by the numbers of its source's lines."""
    lines: list[str] = []
    numbers: list[int] = []
    sections: list[Section] = []
    path: Path = ()
    for number, line, ended in _lines(_UNSEEN.sub(lambda found: "\n" * found[0].count("\n"), text)):
        if line and ended.startswith("/") and ended[1:] in _HEADINGS:
            path = under(path, _HEADINGS[ended[1:]], line)
            sections.append(Section(len(lines), title(path)))
        for told in (line, "") if ended.strip("/") in _PARAGRAPHS else (line,):
            if told or lines[-1:] != [""]:
                lines.append(told)
                numbers.append(number)
    for chunk in packing.prose(lines, sections):
        yield replace(chunk, first=numbers[chunk.first - 1], last=numbers[chunk.last - 1])


def _lines(source: str) -> Iterator[tuple[int, str, str]]:
    """Each line that a reader sees: the number of the source's line where it begins, its text, the tag that ends it."""
    parts: list[str] = []
    at, number, first = 0, 1, 0
    for tag in chain(_TAG.finditer(source), [None]):
        begin, end = tag.span() if tag else (len(source), len(source))
        seen = source[at:begin]
        if not first and not packing.blank(seen):
            first = number + seen.count("\n", 0, len(seen) - len(seen.lstrip()))
        number, at = number + source.count("\n", at, end), end
        name = tag[2].lower() if tag else ""
        parts += [seen, " "] if name in _APART else [seen]
        if not tag or name in _ENDS:
            yield from _ended(first or number, _unescaped("".join(parts)), f"{tag[1]}{name}" if tag else "")
            parts, first = [], 0


def _ended(number: int, text: str, tag: str) -> Iterator[tuple[int, str, str]]:
    if tag == "/pre":
        for further, line in enumerate(text.strip("\n").split("\n")):
            yield number + further, line.rstrip(), ""
        yield number, "", tag
    elif not packing.blank(text) or tag.strip("/") in _PARAGRAPHS:
        yield number, " ".join(text.split()), tag


def _unescaped(text: str) -> str:
    try:
        return unescape(text)
    except ValueError:  # a number of more digits than Python reads
        return text
