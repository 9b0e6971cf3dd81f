"""The append-only journal: one thread writes, groups what waits into one commit, then publishes it."""

import asyncio
import contextlib
import itertools
import json
import logging
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from assent.core.errors import Conflict, CutOff, StoreError, WorkspaceGone
from assent.core.events import Event, Kind
from assent.core.ids import new_id
from assent.store import bodies, chain
from assent.store.access import EVERYONE, Access
from assent.store.ledger import Lost, line
from assent.store.parcel import Beside, Guard, Parcel
from assent.store.rows import event_of
from assent.store.schema import SELECT
from assent.store.sharing.join import PATIENCE as COMING
from assent.store.sharing.join import Store, join
from assent.store.sharing.meanwhile import missed
from assent.store.sharing.messages import News
from assent.store.waiting import Waiting, settle

T = TypeVar("T")
Listener = Callable[[Sequence[Event]], None]

LINGER = 0.02  # seconds that events nobody waits for may gather company, so that they share a commit
PATIENCE = 0.004  # seconds longer for each further one that waited for the commit before: a crowd shares commits too
GROUP = 1_000  # entries of the queue that share a commit at most: a row needs 3 KB until it is on disk
_CLOSED = "The workspace is closed. Load it again with `%reload_ext assent`."
_FORKED = "This process was forked from one that has the workspace open. Open a session of its own in it."
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Entry:
    """Events on their way to the disk, who waits for them, on which condition, and what is written beside them."""

    events: Sequence[Event]
    waiting: Waiting | None = None
    guard: Guard | None = None
    beside: Beside | None = None


