"""What people give until a moment, a waiver or trust, as a journal tells it; and what of that was taken back."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from assent.core.clock import AHEAD, CLOCK
from assent.core.events import Event, Kind
from assent.core.trust import Trust
from assent.core.waiver import Waiver
from assent.store.journal import Journal
from assent.store.parcel import Guard, none_since

T = TypeVar("T", Waiver, Trust)


class Given(Generic[T]):
    """Read once from the journal and listened to from then on, of everybody. Any thread may ask.

    `given` and `ended` are the kinds of the events, `read` makes the value of a body, a user and a tenant.
    """

    def __init__(
        self, house: Journal, given: Kind, ended: Kind, read: Callable[[Mapping[str, Any], str, str], T]
    ) -> None:
        self._kinds = given, ended
        self._read: Callable[[Mapping[str, Any], str, str], T] = read
        self._given: dict[str, tuple[T, float]] = {}  # and when
        self._ended: set[tuple[str, str, str]] = set()  # id, and whose it was to end
        self._heard = 0  # the number of the last end that it has heard of
        house.subscribe(self.hear)  # before the look, so that nothing comes between
        self.hear([*house.events(kind=given), *house.events(kind=ended)])

    def live(self) -> list[T]:
        """What holds now."""
        if not self._given:
            return []
        now = CLOCK.now()
        return [
            item
            for item, given in list(self._given.values())
            if item.until.timestamp() > now
            and given <= now + AHEAD  # else the clock was wrong as it was given, and so is its end
            and (item.id, item.tenant, item.user) not in self._ended
        ]

    def hear(self, events: Sequence[Event]) -> None:
        """Take in events, the same ones again too."""
        given, ended = self._kinds
        for event in events:
            if event.kind is given:
                CLOCK.learn(event.at)
                self._given[event.body["id"]] = self._read(event.body, event.user, event.tenant), event.at
            elif event.kind is ended:
                self._ended.add((event.body["id"], event.tenant, event.user))
                self._heard = max(self._heard, event.seq)

    def look(self, house: Journal) -> None:
        """Hear of what was taken back elsewhere, before the news come."""
        self.hear(house.events(kind=self._kinds[1]))

    def unended(self) -> Guard:
        """True as long as nothing was taken back that this process has not heard of."""
        return none_since(self._kinds[1], self._heard)
