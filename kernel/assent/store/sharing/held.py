"""The database in this process, until another one wants to share it."""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from assent.core.ids import new_id
from assent.store import cut_off, upkeep
from assent.store.access import EVERYONE, Access
from assent.store.ledger import Ledger, Lost
from assent.store.parcel import Parcel, Written
from assent.store.sharing import address
from assent.store.sharing.door import Door
from assent.store.sharing.messages import Hello, News, Welcome, title
from assent.store.sharing.remote import Moving


class Held:
    """A ledger behind a door. Once somebody has knocked, `news` raises `Lost`: the owner is to have the database.

    `Moving` where others are about to look for an owner.
    """

    def __init__(self, folder: Path, poke: Callable[[], None]) -> None:
        self._poke = poke
        self._ledger = Ledger(folder)
        if address.survivors(folder):  # of an owner that died: they come back, and nothing of theirs is to be cut off
            self._ledger.close()
            raise Moving
        self._writing = threading.Lock()
        self._wanted = False
        self._since = time.time()
        # Nobody else can be at work on what reads "running": this process has only just begun to hold the database.
        if not self._ledger.empty and (events := cut_off.suspensions(self._ledger, lambda _: True)):
            self._ledger.append([cut_off.parcel(events, new_id())])
        self._door: Door | None = None
        with contextlib.suppress(OSError):  # no sockets here: then the workspace is this process's alone
            self._door = Door(folder, self._visit)

    def append(self, parcels: Sequence[Parcel], hear: Callable[[News], None]) -> list[Written]:
        """Write parcels; nobody else writes, so there is nothing to hear."""
        with self._writing:
            return self._ledger.append(parcels)

    def waits(self) -> bool:
        """Whether there is something to look at."""
        return self._wanted

    def news(self) -> list[News]:
        """Nothing; `Lost` once the database is wanted."""
        if self._wanted:
            raise Lost
        return []

    def select(
        self, query: str, parameters: Sequence[Any] | Mapping[str, Any] = (), access: Access = EVERYONE
    ) -> list[tuple[Any, ...]]:
        """The rows of a query of our own."""
        return self._ledger.select(query, parameters, access)

    def frame(self, query: str, frames: Mapping[str, Any], access: Access = EVERYONE) -> Any:
        """A DataFrame from one reading statement."""
        return self._ledger.frame(query, frames, access)

    def upkeep(self, name: str, arguments: tuple[Any, ...]) -> Any:
        """Do one of `store.upkeep.ACTS` between two commits."""
        with self._writing:
            return upkeep.ACTS[name](self._ledger, *arguments)

    def recover(self) -> None:
        """After a failed write: try again."""
        with self._writing:
            self._ledger.recover()

    def holders(self) -> list[dict[str, Any]]:
        """This process alone."""
        return [{"process": os.getpid(), "role": "holder", "title": title(), "since": self._since}]

    def close(self) -> None:
        """Let go of the database."""
        if self._door is not None:
            self._door.close()
        with self._writing:
            self._ledger.close()

    def forget(self) -> None:
        """In a forked process: nobody is to take it for the one that listens at the door."""
        self._ledger.forget()
        if self._door is not None:
            self._door.forget()

    def _visit(self, connection: Connection, hello: Hello) -> None:
        if self._door is not None and not self._wanted:
            self._door.name([os.getpid()])
        self._wanted = True
        connection.send(Welcome("wait"))
        self._poke()
