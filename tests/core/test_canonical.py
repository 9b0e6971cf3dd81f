"""Equal values have equal digests; what JSON cannot say is said as nearly as it can."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.core.canonical import canonical, digest, plain

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_the_order_of_keys_and_a_way_through_json_change_no_digest(value: dict[str, Any]) -> None:
    turned = dict(reversed(value.items()))
    assert digest(turned) == digest(value) == digest(json.loads(canonical(value)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1}, {"a": "1"}),
        ({"a": 1}, {"a": 1.0}),
        ({"a": None}, {}),
        ([1, 2], [2, 1]),
        ("a", "a "),
        ("é", "e\u0301"),
    ],
)
def test_different_values_have_different_digests(one: Any, other: Any) -> None:
    assert digest(one) != digest(other)


def test_what_is_no_json_and_no_utf8_has_a_digest_too() -> None:
    assert canonical({"day": date(2026, 1, 2)}) == '{"day":"2026-01-02"}'
    assert len(digest({"half": "\ud800"})) == 64


@given(JSON)
def test_plain_leaves_json_as_it_is(value: Any) -> None:
    assert plain(value) == value
