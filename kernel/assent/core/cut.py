"""Cutting what is too long to be told, but through nothing that is to be masked: no rule knows half a card."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

_VIEW = 4_000  # characters before and behind a cut that are looked at

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Whole:
    """Where in a text stands what is not to be parted: by its form, and, given what the text tells, of tables."""

    marked: Callable[[str], Iterable[Span]]
    cells: Callable[[str, Any], Iterable[Span]]


_whole: ContextVar[Whole | None] = ContextVar("whole", default=None)


def unparted(whole: Whole | None) -> contextlib.AbstractContextManager[None]:
    """Within this, and in the threads that it starts by `execute`, no cut parts what `whole` finds."""
    return _nothing if whole is None and _whole.get() is None else _unparted(whole)


_nothing = contextlib.nullcontext()


@contextlib.contextmanager
def _unparted(whole: Whole | None) -> Iterator[None]:
    token = _whole.set(whole)
    try:
        yield
    finally:
        _whole.reset(token)


def is_looked_out() -> bool:
    """Whether there is anything that no cut may part here."""
    return _whole.get() is not None


def fore(text: str, place: int, value: Any = None, *, cells: bool = True) -> int:
    """Where the beginning of `text` may end: at `place`, or behind what stands there. `value` is what the text tells.

    Without `cells` values of tables are not looked for: of many short texts that takes too long.
    """
    return max([place, *[end for _, end in _across(text, place, value, cells)]])


def back(text: str, place: int, value: Any = None) -> int:
    """Where the end of `text` may begin: at `place`, or before what stands there."""
    return min([place, *[begin for begin, _ in _across(text, place, value, cells=True)]])


def _across(text: str, place: int, value: Any, cells: bool) -> list[Span]:
    """What lies across a place, and what lies across the ends of that."""
    whole = _whole.get()
    if whole is None or not 0 < place < len(text):
        return []
    start = max(place - _VIEW, 0)
    view = text[start : place + _VIEW]
    spans = [*whole.marked(view), *(whole.cells(view, value) if cells else ())]
    low = high = place - start
    found: list[Span] = []
    while fresh := [
        (begin, end) for begin, end in spans if (begin, end) not in found and (begin < low < end or begin < high < end)
    ]:
        found += fresh
        low, high = min([low, *[begin for begin, _ in fresh]]), max([high, *[end for _, end in fresh]])
    return [(begin + start, end + start) for begin, end in found]
