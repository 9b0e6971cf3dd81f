"""The best passages for a query by BM25, exactly, without looking at every posting.

Formula: S. Robertson and H. Zaragoza, The Probabilistic Relevance Framework (2009), with Lucene's logarithm, which is
never negative; a term that stands twice in the query counts twice. The way to the best ones is MaxScore (H. Turtle and
J. Flood, Query evaluation, 1995): terms come in the order of what they can add at most, and once those that are left
could not lift a passage that was not met so far among the best, only passages that were met are looked up in them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assent.memory.segment import Segment

_SLACK = 1 + 1e-5  # for what single precision rounds away

Floats = NDArray[np.float32]
Visible = NDArray[np.bool_]  # which passages of a segment may be found


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


@dataclass(frozen=True, slots=True, eq=False)
class _Term:
    """A term of a query in one segment: its postings, what it is worth, and what it and those behind it add at most."""

    places: NDArray[np.uint16]
    counts: NDArray[np.uint8]
    weight: np.float32
    rest: float


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
    parts: Sequence[Scored], query: Mapping[int, float], count: int, documents: int, visible: Sequence[Visible | None]
) -> list[tuple[float, int]]:
    """The `count` best passages for a query: (score, number), the best first, of equal ones the older.

    `query` says what each key counts; `documents` is how many there are; `visible` has something for each part, None
    where all may be found. All count for what a term is worth.
    """
    keys = np.array(list(query), np.uint64)
    times = np.array(list(query.values()), np.float64)
    met = [_found(part.segment, keys) for part in parts]
    having = np.zeros(len(keys), np.int64)
    for which, begins, ends, _ in met:
        having[which] += ends - begins
    worth = times * np.array([idf(documents, n) for n in having.tolist()])
    ranked: list[tuple[float, int]] = []
    for part, seen, (which, begins, ends, at) in zip(parts, visible, met, strict=True):
        if not len(which):
            continue
        weights = (worth[which] * (part.shape.k1 + 1)).astype(np.float32)
        terms = _terms(part.segment, begins.tolist(), ends.tolist(), weights, weights * part.bounds[at])
        least = ranked[-1][0] if len(ranked) == count else 0.0
        found = _best_of(part, terms, count, least, seen)
        ranked = sorted([*ranked, *found], key=lambda item: (-item[0], item[1]))[:count]
    return ranked


def _found(segment: Segment, keys: NDArray[np.uint64]) -> tuple[NDArray[np.int64], ...]:
    """Which of the keys the segment has, where the postings of each begin and end, and its place among the terms."""
    if not len(segment.keys):
        return (np.zeros(0, np.int64),) * 4
    at = np.searchsorted(segment.keys, keys)
    at[at == len(segment.keys)] = 0
    which = np.flatnonzero(segment.keys[at] == keys)
    at = at[which]
    return which, segment.starts[at].astype(np.int64), segment.starts[at + 1].astype(np.int64), at


def _terms(segment: Segment, begins: list[int], ends: list[int], weights: Floats, most: Floats) -> list[_Term]:
    """What can add most comes first; `most` is what each one adds at most."""
    order = np.argsort(-most)
    rest = np.cumsum(most[order][::-1])[::-1] * _SLACK
    return [
        _Term(segment.places[begins[at] : ends[at]], segment.counts[begins[at] : ends[at]], weights[at], left)
        for at, left in zip(order.tolist(), rest.tolist(), strict=True)
    ]


def _best_of(
    part: Scored, terms: list[_Term], count: int, least: float, visible: Visible | None
) -> list[tuple[float, int]]:
    """At most `count` passages of one segment, among them all that come to `least` and are among its best."""
    scores = np.zeros(len(part.segment), np.float32)
    done = 0
    while done < len(terms) and terms[done].rest >= least:
        term = terms[done]
        places, counts = term.places, term.counts
        if visible is not None:
            seen = visible[places]
            places, counts = places[seen], counts[seen]
        scores[places] += term.weight * _shares(counts, part.norms[places])
        done += 1
        least = max(least, _least(scores[places], count))
    met, reached = _looked_up(part, scores, terms[done:], count, least)
    if len(reached) > count:
        top = np.flatnonzero(reached >= _least(reached, count))  # more than `count` where some are equal
        met, reached = met[top], reached[top]
    return list(zip(reached.tolist(), part.segment.numbers[met].tolist(), strict=True))


def _looked_up(
    part: Scored, scores: Floats, terms: list[_Term], count: int, least: float
) -> tuple[NDArray[np.int64], Floats]:
    """The passages that were met and may still be among the best, with what these last terms add to their scores."""
    rests = [*[term.rest for term in terms], 0.0]
    met = np.flatnonzero((scores >= least - rests[0]) & (scores > 0))
    reached = scores[met]
    for term, rest in zip(terms, rests[1:], strict=True):
        where = np.searchsorted(term.places, met.astype(np.uint16))
        where[where == len(term.places)] = 0
        have = np.flatnonzero(term.places[where] == met)
        reached[have] += term.weight * _shares(term.counts[where[have]], part.norms[met[have]])
        least = max(least, _least(reached, count))
        kept = reached >= least - rest
        met, reached = met[kept], reached[kept]
    return met, reached


def _shares(counts: NDArray[np.uint8], norms: Floats) -> Floats:
    """What postings give of what their term is worth: 0 to 1."""
    return counts / (counts + norms)


def _least(scores: Floats, count: int) -> float:
    """What the passage at the place `count` comes to; 0 where there are fewer."""
    if len(scores) < count:
        return 0.0
    return float(np.partition(scores, len(scores) - count)[len(scores) - count])
