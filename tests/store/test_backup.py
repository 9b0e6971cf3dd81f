"""A backup is tried by restoring it: what was there at that moment is there again, and goes on."""

import json
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.calls import call
from tests.support.sessions import approve, opened, ran, resumed
from tests.support.workspaces import prepare

from assent.core.errors import StoreError
from assent.core.events import Event, Kind
from assent.store import backup, restore
from assent.store.backup import back_up
from assent.store.journal import Journal
from assent.store.restore import restore as put_back
from assent.tools.tool import tool

LONG = "a long question " * 8_000


@tool(privilege="execute_risky")
def mail(to: str) -> str:
    """Send a mail."""
    return f"sent to {to}"


def note(run: str = "r") -> Event:
    return Event(kind=Kind.MODEL_FAILED, run=run, body={"error": "e"})


def kept(folder: Path, file: Path) -> Path:
    """A backup of a small workspace."""
    journal = Journal(prepare(folder))
    journal.append([Event(kind=Kind.RUN_STARTED, run="r", body={"prompt": LONG}), note()]).result(5)
    back_up(journal, file)
    journal.close()
    return file


def rewritten(file: Path, change: Callable[[str, bytes], bytes | None], **added: bytes) -> None:
    """The archive with its files changed, or left out where `change` gives None."""
    with zipfile.ZipFile(file) as packed:
        held = {name: packed.read(name) for name in packed.namelist()}
    changed = {name: change(name, data) for name, data in held.items()} | added
    with zipfile.ZipFile(file, "w") as packed:
        for name, data in changed.items():
            if data is not None:
                packed.writestr(name, data)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_run_that_waited_as_it_was_backed_up_goes_on_where_it_is_restored(tmp_path: Path) -> None:
    turns = call("mail", to="bob"), "Done."
    with opened(tmp_path / "a", *turns) as session:
        run = ran(session, mail, prompt=LONG, on_ask="suspend").run
        made = back_up(session.journal.whole(), tmp_path / "a.zip")
        approve(session, session.pending()[0].call)  # later than the backup
        assert resumed(session, run).status == "finished"
    manifest, before = put_back(tmp_path / "a.zip", tmp_path / "b")
    assert (manifest, before) == (made, None)
    with opened(tmp_path / "b", *turns, tools=(mail,)) as session:
        assert session.journal.verify() == manifest.events
        assert session.state(run).prompt == LONG
        [waiting] = session.pending()
        approve(session, waiting.call)
        assert resumed(session, run).text == "Done."


def test_a_run_that_was_at_work_as_it_was_backed_up_goes_on_where_it_is_restored(tmp_path: Path) -> None:
    turns = call("move"), "Moved."
    moved: list[str] = []

    @tool(privilege="execute_safe")
    def move() -> str:
        moved.append("once")
        if len(moved) == 1:
            back_up(session.journal.whole(), tmp_path / "a.zip")
        return "moved"

    with opened(tmp_path / "a", *turns) as session:
        run = ran(session, move).run
        assert session.state(run).answer == "Moved."
    put_back(tmp_path / "a.zip", tmp_path / "b")
    with opened(tmp_path / "b", *turns, tools=(move,)) as restored:
        assert restored.journal.select("SELECT status FROM runs") == [("suspended",)]
        resumed(restored, run, on_ask="suspend")
        [waiting] = restored.pending()
        assert waiting.unknown  # it was under way at that moment: whether it happened is for a person to say
        assert len(moved) == 1
        approve(restored, waiting.call)
        assert resumed(restored, run).text == "Moved."
    assert len(moved) == 2


