"""How much is reserved, summed while it is appended: a guard that asks for it needs no query.

What counts is said twice here: by SQL over the journal, with which a sum begins, and by `Tally.note`, of an event that
was just written. tests/store/test_tally.py holds one to the other. What was given back counts less, as of the moment
for which it had been reserved. A window has no end: what is dated later, because the clock was set back since, counts.
"""

import heapq
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from fnmatch import fnmatchcase
from typing import Any

from assent.core.events import Event, Kind
from assent.core.glob import is_glob

COUNTED = frozenset({Kind.RISK_RESERVED, Kind.RISK_ROLLED_BACK})
SERIES = 1_000  # sums that are kept at most
ENTRIES = 10_000  # of one sum

_MOMENT = "make_timestamp(CAST(? AS BIGINT))"  # of microseconds since the epoch
_EVENTS = f"""FROM (
    SELECT kind, time, tool, "user", agent, notebook, run, body,
        CASE kind WHEN '{Kind.RISK_RESERVED}' THEN 1 ELSE -1 END AS sign,
        CASE kind WHEN '{Kind.RISK_RESERVED}' THEN epoch_us(time) ELSE TRY_CAST(body ->> 'at' AS BIGINT) END AS since
    FROM events WHERE kind IN ('{Kind.RISK_RESERVED}', '{Kind.RISK_ROLLED_BACK}') AND tenant = ? AND time > {_MOMENT}
        AND """
# In the order of their moments, entries are a heap.
_SUM = """SELECT coalesce(sum(amount), 0),
    if(count(*) <= ?, coalesce(list(moment ORDER BY moment, amount), []), NULL),
    if(count(*) <= ?, coalesce(list(amount ORDER BY moment, amount), []), NULL) FROM"""
_PLAIN = re.compile(r"[0-9]{1,18}(\.[0-9]{1,12})?")  # an amount as the journal counts it
_EXACT = Context(prec=100)

Query = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Series:
    """The reservations of a tenant that are summed together.

    `tools` is the exact name or the glob of their tools; `by` a column, "" for everybody's, and `whose` what stands in
    it; `argument` is what is summed, "" where they are counted. `window` names how far back they are looked at: sums
    that begin elsewhere are kept apart.
    """

    tenant: str
    tools: str
    by: str = ""
    whose: str | None = None
    argument: str = ""
    window: str = ""

    def condition(self) -> tuple[str, tuple[Any, ...]]:
        """The condition that an event is of the series, before a body is looked into, and its parameters."""
        named = "tool GLOB ?" if is_glob(self.tools) else "tool = ?"
        if not self.by:
            return named, (self.tools,)
        return f'{named} AND "{self.by}" IS NOT DISTINCT FROM ?', (self.tools, self.whose)

    def amount(self) -> tuple[str, tuple[Any, ...]]:
        """What an event adds, and its parameters."""
        if not self.argument:
            return "sign", ()
        return "sign * TRY_CAST(body ->> ? AS DECIMAL(31,12))", (f'$.amounts."{self.argument}"',)


@dataclass(frozen=True, slots=True)
class Room:
    """The condition that what a series comes to since a moment (µs since the epoch), and `added`, is within `most`."""

    series: Series
    since: int
    added: Decimal
    most: Decimal


def events_of(series: Sequence[Series], since: int) -> tuple[str, list[Any]]:
    """FROM what any of the series counts, and the parameters: what FILTER leaves out is computed all the same."""
    terms = dict.fromkeys([item.condition() for item in series])
    counted = " OR ".join([f"({term})" for term, _ in terms])
    return f"{_EVENTS}({counted}))", [series[0].tenant, since, *[value for _, given in terms for value in given]]


@dataclass(slots=True)
class _Sum:
    """What a series comes to since a moment; `entries` (moment, amount) are those in it, if they are not too many."""

    since: int
    total: Decimal
    entries: list[tuple[int, Decimal]] | None

    def add(self, moment: int, amount: Decimal, most: int) -> None:
        if moment <= self.since:
            return
        self.total = _EXACT.add(self.total, amount)
        if self.entries is not None:
            heapq.heappush(self.entries, (moment, amount))
            if len(self.entries) > most:
                self.entries = None

    def moved(self, since: int) -> bool:
        """Let it begin later, where that can be."""
        if since == self.since:
            return True
        if since < self.since or self.entries is None:
            return False
        while self.entries and self.entries[0][0] <= since:
            self.total = _EXACT.subtract(self.total, heapq.heappop(self.entries)[1])
        self.since = since
        return True


class Tally:
    """The sums that were asked for. For the one thread that appends, which notes what it has written.

    A sum of more than `entries` is read anew where its window moves.
    """

    def __init__(self, query: Query, entries: int = ENTRIES) -> None:
        self._query = query
        self._entries = entries
        self._sums: dict[Series, _Sum] = {}
        self._kinds: set[Series] = set()  # each once for all tenants and persons: what an event is held against

    def has(self, room: Room) -> bool:
        """Whether there is that much room."""
        return _EXACT.add(self.total(room.series, room.since), room.added) <= room.most

    def total(self, series: Series, since: int) -> Decimal:
        """What a series comes to since a moment."""
        known = self._sums.get(series)
        if known is None or not known.moved(since):
            if len(self._sums) >= SERIES:
                self._forget()
            known = self._sums[series] = self._read(series, since)
            self._kinds.add(replace(series, tenant="", whose=None))
        return known.total

    def note(self, event: Event, body: str) -> None:
        """An event of `COUNTED` is in the journal now, with that body."""
        found = [(known, item) for item in self._series_of(event) if (known := self._sums.get(item))]
        if not found:
            return
        try:
            said, at = json.loads(body), round(event.at * 1e6)
            given_back = event.kind is Kind.RISK_ROLLED_BACK
            moment = min(at, _whole(said["at"])) if given_back else at
            for known, series in found:
                amount = _number(said["amounts"].get(series.argument, "0")) if series.argument else Decimal(1)
                known.add(moment, -amount if given_back else amount, self._entries)
        except (ValueError, KeyError, TypeError, AttributeError):  # not as we write it: what SQL makes of it counts
            self._forget()

    def _series_of(self, event: Event) -> Iterator[Series]:
        for kind in self._kinds:
            if event.tool == kind.tools or (is_glob(kind.tools) and fnmatchcase(event.tool or "", kind.tools)):
                yield replace(kind, tenant=event.tenant, whose=getattr(event, kind.by) if kind.by else None)

    def _read(self, series: Series, since: int) -> _Sum:
        events, names = events_of([series], since)
        amount, given = series.amount()
        each = f"SELECT least(epoch_us(time), since) AS moment, CAST({amount} AS DECIMAL(38,12)) AS amount"
        query = f"{_SUM} ({each} {events} WHERE since > ?) WHERE amount IS NOT NULL"
        values = [self._entries, self._entries, *given, *names, since]
        [(total, moments, amounts)] = self._query(query, values)
        return _Sum(since, total, None if moments is None else list(zip(moments, amounts, strict=True)))

    def _forget(self) -> None:
        self._sums.clear()
        self._kinds.clear()


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise ValueError(value)
    return value


def _number(value: Any) -> Decimal:
    if not isinstance(value, str) or not _PLAIN.fullmatch(value):
        raise ValueError(value)
    return Decimal(value)
