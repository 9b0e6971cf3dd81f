"""`%agent grants` and `%agent people`: what is allowed for longer, how it ends, and who proves who they are."""

import getpass
from pathlib import Path

import pytest
from tests.magics.scripts import asks, script
from tests.magics.shell import Shell
from tests.support.people import passphrase

from assent.core import people as listed
from assent_magics.board import command_of


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the person types where a passphrase is asked for."""
    answers: list[str] = []
    monkeypatch.setattr(getpass, "getpass", lambda prompt="": answers.pop(0))
    return answers


def waiting(shell: Shell, folder: Path) -> str:
    shell.run(f"%%agent --model {script(folder, asks('x = 1'), asks('y = 2'), 'Done.')}\nDo it.")
    return shell.desk.session.pending()[-1].call


def test_what_is_allowed_is_listed_and_revoked(shell: Shell, tmp_path: Path) -> None:
    assert shell.run("%agent grants") is None
    assert "No tool may act without asking" in shell.shown
    call = waiting(shell, tmp_path)
    shell.run(f"%agent approve {call} --for-session")
    [row] = shell.run("%agent grants").to_dict("records")
    assert (row["grant"], row["tool"], row["scope"], row["agent"]) == (call, "python", "session", "analyst")
    shell.run(f"%agent resume {call.partition('.')[0]}")
    assert (shell.namespace["x"], shell.namespace["y"]) == (1, 2)
    given = f"{shell.desk.session.user}, grant {call}"
    steps = shell.run(f"%agent history {call.partition('.')[0]}")
    assert steps[steps["tool"] == "python"]["by"].tolist() == [shell.desk.session.user, given]
    shell.run(f"%agent show {call.partition('.')[0]}")
    assert f"Allowed for this session by {shell.desk.session.user} (grant {call})." in shell.shown
    shell.run(f"%agent grants revoke {call}")
    assert f"python asks again from its next call on; {call} had allowed it for the session." in shell.shown
    assert shell.run("%agent grants") is None
    assert "Nothing is allowed under" in shell.fail(f"%agent grants revoke {call}")
    assert "revoke ID ends one" in shell.fail("%agent grants revoke")


def test_people_list_themselves_by_a_passphrase(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: list[str]
) -> None:
    monkeypatch.setenv("ASSENT_PEOPLE", str(tmp_path / "people.json"))
    assert shell.run("%agent people") is None
    assert "%agent people add NAME" in shell.shown
    typed += ["correct horse", "correct hearse"]
    assert "two different passphrases" in shell.fail("%agent people add ana")
    typed += ["correct horse", "correct horse"]
    shell.run("%agent people add ana")
    assert shell.run("%agent people")["person"].tolist() == ["ana"]
    typed += ["a guess", "another one", "another one"]
    assert "was not the passphrase of ana" in shell.fail("%agent people add ana")
    assert listed.proves("ana", "correct horse")


def test_two_people_approve_one_after_the_other_at_one_notebook(
    shell: Shell, tmp_path: Path, people: None, typed: list[str]
) -> None:
    (shell.desk.folder).mkdir(parents=True, exist_ok=True)
    (shell.desk.folder / "policy.toml").write_text("[ask]\napprovers = 2\n")
    call = waiting(shell, tmp_path)
    assert f"%agent approve {call} --as NAME" in shell.shown
    typed.append("a guess")
    assert "This is not the passphrase of ada" in shell.fail(f"%agent approve {call} --as ada")
    assert "whole run here (certain people are asked)" in shell.fail(f"%agent approve {call} --for-run")
    assert "'adda' is not among %agent people; did you mean 'ada'?" in shell.fail(f"%agent approve {call} --as adda")
    assert "No call" in shell.fail(f"%agent approve {call}1 --as ada")  # nobody types a passphrase for these
    assert "not both" in shell.fail(f"%agent approve {call} --for-run --for-session")
    typed.append(passphrase("ada"))
    shell.run(f"%agent approve {call} --as ada")
    assert "1 more to answer" in shell.shown
    assert "ada has approved" in shell.fail(f"%agent approve {call} --as ada")
    typed.append(passphrase("eve"))
    shell.run(f"%agent approve {call} --as eve")
    assert "approved" in shell.shown
    kept = shell.desk.session.journal.select("SELECT count(*) FROM events WHERE contains(body, ?)", [passphrase("eve")])
    assert kept == [(0,)]


def test_a_click_names_nobody_without_a_passphrase() -> None:
    plain = command_of({"verdict": "approve", "by": "eve", "scope": "session"}, "r.1", "")
    assert (plain.by, plain.passphrase, plain.scope) == ("", "", "session")
    proved = command_of({"verdict": "approve", "by": "eve", "passphrase": "p"}, "r.1", "")
    assert (proved.by, proved.passphrase) == ("eve", "p")
    assert "p'" not in repr(proved)