def test_a_backup_is_of_one_moment_while_others_write(tmp_path: Path) -> None:
    journal = Journal(prepare(tmp_path / "a"))
    over = threading.Event()
    acknowledged: list[int] = []

    def write() -> None:
        while not over.is_set():
            pair = [note("pair"), note("pair")]
            journal.append(pair).result(10)
            acknowledged.append(pair[1].seq)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        while len(acknowledged) < 5:
            over.wait(0.01)
        before = acknowledged[-1]
        manifest = back_up(journal, tmp_path / "a.zip")
        after = acknowledged[-1]
    finally:
        over.set()
        thread.join()
        journal.close()
    assert before <= manifest.events <= after + 2
    assert manifest.events % 2 == 0  # what is committed together is there together
    put_back(tmp_path / "a.zip", tmp_path / "b")
    restored = Journal(prepare(tmp_path / "b"))
    assert restored.verify() == manifest.events
    restored.close()


def test_the_settings_come_along_and_keys_do_not(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "config.toml").write_text('model = "openai:gpt-5"\n')
    (tmp_path / "a" / ".env").write_text("OPENAI_API_KEY=sk-secret")
    file = kept(tmp_path / "a", tmp_path / "a.zip")
    assert b"sk-secret" not in file.read_bytes()
    with zipfile.ZipFile(file) as packed:
        assert sorted(name.partition("/")[0] for name in packed.namelist()) == [
            "assent.duckdb", "blobs", "config.toml", "manifest.json",
        ]  # fmt: skip
    put_back(file, tmp_path / "b")
    assert (tmp_path / "b" / "config.toml").read_text() == 'model = "openai:gpt-5"\n'
    assert names(tmp_path / "b") == ["assent.duckdb", "blobs", "config.toml"]


def test_a_file_that_is_there_is_replaced_only_when_asked(tmp_path: Path) -> None:
    file = tmp_path / "a.zip"
    file.write_text("precious")
    journal = Journal(prepare(tmp_path / "a"))
    with pytest.raises(StoreError, match=r"exists.*--force"):
        back_up(journal, file)
    assert file.read_text() == "precious"
    assert back_up(journal, file, replace=True).events == 0
    journal.close()
    assert names(tmp_path) == ["a", "a.zip"]


def test_a_place_that_is_not_there_is_one_clear_sentence(tmp_path: Path) -> None:
    journal = Journal(prepare(tmp_path / "a"))
    with pytest.raises(StoreError, match="could not be written: No such file or directory"):
        back_up(journal, tmp_path / "none" / "a.zip")
    journal.close()


def test_a_journal_that_is_not_whole_is_not_backed_up(tmp_path: Path) -> None:
    journal = Journal(prepare(tmp_path / "a"))
    journal.append([Event(kind=Kind.RUN_STARTED, run="r", body={"prompt": LONG})]).result(5)
    [payload] = (tmp_path / "a" / "blobs").glob("*/*")
    payload.unlink()
    with pytest.raises(StoreError, match=r"1 of 1 payloads do not.*event 1.*is missing"):
        back_up(journal, tmp_path / "a.zip")
    journal.close()
    assert names(tmp_path) == ["a"]


def test_the_workspace_that_was_there_is_kept_beside_with_its_keys(tmp_path: Path) -> None:
    file = kept(tmp_path / "a", tmp_path / "a.zip")
    kept(tmp_path / "b", tmp_path / "b.zip")
    (tmp_path / "b" / ".env").write_text("OPENAI_API_KEY=sk-secret")
    (tmp_path / "b").chmod(0o750)
    with pytest.raises(StoreError, match=r"has runs. With --force"):
        put_back(file, tmp_path / "b")
    _, before = put_back(file, tmp_path / "b", replace=True)
    assert before is not None
    assert before.name.startswith("b.before-restore-2")
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o750
    assert (tmp_path / "b" / ".env").read_text() == "OPENAI_API_KEY=sk-secret"
    for folder in (before, tmp_path / "b"):
        journal = Journal(prepare(folder))
        assert journal.verify() >= 2
        journal.close()


def test_a_workspace_without_runs_gives_way(tmp_path: Path) -> None:
    file = kept(tmp_path / "a", tmp_path / "a.zip")
    Journal(prepare(tmp_path / "b")).close()
    put_back(file, tmp_path / "b")
    journal = Journal(tmp_path / "b")
    assert journal.verify() >= 2
    journal.close()


