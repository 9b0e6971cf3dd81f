"""Signing, exporting and verifying from the command line, as an auditor does it on another machine."""

import re
import subprocess
from pathlib import Path

import duckdb
import pytest
from tests.support.signing import at_home
from tests.support.workspaces import prepare

from assent.core.events import Event, Kind
from assent.serve.cli import main
from assent.store import signing_key
from assent.store.journal import Journal

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace of two events, named by the environment."""
    at_home(monkeypatch, tmp_path / "home")
    folder = tmp_path / "workspace"
    monkeypatch.setenv("ASSENT_WORKSPACE", str(folder))
    journal = Journal(prepare(folder))
    journal.append([Event(kind=Kind.RUN_STARTED, run="r1", body={"prompt": "p", "agent": {"name": "ada"}})]).result(5)
    journal.append([Event(kind=Kind.RUN_FINISHED, run="r1", body={"text": "t"})]).result(5)
    journal.close()
    return folder


def signed(capsys: Captured) -> str:
    """The journal signed; the public key."""
    assert main(["sign"]) == 0
    found = re.search(r"by the key ([\w-]{43})", capsys.readouterr().out)
    assert found is not None
    return found[1]


def test_sign_export_and_verify_elsewhere(
    workspace: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = signed(capsys)
    file = tmp_path / "events.jsonl"
    assert main(["export", str(file)]) == 0
    assert "holds 3 events" in capsys.readouterr().out
    signing_key.path().unlink()  # the auditor has no private key, and no workspace
    monkeypatch.setenv("ASSENT_WORKSPACE", str(tmp_path / "none"))
    assert main(["verify", str(file), "--key", key]) == 0
    assert "Signed up to event 2 of" in capsys.readouterr().out
    file.write_text("".join(file.read_text().splitlines(keepends=True)[1:]))
    assert main(["verify", str(file), "--key", key]) == 1
    assert "Event 1 was removed." in capsys.readouterr().out


def test_an_anchor_in_a_git_note_shows_that_the_end_was_cut_off(
    workspace: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "repository"
    for name in ("GIT_AUTHOR", "GIT_COMMITTER"):
        monkeypatch.setenv(f"{name}_NAME", "ana")
        monkeypatch.setenv(f"{name}_EMAIL", "ana@example.com")
    assert main(["sign", "--anchor", str(tmp_path)]) == 1
    assert "Is it a repository, with a commit?" in capsys.readouterr().err
    subprocess.run(["git", "init", "--quiet", str(repository)], check=True, timeout=20)
    commit = ["git", "-C", str(repository), "commit", "--quiet", "--allow-empty", "-m", "a notebook"]
    subprocess.run(commit, check=True, timeout=20)
    assert main(["sign", "--anchor", str(repository)]) == 0
    assert "git push origin refs/notes/assent" in capsys.readouterr().out
    assert main(["verify", "--anchor", str(repository)]) == 0
    with duckdb.connect(str(workspace / "assent.duckdb")) as connection:
        connection.execute("DROP TRIGGER events_refuse_delete ON events; DELETE FROM events WHERE seq > 1")
    assert main(["verify", str(workspace)]) == 0
    assert main(["verify", str(workspace), "--anchor", str(repository)]) == 1
    said = capsys.readouterr().out
    assert re.search(
        r"Event 2 is missing from the end: this record stops at event 1, and event 2 of \S+ \S+ UTC was sig", said
    )
    assert re.search(
        r"Either the end was cut off since [-\d]{10}, or this is an older copy\. Verify the newest copy", said
    )
    assert "if none has that event, what was done after event 1 has been taken out." in said


def test_the_setting_signs_before_a_backup(workspace: Path, tmp_path: Path, capsys: Captured) -> None:
    signed(capsys)
    journal = Journal(workspace)
    journal.append([Event(kind=Kind.CIRCUIT_CLOSED)]).result(5)
    journal.close()
    (workspace / "config.toml").write_text("sign = true\n")
    assert main(["backup", str(tmp_path / "b.zip")]) == 0
    assert main(["verify", str(tmp_path / "b.zip")]) == 0
    assert "Signed up to event 4 of" in capsys.readouterr().out
    signing_key.path().unlink()
    journal = Journal(workspace)
    journal.append([Event(kind=Kind.CIRCUIT_CLOSED)]).result(5)
    journal.close()
    assert main(["backup", str(tmp_path / "c.zip")]) == 0
    assert "not signed: There is no key to sign with yet" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "nothing", '{"seq":1}', "PK\x03\x04"])
def test_what_is_no_evidence_is_refused_in_a_sentence(
    workspace: Path, tmp_path: Path, capsys: Captured, text: str
) -> None:
    (tmp_path / "other").write_text(text)
    assert main(["verify", str(tmp_path / "other")]) == 1
    assert "is no workspace, database, backup or export of Assent" in capsys.readouterr().err
    assert main(["verify", str(tmp_path / "none")]) == 1
    assert "is not there" in capsys.readouterr().err
    assert main(["verify", "--key", "abc"]) == 1
    assert "abc is no public key" in capsys.readouterr().err
    assert main(["verify", "--anchor", str(tmp_path / "other")]) == 1
    assert "There is no signed head in" in capsys.readouterr().err
