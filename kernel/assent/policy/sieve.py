"""Many conditions asked at once: which of them may speak is looked up by what they compare, not tried one by one."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from assent.policy.condition import HOST, Condition, Getter, Test, getter, host_getter, number
from assent.policy.host import host_of
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
    """Comparisons of one argument by one sign, in the order of their values; each may let its condition speak."""

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
class _HostRow:
    """Hosts that one argument is compared with: by name those exactly, and those below which it may be."""

    get: Getter
    exact: Mapping[str, Sequence[int]]
    below: Mapping[str, Sequence[int]]
    places: tuple[int, ...]

    def speaking(self, arguments: Mapping[str, Any]) -> list[tuple[int, bool | None]]:
        """Those that may hold, by the host's name; what its port makes of it each says by itself."""
        found = self.get(arguments)
        host = host_of(found) if isinstance(found, str) else None
        if host is None:
            return [(place, None) for place in self.places]
        places = [*self.exact.get(host.name, ())]
        name = host.name
        while self.below and "." in name:
            name = name.partition(".")[2]
            places += self.below.get(name, ())
        return [(place, None) for place in places]


@dataclass(frozen=True, slots=True)
class Sieve:
    """Conditions by their places, each with what it says where it has nothing to say.

    `parts` are those of several comparisons, to be asked where one of these is found; `others` are asked always.
    """

    rows: tuple[_Row | _HostRow, ...]
    parts: Mapping[int, tuple[Test, bool]]
    others: tuple[tuple[int, Test, bool], ...]

    def speaking(self, arguments: Mapping[str, Any], ground: Ground) -> list[tuple[int, bool | None]]:
        """The places of those that say something else, or cannot tell (None), and what they say."""
        said = [item for row in self.rows for item in row.speaking(arguments)]
        found = [item for item in said if item[0] not in self.parts] if self.parts else said
        maybe = {place: self.parts[place] for place, _ in said if place in self.parts} if self.parts else {}
        for place, test, idle in (*self.others, *[(place, *part) for place, part in maybe.items()]):
            if (held := test(arguments, ground)) is not idle:
                found.append((place, held))
        return found


def sieve(conditions: Iterable[tuple[Condition | None, bool]]) -> Sieve:
    """The conditions in their order, each with what it says where it has nothing to say; None is one that holds."""
    groups: dict[tuple[str, str, type, bool], list[tuple[Any, int]]] = {}
    parts: dict[int, tuple[Test, bool]] = {}
    others: list[tuple[int, Test, bool]] = []
    for place, (condition, idle) in enumerate(conditions):
        if condition is None:
            others += [] if idle else [(place, lambda _, __: True, idle)]
        elif (some := condition.fails if idle else condition.holds) is None:
            others.append((place, condition.test, idle))
        else:
            if not condition.sole:
                parts[place] = (condition.test, idle)
            for name, sign, value in some:
                groups.setdefault((name, sign, type(value), idle), []).append((value, place))
    return Sieve(tuple([_row(*key, found) for key, found in groups.items()]), parts, tuple(others))


def _row(name: str, sign: str, kind: type, idle: bool, found: list[tuple[Any, int]]) -> _Row | _HostRow:
    if sign == HOST:
        return _host_row(name, found)
    found = sorted(found, key=lambda item: item[0])
    values, places = tuple([value for value, _ in found]), tuple([place for _, place in found])
    return _Row(getter(name), _READS[kind], _PARTS[sign], sign != "!=", not idle, values, places)


def _host_row(name: str, found: list[tuple[str, int]]) -> _HostRow:
    exact: dict[str, list[int]] = {}
    below: dict[str, list[int]] = {}
    for pattern, place in found:
        host = host_of(pattern.removeprefix("*."))
        assert host is not None  # a condition refuses what is no host
        (below if pattern.startswith("*.") else exact).setdefault(host.name, []).append(place)
    return _HostRow(host_getter(name), exact, below, tuple(dict.fromkeys([place for _, place in found])))
