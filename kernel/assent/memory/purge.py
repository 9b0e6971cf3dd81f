"""Taking out of the index what nobody remembers any more, so that a compaction leaves nothing of it on the disk."""

from collections.abc import Sequence

import numpy as np

from assent.core.events import Kind, Scope
from assent.core.ids import new_id
from assent.memory.segment import Segment, merged
from assent.memory.stored import loaded, names, rows
from assent.store.journal import Journal
from assent.store.parcel import Beside, Guard, as_one_act
from assent.store.schema import SEGMENTS, TEXTS

_TENANTS = f"SELECT DISTINCT tenant FROM {SEGMENTS}"
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
    there = journal.select(query, [int(numbers.min()), int(numbers.max())])
    return numbers[~np.isin(numbers, np.array([number for (number,) in there], np.int64))]


def _purged(journal: Journal, by: str) -> None:
    """One commit for each segment: there may be more of them than fit into memory. `Conflict` if one was merged."""
    for (tenant,) in journal.select(_TENANTS):
        for name, shape in names(journal, tenant).items():
            segment = loaded(journal, tenant, name)
            if segment is not None and len(left_out := gone(journal, [segment])):
                _replace(
                    journal, Scope(tenant=tenant, user=by), name, shape, merged([segment], left_out), len(left_out)
                )


def _replace(journal: Journal, scope: Scope, name: str, shape: str, left: Segment, passages: int) -> None:
    """Put what is left of a segment in its place. The event tells every process's index to look."""
    event = scope.event(Kind.MEMORY_FORGOTTEN, body={"items": 0, "passages": passages, "by": scope.user})
    new = {SEGMENTS: rows(new_id(), scope.tenant, shape, left)} if len(left) else {}
    guard = Guard(f"SELECT count(*) > 0 {_WHERE}", (scope.tenant, name))
    journal.append([event], guard, Beside([(f"DELETE {_WHERE}", [scope.tenant, name])], new)).result()
