"""The best passages for a query by BM25, exactly, without looking at every posting.

Formula: S. Robertson and H. Zaragoza, The Probabilistic Relevance Framework (2009), with Lucene's logarithm, which is
never negative; a term that stands twice in the query counts twice. The way to the best ones is MaxScore (H. Turtle and
J. Flood, Query evaluation, 1995): terms come in the order of what they can add at most, and once those that are left
could not lift a passage that was not met so far among the best, only passages that were met are looked up in them.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assent.memory.segment import Segment

_SLACK = 1 + 1e-5  # for what single precision rounds away

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Shape:
    """How soon a further occurrence adds little (`k1`), and how much a long passage is held back (`b`, 0 to 1)."""

    k1: float
    b: float


FILES = Shape(1.2, 0.75)
TURNS = Shape(0.9, 0.4)  # of conversations: short, so that their length says little


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """A segment that is ready to be searched, for passages of a mean length.

    `norms` hold each passage's length in the formula, `bounds` what a posting of each term gives at most, as a share.
    """

    segment: Segment
    shape: Shape
    norms: Floats
    bounds: Floats


def scored(segment: Segment, shape: Shape, mean: float) -> Scored:
    """`mean` is the mean length of all passages of the shape, in terms."""
    norms = (shape.k1 * (1 - shape.b + shape.b * segment.lengths / max(mean, 1.0))).astype(np.float32)
    shares = _shares(segment.counts, norms[segment.places])
    bounds = np.maximum.reduceat(shares, segment.starts[:-1]) if len(shares) else shares
    return Scored(segment, shape, norms, bounds)


def idf(documents: int, having: int) -> float:
    """What a term is worth that `having` of all documents have."""
    return math.log1p((documents - having + 0.5) / (having + 0.5))


def best(
    parts: Sequence[Scored], query: Iterable[int], count: int, documents: int, masks: Sequence[Mask | None]
) -> list[tuple[float, int]]:
    """The `count` best passages for the keys of a query: (score, number), the best first, of equal ones the older.

    `documents` is how many there are; `masks` tell for each part which passages may be found, None for all. All count
    for what a term is worth.
    """
    wanted = Counter(query)
    keys = np.array(list(wanted), np.uint64)
    times = np.array(list(wanted.values()), np.float64)
    met = [_found(part.segment, keys) for part in parts]
    having = np.zeros(len(keys), np.int64)
    for which, begins, ends, _ in met:
        having[which] += ends - begins
    worth = times * np.array([idf(documents, n) for n in having.tolist()])
    heap: list[tuple[float, int]] = []
    for part, mask, (which, begins, ends, at) in zip(parts, masks, met, strict=True):
        if not len(which):
            continue
        weights = (worth[which] * (part.shape.k1 + 1)).astype(np.float32)
        least = heap[-1][0] if len(heap) == count else 0.0
        found = _best_of(part, begins.tolist(), ends.tolist(), weights, part.bounds[at], count, least, mask)
        heap = sorted([*heap, *found], key=lambda item: (-item[0], item[1]))[:count]
    return heap


def _found(segment: Segment, keys: NDArray[np.uint64]) -> tuple[NDArray[np.int64], ...]:
    """Which of the keys the segment has, where the postings of each begin and end, and its place among the terms."""
    if not len(segment.keys):
        return (np.zeros(0, np.int64),) * 4
    at = np.searchsorted(segment.keys, keys)
    at[at == len(segment.keys)] = 0
    which = np.flatnonzero(segment.keys[at] == keys)
    at = at[which]
    return which, segment.starts[at].astype(np.int64), segment.starts[at + 1].astype(np.int64), at


def _best_of(
    part: Scored, begins: list[int], ends: list[int], weights: Floats, bounds: Floats, count: int, least: float,
    mask: Mask | None,
) -> list[tuple[float, int]]:  # fmt: skip
    """At most `count` passages of one segment, among them all that come to `least` and are among its best."""
    segment, most = part.segment, weights * bounds
    order = np.argsort(-most).tolist()
    rest = [*(np.cumsum(most[order][::-1])[::-1] * _SLACK).tolist(), 0.0]  # what the terms from here on add at most
    scores = np.zeros(len(segment), np.float32)
    done = 0
    while done < len(order) and rest[done] >= least:
        term = order[done]
        places, counts = segment.places[begins[term] : ends[term]], segment.counts[begins[term] : ends[term]]
        if mask is not None:
            seen = mask[places]
            places, counts = places[seen], counts[seen]
        scores[places] += weights[term] * _shares(counts, part.norms[places])
        done += 1
        least = max(least, _least(scores[places], count))
    met = np.flatnonzero((scores >= least - rest[done]) & (scores > 0))
    reached = scores[met]
    for at in range(done, len(order)):
        term = order[at]
        places = segment.places[begins[term] : ends[term]]
        where = np.searchsorted(places, met.astype(np.uint16))
        where[where == len(places)] = 0
        have = np.flatnonzero(places[where] == met)
        counts = segment.counts[begins[term] : ends[term]][where[have]]
        reached[have] += weights[term] * _shares(counts, part.norms[met[have]])
        least = max(least, _least(reached, count))
        kept = reached >= least - rest[at + 1]
        met, reached = met[kept], reached[kept]
    if len(reached) > count:
        top = np.flatnonzero(reached >= _least(reached, count))  # more than `count` where some are equal
        met, reached = met[top], reached[top]
    return list(zip(reached.tolist(), segment.numbers[met].tolist(), strict=True))


def _shares(counts: NDArray[np.uint8], norms: Floats) -> Floats:
    """What postings give of what their term is worth: 0 to 1."""
    return counts / (counts + norms)


def _least(scores: Floats, count: int) -> float:
    """What the passage at the place `count` comes to; 0 where there are fewer."""
    if len(scores) < count:
        return 0.0
    return float(np.partition(scores, len(scores) - count)[len(scores) - count])
