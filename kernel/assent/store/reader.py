"""Reading by SQL and nothing but reading: one statement, a read-only transaction, no files."""

import re
from collections.abc import Mapping
from typing import Any

import duckdb

from assent.core.errors import QueryError

_READS = frozenset({duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN})
_WRITES = "Only reading is allowed here: one SELECT (or DESCRIBE, SUMMARIZE, EXPLAIN) statement."


def select(connection: duckdb.DuckDBPyConnection, query: str, frames: Mapping[str, Any]) -> Any:
    """Run one reading statement over the database and the DataFrames it names; a pandas DataFrame.

    `connection` must be locked down (store.database). `QueryError` says what is wrong with the statement.
    """
    statement = _one(query)
    cursor = connection.cursor()
    try:
        for name in _named(query, frames):
            cursor.register(name, frames[name])
        cursor.execute("BEGIN TRANSACTION READ ONLY")
        return cursor.execute(statement).df()
    except duckdb.Error as error:
        raise QueryError(_explained(error)) from None
    finally:
        cursor.close()


def _one(query: str) -> duckdb.Statement:
    try:
        statements = duckdb.extract_statements(query)
    except duckdb.Error as error:
        raise QueryError(_explained(error)) from None
    if not statements:
        raise QueryError(f"There is no SQL statement here. {_WRITES}")
    if len(statements) > 1:
        raise QueryError(f"These are {len(statements)} statements. {_WRITES}")
    if statements[0].type not in _READS:
        raise QueryError(f"This is a {statements[0].type.name} statement and was not run. {_WRITES}")
    return statements[0]


def _named(query: str, frames: Mapping[str, Any]) -> list[str]:
    words = set(re.findall(r"\w+", query))
    return [name for name in frames if name in words]


def _explained(error: duckdb.Error) -> str:
    text = str(error).strip()
    if "read-only" in text:
        return _WRITES
    return text
