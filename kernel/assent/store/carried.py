"""What stands beside the journal (`schema.BESIDE`), carried into a compacted copy without what was deleted of it."""

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb

from assent.store.schema import BESIDE, SEGMENTS

_PORTION = 2_000  # rows that are copied at once
_BUCKETS = 1 << 14
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
        buckets = sorted({bucket for bucket, *_ in _sums(present, table, key) ^ _sums(copy, table, key)})
        there, here = _keys(present, table, key, buckets), _keys(copy, table, key, buckets)
        for gone in _portions(sorted(here - there), _PORTION):
            copy.execute(f"DELETE FROM {table} WHERE {key} IN (SELECT unnest(?))", [gone]).fetchall()
        appender = copy.appender(table)
        for new in _portions(sorted(there - here), _FEW.get(table, _PORTION)):
            query = f"SELECT * FROM {table} WHERE {key} IN (SELECT unnest(?))"
            appender.append_rows(present.execute(query, [new]).fetchall())
            appender.flush()


def _sums(connection: duckdb.DuckDBPyConnection, table: str, key: str) -> set[tuple[Any, ...]]:
    """Buckets of keys, each with what shows whether it has the same ones elsewhere: commits wait while this is done."""
    bucket = f"hash({key}) % {_BUCKETS}"
    return set(connection.execute(f"SELECT {bucket}, count(*), sum(hash({key})) FROM {table} GROUP BY ALL").fetchall())


def _keys(connection: duckdb.DuckDBPyConnection, table: str, key: str, buckets: Sequence[int]) -> set[Any]:
    query = f"SELECT DISTINCT {key} FROM {table} WHERE hash({key}) % {_BUCKETS} IN (SELECT unnest(?))"
    return {name for (name,) in connection.execute(query, [buckets]).fetchall()}


def _portions(keys: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for begin in range(0, len(keys), size):
        yield keys[begin : begin + size]
