"""The append-only journal: one thread writes, groups what waits into one commit, then publishes it."""

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import duckdb

from assent.core.errors import StoreError
from assent.core.events import Event, Kind
from assent.core.ids import new_id
from assent.store import blobs, chain, database
from assent.store.chain import GENESIS
from assent.store.rows import encoded, event_of, hash_of, row_of, values_of
from assent.store.schema import SELECT, TABLE
from assent.store.waiting import Waiting, settle

Listener = Callable[[Sequence[Event]], None]

LINGER = 0.02  # seconds that events nobody waits for may gather company, so that they share a commit
PATIENCE = 0.004  # seconds longer for each further one that waited for the commit before: a crowd shares commits too
GROUP = 1_000  # entries of the queue that share a commit at most: a row needs 3 KB until it is on disk
BLOB_BYTES = 64 * 1024
_EXCERPT = 2_000
_CLOSED = "The workspace is closed. Load it again with `%reload_ext assent`."
_log = logging.getLogger(__name__)


class Journal:
    """The events of one workspace. Every method may be called from any thread.

    `append` gives a future that resolves when the events are durable, `committed` one for coroutines; `post` does
    not wait. All keep the order of calls. Listeners are called on the writer's thread, after the commit, and must not
    block.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._connection = database.connect(folder / database.FILE)
        self._appender = self._connection.appender(TABLE)
        self.deciding = threading.Lock()  # held by whoever looks and appends as one act, whichever session it is of
        self._reading = threading.Lock()
        self._seq, self._head = self._last()
        self._writer, self._commits = new_id(), 0
        self._queue: list[tuple[Sequence[Event], Waiting | None]] = []
        self._waiting = 0  # futures in the queue: as soon as there is one, nothing lingers
        self._crowd = 0  # how many waited for the last commit
        self._wake = threading.Condition()
        self._failure: StoreError | None = None
        self._closed = False
        self._listeners: list[Listener] = []
        self._thread = threading.Thread(target=self._write, name="assent-journal", daemon=True)
        self._thread.start()

    def append(self, events: Sequence[Event]) -> Future[None]:
        """Queue events and return a future that resolves once they are on disk."""
        future: Future[None] = Future()
        future.set_running_or_notify_cancel()  # whoever gives up waiting must not undo what the writer has taken
        self._enqueue(events, future)
        return future

    def committed(self, events: Sequence[Event]) -> asyncio.Future[None]:
        """`append` with a future of the running event loop."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._enqueue(events, future)
        return future

    def post(self, events: Sequence[Event]) -> None:
        """Queue events that nobody waits for; a later `append` resolves only after they are on disk too."""
        self._enqueue(events, None)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with each committed group; the returned function ends that."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def select(self, query: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query of our own; what users write goes through `store.reader`."""
        cursor = self.cursor()
        try:
            return cursor.execute(query, parameters).fetchall()
        except duckdb.Error as error:
            raise StoreError(f"The workspace {self.folder} could not be read: {_line(error)}.") from None
        finally:
            cursor.close()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own to the same database: DuckDB forbids sharing one between threads."""
        with self._reading:
            if self._closed:
                raise StoreError(_CLOSED)
            return self._connection.cursor()

    def events(self, run: str | None = None, *, kind: Kind | None = None) -> list[Event]:
        """The events of a run, or of a kind, oldest first, with the payloads that were set aside put back."""
        column, value = ("run", run) if kind is None else ("kind", kind.value)
        rows = self.select(f"{SELECT} WHERE {column} = ? ORDER BY seq", [value])
        return [self._restored(event_of(row)) for row in rows]

    def verify(self) -> int:
        """Recompute the hash chain; the number of events, or `StoreError` naming what does not fit first."""
        return chain.verify(self.select, self.folder).events

    def recover(self) -> None:
        """After a failed write: forget what was never written and accept events again."""
        with self._wake:
            if self._failure is None:
                return
            try:
                self._seq, self._head = self._last()
                self._appender = self._connection.appender(TABLE)  # whatever state the other one is in
            except duckdb.Error:
                self._reopen()
            self._failure = None

    def close(self) -> None:
        """Write what is queued, then let go of the file."""
        with self._wake:
            if self._closed:
                return
            self._closed = True
            self._wake.notify()
        self._thread.join()
        with self._reading:
            self._connection.close()

    def _enqueue(self, events: Sequence[Event], future: Waiting | None) -> None:
        with self._wake:
            if self._failure is not None:
                raise self._failure
            if self._closed:
                raise StoreError(_CLOSED)
            self._queue.append((events, future))
            if future is not None:
                self._waiting += 1
            if future is not None or len(self._queue) == 1:
                self._wake.notify()

    def _write(self) -> None:
        while group := self._take():
            events = [event for part, _ in group for event in part]
            try:
                self._commit(events)
            except Exception as error:  # whatever it is, nobody may be left waiting for a thread that died
                self._fail(group, error)
                continue
            settle(future for _, future in group if future is not None)
            self._publish(events)

    def _publish(self, events: Sequence[Event]) -> None:
        for listener in list(self._listeners):
            try:
                listener(events)
            except Exception:  # a display that fails must not stop the record
                _log.exception("A listener of the journal failed.")

    def _take(self) -> list[tuple[Sequence[Event], Waiting | None]]:
        with self._wake:
            while not self._queue and not self._closed:
                self._wake.wait()
            if not self._waiting and not self._closed and len(self._queue) < GROUP:
                self._wake.wait_for(lambda: self._waiting or self._closed, LINGER)
            if self._crowd > 1:
                patience = min((self._crowd - 1) * PATIENCE, LINGER)
                self._wake.wait_for(lambda: self._closed or len(self._queue) >= GROUP, patience)
            group, self._queue = self._queue[:GROUP], self._queue[GROUP:]
            self._crowd = sum([future is not None for _, future in group])
            self._waiting -= self._crowd
            return group

    def _commit(self, events: Sequence[Event]) -> None:
        rows = []
        seq, head = self._seq, self._head
        self._commits += 1
        batch = f"{self._writer}.{self._commits}"
        for event in events:
            seq += 1
            event.seq, event.prev, event.batch = seq, head, batch
            values = values_of(event, self._body(event))
            event.hash = head = hash_of(values, batch)
            rows.append(row_of(values, head, batch))
        if rows:
            self._append(rows)
        self._seq, self._head = seq, head

    def _append(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """All rows or none, in one commit. An appender plans once what a statement plans anew each time."""
        try:
            self._appender.append_rows(rows)
            self._appender.flush()
        except BaseException:
            self._appender.clear()
            raise

    def _body(self, event: Event) -> str:
        text = encoded(event.body)
        if len(text) <= BLOB_BYTES:
            return text
        name = blobs.put(self.folder / blobs.FOLDER, text.encode())
        kept = {key: value for key, value in event.body.items() if len(encoded(value)) <= _EXCERPT}
        excerpts = {
            key: value[:_EXCERPT] + "…"
            for key, value in event.body.items()
            if isinstance(value, str) and key not in kept
        }
        return encoded(kept | excerpts | {"blob": name, "bytes": len(text)})

    def _restored(self, event: Event) -> Event:
        if name := event.body.get("blob"):
            event.body = json.loads(blobs.get(self.folder / blobs.FOLDER, name))
        return event

    def _fail(self, group: Iterable[tuple[Sequence[Event], Waiting | None]], error: Exception) -> None:
        failure = StoreError(
            f"The workspace {self.folder} could not be written: {_line(error)}. What was recorded "
            "before is safe. Free some space or check the disk, then resume the run."
        )
        with self._wake:
            self._failure = failure
            group = [*group, *self._queue]
            self._queue, self._waiting = [], 0
        settle((future for _, future in group if future is not None), failure)

    def _reopen(self) -> None:
        """A checkpoint that failed makes DuckDB refuse everything until the file is opened anew."""
        with self._reading:
            self._connection.close()
            self._connection = database.connect(self.folder / database.FILE)
            self._appender = self._connection.appender(TABLE)
        self._seq, self._head = self._last()

    def _last(self) -> tuple[int, str]:
        row = self._connection.cursor().execute("SELECT max(seq), arg_max(hash, seq) FROM events").fetchone()
        return (row[0], row[1]) if row and row[0] is not None else (0, GENESIS)


_open: dict[Path, tuple[Journal, int]] = {}
_opening = threading.Lock()


def attach(folder: Path) -> tuple[Journal, bool]:
    """The journal of a workspace, one for all who attach to it in this process; True for the first of them."""
    key = folder.resolve()
    with _opening:
        journal, users = _open.get(key) or (Journal(folder), 0)
        _open[key] = journal, users + 1
        return journal, users == 0


def detach(journal: Journal) -> None:
    """Let go of an attached journal; the last one to do so closes it."""
    key = journal.folder.resolve()
    with _opening:
        held, users = _open.get(key, (journal, 1))
        if held is journal and users > 1:
            _open[key] = journal, users - 1
            return
        if held is journal:
            _open.pop(key, None)
    journal.close()


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300].rstrip(".")
