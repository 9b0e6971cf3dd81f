"""A slice holds what a variable needs, and running only the slice gives it the same value."""

import copy
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.history.pieces import effect_of
from assent.history.slicing import Effect, existing, sliced
from assent.tools.touched import begin, end

NAMES = ("a", "b", "c", "d")
name = st.sampled_from(NAMES)
number = st.integers(0, 3)
FORMS = (
    "{x} = {n}", "{x} = [{n}]", "{x} = {y}", "{x} = [{y}]", "{x} = {y} + {z}", "{x} += {y}", "{x}.append({n})",
    "{x}.append({y})", "{x}[0] = {n}", "{x} = {{'k': {y}}}", "{x}['k'] = {n}", "{x}.sort()", "del {x}",
    "{x} = list({y})", "if {y}: {x} = {n}", "if {y}:\n    {x} = {z}\nelse:\n    {x} = {n}",
    "for {x} in [{n}, {y}]: {z}.append({x})", "for {x} in []: pass", "{x} = iter([1, 2, {n}])", "{x} = next({y})",
    "{x}, {y} = {y}, {x}", "def {x}(): return {y}", "def {x}(v={n}): {y}.append(v)", "{x} = {y}()",
    "{x} = lambda: {y}", "{x} = ({y}, {n})", "def {x}(v): v.append({n})", "{y}({x})", "{x} = [i for i in {y}]",
    "{x} = (i for i in {y})", "{x} = f'{{{y}!s:.3}}'", "def {x}():\n    global {y}\n    {y} = {n}", "{x}()",
    "try:\n    {x} = {y}[0]\nexcept Exception:\n    {x} = {n}",
    "class {x}:\n    k = {n}\n    def add(self, v): self.k = v", "{x} = {y}()\n{x}.add({n})", "{x}.add({z})",
    "{x} = {y}.k", "with open('/dev/null') as {x}: {y} = {n}", "exec('{x} = {y}')", "{x} = eval('{y}')",
    "{x} = globals().get('{y}')", "{x} = sorted({y}, key=lambda v: v if {z} else 0)", "{x} = {y}[0]",
    "{x} = {y}['k']", "{x} = {y}[:]", "{x}.k = {y}", "{x} = [*{y}, {n}]", "({x} := {n})", "{x} = {n}; {x} += {n}",
    "{x} = {y}; {x}.append({n})", "{x} = {y} if {z} else {n}",
)  # fmt: skip
statement = st.builds(
    lambda form, x, y, z, n: form.format(x=x, y=y, z=z, n=n), st.sampled_from(FORMS), name, name, name, number
)
cell = st.lists(statement, min_size=1, max_size=2).map("\n".join)


def ran(cells: list[str], record: list[Effect] | None = None) -> dict[str, Any]:
    """The namespace after the cells; an error ends a cell, not the notebook."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for code in cells:
        begun, failed = begin(code, namespace), False
        try:
            exec(code, namespace)
        except Exception:
            failed = True
        if record is not None:
            record.append(effect_of(end(begun, namespace, failed=failed).to_json()))
    return namespace


def shown(value: Any, namespace: dict[str, Any], depth: int = 0) -> Any:
    """A value so that two runs can be compared: functions by what they give, objects by what they hold."""
    if depth > 4:
        return "…"
    if isinstance(value, list | tuple):
        return (type(value).__name__, [shown(item, namespace, depth + 1) for item in value])
    if isinstance(value, dict):
        return {key: shown(item, namespace, depth + 1) for key, item in value.items()}
    if isinstance(value, type):
        return ("class", shown(vars(value).get("k"), namespace, depth + 1))
    if hasattr(value, "__dict__") and type(value).__module__ == "__main__":
        return ("object", shown(vars(value), namespace, depth + 1), shown(type(value), namespace, depth + 1))
    if callable(value) and hasattr(value, "__code__"):
        return ("function", value.__code__.co_code, shown(value.__defaults__, namespace, depth + 1))
    if hasattr(value, "__next__"):
        return ("iterator", [shown(item, namespace, depth + 1) for item in copied(value)])
    return re.sub(r"0x[0-9a-f]+", "", value) if isinstance(value, str) else value


def copied(iterator: Any) -> list[Any]:
    try:
        return list(copy.copy(iterator))
    except TypeError:
        return []  # a generator cannot be looked at without being used up
    except Exception as error:
        return [type(error).__name__]


@given(st.lists(cell, min_size=1, max_size=9), name)
@settings(max_examples=40, deadline=None)
def test_running_the_slice_alone_gives_the_same_value(cells: list[str], target: str) -> None:
    same(cells, target)


@pytest.mark.slow
@pytest.mark.timeout(120)
@given(st.lists(cell, min_size=1, max_size=9), name)
@settings(max_examples=600, deadline=None)
def test_so_it_does_for_many_programs(cells: list[str], target: str) -> None:
    same(cells, target)


def same(cells: list[str], target: str) -> None:
    record: list[Effect] = []
    whole = ran(cells, record)
    assert {item for item in existing(record) if item in NAMES} == {item for item in NAMES if item in whole}
    if target not in whole:
        return
    found = sliced(record, [target])
    again = ran([cells[place] for place in found.chosen])
    assert target in again, found
    assert shown(again[target], again) == shown(whole[target], whole), found


def chosen(*cells: str, wanted: str) -> tuple[int, ...]:
    record: list[Effect] = []
    ran(list(cells), record)
    return sliced(record, [wanted]).chosen


def test_what_is_overwritten_or_not_read_is_left_out() -> None:
    assert chosen("a = 1", "b = 2", "a = 3", "c = a", "print(c)", wanted="c") == (2, 3)
    assert chosen("a = [1]", "a.append(2)", "b = len(a)", "a.append(3)", wanted="b") == (0, 1, 2)
    assert chosen("a = []\na.append(1)", "a = []\na.append(1)", "b = a", wanted="b") == (1, 2)


def test_what_may_not_run_overwrites_nothing() -> None:
    assert chosen("b = 0", "a = 0\nif a: b = 0", wanted="b") == (0,)
    assert chosen("b = 0", "a = 0\nif a: b = 1\nelse: b = 0", wanted="b") == (1,)


def test_what_a_function_reads_is_made_before_it_is_called() -> None:
    assert chosen("def f(): return a", "a = 1", "b = f()", "a = 2", wanted="b") == (0, 1, 2)
    assert chosen("def f(): return a", "a = 1", "a = 2", wanted="f") == (0, 2)


def test_a_table_is_not_made_again_for_one_that_was_taken_of_it() -> None:
    cells = ["import pandas as pd", "a = pd.DataFrame({'x': [1, 2]})", "b = a[a.x > 1]", "a['y'] = 1", "b['z'] = 2"]
    assert chosen(*cells, wanted="b") == (0, 1, 2, 4)
    assert chosen(*cells, wanted="a") == (0, 1, 3)


def test_what_no_piece_has_made_is_missing() -> None:
    effects = [Effect(read=frozenset({"lost"}), bound=frozenset({"a"}))]
    assert sliced(effects, ["a"]).missing == {"lost"}
    assert sliced(effects, ["b"]).missing == {"b"}
