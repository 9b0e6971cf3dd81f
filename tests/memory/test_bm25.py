"""The best passages by BM25: those that scoring every one of them finds, whatever is skipped on the way."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.memory.bm25 import FILES, TURNS, Shape, best, scored
from assent.memory.segment import MOST, TITLE, Passage, Segment, build, merged, packed, unpacked
from assent.memory.terms import Term

WORDS = st.integers(0, 30).map(lambda pick: pick * pick // 30)  # small ones are common
TEXT = st.lists(WORDS, max_size=12)
CORPUS = st.lists(st.tuples(st.lists(WORDS, max_size=3), TEXT), min_size=1, max_size=60)


def passage(number: int, title: Sequence[int], text: Sequence[int]) -> Passage:
    """Of the terms with even keys only is told how long it is."""
    return Passage(number, *[[Term("", key, inside=key % 2 == 0) for key in found] for found in (title, text)])


def passages(corpus: Sequence[tuple[list[int], list[int]]]) -> list[Passage]:
    return [passage(number, title, text) for number, (title, text) in enumerate(corpus, start=1)]


def exhaustive(found: Sequence[Passage], query: Sequence[int], shape: Shape, visible: set[int]) -> dict[int, float]:
    """Each passage's score, by the formula, a passage at a time."""
    counts = {part.number: Counter([term.key for term in (*part.title,) * TITLE + (*part.text,)]) for part in found}
    lengths = {part.number: sum(term.inside for term in (*part.title, *part.text)) for part in found}
    mean = max(sum(lengths.values()) / len(found), 1.0)
    scores = {}
    for number, length in lengths.items():
        norm = shape.k1 * (1 - shape.b + shape.b * length / mean)
        score = 0.0
        for term in query:
            having = sum(term in count for count in counts.values())
            often = counts[number][term]
            worth = math.log(1 + (len(found) - having + 0.5) / (having + 0.5))
            score += worth * often * (shape.k1 + 1) / (often + norm)
        if score > 0 and number in visible:
            scores[number] = score
    return scores


def cut(found: Sequence[Passage], parts: int) -> list[Segment]:
    size = math.ceil(len(found) / parts)
    return [build(found[begin : begin + size]) for begin in range(0, len(found), size)]


def searched(
    segments: Sequence[Segment], query: Sequence[int], shape: Shape, visible: set[int] | None, count: int
) -> list[tuple[float, int]]:
    total = sum(len(segment) for segment in segments)
    mean = sum(float(segment.lengths.sum()) for segment in segments) / total
    masks = [None if visible is None else np.isin(segment.numbers, list(visible)) for segment in segments]
    return best([scored(segment, shape, mean) for segment in segments], Counter(query), count, total, masks)


@settings(deadline=None, max_examples=100)
@given(
    CORPUS,
    st.lists(st.integers(0, 32), max_size=8),
    st.sampled_from([FILES, TURNS]),
    st.integers(1, 4),
    st.integers(1, 12),
    st.one_of(st.none(), st.sets(st.integers(1, 60))),
)
def test_what_is_skipped_changes_nothing(
    corpus: list[tuple[list[int], list[int]]],
    query: list[int],
    shape: Shape,
    parts: int,
    count: int,
    visible: set[int] | None,
) -> None:
    every = passages(corpus)
    wanted = exhaustive(every, query, shape, {part.number for part in every} if visible is None else visible)
    found = searched(cut(every, parts), query, shape, visible, count)
    assert [score for score, _ in found] == pytest.approx(sorted(wanted.values(), reverse=True)[:count], rel=1e-5)
    for score, number in found:
        assert score == pytest.approx(wanted[number], rel=1e-5)


@settings(deadline=None, max_examples=50)
@given(CORPUS, st.integers(1, 5), st.sets(st.integers(1, 60)))
def test_segments_that_are_merged_are_one_that_was_built_at_once(
    corpus: list[tuple[list[int], list[int]]], parts: int, gone: set[int]
) -> None:
    every = passages(corpus)
    one = build([part for part in every if part.number not in gone])
    same(merged(cut(every, parts)[::-1], np.array(sorted(gone), np.int64)), one)
    same(unpacked(packed(one)), one)


def same(left: Segment, right: Segment) -> None:
    for name in ("numbers", "lengths", "keys", "starts", "places", "counts"):
        assert getattr(left, name).tolist() == getattr(right, name).tolist(), name


def test_a_large_corpus_is_searched_as_a_small_one() -> None:
    random = np.random.default_rng(7)
    words = (random.pareto(1.0, (3_000, 40)) * 3).astype(int)
    every = [passage(number, [], row.tolist()) for number, row in enumerate(words)]
    segments = cut(every, 3)
    for query in ([0, 1, 5], [2, 40, 300], [0, 0, 7, 12, 900], [123_456_789]):
        whole = dict(map(reversed, searched(segments, query, FILES, None, len(every))))
        found = searched(segments, query, FILES, None, 10)
        assert [score for score, _ in found] == pytest.approx(sorted(whole.values(), reverse=True)[:10], rel=1e-5)
        assert [whole[number] for _, number in found] == pytest.approx([score for score, _ in found], rel=1e-5)


def test_of_equal_passages_the_older_comes_first() -> None:
    segments = cut([passage(number, [], [1, 2]) for number in range(1, 31)], 3)
    assert [number for _, number in searched(segments, [1], FILES, None, 5)] == [1, 2, 3, 4, 5]


def test_a_term_that_stands_very_often_counts_255_times() -> None:
    [(often, _)] = searched([build([passage(1, [], [7] * 100_000)])], [7], Shape(1.2, 0), None, 1)
    [(most, _)] = searched([build([passage(1, [], [7] * 255)])], [7], Shape(1.2, 0), None, 1)
    assert often == most


def test_a_segment_of_more_passages_than_it_has_places_for_is_refused() -> None:
    every = [passage(number, [], [1]) for number in range(MOST + 1)]
    with pytest.raises(ValueError, match="65,537 passages are more than one segment holds"):
        build(every)
    parts = cut(every, 2)
    with pytest.raises(ValueError, match="make several"):
        merged(parts, np.array([], np.int64))
    assert len(merged(parts, np.array([7]))) == MOST


def test_nothing_is_found_where_nothing_is() -> None:
    assert best([], {1: 1.0}, 5, 0, []) == []
    assert searched([build([passage(1, [], [])])], [1], FILES, None, 5) == []
    assert searched([build([passage(1, [], [2])])], [], FILES, None, 5) == []
    assert len(merged([build([passage(1, [], [2])])], np.array([1]))) == 0
    assert len(build([])) == 0