class Journal:
    """The events of one workspace. Every method may be called from any thread.

    `append` gives a future that resolves when the events are durable, `committed` one for coroutines; `post` does
    not wait. All keep the order of calls. Listeners are called on the writer's thread, after the commit, and must not
    block; they also hear what another process on the workspace wrote, if it is of `core.events.CONTROL`.

    Where the database is, in this process or in another one, is the store's business (`store.sharing`). If it is lost,
    the writer looks for it, and what is being written or read is done there once more.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.writer = new_id()  # this process, in the names of what it writes
        self._numbers = itertools.count(1)
        self._queue: list[_Entry] = []
        self._waiting = 0  # futures in the queue: as soon as there is one, nothing lingers
        self._crowd = 0  # how many waited for the last commit
        self._wake = threading.Condition()
        self._failure: StoreError | None = None
        self._closed = ""  # why, once it is
        self._listeners: list[Listener] = []
        self._told = 0  # the number of the last event that the listeners heard, or need not hear of
        self._store: Store = join(folder, self.writer, self._poke)
        self._thread = threading.Thread(target=self._write, name="assent-journal", daemon=True)
        self._thread.start()
        _all.add(self)
        # Who listens later has to hear of what is written from now on, also while the workspace changes hands.
        self._told = max(self._told, self._last())

    def append(self, events: Sequence[Event], guard: Guard | None = None, beside: Beside | None = None) -> Future[None]:
        """Queue events and return a future that resolves once they are on disk; `Conflict` if the `guard` says no.

        What is to be written `beside` them is in the same commit.
        """
        future: Future[None] = Future()
        future.set_running_or_notify_cancel()  # whoever gives up waiting must not undo what the writer has taken
        self._enqueue(_Entry(events, future, guard, beside))
        return future

    def committed(self, events: Sequence[Event]) -> asyncio.Future[None]:
        """`append` with a future of the running event loop."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._enqueue(_Entry(events, future))
        return future

    def post(self, events: Sequence[Event]) -> None:
        """Queue events that nobody waits for; a later `append` resolves only after they are on disk too."""
        self._enqueue(_Entry(events))

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with each committed group; the returned function ends that."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def select(
        self, query: str, parameters: Sequence[Any] | Mapping[str, Any] = (), access: Access = EVERYONE
    ) -> list[tuple[Any, ...]]:
        """The rows of a query of our own, over what `access` gives; what users write goes through `frame`."""
        return self._asked(lambda store: store.select(query, parameters, access))

    def frame(self, query: str, frames: Mapping[str, Any], access: Access = EVERYONE) -> Any:
        """A DataFrame from one reading statement of a user over the views and `frames`; `QueryError` if it is none."""
        return self._asked(lambda store: store.frame(query, frames, access))

    def events(self, run: str | None = None, *, kind: Kind | None = None, access: Access = EVERYONE) -> list[Event]:
        """The events of a run, or of a kind, oldest first, with the payloads that were set aside put back."""
        column, value = ("run", run) if kind is None else ("kind", kind.value)
        rows = self.select(f"{SELECT} WHERE {column} = ? ORDER BY seq", [value], access)
        return [bodies.restored(self.folder, event_of(row)) for row in rows]

    def verify(self) -> int:
        """Recompute the hash chain; the number of events, or `StoreError` naming what does not fit first."""
        return chain.verify(self.select, self.folder).events

    def upkeep(self, name: str, *arguments: Any) -> Any:
        """Do one of `store.upkeep.ACTS` where the database is, between two commits; its result."""
        return self._asked(lambda store: store.upkeep(name, arguments))

    def holders(self) -> list[dict[str, Any]]:
        """The processes on the workspace: process, role (holder, owner, guest), title, since (epoch seconds)."""
        return self._asked(lambda store: store.holders())

    def recover(self) -> None:
        """After a failed write: forget what was never written and accept events again."""
        if self._failure is None:
            return
        with contextlib.suppress(Lost):  # then the writer looks for another way
            self._store.recover()
        with self._wake:
            self._failure = None
            self._wake.notify_all()

    def close(self) -> None:
        """Write what is queued, then let go of the file."""
        with self._wake:
            if self._closed:
                return
            self._closed = _CLOSED
            self._wake.notify_all()
        self._thread.join()
        self._store.close()

    def forget(self) -> None:
        """In a process that was forked from the one that opened it: the writer is not here, its connections are."""
        self._closed = _FORKED
        self._wake = threading.Condition()  # who held the other one is not here either
        self._store.forget()

    def _last(self) -> int:
        try:
            [(seq,)] = self.select("SELECT coalesce(max(seq), 0) FROM events")
        except BaseException:
            self.close()
            raise
        return int(seq)

    def _poke(self) -> None:
        with self._wake:
            self._wake.notify_all()

    def _enqueue(self, entry: _Entry) -> None:
        with self._wake:
            if self._failure is not None:
                raise self._failure
            if self._closed:
                raise StoreError(self._closed)
            self._queue.append(entry)
            if entry.waiting is not None:
                self._waiting += 1
            if entry.waiting is not None or len(self._queue) == 1:
                self._wake.notify_all()

    def _asked(self, ask: Callable[[Store], T]) -> T:
        """What the store says; if it is lost meanwhile, what the next one says."""
        while not self._closed:
            store = self._store
            try:
                return ask(store)
            except Lost:
                self._await_another(store)
        raise StoreError(self._closed)

    def _await_another(self, store: Store) -> None:
        with self._wake:
            self._wake.notify_all()
            found = self._wake.wait_for(lambda: self._store is not store or self._failure or self._closed, 2 * COMING)
            if self._failure is not None:
                raise self._failure
        if not found:
            raise StoreError(f"The workspace {self.folder} could not be reached. Try again.")

    # The writer's thread

    def _write(self) -> None:
        while (group := self._take()) is not None:
            try:
                self._look()
                if group:
                    self._commit(group)
            except Exception as error:  # whatever it is, nobody may be left waiting for a thread that died
                self._fail(group, error)

    def _take(self) -> list[_Entry] | None:
        """What is to be written now; nothing where there is something to look at, None once all is done."""
        with self._wake:
            while not self._queue and not self._closed:
                if self._failure is None and self._store.waits():
                    return []
                self._wake.wait()
            if not self._queue:
                return None
            if not self._waiting and not self._closed and len(self._queue) < GROUP:
                self._wake.wait_for(lambda: self._waiting or self._closed, LINGER)
            if self._crowd > 1:
                patience = min((self._crowd - 1) * PATIENCE, LINGER)
                self._wake.wait_for(lambda: self._closed or len(self._queue) >= GROUP, patience)
            group, self._queue = self._queue[:GROUP], self._queue[GROUP:]
            self._crowd = sum([entry.waiting is not None for entry in group])
            self._waiting -= self._crowd
            return group

    def _look(self) -> None:
        """Hear what others have written; go where the database is now."""
        try:
            heard = [event for news in self._store.news() for event in self._events_of(news)]
        except Lost:
            heard = self._rejoin()
        self._publish(heard)

    def _rejoin(self) -> list[Event]:
        """Go where the database is now; what others wrote meanwhile that has to be heard here."""
        while True:
            self._store.close()
            store = join(self.folder, self.writer, self._poke, alone=False)
            with self._wake:
                self._store = store
                self._wake.notify_all()
            with contextlib.suppress(Lost):
                found = missed(store, self.writer, self._told)
                return [bodies.restored(self.folder, event) for event in found]

    def _commit(self, group: Sequence[_Entry]) -> None:
        parcels = [self._parcel(entry) for entry in group]
        heard: list[Event] = []

        def hear(news: News) -> None:
            heard.extend(self._events_of(news))

        while True:
            try:
                written = self._store.append(parcels, hear)
                break
            except Lost:
                for parcel in parcels:
                    parcel.again = True
                heard += self._rejoin()
        done = [entry for entry, places in zip(group, written, strict=True) if places is not None]
        refused = [entry for entry, places in zip(group, written, strict=True) if places is None]
        settle(entry.waiting for entry in done if entry.waiting is not None)
        settle((entry.waiting for entry in refused if entry.waiting is not None), Conflict())
        own = [event for entry in done for event in entry.events]
        self._publish(_in_order(own, [event for event in heard if event.seq > self._told]) if heard else own)

    def _parcel(self, entry: _Entry) -> Parcel:
        name = f"{self.writer}.{next(self._numbers)}"
        texts = [bodies.text_of(self.folder, event) for event in entry.events]
        return Parcel(name, entry.events, texts, entry.guard, entry.beside)

    def _events_of(self, news: News) -> list[Event]:
        events = []
        for event, body in news.events:
            event.body = json.loads(body)
            events.append(bodies.restored(self.folder, event))
        return events

    def _publish(self, events: Sequence[Event]) -> None:
        if not events:
            return
        self._told = max(self._told, events[-1].seq)
        for listener in list(self._listeners):
            try:
                listener(events)
            except Exception:  # a display that fails must not stop the record
                _log.exception("A listener of the journal failed.")

    def _fail(self, group: Iterable[_Entry], error: Exception) -> None:
        failure: StoreError = StoreError(
            f"The workspace {self.folder} could not be written: {line(error)}. What was recorded "
            "before is safe. Free some space or check the disk, then resume the run."
        )
        if isinstance(error, (WorkspaceGone, CutOff)):
            failure = error
        with self._wake:
            self._failure = failure
            group = [*group, *self._queue]
            self._queue, self._waiting = [], 0
            self._wake.notify_all()
        settle((entry.waiting for entry in group if entry.waiting is not None), failure)


def _in_order(own: Iterable[Event], heard: Iterable[Event]) -> list[Event]:
    """Events by their numbers, each once: what was missed may also have been told."""
    found = {event.seq: event for event in [*heard, *own]}
    return [found[seq] for seq in sorted(found)]


_all: "weakref.WeakSet[Journal]" = weakref.WeakSet()


def is_open(folder: Path) -> bool:
    """Whether this process has the workspace open."""
    key = folder.resolve()
    return any(not journal._closed and journal.folder.resolve() == key for journal in list(_all))


def _forget() -> None:
    """In a forked process: leave to the parent what is the parent's."""
    for journal in list(_all):
        journal.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
