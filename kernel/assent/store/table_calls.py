"""A table function of our own in a statement: found in DuckDB's own parse, and read as a table in its place."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import duckdb

from assent.core.errors import QueryError
from assent.store.fence import nodes

Arguments = list[tuple[str, str | int]]  # each with its name, "" where it has none

_TREE = "SELECT json_serialize_sql(?)"
_TEXT = "SELECT json_deserialize_sql(CAST(? AS JSON))"


def replaced(cursor: duckdb.DuckDBPyConnection, query: str, function: str, table: Callable[[Arguments], str]) -> str:
    """The statement with a table, as `table` names it, in the place of each call of `function`.

    A statement that cannot be read, or does not call it, stays as it is: who runs it says what is wrong with it. An
    argument must be a text or a whole number as it stands: `QueryError` for all that would have to be computed.
    """
    tree = json.loads(_of(cursor, _TREE, query.encode("utf-8", "replace").decode()))
    found = [] if tree.get("error", True) else [node for node in nodes(tree) if _calls(node, function)]
    for node in found:
        name = table(_arguments(node, function))
        kept = {key: node[key] for key in ("sample", "query_location", "query_location_length", "column_name_alias")}
        kept["alias"] = node["alias"] or function
        node.clear()
        node |= kept | {
            "type": "BASE_TABLE", "schema_name": "", "table_name": name, "catalog_name": "",
            "at_clause": None, "qualified_name": {"path": [name]},
        }  # fmt: skip
    return _of(cursor, _TEXT, json.dumps(tree)) if found else query


def _calls(node: Mapping[str, Any], function: str) -> bool:
    if node.get("type") != "TABLE_FUNCTION":
        return False
    return [part.casefold() for part in node["function"]["qualified_name"]["path"]] == [function]


def _arguments(node: Mapping[str, Any], function: str) -> Arguments:
    if node["with_ordinality"] != "WITHOUT_ORDINALITY":
        raise QueryError(f"{function} has no WITH ORDINALITY: its rows come in the order of their scores.")
    return [
        (item["name"].casefold(), _constant(item["expression"], function)) for item in node["function"]["arguments"]
    ]


def _constant(expression: Mapping[str, Any], function: str) -> str | int:
    literal = expression.get("literal") or {}
    match literal.get("kind"):
        case "STRING":
            return str(literal["text"])
        case "INTEGER":
            return int(literal["text"])
    raise QueryError(
        f"{function} takes texts and whole numbers as they stand, no columns and nothing that is computed: "
        f"{function}('fiscal year', k := 20)."
    )


def _of(cursor: duckdb.DuckDBPyConnection, query: str, text: str) -> str:
    [(found,)] = cursor.execute(query, [text]).fetchall()
    return str(found)
