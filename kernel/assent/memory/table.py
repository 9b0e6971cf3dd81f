"""`memory_search('…', k := 20)` in SQL: what was found, as a table."""

from collections.abc import Sequence
from typing import Any

from assent.core.errors import QueryError
from assent.memory.item import Hit
from assent.store.table_calls import Arguments

NAME = "memory_search"
MOST = 1_000  # rows of one search
COLUMNS = (
    "id", "score", "kind", "collection", "source", "place", "title", "text", "tags", "dated", "time", "agent", "user",
    "run",
)  # fmt: skip
_HOW = f"Write {NAME}('fiscal year'), and if you like k := 20, collection := 'finance', agent := 'analyst'."
_TAKEN = {"k": int, "collection": str, "agent": str}


def wanted(arguments: Arguments) -> tuple[str, dict[str, Any]]:
    """The words and the options of a search, by the arguments of the call; `QueryError` where they make no sense."""
    words = [value for name, value in arguments if not name]
    named = {name: value for name, value in arguments if name}
    if len(words) != 1 or not isinstance(words[0], str) or not words[0].strip():
        raise QueryError(f"{NAME} looks for one text, which is not empty. {_HOW}")
    if odd := [name for name, value in named.items() if not isinstance(value, _TAKEN.get(name, ()))]:
        raise QueryError(f"{NAME} does not take {odd[0]} := {named[odd[0]]!r}. {_HOW}")
    count = named.get("k", 10)
    if not isinstance(count, int) or not 1 <= count <= MOST:
        raise QueryError(f"{NAME} gives 1 to {MOST:,} rows, not k := {count}.")
    return words[0], {"count" if name == "k" else name: value for name, value in named.items()}


def table(hits: Sequence[Hit]) -> Any:
    """A DataFrame of items, the best first; its columns have their types also where there are none."""
    import pandas  # takes 0.3 s to import: not before there is a table to make

    frame = pandas.DataFrame([[getattr(hit, name) for name in COLUMNS] for hit in hits], columns=list(COLUMNS))
    kinds = dict.fromkeys(COLUMNS, "str") | {"score": "float64", "tags": "object"}
    return frame.astype(kinds | {"dated": "datetime64[us]", "time": "datetime64[us]"})
