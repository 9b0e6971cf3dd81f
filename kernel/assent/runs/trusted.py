"""The sources that people trust: given, revoked, and heard of by every process that the workspace is open in."""

import functools
from collections.abc import Callable, Iterable

from assent.core.clock import CLOCK
from assent.core.errors import ConfigError, NotFound
from assent.core.events import Event, Kind, Scope
from assent.core.ids import KERNEL, new_id
from assent.core.taint import Source, Sources
from assent.core.trust import Scope as Reach
from assent.core.trust import Trust, from_json
from assent.core.waiver import end_of
from assent.policy.trust import covers, spelt, untrusted
from assent.runs.given import Given
from assent.store.attached import one_for
from assent.store.journal import Journal
from assent.store.parcel import Guard
from assent.store.window import Window
from assent.tools.by_hand import by_hand

_READ = "SELECT DISTINCT source, name FROM taint"


class Trusted:
    """The sources that a session's person trusts. `standing` gives those of the organisation's file.

    Nobody trusts for others: what a person says holds for runs of that person alone.
    """

    def __init__(self, journal: Window, standing: Callable[[], Iterable[Trust]] = tuple) -> None:
        self._journal = journal
        self._standing = standing

    def give(self, source: str, *, reason: str, until: str, by: str, scope: Reach = "session", run: str = "") -> Trust:
        """Record that a source may be believed; `ConfigError` where it cannot be meant, or an agent's call says it."""
        by_hand("Trust is a person's to give")
        if (scope == "run") != bool(run):
            raise ConfigError("Trust for one run names that run, and no other does: --scope run --run RUN.")
        journal = self._journal
        session = KERNEL if scope == "session" else ""
        ends = end_of(until, CLOCK.now())
        known = (scope, run, session, journal.user, journal.tenant)
        trust = Trust(new_id(6), spelt(source), reason, by, ends, *known)
        self._say(journal.scope().event(Kind.SOURCE_TRUSTED, body=trust.to_json()))
        return trust

    def has_met(self, trust: Trust) -> bool:
        """Whether anything of the workspace that the session may see has read what it means."""
        return any(covers(trust.source, Source(*row)) for row in self._journal.select(_READ))

    def revoke(self, beginning: str, by: str) -> Trust:
        """Trust a source no more; `NotFound` where nothing that holds begins so."""
        found = [item for item in self.live() if beginning and item.id.startswith(beginning)]
        if len(found) != 1:
            raise NotFound(f"There is no trust {beginning!r} to revoke. %agent trust lists what there is.")
        [trust] = found
        if trust in self._standing():
            raise ConfigError(f"The trust {trust.id} stands in {trust.by}: take it away there.")
        self._say(self._journal.scope().event(Kind.TRUST_REVOKED, body={"id": trust.id, "by": by}))
        return trust

    def unended(self) -> Guard:
        """True as long as nothing was revoked that this process has not heard of."""
        return self._known.unended()

    def look(self) -> None:
        """Hear of what was revoked elsewhere, before the news come."""
        self._known.look(self._journal.house)

    @functools.cached_property
    def _known(self) -> Given[Trust]:
        return one_for(self._journal.house, _given)

    def live(self) -> list[Trust]:
        """What holds now for the session's person, in whichever run."""
        journal = self._journal
        mine = [item for item in self._known.live() if _whose(item) == (journal.tenant, journal.user)]
        return [*self._alive(), *mine]

    def untrusted(self, taint: Sources, scope: Scope) -> Sources:
        """Those sources of what a run has read that nobody vouches for now."""
        if not taint:
            return ()
        own = (scope.tenant, scope.user)
        given = [item for item in self._known.live() if _whose(item) == own]
        return untrusted(taint, [*self._alive(), *[item for item in given if _reaches(item, scope)]])

    def _alive(self) -> list[Trust]:
        now = CLOCK.now()
        return [item for item in self._standing() if item.until.timestamp() > now]

    def _say(self, event: Event) -> None:
        self._journal.append([event]).result()
        self._known.hear([event])


def _given(house: Journal) -> Given[Trust]:
    return Given(house, Kind.SOURCE_TRUSTED, Kind.TRUST_REVOKED, from_json)


def _whose(trust: Trust) -> tuple[str, str]:
    return trust.tenant, trust.user


def _reaches(trust: Trust, scope: Scope) -> bool:
    return trust.run in ("", scope.run) and trust.session in ("", KERNEL)
