"""Comparisons that can never hold together, such as `amount > 100 and amount < 50`."""

import itertools
import operator
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

Comparison = tuple[str, str, Decimal | str | bool]  # the name of an argument, a sign, a value
Ways = tuple[tuple[Comparison, ...], ...] | None  # in one of these ways it holds; None where there are too many

ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
FREE: Ways = ((),)  # what is no comparison may hold whatever else does
_MANY = 256


def all_of(parts: Sequence[Ways]) -> Ways:
    """The ways in which all of them hold."""
    ways: list[tuple[Comparison, ...]] = [()]
    for part in parts:
        if part is None or len(ways) * len(part) > _MANY:
            return None
        ways = [(*one, *other) for one in ways for other in part]
    return tuple(ways)


def any_of(parts: Sequence[Ways]) -> Ways:
    """The ways in which one of them holds."""
    known = [part for part in parts if part is not None]
    found = tuple([way for part in known for way in part])
    return found if len(known) == len(parts) and len(found) <= _MANY else None


def conflict(ways: Ways) -> str:
    """Why there is no way in which a condition holds; "" where there is one, or nobody knows."""
    said = ""
    for way in ways or ():
        pair = next(filter(_never_both, itertools.combinations(way, 2)), None)
        if pair is None:
            return ""
        said = said or " and ".join([_told(item) for item in pair])
    return f"it can never hold, since nothing is {said}" if said else ""


def _never_both(pair: tuple[Comparison, Comparison]) -> bool:
    """Of one argument, by one kind of value; a value between two and on either side stands for all others."""
    (name, sign, value), (other, also, limit) = pair
    if name != other or type(value) is not type(limit):
        return False
    return not any(ORDER[sign](one, value) and ORDER[also](one, limit) for one in _examples(value, limit))


def _examples(one: Any, other: Any) -> list[Any]:
    if isinstance(one, Decimal):
        return [min(one, other) - 1, one, (one + other) / 2, other, max(one, other) + 1]
    return [True, False] if isinstance(one, bool) else [one, other, f"{one}{other}, or any other"]


def _told(comparison: Comparison) -> str:
    name, sign, value = comparison
    shown = {True: "true", False: "false"}[value] if isinstance(value, bool) else value
    return f"{name} {sign} {value!r}" if isinstance(value, str) else f"{name} {sign} {shown}"
