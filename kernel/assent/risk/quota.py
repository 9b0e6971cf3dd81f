"""What of the past counts against a limit, and how the journal is asked for it: by one scan over what was reserved.

A window has a beginning and no end: what is dated later, because the clock was set back since, counts too.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from assent.core.errors import ConfigError
from assent.core.events import Kind, Scope
from assent.risk.amount import plain
from assent.store.parcel import Guard

BY = ("user", "agent", "notebook", "run")  # whose acts may be counted apart
DAY = 0.0

_MOMENT = "make_timestamp(CAST(? AS BIGINT))"  # of microseconds since the epoch

# What was given back counts less, as of the moment for which it had been reserved.
_EVENTS = f"""FROM (
    SELECT kind, tool, "user", agent, notebook, run, body,
        CASE kind WHEN '{Kind.RISK_RESERVED}' THEN 1 ELSE -1 END AS sign,
        CASE kind WHEN '{Kind.RISK_RESERVED}' THEN epoch_us(time) ELSE TRY_CAST(body ->> 'at' AS BIGINT) END AS since
    FROM events WHERE kind IN ('{Kind.RISK_RESERVED}', '{Kind.RISK_ROLLED_BACK}') AND tenant = ? AND time > {_MOMENT}
        AND """
_ADDS = "CAST(? AS DECIMAL(38,12)) <= CAST(? AS DECIMAL(38,12))"


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


def guard(quotas: Sequence[tuple[Quota, Decimal, Decimal]], tool: str, scope: Scope) -> Guard:
    """The condition that each quota has room for what is added, up to a bound: (quota, added, bound)."""
    now, terms, parameters = time.time(), [], []
    for quota, added, bound in quotas:
        term, given = _used(quota, tool, scope, now)
        terms.append(f"coalesce({term}, 0) + {_ADDS}")
        parameters += [*given, plain(added), plain(bound)]
    events, names = _events([quota for quota, _, _ in quotas], tool, scope, now)
    return Guard(f"SELECT {' AND '.join(terms)} {events}", (*parameters, *names))


def usage(quotas: Sequence[Quota], tool: str, scope: Scope) -> tuple[str, list[Any]]:
    """The query, and its parameters, for how much of each quota is used: a text each, for `latest` when that was."""
    now, terms, parameters = time.time(), [], []
    for quota in quotas:
        term, given = _used(quota, tool, scope, now)
        if quota.latest:
            narrowed, names = _narrowed(quota, tool, scope, now)
            last = f"max(since) FILTER (kind = '{Kind.RISK_RESERVED}' AND {narrowed})"
            term, given = f"CASE WHEN {term} > 0 THEN {last} END", [*given, *names]
        terms.append(f"CAST({term} AS VARCHAR)")
        parameters += given
    events, names = _events(quotas, tool, scope, now)
    return f"SELECT {', '.join(terms)} {events}", [*parameters, *names]


def _events(quotas: Sequence[Quota], tool: str, scope: Scope, now: float) -> tuple[str, list[Any]]:
    """What any of the quotas counts, before a body is looked into: what FILTER leaves out is computed all the same."""
    begin = min(quota.since(now) for quota in quotas)
    whose = dict.fromkeys([_whose(quota, tool, scope) for quota in quotas])
    terms, given = zip(*whose, strict=True)
    counted = " OR ".join([f"({term})" for term in terms])
    return f"{_EVENTS}({counted}))", [scope.tenant, begin, *[value for values in given for value in values]]


def _used(quota: Quota, tool: str, scope: Scope, now: float) -> tuple[str, list[Any]]:
    narrowed, names = _narrowed(quota, tool, scope, now)
    if not quota.argument:
        return f"sum(sign) FILTER ({narrowed})", names
    amount = "sign * TRY_CAST(body ->> ? AS DECIMAL(31,12))"
    return f"sum({amount}) FILTER ({narrowed})", [f'$.amounts."{quota.argument}"', *names]


def _narrowed(quota: Quota, tool: str, scope: Scope, now: float) -> tuple[str, list[Any]]:
    """The condition that an event counts for a quota, and its parameters."""
    term, given = _whose(quota, tool, scope)
    return f"since > ? AND {term}", [quota.since(now), *given]


def _whose(quota: Quota, tool: str, scope: Scope) -> tuple[str, tuple[Any, ...]]:
    named = "tool GLOB ?" if is_glob(quota.tools) else "tool = ?"
    if not quota.by:
        return named, (quota.tools or tool,)
    return f'{named} AND "{quota.by}" IS NOT DISTINCT FROM ?', (quota.tools or tool, getattr(scope, quota.by))


def is_glob(pattern: str) -> bool:
    """Whether the name of a tool is a pattern: `*`, `?` and `[…]` stand for other signs."""
    return any(sign in pattern for sign in "*?[")
