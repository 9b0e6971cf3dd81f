"""A part of the index that does not change: up to 65,536 passages with the postings of their terms."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assent.memory.terms import Term

MOST = 1 << 16  # passages of one segment: a place within it is two bytes
TITLE = 3  # how often a term of a title counts
_TYPES = {"numbers": "<i8", "lengths": "<f4", "keys": "<u8", "starts": "<u4", "places": "<u2", "counts": "u1"}


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """Arrays: of passages their `numbers` (ascending) and `lengths` (terms); of terms their `keys` (ascending) and,
    one more, where the postings of each `starts`; of postings the `places` of passages in this segment (ascending
    within a term) and the `counts` of the term in them, 255 at most.
    """

    numbers: NDArray[np.int64]
    lengths: NDArray[np.float32]
    keys: NDArray[np.uint64]
    starts: NDArray[np.uint32]
    places: NDArray[np.uint16]
    counts: NDArray[np.uint8]

    def __post_init__(self) -> None:
        if len(self) > MOST:  # their places would be those of others
            raise ValueError(f"{len(self):,} passages are more than one segment holds, {MOST:,}: make several of them")

    def __len__(self) -> int:
        return len(self.numbers)


class Passage(NamedTuple):
    """A passage's number, the terms of its title and of its text."""

    number: int
    title: Sequence[Term]
    text: Sequence[Term]


def build(passages: Sequence[Passage]) -> Segment:
    """The segment of passages in ascending order of their numbers, at most `MOST`."""
    weighed = [[*passage.title] * TITLE + [*passage.text] for passage in passages]
    each = np.array([len(terms) for terms in weighed], np.int64)
    keys = np.fromiter((term.key for terms in weighed for term in terms), np.uint64, int(each.sum()))
    places = np.repeat(np.arange(len(passages), dtype=np.int64), each)
    distinct, term = np.unique(keys, return_inverse=True)
    pairs, counts = np.unique((term.astype(np.int64) << 16) | places, return_counts=True)
    return Segment(
        np.array([passage.number for passage in passages], np.int64),
        np.array([_length(passage) for passage in passages], np.float32),
        distinct,
        np.searchsorted(pairs >> 16, np.arange(len(distinct) + 1)).astype(np.uint32),
        (pairs & (MOST - 1)).astype(np.uint16),
        np.minimum(counts, 255).astype(np.uint8),
    )


def _length(passage: Passage) -> int:
    return sum([term.inside for terms in (passage.title, passage.text) for term in terms])


def merged(segments: Sequence[Segment], gone: NDArray[np.int64]) -> Segment:
    """One segment of several, without the passages whose numbers are `gone`; at most `MOST` may be left."""
    numbers = np.concatenate([segment.numbers for segment in segments])
    order = np.argsort(numbers, kind="stable")
    order = order[~np.isin(numbers[order], gone)]
    place = np.full(len(numbers), -1, np.int64)  # of each passage in the new segment
    place[order] = np.arange(len(order))
    first = np.cumsum([0, *[len(segment) for segment in segments]])
    places = np.concatenate([place[segment.places + begin] for segment, begin in zip(segments, first, strict=False)])
    keys = np.concatenate([np.repeat(segment.keys, np.diff(segment.starts)) for segment in segments])
    counts = np.concatenate([segment.counts for segment in segments])
    kept = places >= 0
    places, keys, counts = places[kept], keys[kept], counts[kept]
    sort = np.lexsort((places, keys))
    distinct, starts = np.unique(keys[sort], return_index=True)
    return Segment(
        numbers[order],
        np.concatenate([segment.lengths for segment in segments])[order],
        distinct,
        np.append(starts, len(keys)).astype(np.uint32),
        places[sort].astype(np.uint16),
        counts[sort],
    )


def packed(segment: Segment) -> bytes:
    """The segment as bytes, to be kept."""
    arrays = [getattr(segment, field.name) for field in fields(segment)]
    sizes = np.array([len(array) for array in arrays], "<u8")
    kinds = _TYPES.values()
    return b"".join(
        [sizes.tobytes(), *[array.astype(kind).tobytes() for array, kind in zip(arrays, kinds, strict=True)]]
    )


def unpacked(data: bytes) -> Segment:
    """What `packed` has made; the arrays look into `data`."""
    sizes = np.frombuffer(data, "<u8", len(_TYPES))
    widths = [np.dtype(kind).itemsize for kind in _TYPES.values()]
    ends = np.cumsum([sizes.nbytes, *(sizes * widths)]).astype(np.int64).tolist()
    parts = [
        np.frombuffer(data, kind, (end - begin) // width, begin)
        for kind, width, (begin, end) in zip(_TYPES.values(), widths, pairwise(ends), strict=True)
    ]
    return Segment(*parts)
