"""Many conditions asked at once: those that compare one argument with one value are looked up, not tried one by one."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from assent.policy.condition import Condition, Getter, Test, getter, number
from assent.policy.path import Ground

# The part of sorted values for which a comparison of `found` with them holds: from, to.
_Part = Callable[[Sequence[Any], Any], tuple[int, int]]
_PARTS: Mapping[str, _Part] = {
    ">": lambda values, found: (0, bisect_left(values, found)),
    ">=": lambda values, found: (0, bisect_right(values, found)),
    "<": lambda values, found: (bisect_right(values, found), len(values)),
    "<=": lambda values, found: (bisect_left(values, found), len(values)),
    "==": lambda values, found: (bisect_left(values, found), bisect_right(values, found)),
    "!=": lambda values, found: (bisect_left(values, found), bisect_right(values, found)),  # where it does not hold
}
_READS: Mapping[type, Callable[[Any], Any]] = {
    Decimal: number,
    str: lambda value: value if isinstance(value, str) else None,
    bool: lambda value: value if isinstance(value, bool) else None,
}


@dataclass(frozen=True, slots=True)
class _Row:
    """Comparisons of one argument by one sign, in the order of their values."""

    get: Getter
    read: Callable[[Any], Any]
    part: _Part
    inside: bool  # those of the part speak; else all others
    held: bool  # what a condition that speaks says
    values: tuple[Any, ...]
    places: tuple[int, ...]

    def speaking(self, arguments: Mapping[str, Any]) -> list[tuple[int, bool | None]]:
        found = self.read(self.get(arguments))
        if found is None:
            return [(place, None) for place in self.places]
        begin, end = self.part(self.values, found)
        places = self.places[begin:end] if self.inside else (*self.places[:begin], *self.places[end:])
        return [(place, self.held) for place in places]


@dataclass(frozen=True, slots=True)
class Sieve:
    """Conditions by their places, each with what it says where it has nothing to say."""

    rows: tuple[_Row, ...]
    others: tuple[tuple[int, Test, bool], ...]

    def speaking(self, arguments: Mapping[str, Any], ground: Ground) -> list[tuple[int, bool | None]]:
        """The places of those that say something else, or cannot tell (None), and what they say."""
        found = [item for row in self.rows for item in row.speaking(arguments)]
        for place, test, idle in self.others:
            if (held := test(arguments, ground)) is not idle:
                found.append((place, held))
        return found


def sieve(conditions: Iterable[tuple[Condition | None, bool]]) -> Sieve:
    """The conditions in their order, each with what it says where it has nothing to say; None is one that holds."""
    groups: dict[tuple[str, str, type, bool], list[tuple[Any, int]]] = {}
    others: list[tuple[int, Test, bool]] = []
    for place, (condition, idle) in enumerate(conditions):
        if condition is None:
            others += [] if idle else [(place, lambda _, __: True, idle)]
        elif condition.sole is None:
            others.append((place, condition.test, idle))
        else:
            name, sign, value = condition.sole
            groups.setdefault((name, sign, type(value), idle), []).append((value, place))
    return Sieve(tuple([_row(*key, found) for key, found in groups.items()]), tuple(others))


def _row(name: str, sign: str, kind: type, idle: bool, found: list[tuple[Any, int]]) -> _Row:
    found = sorted(found, key=lambda item: item[0])
    values, places = tuple([value for value, _ in found]), tuple([place for _, place in found])
    return _Row(getter(name), _READS[kind], _PARTS[sign], (sign != "!=") is not idle, not idle, values, places)
