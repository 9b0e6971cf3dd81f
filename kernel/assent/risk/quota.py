"""What of the past counts against a limit, and how the journal is asked for it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from assent.core.errors import ConfigError
from assent.core.events import Kind, Scope
from assent.store.parcel import Guard
from assent.store.tally import Room, Series, events_of

BY = ("user", "agent", "notebook", "run")  # whose acts may be counted apart
DAY = 0.0


@dataclass(frozen=True, slots=True)
class Quota:
    """How much, or how often, within `seconds`, or within a calendar day of `zone` where that is `DAY`.

    `argument` is what is summed, "" where acts are counted; `most` is the limit, `soft` the one over which a person is
    asked. `by` tells whose acts count together: all of the tenant's, or those of one of `BY`. `tools` is the exact name
    or the glob of the tools that count together, "" for each tool by itself.
    """

    most: Decimal
    argument: str = ""
    seconds: float = DAY
    by: str = ""
    soft: Decimal | None = None
    zone: str = "UTC"
    tools: str = ""
    latest: bool = False  # the fact is when the latest was, in microseconds since the epoch, rather than how many

    def __post_init__(self) -> None:
        if self.by not in ("", *BY):
            raise ConfigError(f"by is {self.by!r}; it must be one of {', '.join(BY)}, or left away for everybody.")
        if self.argument and not all(part.isidentifier() for part in self.argument.split(".")):
            raise ConfigError(f"{self.argument!r} is no argument's name.")
        if "\\" in self.tools:
            raise ConfigError(f"{self.tools!r} has a backslash, and no tool's name has: write the name, or * and ?.")
        if not 0 <= self.seconds <= 366 * 86_400:
            raise ConfigError(f"{self.seconds!r} seconds is no time to look back over: 1 s to 366 days.")
        try:
            ZoneInfo(self.zone)
        except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
            raise ConfigError(f"There is no time zone {self.zone!r} here. Write one such as Europe/Lisbon.") from None

    @property
    def fact(self) -> str:
        """The fact in which a check finds how much is used."""
        what = self.argument or ("the latest" if self.latest else "times")
        within = f"{self.seconds:g} s" if self.seconds else f"the day in {self.zone}"
        return " ".join([what, "within", within, *(["by", self.by] if self.by else []), self.tools]).strip()

    def since(self, now: float) -> int:
        """When the window begins, in microseconds since the epoch."""
        begin = now - self.seconds
        if not self.seconds:
            day = datetime.fromtimestamp(now, ZoneInfo(self.zone))
            begin = min(day.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).timestamp(), now)
        return int(begin * 1e6) - (1 if not self.seconds else 0)  # midnight is of its day

    def series(self, tool: str, scope: Scope) -> Series:
        """What counts for a call of `tool` in `scope`."""
        whose = getattr(scope, self.by) if self.by else None
        window = f"{self.seconds:g} s" if self.seconds else self.zone
        return Series(scope.tenant, self.tools or tool, self.by, whose, self.argument, window)


def guard(quotas: Sequence[tuple[Quota, Decimal, Decimal]], tool: str, scope: Scope) -> Guard:
    """The condition that each quota has room for what is added, up to a bound: (quota, added, bound)."""
    now = time.time()
    return Guard(rooms=tuple([Room(item.series(tool, scope), item.since(now), *rest) for item, *rest in quotas]))


def usage(quotas: Sequence[Quota], tool: str, scope: Scope) -> tuple[str, list[Any]]:
    """The query, and its parameters, for how much of each quota is used: a text each, for `latest` when that was."""
    now, terms, parameters = time.time(), list[str](), list[Any]()
    series = [quota.series(tool, scope) for quota in quotas]
    for quota, item in zip(quotas, series, strict=True):
        (amount, argument), (whose, values) = item.amount(), item.condition()
        narrowed = f"FILTER (since > ? AND {whose}"
        term, given = f"sum({amount}) {narrowed})", [*argument, quota.since(now), *values]
        if quota.latest:
            last = f"max(since) {narrowed} AND kind = '{Kind.RISK_RESERVED}')"
            term, given = f"CASE WHEN {term} > 0 THEN {last} END", [*given, quota.since(now), *values]
        terms.append(f"CAST({term} AS VARCHAR)")
        parameters += given
    events, names = events_of(series, min(quota.since(now) for quota in quotas))
    return f"SELECT {', '.join(terms)} {events}", [*parameters, *names]
