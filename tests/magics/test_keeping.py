"""Keeping the workspace from a notebook: what is typed, what is said, and what is there afterwards."""

import os
import re
from pathlib import Path

from tests.magics.scripts import script
from tests.magics.shell import Shell
from tests.support.workspaces import prepare

from assent.store.journal import Journal


def worked(shell: Shell, folder: Path) -> None:
    shell.run(f"%%agent --model {script(folder, 'Forty-two.')}\nWhat is it?")


def test_a_backup_is_restored_beside_the_open_workspace(shell: Shell, tmp_path: Path) -> None:
    worked(shell, tmp_path)
    shell.run("%agent backup keep.zip")
    assert re.search(r"keep\.zip holds \d+ events of 2.* UTC, \d+\.\d MB\. %agent restore puts it back", shell.shown)
    shell.run("%agent restore keep.zip --to other")
    assert f"{tmp_path / 'other'} holds" in shell.shown
    assert "ASSENT_WORKSPACE=" in shell.shown
    journal = Journal(prepare(tmp_path / "other"))
    assert journal.select("SELECT prompt, answer FROM runs") == [("What is it?", "Forty-two.")]
    journal.close()


def test_the_open_workspace_is_not_restored_over(shell: Shell, tmp_path: Path) -> None:
    worked(shell, tmp_path)
    shell.run("%agent backup keep.zip")
    assert "--to FOLDER" in shell.fail("%agent restore keep.zip --force")
    assert shell.run("%agent runs")["status"].tolist() == ["finished"]


def test_a_lost_workspace_is_restored_before_anything_is_opened(shell: Shell, tmp_path: Path) -> None:
    worked(shell, tmp_path)
    shell.run("%agent backup keep.zip")
    shell.desk.close()
    (tmp_path / "workspace" / "assent.duckdb").unlink()
    shell.run("%agent restore keep.zip")
    assert shell.run("%agent runs")["outcome"].tolist() == ["Forty-two."]


def test_verify_says_how_many_events_fit(shell: Shell, tmp_path: Path) -> None:
    worked(shell, tmp_path)
    shell.run("%agent verify")
    assert re.search(r"^\d+ events, the chain fits, head [0-9a-f]{12}", shell.shown, re.MULTILINE)


def test_compact_forgets_by_the_rules_and_says_where_they_are_set(shell: Shell, tmp_path: Path) -> None:
    worked(shell, tmp_path)
    shell.run("%agent compact")
    assert 'set [retention] payloads = "90d" in' in shell.shown
    (tmp_path / "workspace" / "config.toml").write_text('[retention]\npayloads = "0d"\n')
    shell.run("%agent compact --dry-run")
    assert "texts of 1 run would be forgotten. Nothing was changed." in shell.shown
    shell.run("%agent compact")
    assert "texts of 1 run forgotten" in shell.shown
    run = shell.run("%agent runs")["run"][0]
    shell.run(f"%agent show {run}")
    assert "(forgotten)" in shell.shown
    assert "Forty-two" not in shell.shown


def test_the_doctor_says_who_has_the_workspace_open(shell: Shell, tmp_path: Path) -> None:
    worked(shell, tmp_path)
    shell.run("%agent doctor")
    assert re.search(rf"^ok +open in +process {os.getpid()} \(holds it", shell.shown, re.MULTILINE)
    assert re.search(r"^ok +workspace .*1 runs, \d+ events, the last \d+ fit the hash chain", shell.shown, re.MULTILINE)


def test_what_makes_no_sense_is_one_sentence(shell: Shell) -> None:
    assert "Give one file: %agent backup FILE" in shell.fail("%agent backup")
    assert "Give one file: %agent restore FILE" in shell.fail("%agent restore a.zip b.zip")
    assert "is not there: nothing was restored" in shell.fail("%agent restore none.zip")
    assert "Nothing may follow" in shell.fail("%agent compact everything")
    assert "Unknown option --all" in shell.fail("%agent compact --all")
