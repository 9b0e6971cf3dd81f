"""`%agent record`, `--replay` and `%agent replay` in a notebook: what is typed, what is read, what comes of it."""

import json
from pathlib import Path

import pytest
from IPython.core.completer import provisionalcompleter
from tests.magics.scripts import asks, script
from tests.magics.shell import Shell

ANSWERS = "answers.jsonl"


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / ANSWERS).read_text("utf-8").splitlines()]


def recorded(shell: Shell, folder: Path, prompt: str = "What is it?") -> None:
    """A recording of one question, and nothing recorded any more."""
    shell.run(f"%agent record {ANSWERS}")
    shell.run(f"%%agent --model {script(folder, 'Forty-two.')}\n{prompt}")
    shell.run("%agent record --off")


def test_a_notebook_is_recorded_and_answered_from_the_file(shell: Shell, tmp_path: Path) -> None:
    shell.run(f"%agent record {ANSWERS}")
    assert f"Runs are recorded into {tmp_path / ANSWERS}: the next run begins it. %agent record --off" in shell.shown
    shell.run(f"%%agent --model {script(tmp_path, 'Forty-two.')}\nWhat is it?")
    shell.run("%agent record")
    assert f"recorded into {tmp_path / ANSWERS}: 1 so far." in shell.shown
    shell.run("%agent record --off")
    assert "Runs are neither recorded nor answered from a recording." in shell.shown
    assert [line.get("kind") for line in lines(tmp_path)] == [None, "run_started", "model_answered", "run_finished"]

    shell.run(f"%agent record --replay {ANSWERS}")
    assert f"Runs are answered from {tmp_path / ANSWERS}: 1 of 1 are left. No model is asked." in shell.shown
    assert shell.run("%agent ask What is it?") == "Forty-two."
    assert "analyst · finished · 1 step · recorded" in shell.shown
    said = shell.fail("%agent ask What is it?")
    assert "has this question once, and it was asked as often before" in said
    shell.run(f"%agent record --replay {ANSWERS}")
    assert shell.run("%agent ask What is it?") == "Forty-two."


def test_one_cell_may_be_answered_from_a_file(shell: Shell, tmp_path: Path) -> None:
    recorded(shell, tmp_path)
    shell.run(f"%%agent --replay {ANSWERS} --into answer\nWhat is it?")
    assert shell.namespace["answer"] == "Forty-two."
    (tmp_path / "live").mkdir()
    shell.run(f"%%agent --model {script(tmp_path / 'live', 'Live.')} --into answer\nWhat is it?")
    assert shell.namespace["answer"] == "Live."


def test_the_environment_answers_a_notebook_that_says_record(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(shell, tmp_path)
    before = lines(tmp_path)
    monkeypatch.setenv("ASSENT_REPLAY", ANSWERS)
    shell.run(f"%agent record {ANSWERS}")
    assert f"Runs are answered from {ANSWERS}, and none is recorded: 1 of 1 are left." in shell.shown
    assert shell.run("%agent ask What is it?") == "Forty-two."
    shell.run("%agent record --off")
    assert f"Runs are answered from {ANSWERS}: 0 of 1 are left." in shell.shown
    assert lines(tmp_path) == before


def test_recording_anew_replaces_what_was_there_with_the_first_run(shell: Shell, tmp_path: Path) -> None:
    recorded(shell, tmp_path, "What is it?")
    old = lines(tmp_path)
    shell.desk.session.recordings._recorders.clear()  # as in a kernel that was started anew
    shell.run(f"%agent record {ANSWERS}")
    assert "the next run begins it anew" in shell.shown
    assert lines(tmp_path) == old
    shell.run(f"%%agent --model {script(tmp_path, 'Another.')}\nAnd now?")
    assert [line["prompt"] for line in lines(tmp_path) if line.get("kind") == "run_started"] == ["And now?"]


NONSENSE = [
    ("%agent record nowhere/answers.jsonl", "There is no folder"),
    ("%agent record --replay none.jsonl", "There is no recording"),
    ("%agent record notes.txt", "is there and is no recording"),
    ("%agent record --replay notes.txt", "is no recording that can be read"),
    ("%agent record a.jsonl --off", "Say one thing"),
    ("%agent record .", "is a folder"),
    ("%agent replay", "Give one run: %agent replay RUN"),
    ("%agent replay zzz", "There is no run"),
]


def test_what_makes_no_sense_is_one_sentence(shell: Shell, tmp_path: Path, subtests: pytest.Subtests) -> None:
    (tmp_path / "notes.txt").write_text("Mine.")
    for line, says in NONSENSE:
        with subtests.test(line):
            assert says in shell.fail(line)
            assert (tmp_path / "notes.txt").read_text() == "Mine."
            shell.run("%agent record")
            assert "neither recorded nor answered" in shell.shown


def test_replay_says_that_a_run_is_the_same(shell: Shell, tmp_path: Path) -> None:
    shell.run(f"%%agent --model {script(tmp_path, asks('x = 1'), 'Done.')} --on-ask deny\nDo it.")
    run = shell.run("%agent runs")["run"][0]
    shell.run(f"%agent replay {run[:5]}")
    assert shell.shown.strip() == "identical: 5 events, 2 steps."


def test_files_are_completed(shell: Shell, tmp_path: Path) -> None:
    recorded(shell, tmp_path)
    for line in ("%agent record ans", "%agent record --replay ans", "%agent ask --replay ans"):
        with provisionalcompleter():
            assert [item.text for item in shell.ipython.Completer.completions(line, len(line))] == [ANSWERS]
