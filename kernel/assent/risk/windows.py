"""Checks over time: how much in a day, how often in a while, how soon again. What counts is what was reserved."""

import time
from decimal import Decimal
from typing import Any

from assent.core.errors import ConfigError
from assent.risk.amount import EXACT, amount, counted, limit, shown
from assent.risk.check import Act, Check, Finding, ask, deny, ok
from assent.risk.limits import bounds, soft_told
from assent.risk.quota import Quota


def daily_volume(
    argument: str, most: Any, *, by: str = "", ask_over: Any = None, zone: str = "UTC", tools: str = ""
) -> Check:
    """At most so much in a calendar day, over all calls; `by` user, agent, notebook or run counts theirs apart.

    `zone` is whose midnight begins the day; `tools` a name or glob whose calls count together.
    """
    hard, soft = bounds(most, ask_over, "daily volume")
    quota = Quota(hard, argument, by=by, soft=soft, zone=zone, tools=tools)
    fact, within = quota.fact, f"of {shown(hard)} used today{_by(by)}"

    def look(act: Act) -> Finding:
        adds = counted(amount(act.argument(argument)))
        used = Decimal(act.fact(fact))
        told = f"{shown(used)} {within}, this adds {shown(adds)}"
        return _judged(told, EXACT.add(used, adds), hard, soft)

    terms = f"{fact}: at most {shown(hard)}{soft_told(soft)}"
    return Check("daily volume", terms, look, (argument,), quota=quota)


def rate(times: int, seconds: float, *, by: str = "", ask_over: int | None = None, tools: str = "") -> Check:
    """At most so many calls within so many seconds."""
    if isinstance(times, bool) or not isinstance(times, int) or times < 1:
        raise ConfigError(f"A rate of {times!r} calls: give a whole number, 1 or more.")
    hard, soft = bounds(times, ask_over, "rate")
    span = _seconds(seconds, "rate")
    quota = Quota(hard, seconds=span, by=by, soft=soft, tools=tools)
    fact, within = quota.fact, f"of {times} calls used within {span:g} s{_by(by)}"

    def look(act: Act) -> Finding:
        used = Decimal(act.fact(fact))
        told = f"{shown(used)} {within}, this is one more"
        return _judged(told, used + 1, hard, soft)

    return Check("rate", f"{fact}: at most {times}{soft_told(soft)}", look, quota=quota)


def cool_down(seconds: float, *, by: str = "", tools: str = "") -> Check:
    """Not again before so many seconds have passed since the last call was begun."""
    span = _seconds(seconds, "cool-down")
    quota = Quota(Decimal(1), seconds=span, by=by, tools=tools, latest=True)
    fact = quota.fact

    def look(act: Act) -> Finding:
        if not (latest := act.fact(fact)):
            return ok(f"the last call{_by(by)} was more than {span:g} s ago")
        passed = int(act.fact(NOW)) / 1e6 - int(latest) / 1e6
        when = f"{passed:.0f} s ago" if passed >= 0 else f"{-passed:.0f} s ahead of this machine's clock"
        return deny(f"the last call{_by(by)} was {when}; {span:g} s must pass")

    return Check("cool-down", f"{fact}: {span:g} s", look, quota=quota)


NOW = "now"  # the fact that tells when the others were looked up, in microseconds since the epoch


def now() -> str:
    return str(int(time.time() * 1e6))


def _judged(told: str, then: Decimal, hard: Decimal, soft: Decimal | None) -> Finding:
    if then > hard:
        return deny(told)
    if soft is not None and then > soft:
        return ask(f"{told}, over {shown(soft)}")
    return ok(told)


def _seconds(seconds: Any, what: str) -> float:
    value = float(limit(seconds, f"the seconds of {what}"))
    if value <= 0:
        raise ConfigError(f"The {what} of {seconds} seconds holds nothing back: give more than 0.")
    return value


def _by(by: str) -> str:
    return f" by this {by}" if by else ""