def test_a_workspace_in_use_is_left_alone_even_by_force(tmp_path: Path) -> None:
    file = kept(tmp_path / "a", tmp_path / "a.zip")
    journal = Journal(prepare(tmp_path / "b"))
    with pytest.raises(StoreError, match=r"is open here.*--to FOLDER"):
        put_back(file, tmp_path / "b", replace=True)
    code = (
        "import sys; from pathlib import Path; from assent.store.restore import restore\n"
        "try: restore(Path(sys.argv[1]), Path(sys.argv[2]), replace=True)\nexcept Exception as error: print(error)"
    )
    command = [sys.executable, "-c", code, str(file), str(tmp_path / "b")]
    said = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
    assert "is in use by" in said
    assert "--to FOLDER" in said
    journal.append([note()]).result(5)
    journal.close()
    assert names(tmp_path) == ["a", "a.zip", "b"]


DAMAGES: dict[str, Callable[[Path], object]] = {
    "no archive": lambda file: file.write_text("something else"),
    "cut off": lambda file: file.write_bytes(file.read_bytes()[:-2_000]),
    "scribbled over": lambda file: file.write_bytes(
        file.read_bytes()[:3_000] + b"scribble" * 50 + file.read_bytes()[3_400:]
    ),
    "a payload changed": lambda file: rewritten(file, lambda name, data: b"{}" if name.startswith("blobs") else data),
    "a payload missing": lambda file: rewritten(file, lambda name, data: None if name.startswith("blobs") else data),
    "no database": lambda file: rewritten(file, lambda name, data: None if name == "assent.duckdb" else data),
    "no manifest": lambda file: rewritten(file, lambda name, data: None if name == "manifest.json" else data),
    "another manifest": lambda file: rewritten(
        file, lambda name, data: data.replace(b'"head": "', b'"head": "0') if name == "manifest.json" else data
    ),
    "a manifest of something else": lambda file: rewritten(
        file, lambda name, data: b'{"a": 1}' if name == "manifest.json" else data
    ),
    "a newer format": lambda file: rewritten(
        file, lambda name, data: data.replace(b'"format": 1', b'"format": 9') if name == "manifest.json" else data
    ),
    "a name that leads out": lambda file: rewritten(file, lambda name, data: data, **{"../evil": b"x"}),
    "a name from the root": lambda file: rewritten(file, lambda name, data: data, **{"/tmp/evil": b"x"}),
    "a name that leads out of the payloads": lambda file: rewritten(
        file, lambda name, data: data, **{"blobs/../../evil": b"x"}
    ),
    "keys": lambda file: rewritten(file, lambda name, data: data, **{".env": b"OPENAI_API_KEY=x"}),
    "missing": Path.unlink,
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("archive")
    return kept(folder / "a", folder / "a.zip").read_bytes()


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_archive_changes_nothing(tmp_path: Path, archive: bytes, damage: str) -> None:
    file = tmp_path / "a.zip"
    file.write_bytes(archive)
    DAMAGES[damage](file)
    there = names(tmp_path)
    with pytest.raises(StoreError, match=r"(a\.zip .*(nothing|Nothing) was restored|is no backup|Upgrade Assent)"):
        put_back(file, tmp_path / "deep" / "b")
    (tmp_path / "deep").rmdir()
    assert names(tmp_path) == there
    assert not (tmp_path.parent / "evil").exists()


def test_what_is_left_of_a_restore_that_was_killed_does_not_stand_in_the_way(tmp_path: Path) -> None:
    file = kept(tmp_path / "a", tmp_path / "a.zip")
    (tmp_path / f"{restore.PREFIX}x").mkdir()
    (tmp_path / f"{backup.PREFIX}x").mkdir()
    manifest, _ = put_back(file, tmp_path / "b")
    with zipfile.ZipFile(file) as packed:
        assert json.loads(packed.read("manifest.json"))["head"] == manifest.head
