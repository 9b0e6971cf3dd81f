"""Taking out of the index what nobody remembers any more, so that a compaction leaves nothing of it on the disk."""

from collections.abc import Sequence

import numpy as np

from assent.core.events import Event, Kind, Scope
from assent.core.ids import new_id
from assent.memory.segment import Segment, merged, packed, unpacked
from assent.store.journal import Journal
from assent.store.parcel import Beside, Guard, as_one_act
from assent.store.schema import SEGMENTS, TEXTS

_NAMES = f"SELECT tenant, name, shape FROM {SEGMENTS}"
_WHERE = f"FROM {SEGMENTS} WHERE tenant = ? AND name = ?"


def purge(journal: Journal, by: str) -> int:
    """Write each segment anew, of every tenant, that has passages which are gone, for the person `by`.

    The number of an event: whatever was forgotten up to that one is in no segment any more.
    """
    [(last,)] = journal.select("SELECT coalesce(max(seq), 0) FROM events")
    as_one_act(lambda: _purged(journal, by))
    return int(last)


def gone(journal: Journal, segments: Sequence[Segment]) -> np.ndarray:
    """The numbers of passages that nobody remembers any more."""
    numbers = np.concatenate([segment.numbers for segment in segments])
    query = f"SELECT number FROM {TEXTS} WHERE number BETWEEN ? AND ?"
    rows = journal.select(query, [int(numbers.min()), int(numbers.max())])
    return numbers[~np.isin(numbers, np.array([number for (number,) in rows], np.int64))]


def _purged(journal: Journal, by: str) -> None:
    """One commit for each segment: there may be more of them than fit into memory. `Conflict` if one was merged."""
    for tenant, *named in journal.select(_NAMES):
        for (data,) in journal.select(f"SELECT data {_WHERE}", [tenant, named[0]]):
            segment = unpacked(data)
            left_out = gone(journal, [segment])
            if len(left_out):
                event = Scope(tenant=tenant, user=by).event(
                    Kind.MEMORY_FORGOTTEN, body={"items": 0, "passages": len(left_out), "by": by}
                )
                _replace(journal, event, named, merged([segment], left_out))


def _replace(journal: Journal, event: Event, named: Sequence[str], left: Segment) -> None:
    """Put what is left of a segment in its place. The event tells every process's index to look."""
    name, shape = named
    rows = {SEGMENTS: [(new_id(), event.tenant, shape, len(left), packed(left))]} if len(left) else {}
    drop = (f"DELETE {_WHERE}", [event.tenant, name])
    guard = Guard(f"SELECT count(*) = 1 {_WHERE}", (event.tenant, name))
    journal.append([event], guard, Beside([drop], rows)).result()
