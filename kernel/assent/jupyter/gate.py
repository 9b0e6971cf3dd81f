"""Thread-safe routes from a comm to the handler of a person's decisions."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

Handler = Callable[[Mapping[str, Any]], None]


class Gate:
    """Open routes by comm id. A handler runs on the thread that delivers, outside the lock, once per message."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._handlers: dict[str, Handler] = {}

    def open(self, comm_id: str, handler: Handler) -> None:
        """Hand what arrives for `comm_id` to `handler`; a second `open` replaces the first."""
        with self._lock:
            self._handlers[comm_id] = handler

    def close(self, comm_id: str) -> None:
        """Forget the route; one that is not open is no error."""
        with self._lock:
            self._handlers.pop(comm_id, None)

    def is_open(self, comm_id: str) -> bool:
        """Whether a handler waits for messages of this comm."""
        with self._lock:
            return comm_id in self._handlers

    def deliver(self, comm_id: str, content: Mapping[str, Any]) -> bool:
        """Call the handler of `comm_id`; False if there is none. What the handler raises, `deliver` raises."""
        with self._lock:
            handler = self._handlers.get(comm_id)
        if handler is None:
            return False
        handler(content)
        return True


GATE = Gate()
