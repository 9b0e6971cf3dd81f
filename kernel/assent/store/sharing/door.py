"""The door of a process that has the database to itself: whoever knocks is told to wait, and an owner takes over."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path

from assent.store.sharing import address
from assent.store.sharing.messages import Hello, Welcome, greeted

_PATIENCE = 1.0  # seconds
_PAUSE = 0.02  # seconds

Visitor = Callable[[Connection, Hello], None]


class Door:
    """Listens for other processes. `visitor` gets each that knows the key, on a thread of its own, and closes it."""

    def __init__(self, folder: Path, visitor: Visitor, guests: Iterable[int] = ()) -> None:
        self._folder = folder
        self._visitor = visitor
        self.holder = address.here(folder, guests)
        self._writing = threading.Lock()
        self._listener = Listener(self.holder.address, backlog=64)
        self._open = True
        self._thread = threading.Thread(target=self._listen, name="assent-door", daemon=True)
        self._thread.start()
        address.write(folder, self.holder)

    def name(self, guests: Iterable[int]) -> None:
        """Say who will look for another way if this process dies; until `close`."""
        with self._writing:
            self.holder = replace(self.holder, guests=sorted(guests))
            if self._open:
                with contextlib.suppress(OSError):  # a full disk keeps nobody out
                    address.write(self._folder, self.holder)

    def close(self) -> None:
        """Listen no more. What `name` said stays if it named anybody."""
        if not self._open:
            return
        with self._writing:
            self._open = False
            if not self.holder.guests:
                address.remove(self._folder, self.holder)
        with contextlib.suppress(OSError):
            Client(self.holder.address).close()  # closing the socket would not wake the thread that listens to it
        self._thread.join(_PATIENCE)

    def forget(self) -> None:
        """In a forked process: let go of the socket, which would outlive the one that listens."""
        self._listener.close()

    def _listen(self) -> None:
        with self._listener:
            while self._open:
                try:
                    connection = self._listener.accept()
                except OSError:  # it went away before it was let in, or there are too many open files
                    time.sleep(_PAUSE)
                    continue
                threading.Thread(target=self._greet, args=(connection,), name="assent-visitor", daemon=True).start()

    def _greet(self, connection: Connection) -> None:
        with connection, contextlib.suppress(OSError, EOFError, TypeError, AttributeError):
            hello = greeted(connection, self.holder.key)
            if hello.protocol != address.PROTOCOL:
                connection.send(Welcome("no", _other_version(self.holder)))
                return
            self._visitor(connection, hello)


def _other_version(holder: address.Holder) -> str:
    return (
        f"process {holder.pid} has it open with Assent {holder.version}, which does not share it with this version. "
        "Install the same version for both and restart that process"
    )
