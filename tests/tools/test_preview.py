"""How a variable is told to a model."""

from typing import Any

import pandas as pd
import pytest

from assent.tools.preview import is_frame, preview


class Odd:
    def __repr__(self) -> str:
        raise KeyError("no")


def test_a_frame_is_told_by_its_shape_schema_and_first_rows() -> None:
    frame = pd.DataFrame({"a": range(1000), "b": ["x\ny" + "z" * 100] * 1000})
    lines = preview(frame, rows=2).splitlines()
    assert lines[0].startswith("DataFrame, 1,000 rows, columns: a int64, b ")
    assert len(lines) == 3
    assert lines[1].startswith("0 | x yzz")
    assert all(len(line) < 80 for line in lines[1:])


def test_a_wide_frame_is_cut() -> None:
    text = preview(pd.DataFrame([range(500)]))
    assert "… 440 more" in text
    assert len(text) < 3_000


def test_a_categorys_values_are_told() -> None:
    frame = pd.DataFrame({"sex": ["male", None, "fe\nmale"] * 2, "kind": pd.Categorical(list("aabbab"))})
    first = preview(frame).splitlines()[0]
    assert "(male | fe male)" in first
    assert first.endswith("kind category (a | b)")


def test_the_values_of_a_column_that_was_looked_at_in_part_are_marked_so() -> None:
    assert "(a | b | …)" in preview(pd.DataFrame({"kind": ["a", "b"] * 6_000}))


def test_row_labels_are_told_where_they_say_something() -> None:
    frame = pd.DataFrame({"kind": ["a", "b", "a"], "size": [1, 2, 4]})
    assert preview(frame.groupby("kind").sum()).splitlines() == [
        "DataFrame, 2 rows, labelled by kind, columns: size int64", "a: 5", "b: 2",
    ]  # fmt: skip
    assert "labelled by index, columns" in preview(frame.describe())
    assert "labelled by index, kind, columns" in preview(frame.set_index("kind", append=True))
    assert "labelled" not in preview(frame[frame["size"] > 1])


@pytest.mark.parametrize("values", [["a", "b"], list("abcdefghi") * 2, ["x" * 50] * 2, [["list"]] * 2, [None] * 2])
def test_what_is_no_category_is_told_by_its_type(values: list[Any]) -> None:
    first = preview(pd.DataFrame({"name": values})).splitlines()[0]
    assert first.removeprefix(f"DataFrame, {len(values)} rows, columns: ") in ("name str", "name object")


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(),
        pd.DataFrame({"a": []}),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])),
    ],
)
def test_odd_frames_are_told_too(frame: Any) -> None:
    assert preview(frame).startswith("DataFrame, ")


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1"), ("a", "'a'"), (Odd(), "<Odd whose repr raised KeyError>"), ("x" * 600, "(str, 602 characters)")],
)
def test_other_values_are_told_by_a_short_repr(value: Any, text: str) -> None:
    assert preview(value).endswith(text)
    assert len(preview(value)) < 600


def test_what_is_a_frame() -> None:
    assert is_frame(pd.DataFrame())
    assert not is_frame(pd.Series([1]))
    assert not is_frame(type("DataFrame", (), {})())
