"""Putting a compacted copy of the database in the place of the open one."""

import os
from pathlib import Path
from typing import Any

import duckdb

from assent.core.errors import StoreError
from assent.core.events import Event, Kind
from assent.core.ids import new_id
from assent.store.carried import catch_up
from assent.store.database import FILE, connect
from assent.store.disk import sync
from assent.store.doublewrite import LOG
from assent.store.rows import encoded, hash_of, row_of, values_of
from assent.store.schema import TABLE
from assent.store.snapshot import Opened

_TAIL = "SELECT * FROM events WHERE seq > ? ORDER BY seq"
_BESIDE = frozenset({Kind.MEMORY_ADDED, Kind.MEMORY_FORGOTTEN})  # with which something changes beside the journal
_LAST = "SELECT max(seq), arg_max(hash, seq) FROM events"


def swap(opened: Opened, path: str, until: int, runs: frozenset[str], event: Event) -> str:
    """Give the compacted copy at `path` what was committed after `until`, and `event`, and put it in place.

    Nothing is done if a run in `runs`, which were forgotten, has gone on since, or if the journal was compacted
    meanwhile: then the answer says why. It is "" otherwise. The present file is in place until the new one is whole
    and on the disk.
    """
    tail = opened.connection.cursor().execute(_TAIL, [until]).fetchall()
    if why := _outdated(tail, runs) or _interrupted(Path(path), until):
        return why
    _complete(Path(path), opened.connection.cursor(), tail, event)
    opened.checkpoint()
    place = opened.folder / FILE
    if place.with_name(place.name + LOG).exists():
        raise StoreError("Somebody reads the journal just now, so that it could not be compacted: try again later.")
    # The old file stays locked until it has been replaced: nobody can write what would then be lost.
    os.replace(path, place)
    sync(opened.folder)
    opened.reopen()
    return ""


def _outdated(tail: list[tuple[Any, ...]], runs: frozenset[str]) -> str:
    for _, _, kind, run, parent, *_ in tail:
        if kind == Kind.COMPACTED:
            return "the journal was compacted by somebody else"
        if run in runs or parent in runs:
            return f"the run {run} went on"
    return ""


def _interrupted(path: Path, until: int) -> str:
    """Whether an owner that died has begun with this already: then nobody knows how far it came."""
    if path.exists():
        copy = connect(path)
        try:
            [(last,)] = copy.execute("SELECT coalesce(max(seq), 0) FROM events").fetchall()
        finally:
            copy.close()
        if last == until:
            return ""
    return "the process that compacted it died"


def _complete(path: Path, present: duckdb.DuckDBPyConnection, tail: list[tuple[Any, ...]], event: Event) -> None:
    copy = connect(path)
    try:
        if any(kind in _BESIDE for _, _, kind, *_ in tail):
            catch_up(present, copy)  # before the tail: while that is missing, all of it may be done again
        appender = copy.appender(TABLE)
        if tail:
            appender.append_rows(tail)
            appender.flush()
        [last] = copy.execute(_LAST).fetchall()
        appender.append_rows([_next(event, *last)])
        appender.flush()
        copy.execute("CHECKPOINT")
    except duckdb.Error as error:
        raise StoreError(f"The compacted journal could not be written: {error}. Free some space, then again.") from None
    finally:
        copy.close()
    sync(path)


def _next(event: Event, seq: int, head: str) -> tuple[Any, ...]:
    event.seq, event.prev, event.batch = seq + 1, head, f"{new_id()}.1"
    values = values_of(event, encoded(event.body))
    event.hash = hash_of(values, event.batch)
    return row_of(values, event.hash, event.batch)
