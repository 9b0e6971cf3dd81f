"""What a person allows for more than one call: a tool without asking, for the rest of a run or of a session."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from assent.core.clock import CLOCK
from assent.core.events import Event, Kind, Scope
from assent.store.parcel import Guard

LASTS = 12 * 3600.0  # seconds that a grant holds at most, for a run or a session
KINDS = frozenset({Kind.GRANT_GIVEN, Kind.GRANT_REVOKED})


@dataclass(frozen=True, slots=True)
class Lasting:
    """A tool that runs without asking under the rules `policy_version`, where its privilege allows that.

    `id` is the call whose approval gave it, in the run that `scope` names. It holds for that run, or, with a `session`,
    for all runs of that session by the same agent for the same user; until then, in seconds since the epoch.
    """

    id: str
    tool: str
    scope: Scope
    session: str
    policy_version: str
    by: str
    until: float
    seq: int = 0

    @property
    def reach(self) -> str:
        return "session" if self.session else "run"

    def covers(self, scope: Scope, policy_version: str) -> bool:
        """Whether it holds now for what a run does under these rules."""
        whose = (self.scope.tenant, self.scope.user, self.scope.agent) == (scope.tenant, scope.user, scope.agent)
        return whose and CLOCK.now() < self.until and self.policy_version == policy_version

    def unrevoked(self) -> Guard:
        """True as long as nobody has revoked it, in whichever process."""
        query = "SELECT count(*) = 0 FROM events WHERE run = ? AND kind = ? AND seq > ? AND (body ->> 'id') = ?"
        return Guard(query, (self.scope.run, Kind.GRANT_REVOKED.value, self.seq, self.id))


class Register:
    """The grants that this process has heard of. Any thread may ask, and tell it events, the same ones again too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._places: dict[str, dict[str, Lasting]] = {}  # by session or run, then by id
        self._heard: dict[str, int] = {}  # the number of the last event about each

    def hear(self, events: Iterable[Event]) -> None:
        """Take in what was given and revoked."""
        for event in events:
            if event.kind in KINDS:
                with self._lock:
                    self._take(event)

    def drop(self, grant: Lasting) -> None:
        """It is revoked, though the news have not come yet."""
        with self._lock:
            self._places.get(_place(grant), {}).pop(grant.id, None)

    def given(self, scope: Scope, session: str, policy_version: str) -> Mapping[str, Lasting]:
        """The grants that hold now for a run of this session, by tool."""
        places = [self._places.get(name) for name in (scope.run or "", session) if name]
        if not any(places):
            return {}
        with self._lock:
            found = [grant for place in places if place for grant in place.values()]
        return {grant.tool: grant for grant in found if grant.covers(scope, policy_version)}

    def of_session(self, session: str) -> list[Lasting]:
        """All that were given for a session and not revoked."""
        with self._lock:
            return list(self._places.get(session, {}).values())

    def _take(self, event: Event) -> None:
        name = event.body["id"]
        if 0 < event.seq <= self._heard.get(name, 0):
            return
        self._heard[name] = event.seq
        for place in self._places.values():
            if (held := place.get(name)) and _whose(held.scope) == _whose(event):
                del place[name]
                break
        if event.kind is Kind.GRANT_GIVEN:
            grant = from_event(event)
            self._places.setdefault(_place(grant), {})[name] = grant


def from_event(event: Event) -> Lasting:
    """The grant that a GRANT_GIVEN tells of."""
    scope = Scope(event.run, event.parent, event.agent, event.user, event.notebook, event.cell, event.tenant)
    body: Mapping[str, Any] = event.body
    return Lasting(
        body["id"], event.tool or "", scope, body.get("session", ""), body["policy_version"], body["by"],
        body.get("until", event.at + LASTS), event.seq,
    )  # fmt: skip


def revocation(grant: Lasting, by: str, reason: str = "") -> Event:
    """The event that ends a grant."""
    return grant.scope.event(Kind.GRANT_REVOKED, tool=grant.tool, body={"id": grant.id, "by": by, "reason": reason})


def _place(grant: Lasting) -> str:
    return grant.session or grant.scope.run or ""


def _whose(item: Event | Scope) -> tuple[str, str]:
    return item.tenant, item.user
