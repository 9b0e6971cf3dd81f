"""The python tool: runs in the namespace, and says what it printed, gave, raised and changed."""

import asyncio
import sys
import time
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from tests.support.calls import act, acted

from assent.tools.evaluate import Capture
from assent.tools.python import python_tool
from assent.tools.tool import Output


def run(code: str, namespace: dict[str, Any] | None = None, seconds: float = 10) -> Output:
    return acted(python_tool(lambda: {} if namespace is None else namespace), code=code, seconds=seconds)


def display(output: Output) -> dict[str, Any]:
    assert output.display is not None
    return dict(output.display)


def test_output_errors_and_result_come_back() -> None:
    output = run("import sys\nprint('out')\nprint('err', file=sys.stderr)\nx = 6\nx * 7")
    assert output.text == "out\nerr\nresult: 42\nbound: sys, x"
    assert (output.error, output.value) == (False, 42)
    assert display(output)["result"] == "42"
    assert display(output)["bound"] == ["sys", "x"]


def test_half_a_value_that_pydantic_refused_is_not_told() -> None:
    code = (
        "from pydantic import TypeAdapter\nTypeAdapter(int).validate_python('x' * 60 + 'anna@example.com' + 'y' * 20)"
    )
    output = run(code)
    assert "ValidationError: 1 validation error for int" in output.text
    for told in (output.text, display(output)["traceback"]):
        assert "xxxx" not in told
        assert "yyyy" not in told


def test_a_frame_comes_back_as_a_table_with_its_row_labels() -> None:
    frame = pd.DataFrame({"kind": ["a", "b", "a"], "size": [1, 2, 4]})
    output = run("frame.groupby('kind').sum()", {"frame": frame})
    assert output.text == "result: DataFrame, 2 rows, labelled by kind, columns: size int64\na: 5\nb: 2"
    assert "result" not in display(output)
    assert display(output)["table"] == {
        "type": "table", "columns": ["kind", "size"], "rows": [["a", "5"], ["b", "2"]], "total": 2,
    }  # fmt: skip


@pytest.mark.parametrize("code", ["x = 1", "", "# nothing", "None", "def f(): pass", "pass"])
def test_code_without_a_result_has_none(code: str) -> None:
    output = run(code, {"x": 1, "f": 2})
    assert output.value is None
    assert "result" not in output.text
    assert not output.error


def test_it_runs_in_the_namespace_and_sees_it_anew_at_each_call() -> None:
    namespace: dict[str, Any] = {"x": 1}
    tool = python_tool(lambda: namespace)

    async def both() -> Output:
        await act(tool, code="x += 1\ndef double(): return x * 2")
        return await act(tool, code="double()")

    assert asyncio.run(both()).value == 4
    assert namespace["x"] == 2


def test_what_was_bound_changed_and_deleted_is_named() -> None:
    namespace = {
        "kept": 1,
        "rebound": 1,
        "gone": 1,
        "listed": [1],
        "mapped": {"a": 1},
        "_hidden": 1,
        "In": [],
        "Out": {},
    }
    output = run("new = 1; rebound = 2; del gone; listed.append(2); mapped['a'] = 2; _hidden = 2", namespace)
    assert display(output)["bound"] == ["new"]
    assert display(output)["changed"] == ["listed", "mapped", "rebound"]
    assert display(output)["deleted"] == ["gone"]
    assert output.text == "bound: new\nchanged: listed, mapped, rebound\ndeleted: gone"


@pytest.mark.parametrize(
    "code",
    [
        "df.loc[1, 'a'] = 9",
        "df['b'] = 1",
        "df.insert(0, 'b', 0)",
        "df.columns = ['z']",
        "df.loc[3] = 4",
        "df.pop('a')",
        "df[:] = df[::-1].to_numpy()",
        "df.index = [7, 8, 9]",
        "df['a'] = df['a'].astype('float32')",
    ],
)
def test_a_frame_changed_in_place_is_noticed(code: str) -> None:
    assert display(run(code, {"df": pd.DataFrame({"a": [1, 2, 3]})}))["changed"] == ["df"]


@pytest.mark.parametrize("code", ["df.head()", "df['a'].sum()", "df.copy().drop(columns='a')", "df = df"])
@pytest.mark.parametrize("values", [[1, 2], ["a", None], [[1], {2: 3}]], ids=["numbers", "texts", "objects"])
def test_a_frame_that_was_only_read_is_not_called_changed(code: str, values: list[Any]) -> None:
    if "sum" in code and values != [1, 2]:
        code = "len(df)"
    assert display(run(code, {"df": pd.DataFrame({"a": values})}))["changed"] == []


