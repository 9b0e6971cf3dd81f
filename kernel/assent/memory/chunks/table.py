"""CSV and TSV: what a table is about, not what it says: its columns, their kinds, how many rows, the first ones."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import StringIO
from itertools import islice

from assent.memory.chunks import packing
from assent.memory.chunks.chunk import HEADING, Chunk
from assent.memory.chunks.section import Section

_LOOKED_AT = 1_000  # rows for the kinds of columns
_SHOWN = 5  # rows
_COLUMNS = 1_000
_WIDEST = 80  # signs of a value that are shown
_KINDS = {
    "whole number": re.compile(r"[+-]?\d{1,40}"),
    "number": re.compile(r"[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?|nan|NaN|-?inf"),
    "true or false": re.compile(r"true|false|yes|no", re.IGNORECASE),
    "date": re.compile(r"\d{4}-\d\d-\d\d|\d{1,2}[./]\d{1,2}[./]\d{2,4}"),
    "time": re.compile(r"(?:\d{4}-\d\d-\d\d[ T])?\d\d:\d\d(?::\d\d)?\S*"),
}

Row = list[str]


def chunks(text: str) -> Iterator[Chunk]:
    """What there is to know of a table in one chunk, or several if it has very many columns."""
    rows, count = _rows(text)
    if not rows:
        return
    header = not any(_kind([value]) not in ("text", "empty") for value in rows[0])
    names = [(_short(name) if header else "") or f"column {at}" for at, name in enumerate(rows[0], 1)]
    rows = rows[header:]
    told = [
        f"{count - header} rows of {len(names)} columns",
        "",
        *[f"{name}: {_kind([row[at] for row in rows if at < len(row)])}" for at, name in enumerate(names[:_COLUMNS])],
        "",
        *[" | ".join([_short(value) for value in row[:_COLUMNS]]) for row in rows[:_SHOWN]],
    ]
    last = text.rstrip().count("\n") + 1
    for chunk in packing.prose(told, [Section(0, ", ".join(names[:_COLUMNS])[:HEADING])]):
        yield replace(chunk, first=1, last=last)


def _rows(text: str) -> tuple[list[Row], int]:
    """The first rows, and how many there are."""
    head = next((line for line in StringIO(text) if not packing.blank(line)), "")
    delimiter = "\t" if "\t" in head else max(",;|", key=head.count)
    try:
        return _counted(csv.reader(StringIO(text), delimiter=delimiter))
    except csv.Error:  # a value longer than any should be, as behind a quotation mark that is not closed
        return _counted(line.rstrip("\n").split(delimiter) for line in StringIO(text))


def _counted(reader: Iterator[Row]) -> tuple[list[Row], int]:
    rows = [row for row in islice(reader, _LOOKED_AT) if any(map(str.strip, row))]
    return rows, len(rows) + sum(1 for row in reader if row)


def _kind(values: Sequence[str]) -> str:
    given = [value.strip() for value in values if value.strip()]
    if not given:
        return "empty"
    return next((kind for kind, form in _KINDS.items() if all(map(form.fullmatch, given))), "text")


def _short(value: str) -> str:
    return " ".join(value[:_WIDEST].split())
