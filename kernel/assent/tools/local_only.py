"""The mark by which a table is for models on this machine only; pandas carries it to most of what is made of it."""

from typing import Any, TypeVar

from assent.core.errors import ConfigError
from assent.tools.held import is_table, tables

T = TypeVar("T")
MARK = "assent.local_only"


def local_only(table: T) -> T:
    """Mark a DataFrame or Series: a run that carries it, or what tools made of it, asks no remote model.

    The mark is in its `attrs`. `%agent local_only NAME` marks any variable by its name.
    """
    if not carrier(table):
        raise ConfigError(
            f"A {type(table).__name__} keeps no mark: mark the variable by its name, %agent local_only NAME."
        )
    return table


def carrier(value: Any) -> bool:
    """Put the mark on a value, if it is one that keeps it."""
    if not is_table(value):
        return False
    value.attrs[MARK] = True
    return True


def is_local_only(value: Any) -> bool:
    """Whether a value is a table that is marked, or holds one."""
    return any(table.attrs.get(MARK) for table in tables(value))


def free(value: Any) -> None:
    """Take the mark away again, also from the tables that a value holds."""
    for table in tables(value):
        table.attrs.pop(MARK, None)
