"""A session's memory: what it remembers, finds and forgets, from any thread."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from assent.core.errors import ConfigError, NothingDone
from assent.core.events import Scope
from assent.core.taint import merged
from assent.memory.caller import Caller
from assent.memory.item import Filter, Hit, Item, writable
from assent.store.schema import ITEMS, SEGMENTS, TEXTS
from assent.store.window import Window

if TYPE_CHECKING:
    from assent.memory.index import Index

_COLLECTIONS = f"""SELECT collection, count(*), count(DISTINCT source), max(time) FROM {ITEMS}
    WHERE {{where}} GROUP BY collection ORDER BY collection"""
_STATUS = f"""SELECT (SELECT count(*) FROM {ITEMS} WHERE {{where}}), (SELECT count(*) FROM {TEXTS} WHERE tenant = ?),
    count(DISTINCT name), coalesce(sum(octet_length(data)), 0) FROM {SEGMENTS} WHERE tenant = ?"""


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
    """What a window may see of its tenant's memory. The index is loaded with the first search or addition.

    `caller` gives the run whose call this is, if it is one: such a run adds as itself, and finds what is its user's and
    its agent's or no agent's.
    """

    def __init__(self, window: Window, caller: Callable[[], Caller | None] = lambda: None) -> None:
        self.window = window
        self._caller = caller
        self._lock = threading.Lock()
        self._index: Index | None = None

    def add(self, items: Sequence[Item], scope: Scope | None = None) -> list[str]:
        """Remember items as of `scope`, of the run that calls or of this session where it is None; their ids."""
        from assent.memory.keep import add  # numpy: not before somebody remembers

        items = [writable(item) for item in items]
        if (caller := self._caller()) is not None:
            scope = caller.scope
            items = [_kept(item, caller) for item in items]
        with self._lock:
            return add(self.window, self._opened(), items, scope or self._own())

    def search(self, query: str, count: int = 10, **wanted: Any) -> list[Hit]:
        """The `count` items that fit a query best, of those that are `wanted` (fields of `Filter`) and may be seen."""
        from assent.memory.search import search  # numpy likewise

        caller = self._caller()
        with self._lock:
            found = search(self._opened(), query, self._visible(caller, **wanted), count)
        if caller is not None:
            caller.read(merged(*[hit.taint for hit in found]))
        return found

    def named(self, beginning: str) -> Hit:
        """The item whose id begins so, hidden or not; `NotFound` where there is none to be seen, or more than one."""
        from assent.memory.search import named

        caller = self._caller()
        found = named(self.window.house, beginning, self._visible(caller, hidden=True))
        if caller is not None:
            caller.read(found.taint)
        return found

    def forget(self, ids: Sequence[str], by: str = "") -> int:
        """Forget items by their ids; how many of them were there to be seen. It is a person's to do."""
        from assent.memory.keep import forget

        if self._caller() is not None:
            raise ConfigError(
                "To forget is a person's to do, and this is a tool's call. Type it in a cell of your own."
            )
        return forget(self.window, self._every(), ids, by or self.window.user)

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

    def _own(self) -> Scope:
        """What a confined session adds it finds again."""
        return self.window.scope(notebook=self.window.access.notebook)

    def _opened(self) -> "Index":
        if self._index is None:
            from assent.memory.index import Index

            self._index = Index(self.window.house, self.window.tenant)
        return self._index

    def _visible(self, caller: Caller | None = None, **wanted: Any) -> Filter:
        """What is wanted, within what the window and the caller may see: this cannot be widened."""
        access = self.window.access
        found = Filter(**{"tenant": self.window.tenant, "user": access.user, **wanted})
        if caller is not None:
            found = replace(found, user=caller.scope.user, agent=caller.scope.agent)
        own = {name: value for name in ("user", "agent", "notebook") if (value := getattr(access, name)) is not None}
        return replace(found, tenant=self.window.tenant, **own)

    def _every(self) -> Filter:
        """All that the window may see, what is hidden from searches too."""
        return self._visible(hidden=True)


def _kept(item: Item, caller: Caller) -> Item:
    """What a run adds carries what the run has read."""
    if reason := caller.withheld(f"{item.title}\n{item.text}"):
        raise NothingDone(f"this is not kept, since {reason}, and memory is recalled in other runs.")
    return replace(item, taint=merged(item.taint, caller.taint))
