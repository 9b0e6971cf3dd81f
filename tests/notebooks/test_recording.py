"""A recorded notebook runs under papermill and nbval: offline, free, the same; it fails where it has drifted."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.notebooks.execution import copy_notebooks, environment, outputs, read, run

from assent import Session

pytestmark = [pytest.mark.kernel, pytest.mark.slow, pytest.mark.timeout(120)]

CELLS = {
    "data": "import pandas as pd\nfrom assent import tool\n\nt = pd.DataFrame({'a': [1, 2, 3]})",
    "tool": '@tool(privilege="read_only")\ndef largest() -> int:\n    """The largest."""\n    return int(t["a"].max())',
    "asked": "%%agent --tools largest --into answer\nWhat is the largest?",
    "answer": "answer",
    "sql": "%%agent --tools sql --into rows\nHow many rows has {t}?",
    "rows": "rows",
}
TURNS = {
    "largest": [[{"kind": "call", "id": "c1", "name": "largest", "arguments": "{}"}], "It is 3."],
    "How many rows": [
        [{"kind": "call", "id": "c1", "name": "sql", "arguments": '{"query": "SELECT count(*) AS n FROM t"}'}],
        "There are 3 rows.",
    ],
}


def notebook(folder: Path, name: str = "nb.ipynb", **changed: str) -> Path:
    """The notebook, some of its cells changed."""
    import nbformat  # takes a second: not while tests are collected

    cells = [nbformat.v4.new_code_cell(source, id=cell) for cell, source in {**CELLS, **changed}.items()]
    kernel = {"kernelspec": {"name": "assent", "display_name": "Assent", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / name)
    return folder / name


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the executed notebook `nb.ipynb` and its recording `answers.jsonl`, a file that may be moved."""
    folder = tmp_path_factory.mktemp("recorded")
    (folder / ".assent").mkdir()
    (folder / "script.json").write_text(json.dumps(TURNS))
    made = notebook(folder)
    env = environment(folder, f"scripted:{folder / 'script.json'}") | {"ASSENT_RECORD": "answers.jsonl"}
    run("assent", ["run", made, "--output", made], env, folder)
    return folder


def elsewhere(recorded: Path, folder: Path) -> dict[str, str]:
    """Another machine, as far as one folder can be one: the recording is there, and no model or workspace is."""
    (folder / ".assent").mkdir()
    (folder / "answers.jsonl").write_bytes((recorded / "answers.jsonl").read_bytes())
    env = environment(folder) | {"ASSENT_REPLAY": "answers.jsonl"}
    env.pop("ASSENT_MODEL")
    return env


def failing(module: str, arguments: Sequence[str | Path], env: dict[str, str], cwd: Path) -> str:
    """What `python -m module` says, which must fail."""
    command = [sys.executable, "-m", module, *[str(argument) for argument in arguments]]
    done = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    return done.stdout + done.stderr


def test_the_recording_can_be_read_and_holds_nothing_of_this_machine(recorded: Path) -> None:
    lines = [json.loads(line) for line in (recorded / "answers.jsonl").read_text("utf-8").splitlines()]
    assert [(line.get("run"), line.get("kind")) for line in lines[1:]] == [
        (number, kind)
        for number in (1, 2)
        for kind in ("run_started", "model_answered", "call_finished", "model_answered", "run_finished")
    ]
    started = [line for line in lines if line.get("kind") == "run_started"]
    assert [list(line["tools"]) for line in started] == [["largest"], ["sql"]]
    text = (recorded / "answers.jsonl").read_text("utf-8").replace(f"scripted:{recorded}", "")
    assert str(recorded) not in text
    assert os.path.expanduser("~") not in text


def test_papermill_gets_the_same_without_a_model(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSENT_USER", "ana")  # whose notebook it is
    env = elsewhere(recorded, tmp_path)
    done = tmp_path / "done.ipynb"
    run("papermill", [notebook(tmp_path), done, "--no-progress-bar"], env, tmp_path)
    then, now = read(recorded / "nb.ipynb"), read(done)
    for cell in ("asked", "answer", "sql", "rows"):
        assert outputs(now[cell]) == outputs(then[cell])
    assert "analyst · finished · 2 steps · recorded" in outputs(now["sql"])
    with_session = Session(tmp_path / ".assent")
    try:
        costs = with_session.sql("SELECT sum(cost) AS cost, sum(input_tokens) AS tokens, count(*) AS n FROM costs")
        assert costs.to_numpy().tolist() == [[0.0, 0.0, 4.0]]
    finally:
        with_session.close()


def test_nbval_compares_the_cells(recorded: Path, tmp_path: Path) -> None:
    env = elsewhere(recorded, tmp_path)
    (tmp_path / "nb.ipynb").write_bytes((recorded / "nb.ipynb").read_bytes())
    said = run("pytest", ["--nbval", "nb.ipynb", "-q", "-p", "no:cacheprovider"], env, tmp_path)
    assert "6 passed" in said


def test_nbval_fails_where_a_question_has_drifted_or_the_recording_is_gone(recorded: Path, tmp_path: Path) -> None:
    env = elsewhere(recorded, tmp_path)
    source = (recorded / "nb.ipynb").read_text("utf-8")
    (tmp_path / "nb.ipynb").write_text(source.replace("largest?", "very largest?"), "utf-8")
    options = ["--nbval", "nb.ipynb", "-q", "-p", "no:cacheprovider"]
    assert "the prompt of its 1st run has changed" in failing("pytest", options, env, tmp_path)
    gone = env | {"ASSENT_REPLAY": "gone.jsonl"}
    assert "There is no recording" in failing("pytest", options, gone, tmp_path)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"asked": CELLS["asked"].replace("largest?", "very largest?")}, "the prompt of its 1st run has changed"),
        ({"tool": CELLS["tool"].replace("max()", "max() + 0")}, "the code of the tool largest has changed"),
        (
            {"data": CELLS["data"].replace("3]", "4]")},
            "the result of call 1 (largest) has changed: recorded '3', now '4'",
        ),
    ],
    ids=["prompt", "code", "data"],
)
def test_papermill_stops_where_something_has_drifted(
    recorded: Path, tmp_path: Path, changed: dict[str, str], says: str
) -> None:
    env = elsewhere(recorded, tmp_path)
    done = tmp_path / "done.ipynb"
    said = failing("papermill", [notebook(tmp_path, **changed), done, "--log-output"], env, tmp_path)
    for shown in (said, outputs(read(done)["asked"])):
        assert says in shown
        assert "To record again: %agent record answers.jsonl" in shown


def test_the_quickstart_goes_through_from_its_recording(tmp_path: Path) -> None:
    """With a call that is approved by its id while the run stands still, and with what `%agent resume` does then."""
    there, here = tmp_path / "there", tmp_path / "here"
    for folder in (there, here):
        folder.mkdir()
        copy_notebooks(folder)
    made = there / "notebooks" / "01-quickstart.ipynb"
    run("assent", ["run", made, "--output", made], environment(there) | {"ASSENT_RECORD": "answers.jsonl"}, there)
    again = here / "notebooks" / made.name
    recording = there / "notebooks" / "answers.jsonl"
    env = environment(here) | {"ASSENT_REPLAY": str(recording)}
    env.pop("ASSENT_MODEL")
    run("assent", ["run", again, "--output", again], env, here)
    then, now = read(made), read(again)
    for cell in ("by-island", "unweighed", "changed"):
        assert outputs(now[cell]) == outputs(then[cell])
