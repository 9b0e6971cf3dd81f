"""The workspace's database in the process that holds it: what is appended, read and kept in order."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

import duckdb

from assent.core.errors import AssentError, StoreError, WorkspaceLocked
from assent.core.events import Event
from assent.store import database, fence, lock, present, reader
from assent.store.access import EVERYONE, Access, confine
from assent.store.chain import GENESIS
from assent.store.doublewrite import Doublewrite
from assent.store.parcel import Beside, Guard, Parcel, Written
from assent.store.rows import hash_of, row_of, values_of
from assent.store.schema import TABLE
from assent.store.tally import COUNTED, Tally

T = TypeVar("T")

HURRY = 0.5  # seconds that reading statements may go on while the database is to be closed; then they are interrupted
_AGAIN = 0.02  # seconds between two interrupts
_LOCK = "assent.lock"  # in the workspace's folder: locked by who has the database open
_KEPT = 16  # confined connections that wait for somebody to read with
_LAST = "SELECT seq, hash FROM events WHERE seq = (SELECT max(seq) FROM events)"
_BATCH = "SELECT seq, prev, hash FROM events WHERE batch = ? ORDER BY seq"


class Lost(Exception):
    """The database is not to be reached this way any more; there may be another way."""


class _Again(Exception):
    """What was read has to be read once more."""


class Ledger:
    """An open database. One thread appends, any thread reads; `close` waits for those that read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._idle = threading.Condition()
        self._reading: dict[int, Callable[[], None]] = {}  # by thread: how to interrupt what it reads
        self._confined: list[tuple[Access, duckdb.DuckDBPyConnection]] = []  # that nobody reads with just now
        self._closed = True
        self._reopening = False
        self._lock: IO[bytes] | None = None
        self.open()

    def open(self) -> None:
        """Open the database, also after `close`; `WorkspaceLocked` if another process has it."""
        self._lock = self._lock or self._taken_lock()
        try:
            file = self.folder / database.FILE
            self._doublewrite = Doublewrite(file)
            self.connection = database.connect(file, self._doublewrite.checkpoint)
            self._identity = present.identity(file)
            self._begin()
        except BaseException:
            self.forget()
            raise
        self._closed = False

    def reopen(self) -> None:
        """Open the file that is in the place of the present one by now; who reads waits, or reads once more."""
        with self._idle:
            self._reopening = True
            self._quieten()
        try:
            self._shut()
            self.open()
        finally:
            with self._idle:
                self._reopening = False
                self._idle.notify_all()

    @property
    def empty(self) -> bool:
        """Whether nothing has been written yet."""
        return self._last[0] == 0

    def append(self, parcels: Sequence[Parcel]) -> list[Written]:
        """Write parcels in their order, in as few commits as their conditions allow, and say what became of each."""
        present.check(self.folder / database.FILE, self._identity)
        written: list[Written] = []
        rows: list[tuple[Any, ...]] = []
        besides: list[Beside] = []
        for parcel in parcels:
            if parcel.again or parcel.guard is not None:
                self._flush(rows, besides)
                rows, besides = [], []
            before = self._recalled(parcel.name) if parcel.again else None
            if before is None and parcel.guard is not None and not self._holds(parcel.guard):
                written.append(None)
                continue
            if before is None and parcel.beside is not None:
                besides.append(parcel.beside)
            written.append(before or self._chained(parcel, rows))
        self._flush(rows, besides)
        if self._doublewrite.due():
            self.checkpoint()
        return written

    def checkpoint(self) -> None:
        """Put into the file what its log holds; if that fails, it stays in the log, where it is as safe."""
        try:
            self._doublewrite.checkpoint(self.connection)
        except duckdb.Error:
            self.reopen()

    def select(
        self, query: str, parameters: Sequence[Any] | Mapping[str, Any] = (), access: Access = EVERYONE
    ) -> list[tuple[Any, ...]]:
        """The rows of a query of our own, over what `access` gives."""
        try:
            return self._read(lambda cursor: _rows(cursor, query, parameters, access), access)
        except duckdb.Error as error:
            raise StoreError(f"The workspace {self.folder} could not be read: {line(error)}.") from None

    def frame(self, query: str, frames: Mapping[str, Any], access: Access = EVERYONE) -> Any:
        """A DataFrame from one reading statement of a user, over `frames` and what `access` gives of the database."""
        return self._read(lambda cursor: reader.select(cursor, query, frames, access=access))

    def interrupt(self, thread: int, ended: threading.Event) -> None:
        """End what a thread reads. Said again until it has: DuckDB forgets an interrupt that comes too early."""
        while not ended.wait(_AGAIN):
            with self._idle:
                self._reading.get(thread, _nothing)()

    def recover(self) -> None:
        """After a failed write: forget what was not written, so that appending may go on."""
        try:
            self._begin()
        except duckdb.Error:  # a checkpoint that failed makes DuckDB refuse everything until the file is opened anew
            self.close()
            self.open()

    def close(self) -> None:
        """Let go of the file, once nobody reads; whoever comes later is `Lost`."""
        with self._idle:
            self._closed = True
            self._quieten()
        self._shut()
        self.forget()

    def forget(self) -> None:
        """Let others have the database; also of a forked process, which would hold it for longer than its parent."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _taken_lock(self) -> IO[bytes] | None:
        """A lock of our own. DuckDB reads the file's header before it locks the file, and not again.

        If the process that had it wrote its last checkpoint in between, all that was in that would be lost.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            found = lock.taken(self.folder / _LOCK)
        except OSError:  # nothing can be written here: the database says so in its own words
            return None
        if found is None:
            raise WorkspaceLocked(
                f"The workspace {self.folder} is in use by another process, most likely another notebook's kernel. "
                "Shut that kernel down, or set ASSENT_WORKSPACE to another folder for this one."
            )
        return found

    def _begin(self) -> None:
        self._last: tuple[int, str] = self.connection.cursor().execute(_LAST).fetchone() or (0, GENESIS)
        self._next = self._last
        self._appender = self.connection.appender(TABLE)  # whatever state an earlier one is in
        self._appenders: dict[str, Any] = {}  # of the other tables that were written to
        self._tally = Tally(self._asked)
        self._counted: list[tuple[Event, str]] = []  # that the tally is to note once they are written

    def _chained(self, parcel: Parcel, rows: list[tuple[Any, ...]]) -> Written:
        """Give the events of a parcel their place in the chain, and put their rows behind `rows`."""
        written = []
        seq, head = self._next
        for event, body in zip(parcel.events, parcel.bodies, strict=True):
            seq += 1
            event.seq, event.prev, event.batch = seq, head, parcel.name
            values = values_of(event, body)
            event.hash = head = hash_of(values, parcel.name)
            rows.append(row_of(values, head, parcel.name))
            if event.kind in COUNTED:
                self._counted.append((event, body))
            written.append((seq, event.prev, head))
        self._next = seq, head
        return written

    def _flush(self, rows: Sequence[tuple[Any, ...]], besides: Sequence[Beside]) -> None:
        """All or nothing, in one commit. An appender plans once what a statement plans anew each time."""
        if not rows:
            return
        try:
            if besides:
                self._together(rows, besides)
            else:
                self._appender.append_rows(rows)
                self._appender.flush()
        except BaseException:
            self._next = self._last
            self._counted.clear()
            self._appender.clear()
            raise
        self._last = self._next
        for event, body in self._counted:
            self._tally.note(event, body)
        self._counted.clear()

    def _together(self, rows: Sequence[tuple[Any, ...]], besides: Sequence[Beside]) -> None:
        """Write events and what stands beside them in one transaction."""
        self.connection.execute("BEGIN")
        try:
            self._appender.append_rows(rows)
            self._appender.flush()
            for beside in besides:
                for statement, parameters in beside.statements:
                    self.connection.execute(statement, parameters).fetchall()
                for table, items in beside.rows.items():
                    if table not in self._appenders:
                        self._appenders[table] = self.connection.appender(table)
                    self._appenders[table].append_rows(items)
                    self._appenders[table].flush()
            self.connection.execute("COMMIT")
        except BaseException:
            for appender in self._appenders.values():
                appender.clear()
            self._appenders.clear()
            with contextlib.suppress(duckdb.Error):
                self.connection.execute("ROLLBACK")
            raise

    def _recalled(self, name: str) -> Written:
        return self._asked(_BATCH, [name]) or None

    def _holds(self, guard: Guard) -> bool:
        rows = self._asked(guard.query, guard.parameters) if guard.query else [(True,)]
        return bool(rows and rows[0][0]) and all(self._tally.has(room) for room in guard.rooms)

    def _asked(self, query: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        with self._cursor() as cursor:
            return cursor.execute(query, parameters).fetchall()

    def _read(self, act: Callable[[duckdb.DuckDBPyConnection], T], access: Access = EVERYONE) -> T:
        while True:
            try:
                with self._cursor(access) as cursor:
                    return act(cursor)
            except _Again:
                continue

    @contextmanager
    def _cursor(self, access: Access = EVERYONE) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of its own to the same database: DuckDB forbids sharing one between threads.

        One that is confined to an `access` is kept for the next that reads: to confine it takes longer than to read.
        """
        with self._idle:
            self._idle.wait_for(lambda: not self._reopening)
            if self._closed:
                raise Lost
            cursor, kept = self._taken(access), False
            self._reading[threading.get_ident()] = cursor.interrupt
        try:
            yield cursor
        except (duckdb.Error, AssentError):
            if self._closed:  # interrupted by `close`
                raise Lost from None
            if self._reopening:
                raise _Again from None
            raise
        else:
            kept = access != EVERYONE
        finally:
            with self._idle:
                if kept and not (self._closed or self._reopening) and len(self._confined) < _KEPT:
                    self._confined.append((access, cursor))
                else:
                    cursor.close()
                del self._reading[threading.get_ident()]
                self._idle.notify_all()

    def _taken(self, access: Access) -> duckdb.DuckDBPyConnection:
        for place, (confined, cursor) in enumerate(self._confined):
            if confined == access:
                del self._confined[place]
                return cursor
        cursor = self.connection.cursor()
        confine(cursor, access)
        return cursor

    def _quieten(self) -> None:
        """Wait until nobody reads, for some time; then interrupt who still does."""
        if self._idle.wait_for(lambda: not self._reading, HURRY):
            return
        until = time.monotonic() + 10 * HURRY
        while self._reading and time.monotonic() < until:
            for interrupt in list(self._reading.values()):
                interrupt()
            self._idle.wait(_AGAIN)

    def _shut(self) -> None:
        while self._confined:
            self._confined.pop()[1].close()
        with contextlib.suppress(duckdb.Error):  # what is in the log stays there
            self._doublewrite.checkpoint(self.connection)
        self.connection.close()
        self._doublewrite.close()


def _nothing() -> None:
    """There is nothing to interrupt."""


def _rows(
    cursor: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] | Mapping[str, Any], access: Access
) -> list[tuple[Any, ...]]:
    if access != EVERYONE:
        fence.approve(cursor, query)
    return cursor.execute(query, parameters).fetchall()


def line(error: Exception) -> str:
    """What an error says, in one line without its full stop."""
    return (str(error).splitlines() or [type(error).__name__])[0][:300].rstrip(".")
