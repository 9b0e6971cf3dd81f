"""Where in a text the values of a table's columns stand, as previews, results and printed tables write them."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from assent.core.cargo import Cell
from assent.tools.preview import CELL
from assent.tools.sql import number

_WORD = re.compile(r"\w+")
_SHORT = 3  # signs; a shorter value is only one where it stands like a cell of a table
_BEFORE = re.compile(r"(?:^|[,|\t(\[{\"':]|  |, |\| |: )\Z", re.MULTILINE)
_AFTER = re.compile(r"(?:$|[,|\t)\]}\"'…]|  | \|)", re.MULTILINE)


def cells(text: str, frames: Iterable[Any], rule_of: Callable[[str], str]) -> tuple[Cell, ...]:
    """The places in `text` of the values of those columns, and labels of rows, that `rule_of` names a rule for.

    Numbers are found as they are written in results and previews. Where a value was turned into another (by
    `upper()`, say), it is not the same any more and is not found.
    """
    columns = [found for frame in frames for found in _columns(frame, rule_of)]
    if not columns:
        return ()
    places: dict[str, list[int]] = {}
    for match in _WORD.finditer(text):
        places.setdefault(match[0], []).append(match.start())
    found: set[Cell] = set()
    for rule, column in columns:
        for form, begins in _forms(column, places):
            found.update([(at, at + len(form), rule) for at in begins if _stands(form, text, at)])
    return tuple(sorted(found))


def _columns(frame: Any, rule_of: Callable[[str], str]) -> Iterator[tuple[str, Any]]:
    for place, name in enumerate(frame.columns):
        if rule := rule_of(" ".join(map(str, name)) if isinstance(name, tuple) else str(name)):
            yield rule, frame.iloc[:, place]
    for level, name in enumerate(frame.index.names):
        if name is not None and (rule := rule_of(str(name))):
            yield rule, frame.index.get_level_values(level)


def _forms(column: Any, places: dict[str, list[int]]) -> Iterator[tuple[str, list[int]]]:
    """The ways in which the column's values may be written, and where each would begin by its first word."""
    try:
        values = column.dropna().unique()
    except TypeError:  # lists and the like have no hash
        values = list(column.dropna())
    seen: set[str] = set()
    for value in values:
        for form in _written(value):
            word = _WORD.search(form)
            if word is not None and word[0] in places and form not in seen:
                seen.add(form)
                yield form, [place - word.start() for place in places[word[0]]]


def _written(value: Any) -> Iterator[str]:
    text = str(value)
    yield text
    if isinstance(value, float):
        yield from (number(value), f"{value:.1f}", f"{value:.2f}", f"{value:.6f}")
    elif isinstance(value, str):
        if "\n" in text:
            yield text.replace("\n", " ")
        if len(text) > CELL:
            yield text.replace("\n", " ")[: CELL - 1]  # as previews cut it
        if '"' in text:
            yield text.replace('"', '""')  # as CSV has it
        yield repr(text)[1:-1]
    elif text.endswith(" 00:00:00"):
        yield text.removesuffix(" 00:00:00")


def _stands(form: str, text: str, begin: int) -> bool:
    """Whether the value stands there, and is no part of a longer word."""
    end = begin + len(form)
    if begin < 0 or not text.startswith(form, begin):
        return False
    if len(form) < _SHORT or form in ("True", "False"):
        return bool(_BEFORE.search(text, max(begin - 2, 0), begin)) and bool(_AFTER.match(text, end))
    return not (text[end : end + 1].isalnum() and form[-1].isalnum())
