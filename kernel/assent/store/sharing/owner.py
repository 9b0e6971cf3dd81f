"""The owner of a workspace: a process that does nothing but hold the database for all the others, while there are any.

Not a notebook's kernel, because a busy cell would hold up everybody. Started by `join`, ends with its last guest.
"""

import contextlib
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from assent.core.errors import AssentError, QueryError, StoreError
from assent.core.events import CONTROL
from assent.core.ids import new_id
from assent.store import cut_off, upkeep
from assent.store.ledger import Ledger, line
from assent.store.parcel import Parcel, Written
from assent.store.sharing import address
from assent.store.sharing.door import Door
from assent.store.sharing.messages import Answer, Append, Appended, Ask, Hello, News, Welcome, untold

GRACE = 3.0  # seconds for those who shared the last owner to come back, before their runs count as cut off
EXPECTING = 5.0  # seconds for the first guest to come
_LOOK = 0.2  # seconds between two looks whether somebody still waits for a statement
_GROUP = 1_000  # parcels that share a commit at most


@dataclass(slots=True, eq=False)
class Guest:
    """A process that writes here. What it is told goes through a queue: one that does not listen holds up nobody."""

    hello: Hello
    connection: Connection
    since: float = field(default_factory=time.time)
    outbox: "queue.SimpleQueue[Appended | News | None]" = field(default_factory=queue.SimpleQueue)


@dataclass(frozen=True, slots=True)
class _Delivery:
    guest: Guest
    parcels: Sequence[Parcel]


