"""What a confined statement may name: the journal's table and views, DataFrames, its own WITH, harmless functions.

The names of the views mean a session's part of them (`store.access`). Beyond it lead names with a schema, the system's
own tables, functions that read a table given as text, and functions that tell the statistics of whole columns. All that
is refused by the statement's syntax tree, which DuckDB gives as JSON.
"""

import json
import re
from collections.abc import Collection, Iterator
from typing import Any

import duckdb

from assent.core.errors import QueryError
from assent.store.access import Access, confine
from assent.store.schema import FENCED, TABLE, VIEWS

TABLES = frozenset({TABLE, *VIEWS})
HARMLESS = frozenset({"generate_series", "json_each", "json_tree", "range", "repeat", "repeat_row", "unnest"})
TELLING = frozenset({"json_serialize_plan", "stats", "vector_type"})  # tell of rows that a statement does not read
# Names that are tables anywhere.
SYSTEM = re.compile(r"(duckdb|pg|pragma|sqlite)_|(refusals|schema_version|memory_(items|segments|texts))$")
_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
_SOURCES = frozenset({"JOIN", "SUBQUERY", "EXPRESSION_LIST", "EMPTY", "PIVOT"})
_OTHERS = re.compile(r"\w+_(MODIFIER|TYPE_INFO)|ORDER_DEFAULT|ASCENDING|DESCENDING")
_ADMIN = "An administrator's session (ASSENT_ADMIN=1) may."
_TREE = "SELECT json_serialize_sql(?)"
_harmless: set[str] = set()  # statements of our own that were looked at


def enclose(
    cursor: duckdb.DuckDBPyConnection, access: Access, query: str, frames: Collection[str], explains: bool
) -> None:
    """Confine a cursor to `access` for one statement of a user over the views and `frames`.

    `QueryError` if the statement reaches further. `explains` is whether the plan of `query` is asked for.
    """
    if _tables(cursor, query, frames) and explains:
        raise QueryError(f"A plan tells how large the whole workspace is. {_ADMIN}")
    confine(cursor, access, FENCED)


def approve(cursor: duckdb.DuckDBPyConnection, query: str) -> None:
    """Refuse a query of our own that reaches past the views; each is looked at once."""
    if query not in _harmless:
        _tables(cursor, query, ())
        if len(_harmless) > 1_000:
            _harmless.clear()
        _harmless.add(query)


def _tables(cursor: duckdb.DuckDBPyConnection, query: str, frames: Collection[str]) -> list[str]:
    """The table and views of the journal that a statement names; `QueryError` if it may not be run."""
    row = cursor.execute(_TREE, [query]).fetchone()
    tree = json.loads(row[0]) if row else {}
    if tree.get("error", True):
        raise QueryError(f"This statement cannot be looked through, so it was not run. {_ADMIN}")
    folded = {name.casefold() for name in frames}
    own = {name.casefold() for name in _withs(tree)}
    found = {name: at for node in nodes(tree) for name, at in _named(node) if name not in folded | own}
    if system := [name for name in own if SYSTEM.match(name)]:
        raise QueryError(f"WITH cannot name a table {system[0]}. Give it another name.")
    for name in found.keys() - TABLES:
        known = ", ".join(sorted({*TABLES, *frames}))
        raise QueryError(f"Table with name {name} does not exist. There are {known}.\n\n{_place(query, found[name])}")
    return sorted(found)


def _named(node: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """The name of a table, without regard to case, and its place in bytes, if a node of the tree has one."""
    kind, path = node.get("type"), (node.get("qualified_name") or {}).get("path") or []
    if node.get("class") is not None:
        if node.get("function_name", "").casefold() in TELLING:
            raise QueryError(f"{node['function_name']} tells of more than this session may see. {_ADMIN}")
        return
    match kind:
        case "BASE_TABLE":
            if len(path) != 1:
                raise QueryError(f"{'.'.join(path)}: name a table without its schema or database. {_ADMIN}")
            yield path[0].casefold(), min(node.get("query_location", 0), 2**31)
        case "TABLE_FUNCTION":
            called = node["function"]["qualified_name"]["path"]
            if len(called) != 1 or called[0].casefold() not in HARMLESS:
                raise QueryError(f"{'.'.join(called)} can read more than this session may see. {_ADMIN}")
        case "SHOW_REF":
            if node.get("query") is None:
                raise QueryError(f"The tables are {', '.join(sorted(TABLES))}. DESCRIBE shows the columns of one.")
        case str() if kind not in _NODES | _SOURCES and not _OTHERS.fullmatch(kind):
            raise QueryError(f"{kind} cannot be looked through, so the statement was not run. {_ADMIN}")


def _place(query: str, at: int) -> str:
    """The line of a statement that holds a byte, and a mark below it, as DuckDB shows it."""
    before = query.encode()[:at].decode(errors="ignore")
    number, column = before.count("\n") + 1, len(before.rpartition("\n")[2])
    line = f"LINE {number}: "
    return f"{line}{query.splitlines()[number - 1]}\n{' ' * (len(line) + column)}^"


def _withs(tree: Any) -> list[str]:
    """The names that WITH gives, anywhere in a tree."""
    maps = [node["cte_map"].get("map") or () for node in nodes(tree) if isinstance(node.get("cte_map"), dict)]
    return [entry["key"] for entries in maps for entry in entries]


def nodes(item: Any) -> Iterator[dict[str, Any]]:
    """Every object in a tree of JSON."""
    waiting = [item]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
