"""The index of a tenant's memory as a process holds it: the segments in the database, and which of them may be seen."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from assent.core.events import Event, Kind
from assent.memory.bm25 import FILES, TURNS, Scored, Shape, Visible, best, scored
from assent.memory.item import Filter
from assent.memory.segment import Segment
from assent.memory.stored import loaded, names
from assent.store.journal import Journal
from assent.store.schema import ITEMS

SHAPES: dict[str, Shape] = {"files": FILES, "turns": TURNS}
FILTERS = 32  # whose masks are kept
_CHANGES = frozenset({Kind.MEMORY_ADDED, Kind.MEMORY_FORGOTTEN})


@dataclass(slots=True)
class _Held:
    """A segment, what kind of passages it is of, how long these are together, and the masks that were asked for."""

    segment: Segment
    shape: str
    length: float = field(init=False)
    scored: Scored | None = None
    mean: float = 0.0
    masks: dict[Filter, Visible | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.length = float(self.segment.lengths.sum(dtype=np.float64))


class Index:
    """What is searched. For one thread at a time; it follows the journal, whichever process writes."""

    def __init__(self, journal: Journal, tenant: str) -> None:
        self.journal = journal
        self.tenant = tenant
        self._held: dict[str, _Held] = {}
        self._stale = True
        self._remasked = False
        self._unsubscribe = journal.subscribe(self._hear)

    def close(self) -> None:
        """Follow the journal no more."""
        self._unsubscribe()

    def doubt(self) -> None:
        """Look with the next refresh what there is, whatever the journal has told."""
        self._stale = self._remasked = True

    def refresh(self) -> None:
        """Load what others have written since."""
        if self._remasked:
            self._remasked = False
            for held in self._held.values():
                held.masks.clear()
        while self._stale:
            self._stale = False
            there = names(self.journal, self.tenant)
            for name in self._held.keys() - there.keys():
                del self._held[name]
            for name in there.keys() - self._held.keys():
                if (segment := loaded(self.journal, self.tenant, name)) is not None:
                    self._held[name] = _Held(segment, there[name])
            if self._held.keys() != there.keys():  # one is gone meanwhile: another has what was in it
                self._stale = True

    def replace(self, name: str, shape: str, segment: Segment, gone: Iterable[str]) -> None:
        """A segment that this process has just written in the place of others."""
        for former in gone:
            self._held.pop(former, None)
        self._held[name] = _Held(segment, shape)

    def segments(self, shape: str) -> list[tuple[str, Segment]]:
        return [(name, held.segment) for name, held in self._held.items() if held.shape == shape]

    def best(self, query: Mapping[int, float], wanted: Filter, count: int) -> list[tuple[float, int]]:
        """The best passages for a query, as `bm25.best` takes it: (score, number)."""
        held = list(self._held.values())
        means = {shape: _mean([item for item in held if item.shape == shape]) for shape in SHAPES}
        parts = [_scored(item, means[item.shape]) for item in held]
        masks = [self._mask(item, wanted) for item in held]
        return best(parts, query, count, sum([len(item.segment) for item in held]), masks)

    def _mask(self, held: _Held, wanted: Filter) -> Visible | None:
        if wanted not in held.masks:
            if len(held.masks) >= FILTERS:
                del held.masks[next(iter(held.masks))]
            held.masks[wanted] = self._asked(held.segment.numbers, wanted)
        return held.masks[wanted]

    def _asked(self, numbers: np.ndarray, wanted: Filter) -> Visible | None:
        where, values = wanted.where()
        query = f"SELECT DISTINCT number FROM {ITEMS} WHERE {where} AND number BETWEEN ? AND ?"
        rows = self.journal.select(query, [*values, int(numbers[0]), int(numbers[-1])])
        mask = np.isin(numbers, np.array([number for (number,) in rows], np.int64))
        return None if mask.all() else mask

    def _hear(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.kind in _CHANGES and event.tenant == self.tenant:
                self._stale = True
                self._remasked = self._remasked or event.kind is Kind.MEMORY_FORGOTTEN or bool(event.body["known"])


def _mean(held: Sequence[_Held]) -> float:
    """The mean length of passages, in steps of a twentieth: what follows from it is not worked out at each change."""
    count, total = sum([len(item.segment) for item in held]), sum([item.length for item in held])
    return 2 ** (round(math.log2(max(total / count, 1.0)) * 14) / 14) if count else 1.0


def _scored(held: _Held, mean: float) -> Scored:
    if held.scored is None or held.mean != mean:
        held.scored, held.mean = scored(held.segment, SHAPES[held.shape], mean), mean
    return held.scored
