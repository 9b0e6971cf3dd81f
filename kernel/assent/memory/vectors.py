"""Vectors of passages: kept in whole numbers, found by one bit of each dimension, ranked by the rest.

The bits tell which side of zero a dimension is on. How many differ orders vectors roughly as their angle does
(M. Charikar, Similarity estimation techniques, 2002), and takes a hundredth of the time; so only those that differ
least are looked at closely.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Visible = NDArray[np.bool_]  # which passages may be found
CLOSELY = 40  # times as many as are wanted are ranked by all that is kept of them
_FULL = 127


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """Of `n` passages: `numbers` (n, ascending), `codes` (n by dimensions) that `scales` (n) make into vectors of
    length 1, and `bits` (words of 64 dimensions by n). A text that says nothing has zeros.
    """

    numbers: NDArray[np.int64]
    codes: NDArray[np.int8]
    scales: NDArray[np.float32]
    bits: NDArray[np.uint64]


def vectors(numbers: Sequence[int] | NDArray[np.int64], rows: NDArray[np.float32]) -> Vectors:
    """What is kept of the vectors in `rows`, of any length; `numbers` are their passages', ascending."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    scales = (np.abs(unit).max(axis=1, initial=0) / _FULL).astype(np.float32)
    codes = np.rint(np.divide(unit, scales[:, None], out=np.zeros_like(unit), where=scales[:, None] > 0))
    return of_codes(np.asarray(numbers, np.int64), codes.astype(np.int8), scales)


def of_codes(numbers: NDArray[np.int64], codes: NDArray[np.int8], scales: NDArray[np.float32]) -> Vectors:
    """The same from what was kept; the bits follow from the codes."""
    return Vectors(numbers, codes, scales, _bits(codes))


def nearest(
    vectors: Vectors, query: NDArray[np.float32], count: int, visible: Visible | None = None
) -> list[tuple[float, int]]:
    """About the `count` passages that are nearest to a query: (cosine, number), the nearest first.

    `visible` is None where all may be found.
    """
    near = _nearest_by_bits(vectors, query, count * CLOSELY, visible)
    found = cosines(vectors, query, near)
    best = np.argsort(-found, kind="stable")[:count]
    return list(zip(found[best].tolist(), vectors.numbers[near[best]].tolist(), strict=True))


def cosines(vectors: Vectors, query: NDArray[np.float32], places: NDArray[np.int64]) -> NDArray[np.float32]:
    """The cosine of each of the vectors at `places` and the query, -1 to 1; 0 where one of the two says nothing."""
    length = float(np.linalg.norm(query))
    if not length:
        return np.zeros(len(places), np.float32)
    return (vectors.codes[places].astype(np.float32) @ (query / length)) * vectors.scales[places]


def _nearest_by_bits(
    vectors: Vectors, query: NDArray[np.float32], count: int, visible: Visible | None
) -> NDArray[np.int64]:
    """The places of those that differ least, at least `count` of them; all, where there are not so many."""
    seen = np.arange(len(vectors.numbers)) if visible is None else np.flatnonzero(visible)
    if len(seen) <= count:
        return seen
    words = _bits(query[None, :])[:, 0]
    bits = vectors.bits if visible is None else vectors.bits[:, seen]
    apart = np.zeros(len(seen), np.uint16)
    for row, word in zip(bits, words, strict=True):
        apart += np.bitwise_count(row ^ word)
    within = np.cumsum(np.bincount(apart))
    return seen[apart <= np.searchsorted(within, count)]


def _bits(rows: NDArray[np.int8] | NDArray[np.float32]) -> NDArray[np.uint64]:
    """A bit for each dimension of each row, in words of 64, the words first: what is read together lies together."""
    packed = np.packbits(rows > 0, axis=1)
    whole = np.zeros((len(rows), -(-packed.shape[1] // 8) * 8), np.uint8)
    whole[:, : packed.shape[1]] = packed
    return np.ascontiguousarray(whole.view(np.uint64).T)
