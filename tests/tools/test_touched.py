"""What a piece of code did to variables, and which of their values mattered to it."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from assent.tools.names import names_in
from assent.tools.touched import Touched, begin, end


def did(code: str, namespace: dict[str, Any] | None = None, **options: Any) -> Touched:
    names: dict[str, Any] = {"__name__": "__main__"} if namespace is None else namespace
    begun, failed = begin(code, names), False
    try:
        exec(code, names)
    except Exception:
        failed = True
    return end(begun, names, failed=failed, **options)


def frames() -> dict[str, Any]:
    return {"__name__": "__main__", "pd": pd, "np": np, "df": pd.DataFrame({"a": [1, 2, 3]}), "n": 2, "items": [1]}


@pytest.mark.parametrize(
    "code",
    [
        "df['b'] = 1", "df.loc[0, 'a'] = 9", "df.at[0, 'a'] = 9", "df.columns = ['z']", "del df['a']", "df.pop('a')",
        "df.insert(0, 'b', 0)", "df.rename(columns={'a': 'b'}, inplace=True)", "df['a'] += 1", "df['a'].values",
        "x = df\nx.loc[0, 'a'] = 9", "[df][0]['b'] = 1", "setattr(df, 'note', 1)", "df += 1",
    ],
)  # fmt: skip
def test_a_table_changed_in_place_depends_on_what_it_was(code: str) -> None:
    touched = did(code, frames())
    assert touched.changed == (("df",) if code != "df['a'].values" else ())
    assert "df" in touched.read


@pytest.mark.parametrize("code", ["df = pd.DataFrame()", "df = 1", "for df in [1]: pass", "import json as df"])
def test_a_table_that_is_bound_anew_does_not(code: str) -> None:
    touched = did(code, frames())
    assert touched.changed == ("df",)
    assert "df" not in touched.read


def test_what_is_only_read_is_not_called_changed() -> None:
    touched = did("total = df.groupby('a').size().sum() + n + len(items)\nprint(df, items)", frames())
    assert (touched.bound, touched.changed, touched.maybe) == (("total",), (), ())
    assert touched.read == ("df", "items", "n")


def test_a_list_made_and_filled_in_one_cell_needs_nothing_of_the_last_time() -> None:
    namespace = frames()
    assert did("rows = []\nfor i in range(n): rows.append(i)", namespace).bound == ("i", "rows")
    again = did("rows = []\nfor i in range(n): rows.append(i)", namespace)
    assert (again.changed, again.read) == (("rows",), ("n",))


def test_other_names_of_a_changed_object_have_changed_too() -> None:
    namespace = frames()
    assert did("other = items", namespace).shares == {"other": ("items",)}
    assert did("other.append(2)\nitems", namespace).changed == ("items", "other")


def test_an_array_that_is_a_view_of_a_table_shows_its_changes() -> None:
    namespace = frames()
    assert did("view = df.to_numpy()\nown = df.to_numpy().copy()", namespace).shares == {"view": ("df",)}


def test_a_function_reads_what_it_needs_when_it_is_called() -> None:
    namespace = frames()
    assert did("def scaled(): return df * factor", namespace).later == {"scaled": ("df", "factor")}
    assert did("factor = 3", namespace).bound == ("factor",)
    assert did("out = scaled()", namespace).read == ("df", "factor", "scaled")


def test_a_function_that_changes_its_argument() -> None:
    namespace = frames()
    did("def flag(frame): frame['flag'] = 1\ndef zero(frame): frame.loc[0, 'a'] = 0", namespace)
    assert did("flag(df)", namespace).changed == ("df",)  # its columns prove it
    assert did("zero(df)", namespace).maybe == ("df",)


def test_names_in_texts_that_others_read() -> None:
    assert "df" in did("q = str('SELECT a FROM df WHERE a > 1')", frames()).read
    assert "n" in did("q = df.query('a > @n')", frames()).read
    assert did("q = str('df')", frames()).read == ()
    magic = "get_ipython().run_cell_magic('time', '', 'total = df.a.sum() * n\\n')"
    assert names_in(magic).read == {"get_ipython", "df", "n"}


def test_code_that_may_read_anything_reads_everything() -> None:
    assert did("x = eval('n + 1')", frames()).read == ("df", "items", "n", "np", "pd")
    assert did("x = globals()['n']", frames()).read == ("df", "items", "n", "np", "pd")


def test_what_code_that_failed_has_done_counts_and_no_more() -> None:
    touched = did("first = 1\n1 / 0\nn = 3", frames())
    assert (touched.bound, touched.changed) == (("first",), ())


def test_a_name_that_was_not_there_is_told() -> None:
    assert did("try:\n    x = lost\nexcept NameError:\n    x = 0").absent == ("lost",)


def test_what_others_wrote_meanwhile_is_theirs() -> None:
    namespace = frames()
    begun = begin("y = n", namespace)
    namespace |= {"y": 2, "z": 1, "n": 3}
    touched = end(begun, namespace, apart={"z", "n", "y"})
    assert (touched.bound, touched.changed) == (("y",), ())  # its own text says that it binds y


class Odd:
    """Refuses every question."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


def test_odd_values_cost_nobody_the_cell() -> None:
    assert did("kept = odd\nodd", {"odd": Odd(), "__name__": "__main__"}).bound == ("kept",)


@pytest.mark.parametrize("code", ["x = = 1", "x = (" * 200, "\0", "%timeit x"])
def test_what_is_no_python_has_no_names(code: str) -> None:
    assert names_in(code).read == set()


def test_ipythons_own_names_are_no_variables() -> None:
    namespace = frames()
    begun = begin("1", namespace)
    namespace |= {"_": 1, "__": 2, "_3": 3, "_i3": "", "In": [], "Out": {}, "_dh": [], "_own": 1, "get_ipython": print}
    assert end(begun, namespace).bound == ("_own",)
