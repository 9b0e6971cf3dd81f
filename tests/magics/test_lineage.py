"""`%agent blame` and `%agent rebuild` as an analyst types and reads them."""

import os
from pathlib import Path
from typing import Any

import pytest
from tests.magics.scripts import asks, script
from tests.magics.shell import Shell

from assent_magics import lineage

CODE = "y = sum(x)\nwith open('out.txt', 'w') as file: file.write(str(y))"


@pytest.fixture
def run(shell: Shell, tmp_path: Path) -> str:
    """A run that has computed `y` of the cells' `x` and saved out.txt; its answer is `said`."""
    shell.run("x = [1]")
    shell.run("x.append(2)")
    shell.run(f"%%agent --model {script(tmp_path, asks(CODE), 'It is 3.')} --into said\nSum x.")
    (waiting,) = shell.desk.session.pending()
    shell.run(f"%agent approve {waiting.call}")
    shell.run(f"%agent resume {waiting.run} --into said")
    shell.run("z = y + 1")
    return waiting.run


def restarted(shell: Shell, monkeypatch: pytest.MonkeyPatch, *kept: str) -> None:
    """As after a restart: another life, without variables."""
    monkeypatch.setattr(lineage, "KERNEL", "next")
    for name in set("xyz") | {"said", "file"} - set(kept):
        shell.namespace.pop(name, None)


def test_a_variable_is_blamed_on_the_cell_that_last_wrote_it(shell: Shell, run: str) -> None:
    table = shell.run("%agent blame x")
    assert "x was last written on 20" in shell.shown
    assert "by your cell [1]: x.append(2)" in shell.shown
    assert table[["how", "by", "code"]].to_numpy().tolist() == [
        ["changed", "cell", "x.append(2)"], ["bound", "cell", "x = [1]"],
    ]  # fmt: skip


def test_the_line_that_is_shown_is_about_the_variable(shell: Shell) -> None:
    shell.run("%agent runs")
    shell.run("import math\n# the area\nw = 2\narea = w * math.pi\n(q, r) = 1, 2")
    for name, line in {"area": "area = w * math.pi", "w": "w = 2", "r": "import math"}.items():
        table = shell.run(f"%agent blame {name}")
        assert shell.shown.partition("\n")[0].endswith(f"by your cell [1]: {line}")
        assert table["code"].tolist() == [line]


def test_a_variable_is_blamed_on_the_run_with_its_prompt_and_approver(shell: Shell, run: str) -> None:
    table = shell.run("%agent blame y")
    assert f'by the agent analyst (run {run}, step 1, call {run}.1), asked "Sum x.", approved by' in shell.shown
    assert shell.shown.partition("\n")[0].endswith(": y = sum(x)")
    assert table.loc[0, ["run", "call", "asked"]].tolist() == [run, f"{run}.1", "Sum x."]
    shell.run("%agent blame said")
    assert f'said is the answer of the agent analyst (run {run}), asked "Sum x.", bound on' in shell.shown


def test_a_file_is_blamed_and_a_later_change_is_told(shell: Shell, run: str) -> None:
    table = shell.run("%agent blame out.txt")
    assert "out.txt was last saved on" in shell.shown
    assert "It was changed since" not in shell.shown
    assert table.loc[0, "call"] == f"{run}.1"
    os.utime("out.txt", (4e9, 4e9))
    shell.run("%agent blame out.txt")
    assert "It was changed since, on 2096-10-02 07:06 UTC, by something that Assent did not see." in shell.shown


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("saidd", "Nobody has written a variable or file 'saidd'. Did you mean said?"),
        ("outt.txt", "Did you mean out.txt?"),
        ("", "Give one variable or file: %agent blame df, or"),
        ("x y", "Give one variable or file"),
        ("other.txt", "No agent is known to have written other.txt, and what your own cells do to files is not"),
        ("earlier", "earlier is here, but nobody has recorded who wrote it"),
    ],
)
def test_what_nobody_wrote(shell: Shell, run: str, typed: str, said: str) -> None:
    Path("other.txt").write_text("x")
    shell.namespace["earlier"] = 1
    assert said in shell.fail(f"%agent blame {typed}")


def steps(table: Any) -> list[tuple[str, str]]:
    return list(zip(table["run"], table["makes"], strict=True))


def test_after_a_restart_the_steps_are_listed_and_nothing_is_run(
    shell: Shell, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    restarted(shell, monkeypatch)
    table = shell.run("%agent rebuild z")
    assert "to be made again: z." in shell.shown
    assert f"# {run}.1, by the agent analyst\n{CODE}" in shell.shown
    assert "Nothing was run. 4 steps, in this order:" in shell.shown
    assert steps(table) == [("cell", "x"), ("cell", "x"), ("call", "file, y"), ("cell", "z")]
    assert "z" not in shell.namespace
    shell.run("%agent blame z")
    assert "This kernel does not have it: %agent rebuild z" in shell.shown


def test_without_a_name_it_is_whatever_is_gone(shell: Shell, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    restarted(shell, monkeypatch, "y", "z", "file")
    shell.namespace.update(y=3, z=4, file=None)
    table = shell.run("%agent rebuild")
    assert "with 5 variables; to be made again: said, x." in shell.shown
    assert steps(table) == [("cell", "x"), ("cell", "x"), ("answer", "said")]
    assert table["note"].tolist()[-1] == f"the answer of the run {run}: %agent show {run}"
    shell.namespace.update(x=[1], said="")
    shell.run("%agent rebuild")
    assert "with 5 variables; all of them are here." in shell.shown


def test_missing_inputs_are_named(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.namespace["earlier"] = 2
    Path("in.csv").write_text("a\n1\n")
    shell.run("import pandas as pd\nx = pd.read_csv('in.csv') * earlier")
    shell.run("%agent runs")
    restarted(shell, monkeypatch)
    del shell.namespace["earlier"]
    os.remove("in.csv")
    shell.run("%agent rebuild x")
    assert "Missing: earlier. No recorded cell made them" in shell.shown
    assert "Files that are not there: in.csv." in shell.shown
    assert "had no variable 'q' when it ended; it had pd, x." in shell.fail("%agent rebuild q")


def test_cells_that_ran_again_are_marked(shell: Shell, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    restarted(shell, monkeypatch)
    monkeypatch.setattr("assent.jupyter.cells.KERNEL", "next")
    shell.run("x = [1]")
    table = shell.run("%agent rebuild z")
    assert table["note"].tolist()[0] == "ran in this kernel already"


def test_without_an_earlier_kernel_there_is_nothing_to_say(shell: Shell) -> None:
    shell.run("x = 1")
    shell.run("%agent rebuild")
    assert "The journal knows of no earlier kernel of this notebook." in shell.shown
