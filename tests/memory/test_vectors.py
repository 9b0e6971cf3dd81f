"""Vectors in whole numbers: nearly the cosines that they had, and nearly the neighbours."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from assent.memory.vectors import CLOSELY, Vectors, cosines, nearest, of_codes, vectors


def some(count: int, dimensions: int, seed: int = 1) -> NDArray[np.float32]:
    """Vectors in twenty bunches, as those of texts on twenty subjects."""
    random = np.random.default_rng(seed)
    subjects = random.standard_normal((20, dimensions))
    noise = random.standard_normal((count, dimensions))
    return (subjects[random.integers(0, 20, count)] + noise).astype(np.float32)


def exactly(rows: NDArray[np.float32], query: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(query)
    return (rows @ query / lengths).astype(np.float32)


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 30), st.sampled_from([3, 64, 100, 256]), st.integers(0, 1000), st.floats(1e-3, 1e3))
def test_cosines_are_nearly_those_before(count: int, dimensions: int, seed: int, length: float) -> None:
    rows = some(count + 1, dimensions, seed) * np.float32(length)
    kept = vectors(range(count), rows[:-1])
    assert cosines(kept, rows[-1], np.arange(count)) == pytest.approx(exactly(rows[:-1], rows[-1]), abs=0.01)


def test_what_is_found_is_about_as_near_as_the_nearest() -> None:
    rows, queries = some(20_000, 256), some(50, 256, seed=2)
    queries += rows[:50]
    kept = vectors(range(len(rows)), rows)
    for query in queries:
        wanted = np.sort(exactly(rows, query))[-10:]
        found = [cosine for cosine, _ in nearest(kept, query, 10)]
        assert found[0] == pytest.approx(wanted[-1], abs=0.01)
        assert np.mean(found) >= np.mean(wanted) - 0.03


def test_of_few_passages_all_are_ranked() -> None:
    rows = some(CLOSELY, 32)
    kept = vectors([number * 7 for number in range(CLOSELY)], rows)
    found = nearest(kept, rows[5], CLOSELY)
    real = exactly(rows, rows[5])
    assert sorted(number // 7 for _, number in found) == list(range(CLOSELY))
    assert [cosine for cosine, _ in found] == pytest.approx([real[number // 7] for _, number in found], abs=0.01)
    assert found == sorted(found, key=lambda item: -item[0])
    assert found[0][1] == 35


def test_only_what_may_be_seen_is_found() -> None:
    rows = some(5_000, 64)
    mask = np.zeros(5_000, np.bool_)
    mask[[10, 20, 4_999]] = True
    assert {number for _, number in nearest(vectors(range(5_000), rows), rows[3], 10, mask)} == {10, 20, 4_999}
    mask[:2_500] = True
    assert all(mask[number] for _, number in nearest(vectors(range(5_000), rows), rows[4_000], 10, mask))


def test_what_says_nothing_is_near_to_nothing() -> None:
    kept = vectors([1, 2], np.array([[0, 0, 0], [1, 2, 3]], np.float32))
    assert {number: cosine for cosine, number in nearest(kept, np.array([1, 2, 3], np.float32), 2)}[1] == 0
    assert [cosine for cosine, _ in nearest(kept, np.zeros(3, np.float32), 2)] == [0, 0]
    assert nearest(vectors([], np.zeros((0, 3), np.float32)), np.ones(3, np.float32), 5) == []


def test_what_is_kept_of_vectors_is_enough_to_have_them_again() -> None:
    kept = vectors(range(50), some(50, 100))
    again = of_codes(kept.numbers, kept.codes, kept.scales)
    for name in Vectors.__slots__:
        assert np.array_equal(getattr(kept, name), getattr(again, name))
