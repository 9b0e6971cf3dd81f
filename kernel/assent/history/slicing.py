"""Which of the pieces of code that ran one after another would make some variables again: a slice backwards."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

Names = frozenset[str]


@dataclass(frozen=True, slots=True)
class Effect:
    """What a piece of code did to variables, as `tools.touched.Touched` says it."""

    read: Names = frozenset()
    bound: Names = frozenset()
    changed: Names = frozenset()
    deleted: Names = frozenset()
    shares: Mapping[str, Collection[str]] = field(default_factory=dict)
    later: Mapping[str, Collection[str]] = field(default_factory=dict)
    absent: Names = frozenset()


@dataclass(frozen=True, slots=True)
class Slice:
    """`chosen`: places of the pieces, in order. `missing`: names they need that no piece has made."""

    chosen: tuple[int, ...]
    missing: Names


@dataclass(frozen=True, slots=True)
class _Step:
    """An effect with what it did through other names: `lost` is what it overwrote or deleted, so that what was before
    does not matter."""

    read: Names
    written: Names
    lost: Names


@dataclass(slots=True)
class _Memory:
    """What is known between two pieces: which names there are, which share what they hold, what functions will read."""

    there: set[str] = field(default_factory=set)
    groups: dict[str, set[str]] = field(default_factory=dict)  # names in one set may see each other's changes
    later: dict[str, Names] = field(default_factory=dict)


def existing(effects: Iterable[Effect]) -> Names:
    """The names that there are at the end."""
    memory = _Memory()
    for effect in effects:
        _follow(effect, memory)
    return frozenset(memory.there)


def sliced(effects: Sequence[Effect], wanted: Iterable[str]) -> Slice:
    """The least set of pieces that gives the `wanted` names the values that they have at the end.

    Least as far as is known: a piece that may have mattered is in it.
    """
    memory = _Memory()
    steps = [_follow(effect, memory) for effect in effects]
    needed = _with_later(set(wanted), memory)
    chosen, there = [], set(needed)
    for place, step in reversed(list(enumerate(steps))):
        if not needed.isdisjoint(step.written | step.lost):
            chosen.append(place)
            needed = (needed - step.lost) | step.read | effects[place].absent
            there |= step.read
    return Slice(tuple(reversed(chosen)), frozenset(needed & there))


def _follow(effect: Effect, memory: _Memory) -> _Step:
    """One piece further."""
    through = {other for name in effect.changed & effect.read for other in memory.groups.get(name, ())}
    read = effect.read | through
    written = effect.changed | effect.bound | through
    lost = (written - read) | effect.deleted
    for name in lost:
        memory.groups.pop(name, set()).discard(name)
        memory.later.pop(name, None)
    for name in effect.shares:
        _join([name, *effect.shares[name]], memory.groups)
    memory.later |= {name: frozenset(effect.later[name]) for name in effect.later}
    memory.there = (memory.there | written) - effect.deleted
    return _Step(read, written, lost)


def _join(names: Iterable[str], groups: dict[str, set[str]]) -> None:
    whole: set[str] = set()
    for name in names:
        whole |= groups.get(name, set()) | {name}
    for name in whole:
        groups[name] = whole


def _with_later(names: set[str], memory: _Memory) -> set[str]:
    """These names and those that their functions read once they are called."""
    todo = list(names)
    while todo:
        more = (memory.later.get(todo.pop(), frozenset()) & memory.there) - names
        names |= more
        todo += more
    return names