class Owner:
    """The ledger, who shares it, and what is to be done; the thread that calls `serve` writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ledger = Ledger(folder)
        self._todo: queue.SimpleQueue[_Delivery | Guest] = queue.SimpleQueue()
        self._guests: dict[str, Guest] = {}
        self._writing = threading.Lock()
        self._naming = threading.Lock()
        self._began = time.monotonic()
        self._graced = False
        self._had_guests = False
        self._told = address.read(folder) is not None  # who shared it before
        self._awaited = set(address.survivors(folder))  # those of them who have not come back yet
        self._door = Door(folder, self._visit, self._awaited)

    def serve(self) -> None:
        """Write what comes until the last guest has gone."""
        try:
            while not self._is_over():
                self._work(self._taken())
        finally:
            self._door.close()
            self._ledger.close()

    def _is_over(self) -> bool:
        age = time.monotonic() - self._began
        if not self._graced and (age > GRACE or (self._told and not self._awaited)):
            self._graced = True
            self._awaited.clear()
            self._name_guests()
            self._cut_off(lambda writer: writer not in self._guests)
        return not self._guests and self._todo.empty() and (self._had_guests or age > EXPECTING)

    def _taken(self) -> list[_Delivery | Guest]:
        """All that is to be done now, waiting for something if there is nothing."""
        taken: list[_Delivery | Guest] = []
        with contextlib.suppress(queue.Empty):
            taken.append(self._todo.get(timeout=None if self._graced and self._guests else _LOOK))
            while len(taken) < _GROUP:
                taken.append(self._todo.get_nowait())
        return taken

    def _work(self, taken: Sequence[_Delivery | Guest]) -> None:
        self._deliver([item for item in taken if isinstance(item, _Delivery)])
        for item in taken:
            if isinstance(item, Guest):
                self._bid_farewell(item)

    def _deliver(self, deliveries: Sequence[_Delivery]) -> None:
        if not deliveries:
            return
        parcels = [parcel for delivery in deliveries for parcel in delivery.parcels]
        try:
            with self._writing:
                written = self._ledger.append(parcels)
        except Exception as error:  # whatever it is, nobody may be left waiting
            failure = StoreError(line(error))
            for delivery in deliveries:
                delivery.guest.outbox.put(Appended([], failure))
            return
        found = iter(written)
        for delivery in deliveries:  # one after the other, so that every guest hears of events in their order
            places = [next(found) for _ in delivery.parcels]
            delivery.guest.outbox.put(Appended(places))
            self._spread(delivery.parcels, places)

    def _spread(self, parcels: Sequence[Parcel], written: Sequence[Written]) -> None:
        """Tell the others what a person decided or wants stopped."""
        for parcel, places in zip(parcels, written, strict=True):
            events = [event for event in parcel.events if places and event.kind in CONTROL]
            if events:
                news = News([(event, parcel.bodies[parcel.events.index(event)]) for event in events])
                writer = parcel.name.partition(".")[0]
                for guest in list(self._guests.values()):
                    if guest.hello.writer != writer:
                        guest.outbox.put(news)

    def _cut_off(self, gone: Callable[[str], bool]) -> None:
        """Mark the runs of writers that are gone as suspended."""
        with self._writing:
            if events := cut_off.suspensions(self._ledger, gone):
                self._ledger.append([cut_off.parcel(events, new_id())])

    def _bid_farewell(self, guest: Guest) -> None:
        if self._guests.get(guest.hello.writer) is guest:
            del self._guests[guest.hello.writer]
            self._name_guests()
            self._cut_off(lambda writer: writer == guest.hello.writer)
        guest.outbox.put(None)

    def _name_guests(self) -> None:
        with self._naming:
            self._door.name(self._awaited | {guest.hello.pid for guest in list(self._guests.values())})

    # Visitors, each on a thread of its own

    def _visit(self, connection: Connection, hello: Hello) -> None:
        if hello.purpose == "read":
            connection.send(Welcome("come in"))
            self._answer(connection)
            return
        guest = Guest(hello, connection)
        self._guests[hello.writer] = guest
        self._had_guests = True
        self._awaited.discard(hello.pid)
        self._name_guests()
        connection.send(Welcome("come in"))
        threading.Thread(target=_tell, args=(guest,), name="assent-teller", daemon=True).start()
        try:
            while True:
                message: Append = connection.recv()
                self._todo.put(_Delivery(guest, message.parcels))
        finally:
            self._todo.put(guest)

    def _answer(self, connection: Connection) -> None:
        while True:
            try:
                ask: Ask = connection.recv()
            except (AttributeError, ImportError) as error:  # of a class that is not known here
                connection.send(Answer(None, QueryError(untold(error))))
                continue
            try:
                answer = Answer(self._asked(ask, connection))
            except AssentError as error:
                answer = Answer(None, error)
            except Exception as error:
                answer = Answer(None, StoreError(f"The workspace {self.folder} failed: {line(error)}."))
            connection.send(answer)

    def _asked(self, ask: Ask, connection: Connection) -> Any:
        match ask.name:
            case "select":
                return self._ledger.select(*ask.arguments)
            case "frame":
                return self._framed(connection, *ask.arguments)
            case "recover":
                with self._writing:
                    return self._ledger.recover()
            case "upkeep":
                name, arguments = ask.arguments
                with self._writing:
                    return upkeep.ACTS[name](self._ledger, *arguments)
            case "holders":
                return self._holders()
        raise StoreError(f"The owner of {self.folder} knows no {ask.name!r}.")

    def _framed(self, connection: Connection, *arguments: Any) -> Any:
        """A user's statement, which ends when nobody waits for it any more."""
        ended = threading.Event()

        def watch() -> None:
            while not ended.is_set():
                if wait([connection], timeout=_LOOK):
                    self._ledger.interrupt(thread, ended)

        thread = threading.get_ident()
        threading.Thread(target=watch, name="assent-watch", daemon=True).start()
        try:
            return self._ledger.frame(*arguments)
        finally:
            ended.set()

    def _holders(self) -> list[dict[str, Any]]:
        owner = {"process": os.getpid(), "role": "owner", "title": "", "since": self._door.holder.since}
        guests = [
            {"process": guest.hello.pid, "role": "guest", "title": guest.hello.title, "since": guest.since}
            for guest in list(self._guests.values())
        ]
        return [owner, *guests]


def _tell(guest: Guest) -> None:
    with contextlib.suppress(OSError):
        while (message := guest.outbox.get()) is not None:
            guest.connection.send(message)


def main(folder: str) -> None:
    """Own the workspace, if nobody else does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for whoever started this process
    Owner(Path(folder)).serve()


if __name__ == "__main__":
    main(sys.argv[1])