def test_a_traceback_shows_the_agents_own_frames_only() -> None:
    output = run("def inner():\n    return 1 / 0\n\nprint('before')\nlost = 1\ninner()")
    trace = display(output)["traceback"]
    assert output.error
    assert output.value is None
    assert trace.endswith("ZeroDivisionError: division by zero")
    assert 'File "<agent>", line 6' in trace
    assert 'File "<agent>", line 2, in inner' in trace
    assert "assent" not in trace
    assert output.text.startswith("before\nTraceback")
    assert output.text.endswith("bound: inner, lost")


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("x = = 1", "SyntaxError"),
        ("print('a'", "SyntaxError"),
        ("return 1", "SyntaxError"),
        ("  x = 1", "IndentationError"),
        ("x\0", "null bytes"),
        ("x = '" + "\ud800" + "'", "UnicodeEncodeError"),
        ("raise ValueError('mine')", "ValueError: mine"),
        ("nothing", "NameError: name 'nothing' is not defined"),
        ("import sys; sys.exit()", "SystemExit"),
        ("exit(3)", "SystemExit: 3"),
        ("raise SystemExit('bye')", "SystemExit: bye"),
        ("def f(): f()\nf()", "RecursionError"),
    ],
)
def test_what_goes_wrong_is_reported_and_nothing_else_happens(code: str, error: str) -> None:
    if "exit(3)" in code:
        code = f"from sys import exit\n{code}"  # site's own exit() also closes standard input
    output = run(code)
    assert output.error
    assert error in output.text
    assert "tools/python.py" not in output.text


def test_top_level_await() -> None:
    output = run("import asyncio\nx = await asyncio.sleep(0, 5)\nawait asyncio.sleep(0, x + 1)")
    assert output.value == 6


def test_a_flood_of_prints_is_cut_and_does_not_stay() -> None:
    output = run("for _ in range(50): print('x' * 1_000_000)")
    assert len(output.text) < 11_000
    assert "characters left out" in output.text
    assert len(str(output.display)) < 25_000


def test_what_is_kept_of_a_flood_has_a_limit() -> None:
    capture = Capture(10)
    for _ in range(4):
        assert capture.write("abcd") == 4
    assert capture.text() == "abcdabcdab\n… 6 more characters were printed …"


def test_a_long_result_is_previewed() -> None:
    output = run("'x' * 5_000_000")
    assert len(output.text) < 1_000
    assert len(output.value) == 5_000_000


def test_a_result_whose_repr_raises_is_told_apart() -> None:
    output = run("class Odd:\n    def __repr__(self): raise KeyError('no')\nOdd()")
    assert "<Odd whose repr raised KeyError>" in output.text
    assert not output.error


def test_an_endless_loop_ends_in_time_and_what_it_printed_is_told() -> None:
    output = run("print('begun')\nx = 1\nwhile True: pass", seconds=0.2)
    assert output.error
    assert output.text.startswith("begun\nTraceback")
    assert "ran longer than 0.2 s and was stopped" in output.text
    assert display(output)["bound"] == ["x"]


def test_an_endless_loop_that_survives_its_errors_ends_in_time_too() -> None:
    output = run("while True:\n    try:\n        while True: pass\n    except Exception: pass", seconds=0.2)
    assert output.error
    assert "ran longer than" in output.text


def test_an_endless_wait_ends_in_time() -> None:
    output = run("import asyncio\nawait asyncio.Event().wait()", seconds=0.1)
    assert output.error
    assert "did not finish within 0.1 s" in output.text


def test_two_at_once_take_turns_and_leave_standard_output_as_it_was() -> None:
    tool = python_tool(dict)
    before = sys.stdout, sys.stderr
    code = "import asyncio\nprint('{0} begins')\nawait asyncio.sleep(0.01)\nprint('{0} ends')"

    async def both() -> list[Output]:
        return list(await asyncio.gather(act(tool, code=code.format("one")), act(tool, code=code.format("two"))))

    one, two = asyncio.run(both())
    assert (sys.stdout, sys.stderr) == before
    assert display(one)["stdout"] == "one begins\none ends\n"
    assert display(two)["stdout"] == "two begins\ntwo ends\n"


def test_a_front_ends_syntax_is_turned_into_python_first() -> None:
    tool = python_tool(dict, lambda code: code.replace("%answer", "42"))
    assert acted(tool, code="%answer").value == 42


def test_it_asks() -> None:
    tool = python_tool(dict)
    assert (tool.privilege, tool.idempotent, tool.here) == ("execute_risky", False, True)


class Odd:
    """What code of others may leave in a namespace."""

    def __str__(self) -> str:
        raise ValueError("no text")

    def __repr__(self) -> str:
        raise SystemExit


@pytest.mark.parametrize(
    "value",
    [pd.DataFrame({"a": [Odd()]}), pd.DataFrame([[1]], columns=[Odd()]), [Odd()], {"a": Odd()}, Odd()],
    ids=["cell", "column", "list", "dict", "value"],
)
def test_it_runs_whatever_odd_things_the_namespace_holds(value: Any) -> None:
    namespace = {"odd": value}
    assert "done" in run("done = 'done'\ndone", namespace).text
    assert not run("odd", namespace).error


@pytest.mark.parametrize(
    "value",
    [
        lambda: pd.DataFrame({"a": [[1, 2, 3]] * 1_000_000}),
        lambda: pd.DataFrame([[0] * 100_000]),
        lambda: [list(range(5_000_000))] * 4,
        lambda: {"a": "x" * 500_000_000},
    ],
    ids=["lists", "wide", "nested", "text"],
)
def test_looking_for_changes_takes_no_time_worth_mentioning(value: Callable[[], Any]) -> None:
    namespace = {"large": value()}
    began = time.process_time()
    run("1 + 1", namespace)
    assert time.process_time() - began < 1
