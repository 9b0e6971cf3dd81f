"""A session's memory: what it remembers, finds and forgets, from any thread."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from assent.core.events import Scope
from assent.memory.item import Filter, Hit, Item
from assent.store.schema import ITEMS, SEGMENTS, TEXTS
from assent.store.window import Window

if TYPE_CHECKING:
    from assent.memory.index import Index

_COLLECTIONS = f"""SELECT collection, count(*), count(DISTINCT source), max(time) FROM {ITEMS}
    WHERE {{where}} GROUP BY collection ORDER BY collection"""
_STATUS = f"""SELECT (SELECT count(*) FROM {ITEMS} WHERE {{where}}), (SELECT count(*) FROM {TEXTS} WHERE tenant = ?),
    count(*), coalesce(sum(octet_length(data)), 0) FROM {SEGMENTS} WHERE tenant = ?"""


@dataclass(frozen=True, slots=True)
class Collection:
    """Items under one name, "" for those of none: how many, of how many sources, and when one came last (UTC)."""

    name: str
    items: int
    sources: int
    latest: datetime


@dataclass(frozen=True, slots=True)
class Status:
    """How many items may be seen; of the whole tenant the texts, the index's segments, and the bytes of these."""

    items: int
    texts: int
    segments: int
    bytes: int


class Memory:
    """What a window may see of its tenant's memory. The index is loaded with the first search or addition."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self._lock = threading.Lock()
        self._index: "Index | None" = None

    def add(self, items: Sequence[Item], scope: Scope | None = None) -> list[str]:
        """Remember items as of `scope`, of this session where it is None; their ids."""
        from assent.memory.keep import add  # numpy: not before somebody remembers

        with self._lock:
            return add(self.window, self._opened(), items, scope or self.window.scope())

    def search(self, query: str, count: int = 10, **wanted: Any) -> list[Hit]:
        """The `count` items that fit a query best, of those that are `wanted` (fields of `Filter`) and may be seen."""
        from assent.memory.search import search  # numpy likewise

        with self._lock:
            return search(self._opened(), query, self._visible(**wanted), count)

    def named(self, beginning: str) -> Hit:
        """The item whose id begins so, hidden or not; `NotFound` where there is none to be seen, or more than one."""
        from assent.memory.search import named

        return named(self.window.house, beginning, self._every())

    def forget(self, ids: Sequence[str], by: str = "") -> int:
        """Forget items by their ids; how many of them were there to be seen."""
        from assent.memory.keep import forget

        with self._lock:
            return forget(self.window, self._opened(), self._every(), ids, by or self.window.user)

    def collections(self) -> list[Collection]:
        """The collections that may be seen."""
        where, values = self._every().where()
        return [Collection(*row) for row in self.window.house.select(_COLLECTIONS.format(where=where), values)]

    def status(self) -> Status:
        """How much there is."""
        where, values = self._every().where()
        tenant = self.window.tenant
        [row] = self.window.house.select(_STATUS.format(where=where), [*values, tenant, tenant])
        return Status(*[int(value) for value in row])

    def close(self) -> None:
        """Let go of the index."""
        with self._lock:
            if self._index is not None:
                self._index.close()
                self._index = None

    def _opened(self) -> "Index":
        if self._index is None:
            from assent.memory.index import Index

            self._index = Index(self.window.house, self.window.tenant)
        return self._index

    def _visible(self, **wanted: Any) -> Filter:
        """What is wanted, within what the window may see: whom it is confined to cannot be widened."""
        access = self.window.access
        found = Filter(**{"tenant": self.window.tenant, "user": access.user, **wanted})
        own = {name: value for name in ("user", "agent", "notebook") if (value := getattr(access, name)) is not None}
        return replace(found, tenant=self.window.tenant, **own)

    def _every(self) -> Filter:
        """All that the window may see, what is hidden from searches too."""
        return self._visible(hidden=True)
