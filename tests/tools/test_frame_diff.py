"""What is said to differ between two tables."""

import time
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from assent.tools.frame_diff import difference, differs, rows_of, snapshot


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame({"id": range(6), "price": [1.5, 2.5, None, 4.5, 5.5, 6.5], "region": list("aabbcc")})


def changed(frame: pd.DataFrame, act: Callable[[pd.DataFrame], Any]) -> dict[str, Any]:
    """The difference that `act` makes: it changes the frame, or gives another one."""
    before = snapshot(frame)
    given = act(frame)
    after = given if isinstance(given, pd.DataFrame) else frame
    assert differs(before, after)
    found = difference(before, after)
    quiet = ("rows", "tables")
    return {name: value for name, value in found.items() if value and name not in quiet}


def put(frame: pd.DataFrame, row: int, column: str, value: Any) -> None:
    frame.loc[row, column] = value


CASES: list[tuple[Callable[[pd.DataFrame], Any], dict[str, Any]]] = [
    (lambda f: f[f.price > 2], {"removed": 2, "nulls": {"price": [1, 0]}}),
    (lambda f: f.drop([0, 1]).reset_index(drop=True), {"removed": 2}),
    (lambda f: f.iloc[:4], {"removed": 2}),
    (lambda f: f.iloc[:4].reset_index(drop=True), {"removed": 2}),
    (lambda f: pd.concat([f, f.tail(1)], ignore_index=True), {"added": 1}),
    (lambda f: pd.concat([f, f.tail(1).set_axis([99])]), {"added": 1}),
    (lambda f: f.sort_values("region", ascending=False), {"moved": True}),
    (lambda f: f.sort_values("id", ascending=False, ignore_index=True), {"moved": True}),
    (lambda f: f.assign(total=f.price * 2), {"new": ["total"]}),
    (lambda f: f.drop(columns="region"), {"gone": ["region"]}),
    (lambda f: f.rename(columns={"price": "cost"}), {"renamed": {"price": "cost"}}),
    (lambda f: put(f, 0, "price", 9.0), {"values": {"price": 1}}),
    (lambda f: put(f, 0, "price", None), {"values": {"price": 1}, "nulls": {"price": [1, 2]}}),
    (lambda f: put(f, 3, "region", "z"), {"values": {"region": 1}}),
    (lambda f: f.fillna(0), {"values": {"price": 1}, "nulls": {"price": [1, 0]}}),
    (lambda f: f.astype({"id": "float64"}), {"dtypes": {"id": ["int64", "float64"]}}),
    (lambda f: f.drop([5]).assign(price=lambda g: g.price * 2), {"removed": 1, "values": {"price": 4}}),
]


@pytest.mark.parametrize(("act", "said"), CASES)
def test_each_kind_of_change(act: Callable[[pd.DataFrame], Any], said: dict[str, Any], frame: pd.DataFrame) -> None:
    assert changed(frame, act) == said


def test_a_table_that_nobody_wrote_to_does_not_differ(frame: pd.DataFrame) -> None:
    assert not differs(snapshot(frame), frame)


def test_rows_before_and_after_stand_one_below_the_other(frame: pd.DataFrame) -> None:
    before = snapshot(frame)
    put(frame, 1, "price", 9.0)
    (table,) = difference(before, frame)["tables"]
    assert table["columns"] == ["", "", "id", "price", "region"]
    assert table["rows"] == [["before", "1", "1", "2.5", "a"], ["after", "1", "1", "9", "a"]]
    assert (table["title"], table["total"]) == ("rows changed", 1)


def test_removed_and_added_rows_are_shown_and_counted() -> None:
    before, after = pd.DataFrame({"a": range(100)}), pd.DataFrame({"a": range(50, 151)}, index=range(50, 151))
    removed, added = difference(before, after)["tables"]
    assert (removed["title"], removed["total"], removed["rows"][0]) == ("rows removed", 50, ["0", "0"])
    assert (added["title"], added["total"], added["rows"][0]) == ("rows added", 51, ["100", "100"])


ODD = [
    (pd.DataFrame(), pd.DataFrame({"a": [1]})),
    (pd.DataFrame({"a": [1, 2]}, index=[0, 0]), pd.DataFrame({"a": [1]}, index=[0])),
    (pd.DataFrame([[1, 2]], columns=["a", "a"]), pd.DataFrame([[1, 3]], columns=["a", "a"])),
    (pd.DataFrame({"a": [[1], [2]]}), pd.DataFrame({"a": [[1], [3]]})),
    (pd.DataFrame({1: [1], "1": [2]}), pd.DataFrame({1: [1]})),
    (pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_tuples([(1, 2)])), pd.DataFrame({"a": [1]})),
    (pd.DataFrame({"a": pd.Categorical(["x", "y"])}), pd.DataFrame({"a": pd.Categorical(["y", "y"])})),
    (pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}), pd.DataFrame({"a": pd.array([1, 2], dtype="Int64")})),
    (pd.DataFrame({"a": pd.to_datetime(["2024-01-01", None])}), pd.DataFrame({"a": [pd.Timestamp("2024-01-02")] * 2})),
    (pd.DataFrame({"a": [b"x", 1, None]}), pd.DataFrame({"a": ["x", None, 1]})),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), ODD)
def test_odd_tables_are_told_all_the_same(before: pd.DataFrame, after: pd.DataFrame) -> None:
    found = difference(before, after)
    assert found["rows"] == [len(before), len(after)]
    assert found["added"] - found["removed"] == len(after) - len(before)


def test_nullable_values_that_differ_are_counted() -> None:
    before, after = ODD[7]
    assert difference(before, after)["values"] == {"a": 1}


def test_without_time_rows_are_counted_and_values_are_said_to_be_unseen(frame: pd.DataFrame) -> None:
    after = frame.assign(price=frame.price * 2)
    found = difference(snapshot(frame), after, time.monotonic() - 1)
    assert (found["unseen"], found["values"]) == (["price"], {})
    assert difference(frame, frame.iloc[2:], time.monotonic() - 1)["removed"] == 2


def test_a_wide_table_is_shown_in_part(frame: pd.DataFrame) -> None:
    wide = pd.DataFrame({f"c{i}": [i] for i in range(30)})
    assert len(rows_of(wide)["columns"]) == 8
    assert "c29" in rows_of(wide, ["c29"])["columns"]
