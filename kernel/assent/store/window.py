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
from assent.store.parcel import Beside, Guard

_FOUNDED = 'SELECT tenant, "user", agent, notebook FROM events WHERE run = ? ORDER BY seq LIMIT 1'
_COUNT = f"SELECT count(*) FROM events WHERE kind <> '{Kind.COMPACTED}'"  # that one is the house's
KNOWN = 10_000  # runs that a session remembers to be its own

Whose = tuple[str, str]  # a tenant and a user


class Window:
    """A journal's methods over what `access` gives. Events that name nobody are written as of `tenant` and `user`.

    What concerns everybody (whether a run is at work, what a model has cost in the last hour) reads `house`, the
    journal itself.
    """

    def __init__(self, house: Journal, access: Access, tenant: str, user: str) -> None:
        self.house = house
        self.access = access
        self.tenant = tenant
        self.user = user
        self._runs: dict[str, Whose] = {}  # those that the session may write to

    @property
    def folder(self) -> Path:
        return self.house.folder

    def scope(self, **columns: Any) -> Scope:
        """The columns of what this session writes."""
        return Scope(tenant=self.tenant, user=self.user, **columns)

    def run(self, **columns: Any) -> Scope:
        """The columns of what a run writes that begins here, with a new id."""
        scope = self.scope(run=new_id(), **columns)
        if not self.access.allows(scope):
            raise StoreError(f"This session is of {self.access}: no run of {_of(scope)} can begin in it.")
        self._know(scope.run or "", scope)
        return scope

    def append(self, events: Sequence[Event], guard: Guard | None = None, beside: Beside | None = None) -> Future[None]:
        """As `Journal.append`; `StoreError` if an event is not the session's to write."""
        self._check(events)
        return self.house.append(events, guard, beside)

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
        if run is None or not events:
            return events
        whose = self._know(run, events[0])
        return [event for event in events if (event.tenant, event.user) == whose]

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

    def close(self) -> None:
        """As `Journal.close`, for every session on it."""
        self.house.close()

    def _check(self, events: Sequence[Event]) -> None:
        """Events that name nobody are the session's own."""
        for event in events:
            if not event.user:
                event.tenant, event.user = self.tenant, self.user
            if self.access != EVERYONE and not self._may_write(event):
                what = f"the run {event.run}" if self.access.allows(event) else f"an event of {_of(event)}"
                raise StoreError(
                    f"This session is of {self.access}, and {what} is not its to write. "
                    "An administrator's session (ASSENT_ADMIN=1) may."
                )

    def _may_write(self, event: Event) -> bool:
        if event.run is None:
            return self.access.allows(event)
        whose = self._runs.get(event.run) or self._met(event)
        return whose == (event.tenant, event.user)

    def _met(self, event: Event) -> Whose | None:
        """Whose run it is that an event names, before the first event is written to it here; None if not to be seen."""
        run = event.run or ""
        for tenant, user, agent, notebook in self.house.select(_FOUNDED, [run]):
            founder = Scope(tenant=tenant, user=user, agent=agent, notebook=notebook)
            return self._know(run, founder) if self.access.covers(founder) else None
        return self._know(run, event) if self.access.allows(event) else None

    def _know(self, run: str, founder: Event | Scope) -> Whose:
        if len(self._runs) >= KNOWN:
            del self._runs[next(iter(self._runs))]
        whose = self._runs[run] = founder.tenant, founder.user
        return whose


def _of(item: Event | Scope) -> str:
    return str(Access(item.tenant, item.user, item.agent, item.notebook))
