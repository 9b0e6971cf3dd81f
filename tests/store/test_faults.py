"""What people and disks do to a workspace: one clear error each, nothing recorded is lost, and then it goes on."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.calls import call
from tests.support.process import python
from tests.support.sessions import opened, ran, started
from tests.support.workspaces import prepare

from assent.core.errors import StoreError, WorkspaceGone
from assent.core.events import Event, Kind
from assent.models.scripted import Turn
from assent.store import blobs, database
from assent.store.journal import Journal
from assent.tools.tool import tool

effects: list[str] = []


@tool(privilege="execute_safe")
def act() -> str:
    effects.append("acted")
    return "acted"


def note(text: str = "") -> Event:
    return Event(kind=Kind.MODEL_FAILED, run="r", body={"error": text})


def count(folder: Path) -> int:
    """The events of a workspace that nobody has open; its chain must hold."""
    journal = Journal(prepare(folder))
    found = journal.verify()
    journal.close()
    return found


def delete(folder: Path) -> None:
    shutil.rmtree(folder)


def empty(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def move(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


def replace(folder: Path) -> None:
    """As a checkout or a synchronising program does it."""
    other = folder.with_name("other")
    Journal(other).close()
    (other / database.FILE).replace(folder / database.FILE)


@pytest.mark.parametrize(
    ("befalls", "said"),
    [(delete, "deleted or moved"), (empty, "deleted or moved"), (move, "deleted or moved"), (replace, "replaced")],
)
def test_a_workspace_that_goes_away_takes_no_more_events_and_is_opened_anew(
    tmp_path: Path, befalls: Callable[[Path], None], said: str
) -> None:
    folder = tmp_path / "workspace"
    journal = Journal(prepare(folder))
    journal.append([note()]).result(5)
    befalls(folder)
    for _ in range(2):
        with pytest.raises(WorkspaceGone, match=rf"was {said} while it was open.*%reload_ext assent"):
            journal.append([note()]).result(5)
        journal.recover()
    assert len(journal.events("r")) == 1  # what it held can still be read
    journal.close()
    journal = Journal(folder)
    journal.append([note()]).result(5)
    assert journal.verify() == 1
    journal.close()


def test_a_workspace_that_was_moved_and_is_put_back_has_all_that_was_acknowledged(tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    journal = Journal(prepare(folder))
    journal.append([note(str(number)) for number in range(10)]).result(5)
    move(folder)
    with pytest.raises(WorkspaceGone):
        journal.append([note()]).result(5)
    folder.with_name("elsewhere").rename(folder)
    journal.recover()
    journal.append([note()]).result(5)  # the same file is in its place again
    journal.close()
    assert count(folder) == 11


def test_no_run_begins_and_nothing_acts_in_a_workspace_that_is_gone(tmp_path: Path) -> None:
    effects.clear()
    folder = tmp_path / "workspace"
    with opened(folder, call("act"), "done", tools=(act,)) as session:
        shutil.rmtree(folder)
        for _ in range(2):
            with pytest.raises(WorkspaceGone):
                ran(session, act)
    assert effects == []


def test_a_run_at_work_ends_with_the_error_when_its_workspace_goes_away(tmp_path: Path) -> None:
    effects.clear()
    folder = tmp_path / "workspace"
    turns = [Turn(lambda _: shutil.rmtree(folder) or call("act")), "done"]

    async def main() -> None:
        async for _ in session.submit(started(act)):
            pass

    with opened(folder, *turns, tools=(act,)) as session, pytest.raises(WorkspaceGone):
        asyncio.run(asyncio.wait_for(main(), 10))
    assert effects == []  # its intent could not be recorded


def test_a_missing_payload_is_named_and_the_other_runs_are_read(tmp_path: Path) -> None:
    journal = Journal(prepare(tmp_path))
    journal.append([note("x" * 100_000)]).result(5)
    journal.append([Event(kind=Kind.RUN_STARTED, run="other", body={"prompt": "p"})]).result(5)
    shutil.rmtree(tmp_path / blobs.FOLDER)
    with pytest.raises(StoreError, match=r"Payload [0-9a-f]{12} of the workspace is missing"):
        journal.events("r")
    assert [event.body["prompt"] for event in journal.events("other")] == ["p"]
    assert len(journal.select("SELECT * FROM runs")) == 2
    journal.append([note("y" * 100_000)]).result(5)  # the folder is made again
    assert len(journal.events("other")) == 1
    journal.close()
    Journal(tmp_path).close()  # it keeps nobody out


KILLED = """
import os, sys
from pathlib import Path
from assent.core.events import Event, Kind
from assent.store.journal import Journal
journal = Journal(Path(sys.argv[1]))
for number in range(50):
    journal.append([Event(kind=Kind.MODEL_FAILED, run="r", body={"error": "x" * 500})]).result()
os.kill(os.getpid(), 9)
"""


def left_by_a_kill(folder: Path) -> None:
    """Files as kill -9 leaves them: all that was committed is in the write-ahead log."""
    with pytest.raises(AssertionError):  # how a process that was killed ends
        python(KILLED, str(folder))
    assert (folder / f"{database.FILE}.wal").stat().st_size > 20_000


@pytest.mark.parametrize("torn", [0, 1, 7, 300])
def test_a_log_that_ends_in_the_middle_of_a_commit_gives_all_before_it(tmp_path: Path, torn: int) -> None:
    left_by_a_kill(tmp_path)
    log = tmp_path / f"{database.FILE}.wal"
    with log.open("r+b") as file:
        file.truncate(log.stat().st_size - torn)
    assert count(tmp_path) == (50 if torn == 0 else 49)


def test_a_log_with_garbage_behind_it_is_read_to_its_end(tmp_path: Path) -> None:
    left_by_a_kill(tmp_path)
    with (tmp_path / f"{database.FILE}.wal").open("ab") as file:
        file.write(b"\\0" * 512)
    assert count(tmp_path) == 50


def test_a_workspace_is_a_file_or_its_database_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("I am no folder.")
    (tmp_path / "folder" / database.FILE).mkdir(parents=True)
    for place in ("file", "folder"):
        with pytest.raises(StoreError, match=r"ASSENT_WORKSPACE|Restore it"):
            Journal(tmp_path / place)
    assert (tmp_path / "file").read_text() == "I am no folder."


READ_ONLY = """
import os, sys
from pathlib import Path
from assent.core.errors import StoreError
from assent.core.events import Event, Kind
from assent.store.journal import Journal
if os.getuid() == 0:
    os.setuid(65534)  # root may write anywhere
folder = Path(sys.argv[1])
journal = Journal(folder)
put = lambda size: journal.append([Event(kind=Kind.MODEL_FAILED, run="r", body={"error": "x" * size})]).result(9)
put(10)
os.chmod(folder, 0o555)
put(10)
try:
    put(100_000)
except StoreError as error:
    print(error)
journal.recover()
put(10)
journal.close()
try:
    Journal(folder).close()
    print("opened")
except StoreError as error:
    print(error)
os.chmod(folder, 0o755)
journal = Journal(folder)
print(journal.verify())
journal.close()
"""


@pytest.mark.skipif(not hasattr(os, "setuid"), reason="needs POSIX permissions")
def test_a_folder_that_becomes_read_only_loses_nothing() -> None:
    with tempfile.TemporaryDirectory() as base:
        os.chmod(base, 0o777)
        refused, again, kept = python(READ_ONLY, f"{base}/workspace").splitlines()
    assert "could not be written" in refused
    assert "may not be written" in again or again == "opened"
    assert kept == "3"
