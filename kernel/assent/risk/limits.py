"""Checks of one act: its amount, its price, its market, its names, and a user's own function."""

import unicodedata
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from assent.core.errors import ConfigError
from assent.risk.amount import EXACT, amount, limit, shown
from assent.risk.check import Act, Check, Finding, ask, deny, ok

_PERCENT = Decimal("0.01")


def max_amount(argument: str, most: Any, *, ask_over: Any = None) -> Check:
    """At most so much in one call; over `ask_over` a person is asked."""
    most, soft = bounds(most, ask_over, "max amount")
    bound = shown(most)

    def look(act: Act) -> Finding:
        value = amount(act.argument(argument))
        if value > most:
            return deny(f"{argument} {shown(value)} is over the limit of {bound}")
        if soft is not None and value > soft:
            return ask(f"{argument} {shown(value)} is over {shown(soft)}; {bound} at most")
        return ok(f"{argument} {shown(value)} of at most {bound}")

    return Check("max amount", f"{argument} at most {bound}{soft_told(soft)}", look, (argument,))


def slippage(argument: str, most: Any, *, fact: str = "price", ask_over: Any = None) -> Check:
    """The price in `argument` is off the market's, the fact `fact`, by at most the fraction `most`: 0.01 is 1 %.

    Upwards and downwards alike, as a fraction of the market's price.
    """
    most, soft = bounds(most, ask_over, "slippage")

    def look(act: Act) -> Finding:
        expected, market = amount(act.argument(argument)), amount(act.fact(fact))
        if not market:
            return deny(f"the {fact} is 0")
        off = max(EXACT.subtract(expected, market), EXACT.subtract(market, expected))
        told = f"{argument} {shown(expected)} is {_percent(EXACT.divide(off, market))} off the {fact} {shown(market)}"
        if off > EXACT.multiply(most, market):
            return deny(f"{told}; at most {_percent(most)}")
        if soft is not None and off > EXACT.multiply(soft, market):
            return ask(f"{told}, over {_percent(soft)}; at most {_percent(most)}")
        return ok(f"{told}, of at most {_percent(most)}")

    terms = f"{argument} at most {_percent(most)} off the fact {fact}{soft_told(soft)}"
    return Check("slippage", terms, look, (argument,), needs=(fact,))


def min_liquidity(least: Any, *, fact: str = "liquidity", ask_under: Any = None) -> Check:
    """The market has at least so much, by the fact `fact`; under `ask_under` a person is asked."""
    least = limit(least, "minimum liquidity")
    soft = None if ask_under is None else limit(ask_under, "minimum liquidity")
    if soft is not None and soft <= least:
        raise ConfigError("ask_under of minimum liquidity must be above its limit: below that it is denied anyway.")

    terms = f"the fact {fact} at least {shown(least)}" + ("" if soft is None else f", asks under {shown(soft)}")

    def look(act: Act) -> Finding:
        value = amount(act.fact(fact))
        if value < least:
            return deny(f"{fact} {shown(value)} is under the minimum of {shown(least)}")
        if soft is not None and value < soft:
            return ask(f"{fact} {shown(value)} is under {shown(soft)}; at least {shown(least)}")
        return ok(f"{fact} {shown(value)}, at least {shown(least)}")

    return Check("minimum liquidity", terms, look, needs=(fact,))


def blacklist(argument: str, names: Iterable[str]) -> Check:
    """None of these names, alone or in a list; capitals, spaces around, wide forms and unseen signs do not matter."""
    if isinstance(names, str):
        raise ConfigError(f"A blacklist is a list of names: write [{names!r}].")
    refused = {_folded(name): name for name in names}

    def look(act: Act) -> Finding:
        value = act.argument(argument)
        for item in value if isinstance(value, list | tuple) else [value]:
            if not isinstance(item, str):
                return deny(f"{argument} has an entry that is no name, so it cannot be held against the blacklist")
            if name := refused.get(_folded(item)):
                return deny(f"{argument} {item!r} is on the blacklist, as {name!r}")
        return ok()

    return Check("blacklist", f"{argument} none of {', '.join(sorted(refused))}", look, (argument,))


def own(function: Callable[[Act], Any], *, name: str = "", needs: Iterable[str] = ()) -> Check:
    """A check of your own: `function(act)` gives None where it is content, a sentence that denies, or ok, ask, deny.

    It runs on the event loop, at each decision: look at `act.arguments` and `act.facts`, wait for nothing. What it
    raises, or gives besides, denies.
    """
    called = name or function.__name__.replace("_", " ")

    def look(act: Act) -> Finding:
        found = function(act)
        if found is None:
            return ok()
        return deny(found) if isinstance(found, str) else found

    return Check(called, f"{called}, a check of one's own", look, needs=tuple(needs), own=function)


def bounds(most: Any, soft: Any, what: str) -> tuple[Decimal, Decimal | None]:
    """A limit and the one over which a person is asked, which must be the lower one."""
    hard = limit(most, what)
    if soft is None:
        return hard, None
    if (low := limit(soft, what)) >= hard:
        raise ConfigError(f"ask_over of {what} must be below its limit: above that it is denied anyway.")
    return hard, low


def soft_told(soft: Decimal | None) -> str:
    """How the terms of a check name its soft limit."""
    return "" if soft is None else f", asks over {shown(soft)}"


def _percent(fraction: Decimal) -> str:
    return f"{shown(EXACT.multiply(fraction, 100).quantize(_PERCENT, context=EXACT))} %"


def _folded(name: str) -> str:
    seen = "".join([sign for sign in unicodedata.normalize("NFKC", name) if unicodedata.category(sign) != "Cf"])
    return seen.casefold().strip()
