"""Forgetting what runs said, by the rules of `[retention]`, and giving back the space: of that, and of what was taken
out of memory.

What is forgotten is decided and written into a copy while the journal goes on; only to put the copy in its place do
commits wait. The event `compacted` says what was forgotten: without it, the chain does not pass for whole.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from assent.core.errors import StoreError
from assent.core.events import Event, Kind
from assent.core.retention import Retention
from assent.store import blobs, chain, database, payloads
from assent.store.carried import carry
from assent.store.forget import TOLD, forgotten
from assent.store.journal import Journal
from assent.store.retention import forgettable

PREFIX = "compacting-"  # of the folder in the workspace's where the copy is made
_PORTION = 50_000  # rows
_TIMES = 3  # that it is begun anew when something went on meanwhile
_LONG = 3600.0  # seconds after which a copy is nobody's any more
_NOTEWORTHY = 50_000  # bytes that are worth a word
_ROOM = 2.5  # what of the database's size has to be free on the disk
_TO_FORGET = f"""{TOLD} AND (run IN (SELECT unnest($runs)) OR
    (run IS NULL AND kind = '{Kind.CELL_RAN}' AND epoch(time) < $before))"""
# Items that were taken out of memory, and may still be in the file.
_TAKEN = f"""SELECT coalesce(sum(CAST(body ->> 'items' AS BIGINT)), 0) FROM events
    WHERE kind = '{Kind.MEMORY_FORGOTTEN}' AND seq > (SELECT coalesce(max(CAST(body ->> 'purged' AS BIGINT)), 0)
        FROM events WHERE kind = '{Kind.COMPACTED}')"""
_COPY = """
    INSERT INTO events SELECT old.* REPLACE (coalesce(changed.body, old.body) AS body) FROM former.events AS old
    LEFT JOIN (SELECT unnest($seqs) AS seq, unnest($bodies) AS body) AS changed ON changed.seq = old.seq
    WHERE old.seq > $after AND old.seq <= $until ORDER BY old.seq"""


@dataclass(frozen=True, slots=True)
class Compacted:
    """What was (or would be) forgotten: events, of so many runs; items that were taken out of memory since the last
    time; payloads removed; bytes on the disk before, after.
    """

    events: int = 0
    runs: int = 0
    items: int = 0
    payloads: int = 0
    before: int = 0
    after: int = 0

    @property
    def freed(self) -> int:
        return max(0, self.before - self.after)

    @property
    def texts(self) -> str:
        texts = f"{self.events:,} text{'s' * (self.events != 1)} of {self.runs:,} run{'s' * (self.runs != 1)}"
        return texts + (f" and {self.items:,} item{'s' * (self.items != 1)} of memory" if self.items else "")

    def __str__(self) -> str:
        texts = f"{self.texts} forgotten" if self.events or self.items else "no texts to forget"
        payloads = f", {self.payloads:,} payloads removed" if self.payloads else ""
        given_back = f"{self.freed / 1e6:.1f} MB given back, " if self.freed > _NOTEWORTHY else ""
        return f"{texts}{payloads}: {given_back}{self.after / 1e6:.1f} MB now"


def foreseen(journal: Journal, rules: Retention) -> Compacted:
    """What `compact` would forget now; what space that gives back is not known before."""
    events, runs = _counted(journal, _asked(journal, rules))
    return Compacted(events, runs, _taken(journal))


def compact(journal: Journal, rules: Retention, by: str, purged: int = 0) -> Compacted:
    """Forget what the rules say, for the person `by`, and remove payloads that nothing names any more.

    What was taken out of memory goes from the disk too; `purged`, up to which event its index has nothing of that any
    more (`memory.purge`).
    """
    try:
        return _compacted(journal, rules, by, purged)
    except OSError as error:
        why = error.strerror or str(error)
        raise StoreError(f"{journal.folder} could not be compacted: {why}. What was recorded is safe.") from None


def _compacted(journal: Journal, rules: Retention, by: str, purged: int) -> Compacted:
    before = size(journal.folder)
    _tidy(journal.folder)
    events = runs = items = 0
    for _ in range(_TIMES):
        wanted = _asked(journal, rules)
        events, runs = _counted(journal, wanted)
        items = _taken(journal)
        why = _rewritten(journal, wanted, _event(rules, by, purged)) if events or items else ""
        if not why:
            break
    else:
        raise StoreError(f"Nothing was forgotten: {why} meanwhile. Compact again when less is going on.")
    folder = journal.folder / blobs.FOLDER
    removed, _ = payloads.sweep(folder, payloads.named(journal.select, folder))
    return Compacted(events, runs, items, removed, before, size(journal.folder))


def _tidy(folder: Path) -> None:
    """Remove the copies of compactions that were killed."""
    for path in folder.glob(f"{PREFIX}*"):
        if time.time() - path.stat().st_mtime > _LONG:
            shutil.rmtree(path, ignore_errors=True)


def size(folder: Path) -> int:
    """The bytes of a workspace's database and payloads on the disk."""
    found = [*folder.glob(database.FILE + "*"), *payloads.files(folder / blobs.FOLDER)]
    return sum([path.stat().st_size for path in found])


