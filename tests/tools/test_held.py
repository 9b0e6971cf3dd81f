"""The tables that a value is or holds are found where people put them, and not in whatever else hangs together."""

import functools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd
import pytest

from assent.tools.held import tables

TABLE = pd.DataFrame({"a": [1]})


@dataclass
class Open:
    table: object


@dataclass(slots=True)
class Slotted:
    table: object
    other: object = None


class Pair(NamedTuple):
    number: int
    table: object


class Strange:
    """Whatever one asks it for, it raises."""

    def __init__(self) -> None:
        self.table = TABLE

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


HOLDERS: list[Callable[[Any], Any]] = [
    lambda t: t, lambda t: [1, t], lambda t: {"p": t}, lambda t: Pair(1, t), lambda t: deque([t]), Open, Slotted,
    lambda t: Open({"p": [t]}), lambda t: {"p": {"q": (t, t)}},
    lambda t: t.to_csv, lambda t: functools.partial(print, t), lambda t: functools.partial(t.to_csv, sep=";"),
    lambda t: lambda: t, lambda t: lambda of=t: of, lambda t: lambda *, of=t: of,
]  # fmt: skip


@pytest.mark.parametrize("hold", HOLDERS)
@pytest.mark.parametrize("table", [TABLE, TABLE["a"]])
def test_it_is_found_in_what_holds_it(hold: Callable[[Any], Any], table: Any) -> None:
    [found] = tables(hold(table))
    assert found is table


def test_it_is_found_in_an_object_that_raises() -> None:
    assert [id(table) for table in tables(Strange())] == [id(TABLE)]


def test_nothing_is_found_where_nothing_is() -> None:
    nothing = [1, "a", None, pd, list, str.upper, test_nothing_is_found_where_nothing_is, [1] * 20_000, TABLE.index]
    assert [tables(value) for value in nothing] == [[]] * len(nothing)


def test_neither_objects_in_objects_nor_a_notebooks_variables_are_gone_through() -> None:
    assert tables(Open(Open(TABLE))) == []
    assert tables(Open({"__name__": "__main__", "table": TABLE})) == []


def test_what_holds_itself_or_very_much_comes_to_an_end() -> None:
    ring: list[Any] = [TABLE]
    ring.append(ring)
    assert len(tables(ring)) == 1
    assert tables([*range(10_000), TABLE]) == []
