"""A segment as it lies in the database: in pieces, for DuckDB holds 2,048 rows at once while it writes a checkpoint."""

from typing import Any

from assent.memory.segment import Segment, packed, unpacked
from assent.store.journal import Journal
from assent.store.schema import SEGMENTS

PIECE = 32_000  # bytes
_NAMES = f"SELECT name, shape FROM {SEGMENTS} WHERE tenant = ? AND part = 0"
_PIECES = f"SELECT data FROM {SEGMENTS} WHERE tenant = ? AND name = ? ORDER BY part"


def rows(name: str, tenant: str, shape: str, segment: Segment) -> list[tuple[Any, ...]]:
    """The rows of a segment; how many passages it has is in the first one."""
    data = packed(segment)
    return [
        (name, tenant, shape, 0 if begin else len(segment), begin // PIECE, data[begin : begin + PIECE])
        for begin in range(0, len(data), PIECE)
    ]


def names(journal: Journal, tenant: str) -> dict[str, str]:
    """The segments of a tenant by their names: what kind of passages each is of."""
    return dict(journal.select(_NAMES, [tenant]))


def loaded(journal: Journal, tenant: str, name: str) -> Segment | None:
    """A segment; None if it is there no more."""
    pieces = [data for (data,) in journal.select(_PIECES, [tenant, name])]
    return unpacked(b"".join(pieces)) if pieces else None
