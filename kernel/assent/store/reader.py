"""Reading by SQL and nothing but reading: one statement, a read-only transaction, no files."""

import contextlib
import re
import threading
from collections.abc import Mapping
from typing import Any

import duckdb

from assent.core.errors import QueryError
from assent.store.access import EVERYONE, Access
from assent.store.fence import enclose

# Comments may stand before and between the words.
_GAP = r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)"
_EXPLAIN = re.compile(
    rf"^{_GAP}*EXPLAIN(?:{_GAP}+ANALYZE\b)?(?:{_GAP}*\([^)]*\)(?={_GAP}*[A-Z]))?", re.IGNORECASE | re.DOTALL
)
_AGAIN = 0.05  # seconds between two interrupts
_CHUNK = 50  # vectors of 2,048 rows
_CELLS = 50_000_000  # about 400 MB as numbers: the kernel that runs out of memory takes the analyst's work with it
_EXACT = 2**53  # integers below it are exact as floats
_WRITES = "Only reading is allowed here: one SELECT (or DESCRIBE, SUMMARIZE, EXPLAIN) statement."


def select(
    cursor: duckdb.DuckDBPyConnection,
    query: str,
    frames: Mapping[str, Any],
    ended: threading.Event | None = None,
    access: Access = EVERYONE,
) -> Any:
    """Run one reading statement over the database and the DataFrames it names; a pandas DataFrame.

    `cursor` is of a locked-down database (store.database), used for this statement only and closed; `interrupt` ends
    it. `QueryError` says what is wrong with the statement. `access` narrows what the journal's table and views give,
    and then nothing else of the database may be named.
    """
    try:
        statement = _one(query)
        chosen = named(query, frames)
        if access != EVERYONE:
            explains = statement.type is duckdb.StatementType.EXPLAIN
            told = _EXPLAIN.sub("", statement.query, count=1) if explains else statement.query
            enclose(cursor, access, told, chosen, explains)
        for name in chosen:
            cursor.register(name, frames[name])
        cursor.execute("BEGIN TRANSACTION READ ONLY")
        return _fetched(cursor.execute(statement))
    except duckdb.Error as error:
        raise QueryError(_explained(error)) from None
    finally:
        cursor.close()
        if ended is not None:
            ended.set()


def interrupt(cursor: duckdb.DuckDBPyConnection, ended: threading.Event) -> None:
    """End the statement of `select`, which sets `ended`, from a thread of its own.

    Said again and again: DuckDB forgets an interrupt that comes before the statement is under way.
    """
    while not ended.is_set():
        with contextlib.suppress(duckdb.ConnectionException):  # it has ended meanwhile
            cursor.interrupt()
        ended.wait(_AGAIN)


def _fetched(result: duckdb.DuckDBPyConnection) -> Any:
    """The rows as they come, so that a result without end is noticed before it fills the memory."""
    types = [str(column[1]) for column in result.description or ()]
    chunks = [result.fetch_df_chunk(_CHUNK)]
    cells = chunks[0].size
    while len(chunk := result.fetch_df_chunk(_CHUNK)):
        chunks.append(chunk)
        cells += chunk.size
        if cells > _CELLS:
            raise QueryError("The result has more than 50 million values. Aggregate it, or add a LIMIT.")
    import pandas as pd  # loaded already by the first chunk

    return _whole(chunks[0] if len(chunks) == 1 else pd.concat(chunks, ignore_index=True), types)


def _whole(frame: Any, types: list[str]) -> Any:
    """`frame` with sums of integers as integers: their 128 bits come as floats, since pandas has none as wide."""
    for place, kind in enumerate(types):
        column = frame.iloc[:, place]
        if kind == "HUGEINT" and column.abs().max() < _EXACT:
            frame.isetitem(place, column.astype("int64" if column.notna().all() else "Int64"))
    return frame


def _one(query: str) -> duckdb.Statement:
    query = query.encode("utf-8", "replace").decode()  # a lone surrogate is no text for the parser
    try:
        statements = duckdb.extract_statements(query)
    except duckdb.Error as error:
        raise QueryError(_explained(error)) from None
    if not statements:
        raise QueryError(f"There is no SQL statement here. {_WRITES}")
    if len(statements) > 1:
        raise QueryError(f"These are {len(statements)} statements. {_WRITES}")
    kind = statements[0].type
    if kind is duckdb.StatementType.EXPLAIN:
        kind = _explained_type(statements[0].query)
    if kind is not duckdb.StatementType.SELECT:
        raise QueryError(f"This is a {kind.name} statement and was not run. {_WRITES}")
    return statements[0]


def _explained_type(query: str) -> duckdb.StatementType:
    """The type of the statement behind EXPLAIN: ANALYZE runs it, and not all that acts is stopped by a transaction."""
    try:
        (statement,) = duckdb.extract_statements(_EXPLAIN.sub("", query, count=1))
    except (duckdb.Error, ValueError):
        return duckdb.StatementType.EXPLAIN
    return statement.type


def named(query: str, frames: Mapping[str, Any]) -> list[str]:
    """The frames that a query names; SQL does not mind their case, but one written exactly so is registered last."""
    words = set(re.findall(r"\w+", query))
    folded = {word.casefold() for word in words}
    return sorted([name for name in frames if name.casefold() in folded], key=words.__contains__)


def _explained(error: duckdb.Error) -> str:
    text = str(error).strip()
    if "read-only" in text:
        return _WRITES
    return text
