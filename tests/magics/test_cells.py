"""The analyst's cells in the journal: what each of them wrote, and what is not theirs."""

import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from tests.magics.scripts import asks, script
from tests.magics.shell import Shell

from assent.core.events import Kind
from assent.history.pieces import settle


def told(shell: Shell, query: str) -> list[tuple[Any, ...]]:
    settle(shell.desk.session.journal)
    return shell.desk.session.journal.select(query)


def writes(shell: Shell) -> list[tuple[Any, ...]]:
    return told(shell, 'SELECT "by", how, name FROM writes ORDER BY seq')


def bodies(shell: Shell) -> list[dict[str, Any]]:
    settle(shell.desk.session.journal)
    return [event.body for event in shell.desk.session.journal.events(kind=Kind.CELL_RAN)]


def test_cells_are_kept_until_a_workspace_is_open(shell: Shell, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "workspace")
    shell.run("x = 1")
    shell.run("x = 2; y = [x]")
    assert not shell.desk.opened
    assert not (tmp_path / "workspace").exists()
    assert writes(shell) == [("cell", "bound", "x"), ("cell", "bound", "y"), ("cell", "changed", "x")]
    shell.run("y.append(3)")
    assert writes(shell)[-1] == ("cell", "changed", "y")


def test_a_cell_is_kept_with_its_source_and_how_it_ended(shell: Shell) -> None:
    shell.run("a = 1")
    shell.ipython.run_cell("b = a\n1 / 0")
    shell.ipython.run_cell("c = = 1")
    kept = bodies(shell)
    assert [(body["source"], body.get("error")) for body in kept] == [
        ("a = 1", None),
        ("b = a\n1 / 0", "ZeroDivisionError"),
    ]
    assert (kept[1]["touched"]["bound"], kept[1]["touched"]["read"]) == (["b"], ["a"])


def test_what_an_agent_writes_is_the_calls_and_the_cells_only_what_it_binds(shell: Shell, tmp_path: Path) -> None:
    shell.run("x = 1")
    model = script(tmp_path, asks("y = x + 1"), "It is 2.")
    shell.run(f"%%agent --model {model}\nAdd.")
    (waiting,) = shell.desk.session.pending()
    shell.run(f"%agent approve {waiting.call}")
    shell.run(f"%agent resume {waiting.run} --into said\nz = y")
    assert writes(shell) == [
        ("cell", "bound", "x"), ("call", "bound", "y"), ("cell", "bound", "said"), ("cell", "bound", "z"),
    ]  # fmt: skip
    assert told(shell, "SELECT name FROM writes WHERE run IS NOT NULL ORDER BY seq") == [("y",), ("said",)]


def test_magics_and_sql_are_cells_like_others(shell: Shell) -> None:
    shell.run("import pandas as pd; df = pd.DataFrame({'a': [1]})")
    shell.run("%agent sql out << SELECT a FROM df")
    shell.run("%agent runs")
    assert [body["source"] for body in bodies(shell)][1:] == ["%agent sql out << SELECT a FROM df"]
    assert bodies(shell)[1]["touched"]["read"] == ["df"]


def test_a_key_in_a_cell_is_not_kept(shell: Shell) -> None:
    shell.run("import os\nos.environ['SOME_API_KEY'] = 'abcd-1234-efgh-5678'\npassword = \"correct-horse-battery\"")
    (body,) = bodies(shell)
    assert body["source"] == "import os\nos.environ['SOME_API_KEY'] = '[key]'\npassword = \"[key]\""


def test_it_can_be_turned_off(shell: Shell) -> None:
    shell.run("x = 1")
    shell.run("%config Assent.lineage = False")
    shell.run("y = 1")
    assert writes(shell) == []
    shell.run("z = 1")
    assert writes(shell) == []


def test_cells_within_cells_are_their_own(shell: Shell) -> None:
    shell.run("get_ipython().run_cell('inner = 1')\nouter = inner")
    kept = bodies(shell)
    assert [body["touched"]["bound"] for body in kept] == [["inner"], ["inner", "outer"]]


@pytest.mark.slow
def test_it_takes_little_time(shell: Shell) -> None:
    shell.namespace.update({f"v{number}": [number] for number in range(200)})
    info = type("Info", (), {"raw_cell": "t = 0\nfor v in v1:\n    t += v\nw = [t, *v2]", "transformed_cell": None})()
    result = type(
        "Result", (), {"info": info, "error_in_exec": None, "error_before_exec": None, "execution_count": 1}
    )()
    took = []
    for _ in range(50):
        began = time.perf_counter()
        shell.desk.cells.begin(info)
        shell.desk.cells.end(result)
        took.append(time.perf_counter() - began)
    assert min(took) < 0.002
