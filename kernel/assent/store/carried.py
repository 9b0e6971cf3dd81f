"""What stands beside the journal (`schema.BESIDE`), carried into a compacted copy without what was deleted of it."""

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb

from assent.store.schema import BESIDE, SEGMENTS

_PORTION = 2_000  # rows that are copied at once
_FEW = {SEGMENTS: 1}  # of a key that many rows have


def carry(connection: duckdb.DuckDBPyConnection) -> None:
    """Copy all rows from the database that is attached as `former`."""
    for table in BESIDE:
        [(last,)] = connection.execute(f"SELECT coalesce(max(rowid), -1) FROM former.{table}").fetchall()
        for begin in range(0, last + 1, _PORTION):
            query = f"INSERT INTO {table} SELECT * FROM former.{table} WHERE rowid >= ? AND rowid < ?"
            connection.execute(query, [begin, begin + _PORTION]).fetchall()


def catch_up(present: duckdb.DuckDBPyConnection, copy: duckdb.DuckDBPyConnection) -> None:
    """Bring a copy up to date. It does no harm to do that again, where it was broken off."""
    for table, key in BESIDE.items():
        there, here = _keys(present, table, key), _keys(copy, table, key)
        for gone in _portions(sorted(here - there), _PORTION):
            copy.execute(f"DELETE FROM {table} WHERE {key} IN (SELECT unnest(?))", [gone]).fetchall()
        appender = copy.appender(table)
        for new in _portions(sorted(there - here), _FEW.get(table, _PORTION)):
            query = f"SELECT * FROM {table} WHERE {key} IN (SELECT unnest(?))"
            appender.append_rows(present.execute(query, [new]).fetchall())
            appender.flush()


def _keys(connection: duckdb.DuckDBPyConnection, table: str, key: str) -> set[Any]:
    [(keys,)] = connection.execute(f"SELECT list({key}) FROM {table}").fetchall()  # a tuple for each would be slower
    return set(keys or ())


def _portions(keys: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for begin in range(0, len(keys), size):
        yield keys[begin : begin + size]
