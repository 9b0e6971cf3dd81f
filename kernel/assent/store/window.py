"""A session's window on the journal: what it may see of it, and what it may write."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from assent.core.errors import StoreError
from assent.core.events import Event, Kind, Scope
from assent.core.ids import new_id
from assent.store.access import EVERYONE, Access
from assent.store.journal import Journal, Listener
from assent.store.parcel import Guard

_OWNER = 'SELECT tenant, "user", agent, notebook FROM events WHERE run = ? ORDER BY seq LIMIT 1'
_COUNT = "SELECT count(*) FROM events"


class Window:
    """A journal's methods over what `access` gives; `tenant` and `user` are whose events the session writes.

    What concerns everybody (whether a run is at work, what a model has cost in the last hour) reads `house`, the
    journal itself.
    """

    def __init__(self, house: Journal, access: Access, tenant: str, user: str) -> None:
        self.house = house
        self.access = access
        self.tenant = tenant
        self.user = user
        self._runs: set[str] = set()  # those that the session may write to

    @property
    def folder(self) -> Path:
        return self.house.folder

    def see(self, access: Access) -> None:
        """From now on show what another access gives."""
        if access != self.access:
            self.access, self._runs = access, set()

    def new_run(self) -> str:
        """An id for a run that begins here."""
        run = new_id()
        self._runs.add(run)
        return run

    def append(self, events: Sequence[Event], guard: Guard | None = None) -> Future[None]:
        """As `Journal.append`; `StoreError` if an event is not the session's to write."""
        self._check(events)
        return self.house.append(events, guard)

    def committed(self, events: Sequence[Event]) -> asyncio.Future[None]:
        """As `Journal.committed`; `StoreError` if an event is not the session's to write."""
        self._check(events)
        return self.house.committed(events)

    def post(self, events: Sequence[Event]) -> None:
        """As `Journal.post`; `StoreError` if an event is not the session's to write."""
        self._check(events)
        self.house.post(events)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with what of each committed group may be seen; the returned function ends that."""

        def hear(events: Sequence[Event]) -> None:
            if seen := [event for event in events if self.access.covers(event)]:
                listener(seen)

        return self.house.subscribe(hear)

    def select(self, query: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query over the events and views that may be seen."""
        return self.house.select(query, parameters, self.access)

    def frame(self, query: str, frames: Mapping[str, Any]) -> Any:
        """As `Journal.frame`, over the events and views that may be seen."""
        return self.house.frame(query, frames, self.access)

    def events(self, run: str | None = None, *, kind: Kind | None = None) -> list[Event]:
        """As `Journal.events`, those that may be seen. What somebody else wrote is no part of a run."""
        events = self.house.events(run, kind=kind, access=self.access)
        if run is not None and events:
            whose = events[0].tenant, events[0].user
            events = [event for event in events if (event.tenant, event.user) == whose]
            self._runs.add(run)
        return events

    def whole(self) -> Journal:
        """The journal, for what cannot be done to a part: `StoreError` if it holds more than the session may see."""
        if self.access != EVERYONE and self.house.select(_COUNT) != self.select(_COUNT):
            raise StoreError(
                f"The workspace {self.folder} also holds what is not of {self.access}. "
                "Do this in an administrator's session: set ASSENT_ADMIN=1."
            )
        return self.house

    def upkeep(self, name: str, *arguments: Any) -> Any:
        """As `Journal.upkeep`, which is done to the whole workspace."""
        return self.whole().upkeep(name, *arguments)

    def verify(self) -> int:
        """As `Journal.verify`: the chain is one, whoever looks."""
        return self.house.verify()

    def holders(self) -> list[dict[str, Any]]:
        """As `Journal.holders`."""
        return self.house.holders()

    def recover(self) -> None:
        """As `Journal.recover`."""
        self.house.recover()

    def _check(self, events: Sequence[Event]) -> None:
        if self.access == EVERYONE:
            return
        for event in events:
            if not self.access.allows(event):
                raise StoreError(
                    f"This session is of {self.access}: it cannot write an event of {_owner(event)}. "
                    "An administrator's session (ASSENT_ADMIN=1) may."
                )
            if event.run is not None and event.run not in self._runs:
                self._meet(event.run)

    def _meet(self, run: str) -> None:
        """Learn whose run it is, before the first event is written to it."""
        for tenant, user, agent, notebook in self.house.select(_OWNER, [run]):
            if not self.access.covers(Scope(tenant=tenant, user=user, agent=agent, notebook=notebook)):
                raise StoreError(f"The run {run} is not of {self.access}. An administrator's session may write to it.")
        self._runs.add(run)


def _owner(event: Event) -> str:
    return str(Access(event.tenant, event.user, event.agent, event.notebook))