def _asked(journal: Journal, rules: Retention) -> dict[str, Any]:
    """The parameters of `_TO_FORGET`."""
    if rules.payloads is None:
        return {"runs": [], "before": 0.0}
    return {"runs": sorted(forgettable(journal.select, rules)), "before": time.time() - rules.payloads}


def _counted(journal: Journal, wanted: dict[str, Any]) -> tuple[int, int]:
    [row] = journal.select(f"SELECT count(*), count(DISTINCT run) FROM events WHERE {_TO_FORGET}", wanted)
    return row[0], row[1]


def _taken(journal: Journal) -> int:
    [(items,)] = journal.select(_TAKEN)
    return int(items)


def _event(rules: Retention, by: str, purged: int) -> Event:
    return Event(kind=Kind.COMPACTED, user=by, body={"rules": asdict(rules), "by": by, "purged": purged})


def _rewritten(journal: Journal, wanted: dict[str, Any], event: Event) -> str:
    """Put a copy without what is to be forgotten in the database's place; why that could not be done, or ""."""
    folder = journal.folder
    needed = int((folder / database.FILE).stat().st_size * _ROOM)
    if shutil.disk_usage(folder).free < needed:
        raise StoreError(f"To compact {folder}, {needed / 1e6:.0f} MB must be free on its disk. Free some space.")
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=folder) as place:
        former, new = Path(place) / "former.duckdb", Path(place) / "new.duckdb"
        journal.upkeep("snapshot", str(former))
        with _copying(former, new) as connection:
            until = _copied(connection, wanted, folder / blobs.FOLDER)
            walk = chain.followed(database.selecting(connection))
        event.body |= {"forgotten": walk.forgotten, "digest": walk.digest.hexdigest(), "until": until}
        return str(journal.upkeep("swap", str(new), until, frozenset(wanted["runs"]), event))


@contextmanager
def _copying(former: Path, new: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a new database, to which the former one is attached as `former`."""
    database.connect(former).close()  # what its log holds is in the file then
    database.connect(new).close()
    connection = duckdb.connect(str(new), config={"threads": 2, "memory_limit": "256MB"})
    try:
        connection.execute(f"ATTACH '{str(former).replace(chr(39), chr(39) * 2)}' AS former (READ_ONLY)")
        yield connection
        connection.execute("DETACH former; CHECKPOINT")
    except duckdb.Error as error:
        raise StoreError(f"The journal could not be copied: {error}. Free some space, then compact again.") from None
    finally:
        connection.close()


def _copied(connection: duckdb.DuckDBPyConnection, wanted: dict[str, Any], folder: Path) -> int:
    """Copy all there is, forgetting what is wanted; the number of the last event."""
    until = _value(connection, "SELECT coalesce(max(seq), 0) FROM former.events")
    for after in range(0, until, _PORTION):
        part = {"after": after, "until": after + _PORTION}
        query = f"SELECT seq, kind, body FROM former.events WHERE seq > $after AND seq <= $until AND {_TO_FORGET}"
        rows = connection.execute(query, part | wanted).fetchall()
        bodies = [forgotten(kind, body, folder) for _, kind, body in rows]
        connection.execute(_COPY, part | {"seqs": [row[0] for row in rows], "bodies": bodies})
    carry(connection)
    return until


def _value(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
