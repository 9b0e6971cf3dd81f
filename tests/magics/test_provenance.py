"""Which notebook a run is of: in the metadata of what it shows, and in the journal, wherever the file was moved."""

import json
from pathlib import Path
from typing import Any

import pytest
from IPython.utils.capture import capture_output
from tests.magics.scripts import asks, script
from tests.magics.shell import Shell
from tests.support.sessions import approve

from assent.core.ids import run_of


def ran(shell: Shell, cell: str) -> dict[str, Any]:
    """The metadata of a cell's transcript."""
    with capture_output() as captured:
        assert shell.ipython.run_cell(cell).success, captured.stdout
    [metadata] = [output.metadata for output in captured.outputs if output.metadata]
    return dict(metadata)


def save(path: Path, metadata: dict[str, Any]) -> None:
    """What a front end writes: a notebook whose one cell has an output with this metadata."""
    output = {"output_type": "display_data", "data": {"text/plain": "Yes."}, "metadata": metadata}
    path.write_text(json.dumps({"metadata": {}, "cells": [{"id": "c1", "cell_type": "code", "outputs": [output]}]}))


@pytest.fixture
def notebook(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "analyst's.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    return path


def test_an_output_says_where_it_comes_from(shell: Shell, notebook: Path, tmp_path: Path) -> None:
    told = ran(shell, f"%%agent --model {script(tmp_path, 'Yes.')}\nIs it?")["assent"]
    session = shell.desk.session
    [(run, model)] = session.journal.select("SELECT run, model FROM runs")
    [(name, path)] = session.journal.select("SELECT id, path FROM notebooks")
    assert path == str(notebook)
    assert told == {
        "notebook": name, "cell": None, "run": run, "agent": "analyst", "model": model, "status": "finished",
        "steps": 1, "cost": "0", "approved_by": [],
    }  # fmt: skip
    assert json.loads(json.dumps(told)) == told


def test_it_says_who_approved(shell: Shell, notebook: Path, tmp_path: Path) -> None:
    told = ran(shell, f"%%agent --model {script(tmp_path, asks('x = 1'), 'Done.')}\nDo it.")
    [asked] = shell.desk.session.pending()
    approve(shell.desk.session, asked.call, by="bob")
    told = ran(shell, f"%agent resume {run_of(asked.call)}")["assent"]
    assert (told["status"], told["approved_by"]) == ("finished", ["bob"])
    assert ran(shell, f"%agent show {run_of(asked.call)}")["assent"] == told


def test_the_runs_of_a_notebook_that_was_moved_are_found_under_its_new_path(
    shell: Shell, notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = script(tmp_path, "Yes.")
    save(notebook, ran(shell, f"%%agent --model {model}\nFirst?"))
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "other.ipynb"))
    shell.run(f"%%agent --model {model}\nOf another?")
    monkeypatch.setenv("JPY_SESSION_NAME", str(notebook.rename(tmp_path / "moved.ipynb")))
    assert shell.run("%agent runs --here")["asked"].tolist() == ["First?"]
    shell.run(f"%%agent --model {model}\nSecond?")
    assert shell.run("%agent runs --here")["asked"].tolist() == ["Second?", "First?"]
    assert len(shell.run("%agent runs")) == 3
    found = shell.run("%agent sql SELECT path, len(runs) AS n FROM notebooks ORDER BY path").values.tolist()
    assert found == [[str(tmp_path / "moved.ipynb"), 2], [str(tmp_path / "other.ipynb"), 1]]


def test_the_variables_of_a_notebook_that_was_moved_are_found_under_its_new_path(
    shell: Shell, notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(notebook, ran(shell, f"%%agent --model {script(tmp_path, 'Yes.')}\nFirst?"))
    shell.run("x = 1")
    shell.run("%agent pending")
    shell.namespace.pop("x")
    for module in ("assent_magics.lineage", "assent.jupyter.cells"):
        monkeypatch.setattr(f"{module}.KERNEL", "next")
    monkeypatch.setenv("JPY_SESSION_NAME", str(notebook.rename(tmp_path / "moved.ipynb")))
    shell.run("%agent blame x")
    assert "by your cell [1] of analyst's.ipynb: x = 1" in shell.shown
    assert "This kernel does not have it: %agent rebuild x" in shell.shown
    assert shell.run("%agent rebuild")["code"].tolist() == ["x = 1"]


def test_a_run_of_a_moved_notebook_goes_on_in_it(
    shell: Shell, notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(notebook, ran(shell, f"%%agent --model {script(tmp_path, asks('x = 1'), 'Done.')}\nDo it."))
    [asked] = shell.desk.session.pending()
    monkeypatch.setenv("JPY_SESSION_NAME", str(notebook.rename(tmp_path / "moved.ipynb")))
    approve(shell.desk.session, asked.call)
    told = ran(shell, f"%agent resume {run_of(asked.call)}")["assent"]
    [(name, runs)] = shell.desk.session.journal.select("SELECT id, runs FROM notebooks")
    assert (told["notebook"], runs) == (name, [run_of(asked.call)])


def test_where_nobody_names_the_notebook(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    assert ran(shell, f"%%agent --model {script(tmp_path, 'Yes.')}\nIs it?")["assent"]["notebook"] is None
    assert "does not say which notebook" in shell.fail("%agent runs --here")
    assert shell.desk.session.journal.select("SELECT * FROM notebooks") == []
