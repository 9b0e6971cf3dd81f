"""Opening a workspace: every way in which that can fail is one clear sentence, and what was there stays."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import pytest
from tests.support.process import python

from assent.core.errors import StoreError, WorkspaceCorrupt, WorkspaceLocked, WorkspaceNewer
from assent.core.events import Event, Kind
from assent.store import database
from assent.store.journal import Journal
from assent.store.schema import MIGRATIONS, VERSION, VIEWS

FILE = "assent.duckdb"


def schema_version(folder: Path) -> int:
    connection = duckdb.connect(str(folder / FILE))
    [(version,)] = connection.execute("SELECT max(version) FROM schema_version").fetchall()
    connection.close()
    assert isinstance(version, int)
    return version


def test_a_new_workspace_has_the_present_schema_and_its_folders_are_made(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "er" / ".assent"
    Journal(folder).close()
    assert schema_version(folder) == VERSION


def test_an_older_workspace_is_brought_up_to_date_and_keeps_what_it_has(tmp_path: Path) -> None:
    older = duckdb.connect(str(tmp_path / FILE))
    older.execute("CREATE TABLE schema_version (version INTEGER)")
    older.execute("CREATE TABLE treasure AS SELECT 42 AS value")
    older.execute("CREATE VIEW runs AS SELECT 'of an older shape' AS run")
    older.close()
    journal = Journal(tmp_path)
    journal.append([Event(kind=Kind.RUN_STARTED, run="r", body={"prompt": "p"})]).result()
    assert journal.select("SELECT value FROM treasure") == [(42,)]
    assert journal.select("SELECT run FROM runs") == [("r",)]
    journal.close()
    assert schema_version(tmp_path) == VERSION


def test_a_workspace_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    Journal(tmp_path).close()
    newer = duckdb.connect(str(tmp_path / FILE))
    newer.execute("INSERT INTO schema_version (version) VALUES (?)", [VERSION + 1])
    newer.close()
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(WorkspaceNewer, match=rf"newer Assent \(schema {VERSION + 1}.*Upgrade Assent"):
        Journal(tmp_path)
    assert (tmp_path / FILE).read_bytes() == before


def test_a_migration_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MIGRATIONS, 1, (*MIGRATIONS[1], "SELECT no_such_function()"))
    with pytest.raises(StoreError):
        Journal(tmp_path)
    monkeypatch.undo()
    journal = Journal(tmp_path)
    assert journal.verify() == 0
    journal.close()


def test_every_view_can_be_read_in_an_empty_workspace(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for view in VIEWS:
        assert journal.select(f"SELECT * FROM {view}") == []
    journal.close()


@pytest.mark.parametrize("place", ["locked", "permission denied", "newer version"])
@pytest.mark.parametrize("damage", ["no database", "", "cut", "scribbled over"])
def test_a_damaged_file_is_said_to_be_damaged_wherever_it_lies(tmp_path: Path, place: str, damage: str) -> None:
    folder = tmp_path / place
    journal = Journal(folder)
    journal.append([Event(kind=Kind.RUN_STARTED, run="r", body={"prompt": "x" * 1000})]).result()
    journal.close()
    path = folder / FILE
    whole = path.read_bytes()
    kept = {"cut": whole[: len(whole) // 2], "scribbled over": whole[:12288] + b"!" * (len(whole) - 12288)}
    broken = kept.get(damage, damage.encode() * 1000)
    path.write_bytes(broken)
    with pytest.raises(WorkspaceCorrupt, match=r"is damaged and was left untouched.*Restore it from a backup"):
        Journal(folder)
    assert path.read_bytes() == broken


HOLDER = """
import sys
from pathlib import Path
import duckdb
connection = duckdb.connect(str(Path(sys.argv[1]) / "assent.duckdb"))
print("open", flush=True)
sys.stdin.read()
connection.close()
"""


def test_a_workspace_that_another_program_holds_names_that_process(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(WorkspaceLocked, match=rf"in use by process {holder.pid}\b.*ASSENT_WORKSPACE"):
            database.connect(tmp_path / database.FILE)
        holder.communicate()
    Journal(tmp_path).close()


READ_ONLY = """
import os, sys
from pathlib import Path
from assent.core.errors import StoreError
from assent.store.journal import Journal
if os.getuid() == 0:
    os.setuid(65534)  # root may write anywhere
for folder in map(Path, sys.argv[1:]):
    try:
        Journal(folder)
    except StoreError as error:
        print(type(error).__name__, error)
"""


@pytest.mark.skipif(not hasattr(os, "setuid"), reason="needs POSIX permissions")
def test_a_folder_that_may_not_be_written_says_so() -> None:
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        Journal(base / "full").close()
        (base / "empty").mkdir()
        os.chmod(base / "full" / FILE, 0o444)
        for folder in (base / "full", base / "empty", base):
            os.chmod(folder, 0o555)
        lines = python(READ_ONLY, *[str(base / place) for place in ("full", "empty", "new")]).splitlines()
        for folder in (base, base / "full", base / "empty"):
            os.chmod(folder, 0o755)
    assert len(lines) == 3
    for line in lines:
        assert line.startswith("StoreError ")
        assert line.endswith(("to another folder.", "to a folder you may write to."))


def test_a_folder_that_is_a_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot be made.*Set ASSENT_WORKSPACE"):
        Journal(tmp_path / "file" / ".assent")


def test_the_database_in_memory_is_locked_down() -> None:
    connection = database.memory()
    for setting, value in (("enable_external_access", "true"), ("threads", "8"), ("lock_configuration", "false")):
        with pytest.raises(duckdb.Error, match="locked"):
            connection.execute(f"SET {setting} = {value}")
    connection.close()
