"""Keeping a workspace from the command line, as the shell calls it."""

import os
import re
from pathlib import Path

import pytest
from tests.support.workspaces import prepare

from assent.core.events import Event, Kind
from assent.serve.cli import main
from assent.store.journal import Journal


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with a run that is over, named by the environment."""
    folder = tmp_path / "workspace"
    monkeypatch.setenv("ASSENT_WORKSPACE", str(folder))
    journal = Journal(prepare(folder))
    started = Event(kind=Kind.RUN_STARTED, run="r1", body={"prompt": "p", "agent": {"name": "ada"}})
    journal.append([started, Event(kind=Kind.RUN_FINISHED, run="r1", body={"text": "t"})]).result(5)
    journal.close()
    return folder


def test_back_up_lose_and_restore(workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backup", str(tmp_path / "b.zip")]) == 0
    assert re.search(r"b\.zip holds 2 events of 2\d{3}-\d\d-\d\d \d\d:\d\d UTC, \d+\.\d MB$", capsys.readouterr().out)
    (workspace / "assent.duckdb").unlink()
    assert main(["restore", str(tmp_path / "b.zip")]) == 0
    assert main(["verify"]) == 0
    assert re.search(r"^2 events, the chain fits, head [0-9a-f]{12}$", capsys.readouterr().out, re.MULTILINE)


def test_a_backup_is_not_overwritten_and_a_workspace_with_runs_is_not_replaced_unasked(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "b.zip")
    assert main(["backup", file]) == 0
    assert main(["backup", file]) == 1
    assert "--force" in capsys.readouterr().err
    assert main(["backup", file, "--force"]) == 0
    assert main(["restore", file]) == 1
    assert "has runs" in capsys.readouterr().err
    assert main(["restore", file, "--force"]) == 0
    assert "What was there before is in" in capsys.readouterr().out
    assert main(["restore", file, "--to", str(tmp_path / "other")]) == 0
    assert (tmp_path / "other" / "assent.duckdb").is_file()


def test_compacting_follows_the_rules_of_the_workspace(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compact"]) == 0
    assert "no texts to forget" in capsys.readouterr().out
    (workspace / "config.toml").write_text('[retention]\npayloads = "0d"\n')
    assert main(["compact", "--dry-run"]) == 0
    assert "2 texts of 1 run would be forgotten" in capsys.readouterr().out
    assert main(["compact"]) == 0
    assert "2 texts of 1 run forgotten" in capsys.readouterr().out
    assert main(["verify"]) == 0
    assert "3 events, 2 of them forgotten, the chain fits" in capsys.readouterr().out


def test_where_there_is_no_workspace_none_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASSENT_WORKSPACE", str(tmp_path / "none"))
    for command in (["verify"], ["compact"], ["backup", str(tmp_path / "b.zip")]):
        assert main(command) == 1
        assert "There is no workspace in" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_doctor_says_sizes_and_what_a_crash_has_left(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace / "compacting-x").mkdir()
    main(["doctor"])
    said = capsys.readouterr().out
    assert re.search(r"^ok +workspace .*1 runs, 2 events, the last 2 fit the hash chain", said, re.MULTILINE)
    assert re.search(r"^ok +space +database \d+\.\d MB.*GB free$", said, re.MULTILINE)
    assert re.search(r"^ok +open in +no process$", said, re.MULTILINE)
    assert re.search(r"^NO +leftovers .*compacting-x was left by a crash: remove it", said, re.MULTILINE)


def test_the_doctor_says_who_has_the_workspace_open(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = Journal(workspace)
    main(["doctor"])
    journal.close()
    said = capsys.readouterr().out
    assert re.search(rf"^ok +workspace +{re.escape(str(workspace))}, in use$", said, re.MULTILINE)
    assert re.search(rf"^ok +open in +process {os.getpid()} \(holds it, .*\) since 2\d{{3}}-", said, re.MULTILINE)


def test_the_doctor_finds_the_workspace_that_a_restore_was_about_to_replace(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.rename(workspace.with_name("workspace.before-restore-20261121-120000"))
    main(["doctor"])
    said = capsys.readouterr().out
    assert re.search(r"^NO +leftovers .*is the workspace as it was: name it workspace again$", said, re.MULTILINE)
