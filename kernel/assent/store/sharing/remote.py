"""The ledger of a workspace that another process holds."""

import contextlib
import os
import pickle
import queue
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

from assent.core.errors import QueryError, StoreError, WorkspaceLocked
from assent.store import database, reader
from assent.store.access import EVERYONE, Access
from assent.store.ledger import Lost, line
from assent.store.parcel import Parcel, Written
from assent.store.sharing.address import Holder
from assent.store.sharing.messages import Answer, Append, Appended, Ask, Hello, News, call, untold

_NOTICED = 1.0  # seconds in which the death of an owner is heard of
PATIENCE = 30.0  # seconds that a holder may take to say hello: its process may be busy in one long step


class Moving(Exception):
    """The process that holds the database is about to let go of it, for an owner."""


@dataclass(slots=True)
class Inbox:
    """What the owner has said and the writer has not yet looked at; `poke` tells the writer to look."""

    poke: Callable[[], None]
    items: "queue.SimpleQueue[Appended | News | None]" = field(default_factory=queue.SimpleQueue)

    def put(self, item: Appended | News | None) -> None:
        self.items.put(item)
        self.poke()


class Remote:
    """Connections to the owner: one to write and to hear what others write, and one for each that reads at once.

    As with a ledger, one thread appends and any thread reads. `Lost` means that the owner is not there any more.
    """

    def __init__(self, folder: Path, holder: Holder, hello: Hello, inbox: Inbox, connection: Connection) -> None:
        self.folder = folder
        self.holder = holder
        self._hello = hello
        self._inbox = inbox
        self._connection = connection
        self._readers: queue.SimpleQueue[Connection] = queue.SimpleQueue()
        self._lost = threading.Event()
        threading.Thread(target=self._hear, name="assent-owner", daemon=True).start()

    def append(self, parcels: Sequence[Parcel], hear: Callable[[News], None]) -> list[Written]:
        """Have parcels written. News that came before the answer is handed to `hear` first: its numbers are lower."""
        if self._lost.is_set():
            raise Lost
        self._send(Append([replace(parcel, events=[_bare(event) for event in parcel.events]) for parcel in parcels]))
        while not isinstance(item := self._inbox.items.get(), Appended):
            if item is None:
                raise Lost
            hear(item)
        if item.error is not None:
            raise item.error
        for parcel, written in zip(parcels, item.written, strict=True):
            for event, (seq, prev, digest) in zip(parcel.events, written or (), strict=written is not None):
                event.seq, event.prev, event.hash, event.batch = seq, prev, digest, parcel.name
        return list(item.written)

    def news(self) -> list[News]:
        """What others have written since one last looked; `Lost` if the owner is gone."""
        found: list[News] = []
        if self._lost.is_set() and self._inbox.items.empty():
            raise Lost
        with contextlib.suppress(queue.Empty):
            while True:
                item = self._inbox.items.get_nowait()
                if item is None:
                    raise Lost
                if isinstance(item, News):
                    found.append(item)
        return found

    def waits(self) -> bool:
        """Whether there is something to look at."""
        return self._lost.is_set() or not self._inbox.items.empty()

    def select(
        self, query: str, parameters: Sequence[Any] | Mapping[str, Any] = (), access: Access = EVERYONE
    ) -> list[tuple[Any, ...]]:
        """The rows of a query of our own."""
        rows: list[tuple[Any, ...]] = self._ask("select", query, parameters, access)
        return rows

    def frame(self, query: str, frames: Mapping[str, Any], access: Access = EVERYONE) -> Any:
        """A DataFrame from one reading statement; `frames` travel only where it also reads the workspace."""
        named = {name: frames[name] for name in reader.named(query, frames)}
        if named:
            with contextlib.suppress(QueryError):
                return reader.select(database.memory(), query, named)
        return self._ask("frame", query, named, access)

    def upkeep(self, name: str, arguments: tuple[Any, ...]) -> Any:
        """Have the owner do one of `store.upkeep.ACTS`."""
        return self._ask("upkeep", name, arguments)

    def recover(self) -> None:
        """After a failed write: have the owner try again."""
        self._ask("recover")

    def holders(self) -> list[dict[str, Any]]:
        """The processes on this workspace, the owner first."""
        found: list[dict[str, Any]] = self._ask("holders")
        return found

    def close(self) -> None:
        """Go away; the owner sees it."""
        self._lost.set()
        _shut(self._connection)
        self._close_readers()

    def forget(self) -> None:
        """In a forked process: let go of the connections, which would outlive the process that they speak for."""
        self._connection.close()
        self._close_readers()

    def _close_readers(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._readers.get_nowait().close()

    def _hear(self) -> None:
        try:
            with self._connection, contextlib.suppress(OSError, EOFError):
                while True:
                    self._inbox.put(self._connection.recv())
        finally:  # whatever it was, the writer must not wait for ever
            self._lost.set()
            self._inbox.put(None)

    def _send(self, message: Append) -> None:
        try:
            self._connection.send(message)
        except OSError:
            raise Lost from None

    def _ask(self, name: str, *arguments: Any) -> Any:
        question = _packed(Ask(name, arguments))
        try:
            connection = self._reader()
            try:
                connection.send_bytes(question)
                answer: Answer = connection.recv()
            except BaseException:  # an interrupt, too: the answer that is still to come would be taken for the next
                connection.close()
                raise
        except (OSError, EOFError) as error:
            if self._lost.wait(_NOTICED):
                raise Lost from None
            # The owner is there. To leave it would count as this process's death, and cut off what it has at work.
            raise StoreError(f"The workspace {self.folder} could not be read: {line(error)}. Try again.") from None
        self._readers.put(connection)
        if answer.error is not None:
            raise answer.error
        return answer.value

    def _reader(self) -> Connection:
        if self._lost.is_set():
            raise Lost
        with contextlib.suppress(queue.Empty):
            return self._readers.get_nowait()
        connection, welcome = call(self.holder, replace(self._hello, purpose="read"), PATIENCE)
        if welcome.says != "come in":
            connection.close()
            raise Lost
        return connection


def reached(folder: Path, holder: Holder, writer: str, poke: Callable[[], None]) -> Remote | None:
    """The way to a holder; None where it is gone, `Moving` where it makes room for an owner.

    `WorkspaceLocked` where it does not answer, or not to this version.
    """
    hello = Hello("write", writer)
    try:
        connection, welcome = call(holder, hello, PATIENCE)
    except TimeoutError:
        raise WorkspaceLocked(
            f"The workspace {folder} is open in process {holder.pid}, which is busy and did not answer for "
            f"{PATIENCE:g} s. Try again when its cell has ended, or set ASSENT_WORKSPACE to another folder."
        ) from None
    except (OSError, EOFError):
        return None
    if welcome.says == "come in":
        return Remote(folder, holder, hello, Inbox(poke), connection)
    connection.close()
    if welcome.says == "no":
        raise WorkspaceLocked(f"The workspace {folder} cannot be used: {welcome.reason}.")
    raise Moving


def _shut(connection: Connection) -> None:
    """End a connection that another thread may be reading from, which closing it would not tell."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            connection.close()
        else:
            with socket.socket(fileno=os.dup(connection.fileno())) as end:
                end.shutdown(socket.SHUT_RDWR)


def _packed(ask: Ask) -> memoryview:
    """A question as it travels; `QueryError` where a DataFrame holds what cannot leave this process."""
    try:
        return ForkingPickler.dumps(ask)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise QueryError(untold(error)) from None


def _bare(event: Any) -> Any:
    """An event without its body, which travels as text: what a tool has put into it may exist in one process only."""
    return replace(event, body={})
