"""The waivers of a workspace: given, ended, and heard of by every process that it is open in."""

import functools
from collections.abc import Callable, Iterable

from assent.core.clock import CLOCK
from assent.core.errors import ConfigError, NotFound
from assent.core.events import Kind, Scope
from assent.core.ids import new_id
from assent.core.waiver import EVERYBODY, Waiver, end_of, from_json
from assent.runs.given import Given
from assent.store.attached import one_for
from assent.store.journal import Journal
from assent.store.parcel import Guard
from assent.store.window import Window
from assent.tools.by_hand import by_hand


class Waivers:
    """The waivers that concern a session. `standing` gives those of the organisation's file.

    Whose runs a waiver is for is said by the columns of its event, and the window lets nobody but an administrator
    write other people's (`store.window`).
    """

    def __init__(self, journal: Window, standing: Callable[[], Iterable[Waiver]] = tuple) -> None:
        self._journal = journal
        self._standing = standing

    def give(
        self, *, reason: str, until: str, by: str, tool: str = "", budget: str = "", agent: str = "", user: str = ""
    ) -> Waiver:
        """Record a waiver; `user` "" is the session's own.

        `ConfigError` where it is not the session's to give, or an agent's call gives it.
        """
        by_hand("A waiver is a person's to give")
        journal = self._journal
        whose = user or journal.user
        scope = Scope(agent=agent or None, user=whose, tenant=journal.tenant)
        if not journal.access.allows(scope):
            raise ConfigError(
                f"A waiver for {'everybody' if whose == EVERYBODY else whose} is an administrator's to give: "
                "set ASSENT_ADMIN=1, or leave --user away."
            )
        ends = end_of(until, CLOCK.now())
        waiver = Waiver(new_id(6), reason, by, ends, tool, budget, agent, whose, journal.tenant)
        journal.append([scope.event(Kind.WAIVER_GRANTED, tool=tool or None, body=waiver.to_json())]).result()
        return waiver

    def end(self, beginning: str, by: str) -> Waiver:
        """End a waiver before its time; `NotFound` where none that holds begins so.

        `ConfigError` where it is not the session's to end.
        """
        found = [item for item in self.live() if beginning and item.id.startswith(beginning)]
        if len(found) != 1:
            raise NotFound(f"There is no waiver {beginning!r} to end. %agent waivers lists them.")
        [waiver] = found
        if waiver in self._standing():
            raise ConfigError(f"The waiver {waiver.id} stands in {waiver.by}: take it away there.")
        scope = Scope(agent=waiver.agent or None, user=waiver.user, tenant=waiver.tenant)
        if not self._journal.access.allows(scope):
            raise ConfigError(f"The waiver {waiver.id} is for everybody, so an administrator ends it: ASSENT_ADMIN=1.")
        event = scope.event(Kind.WAIVER_ENDED, tool=waiver.tool or None, body={"id": waiver.id, "by": by})
        self._journal.append([event]).result()
        return waiver

    def unended(self) -> Guard:
        """True as long as none was ended that this process has not heard of."""
        return self._known.unended()

    def look(self) -> None:
        """Hear of those that were ended elsewhere, before the news come."""
        self._known.look(self._journal.house)

    def live(self) -> list[Waiver]:
        """Those that hold now and that the session may see, or that are for everybody of its tenant."""
        now = CLOCK.now()
        known = [*self._standing(), *self._known.live()]
        return [item for item in known if item.until.timestamp() > now and self._concerns(item)]

    def _concerns(self, waiver: Waiver) -> bool:
        journal, scope = self._journal, Scope(user=waiver.user, tenant=waiver.tenant)
        of_all = waiver.user == EVERYBODY and waiver.tenant in (journal.tenant, EVERYBODY)
        return of_all or journal.access.allows(scope)

    def of(self, scope: Scope, standing: Iterable[Waiver]) -> tuple[Waiver, ...]:
        """Those that hold now for a run; `standing` are the organisation's as the run knows them."""
        found = [*standing, *self._known.live()]
        return tuple([item for item in found if _is_for(item, scope)]) if found else ()

    @functools.cached_property
    def _known(self) -> Given[Waiver]:
        return one_for(self._journal.house, _given)


def _given(house: Journal) -> Given[Waiver]:
    return Given(house, Kind.WAIVER_GRANTED, Kind.WAIVER_ENDED, from_json)


def _is_for(waiver: Waiver, scope: Scope) -> bool:
    alive = waiver.until.timestamp() > CLOCK.now()
    whose = waiver.tenant in (scope.tenant, EVERYBODY) and waiver.user in (scope.user, EVERYBODY)
    return alive and whose and waiver.agent in ("", scope.agent)
