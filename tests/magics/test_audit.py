"""`%agent audit`: what is typed, what is said, and what is there afterwards."""

import logging
import re
from pathlib import Path

import duckdb
import pytest
from tests.magics.scripts import script
from tests.magics.shell import Shell
from tests.support.signing import at_home
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core.config import Config
from assent.core.events import Kind
from assent.store import signing_key
from assent.store.journal import Journal
from assent.store.signing_key import PASSPHRASE


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_home(monkeypatch, tmp_path / "home")


def worked(shell: Shell, folder: Path) -> None:
    shell.run(f"%%agent --model {script(folder, 'Forty-two.')}\nWhat is it?")


def test_sign_export_and_verify(shell: Shell, tmp_path: Path) -> None:
    worked(shell, tmp_path)
    shell.run("%agent audit key")
    assert "There is no key yet" in shell.shown
    shell.run("%agent audit sign")
    assert "A new key was made, kept in" in shell.shown
    found = re.search(r"assent verify FILE --key ([\w-]{43}) --anchor", shell.shown)
    assert found is not None
    shell.run("%agent audit key")
    assert shell.shown.strip() == found[1]
    shell.run("%agent audit export all.jsonl")
    assert re.search(r"all\.jsonl holds \d+ events\.", shell.shown)
    shell.run(f"%agent verify all.jsonl --key {found[1]}")
    assert "Signed up to event" in shell.shown
    assert "chain signed" in shell.run("%agent audit")["act"].tolist()
    shell.run(f"%agent verify --key {found[1]}")
    assert re.search(r"^\d+ events, the chain fits", shell.shown, re.MULTILINE)
    assert "--force" in shell.fail("%agent audit export all.jsonl")
    assert "audit sign" in shell.fail("%agent audit seal")


def test_a_changed_export_makes_the_cell_fail_and_says_which_event(shell: Shell, tmp_path: Path) -> None:
    worked(shell, tmp_path)
    shell.run("%agent audit export all.jsonl")
    file = tmp_path / "all.jsonl"
    lines = file.read_text("utf-8").splitlines(keepends=True)
    file.write_text("".join([lines[0], *lines[2:]]), "utf-8")
    assert "It was changed" in shell.fail("%agent verify all.jsonl")
    assert "Event 2 was removed." in shell.shown


def test_a_key_under_a_passphrase_is_asked_for(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worked(shell, tmp_path)
    monkeypatch.delenv(PASSPHRASE)
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return "typed by hand"

    monkeypatch.setattr("getpass.getpass", ask)
    shell.run("%agent audit sign")
    assert [question.split(".")[0] for question in asked] == ["No keyring works here", "Once more: "]
    worked(shell, tmp_path)
    shell.run("%agent audit key")
    assert re.fullmatch(r"[\w-]{43}", shell.shown.strip())
    assert len(asked) == 2  # what is public needs no passphrase
    shell.run("%agent audit sign")
    assert asked[2].startswith("The passphrase of")


def test_the_setting_signs_when_a_session_ends(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "workspace"
    with caplog.at_level(logging.WARNING):
        session = Session(prepare(folder), config=Config(sign=True))
        session.define(session.agent("analyst"))
        session.close()
    assert "The journal was not signed: There is no key to sign with yet" in caplog.text
    assert signatures(folder) == []
    session = Session(folder, config=Config(sign=True, tenant="acme"))
    signing_key.make()
    session.close()
    assert signatures(folder) == [(2,)]
    Session(folder, config=Config(sign=True)).close()
    assert signatures(folder) == [(2,)]  # nothing came since


def signatures(folder: Path) -> list[tuple[int]]:
    """The numbers of the signatures in a workspace."""
    with duckdb.connect(str(folder / "assent.duckdb")) as connection:
        found: list[tuple[int]] = connection.execute(
            "SELECT seq FROM events WHERE kind = ?", [str(Kind.CHAIN_SIGNED)]
        ).fetchall()
    return found


def test_nobody_signs_an_empty_journal(tmp_path: Path) -> None:
    journal = Journal(prepare(tmp_path / "workspace"))
    journal.close()
    Session(tmp_path / "workspace", config=Config(sign=True)).close()
    assert signatures(tmp_path / "workspace") == []
