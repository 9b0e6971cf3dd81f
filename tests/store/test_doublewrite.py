import contextlib
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from tests.support.process import python

from assent.core.errors import WorkspaceCorrupt
from assent.core.events import Event, Kind
from assent.store.database import FILE
from assent.store.doublewrite import ASIDE, DUE, LOG, Doublewrite
from assent.store.journal import Journal

HEADERS, BLOCK = 12_288, 262_144  # bytes

OTHER = """
import duckdb, sys
try:
    duckdb.connect(sys.argv[1])
except duckdb.IOException as error:
    print("Could not set lock" in str(error))
"""


def write(journal: Journal, count: int, size: int = 100) -> None:
    for _ in range(count):
        event = Event(kind=Kind.MODEL_FAILED, run="r", body={"error": secrets.token_hex(size // 2)})
        journal.append([event]).result(9)


def counted(folder: Path) -> int:
    """The events of a workspace that nobody has open; its chain must hold."""
    with contextlib.closing(Journal(folder)) as journal:
        return journal.verify()


def blocks(path: Path) -> list[bytes]:
    content = path.read_bytes()
    return [content[place : place + BLOCK] for place in range(HEADERS, len(content), BLOCK)]


@dataclass(frozen=True)
class Interrupted:
    """A workspace of ten events, and what a checkpoint of it sets aside and writes."""

    folder: Path
    before: list[bytes]
    after: list[bytes]
    aside: bytes

    def killed(self, number: int, share: float) -> Path:
        """A copy of the workspace, killed within the write of a block, of which a share had been written."""
        place = self.folder.with_name(f"killed-{number}-{share}")
        shutil.copytree(self.folder, place)
        cut = int(share * BLOCK)
        with (place / FILE).open("r+b") as file:
            file.seek(HEADERS + number * BLOCK)
            file.write(self.after[number][:cut] + self.before[number][cut:])
        (place / (FILE + ASIDE)).write_bytes(self.aside)
        return place


@pytest.fixture
def interrupted(tmp_path: Path) -> Interrupted:
    first, folder = tmp_path / "first", tmp_path / "workspace"
    for _ in range(2):
        journal = Journal(first)
        write(journal, 5)
        shutil.copytree(first, folder, dirs_exist_ok=True)  # with what is in the log only
        journal.close()
    before = blocks(folder / FILE)
    shutil.copytree(folder, tmp_path / "aborted")
    file = tmp_path / "aborted" / FILE
    connection = duckdb.connect(str(file))
    connection.execute("PRAGMA disable_checkpoint_on_shutdown; SET debug_checkpoint_abort = 'before_header'")
    doublewrite = Doublewrite(file)
    with pytest.raises(duckdb.Error, match="before header"):
        doublewrite.checkpoint(connection)
    doublewrite.checkpoint(connection)  # what is aside is not written over
    connection.close()
    doublewrite.close()
    return Interrupted(folder, before, blocks(first / FILE), (file.with_name(FILE + ASIDE)).read_bytes())


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_a_kill_within_the_write_of_any_block_loses_nothing(interrupted: Interrupted, share: float) -> None:
    refused = 0
    for number, block in enumerate(interrupted.before):
        if interrupted.after[number] != block:
            place = interrupted.killed(number, share)
            refused += not opens(place / FILE)
            assert counted(place) == 10
            assert not (place / (FILE + ASIDE)).exists()
    assert refused  # else nothing was shown


def opens(file: Path) -> bool:
    """Whether DuckDB by itself makes sense of a copy of the file."""
    copy = file.with_name("copy")
    shutil.copyfile(file, copy)
    try:
        connection = duckdb.connect(str(copy))
        connection.execute("SELECT count(*) FROM events")
        connection.close()
    except duckdb.Error:
        return False
    return True


def test_a_kill_while_blocks_are_set_aside_loses_nothing(interrupted: Interrupted) -> None:
    for size in (0, 100, len(interrupted.aside) - 1):
        (interrupted.folder / (FILE + ASIDE)).write_bytes(interrupted.aside[:size])
        place = interrupted.folder.with_name(str(size))
        shutil.copytree(interrupted.folder, place)
        assert counted(place) == 10


def test_what_is_set_aside_is_the_file_as_it_is_now(tmp_path: Path) -> None:
    file = tmp_path / "plain.duckdb"
    aside = file.with_name(file.name + ASIDE)
    connection = duckdb.connect(str(file))
    connection.execute("PRAGMA disable_checkpoint_on_shutdown; CREATE TABLE events (n INTEGER)")
    doublewrite = Doublewrite(file)
    for number in range(5):
        connection.execute("INSERT INTO events VALUES (?)", [number])
        doublewrite.checkpoint(connection)
        assert not aside.exists()
    headers = file.read_bytes()[:HEADERS]
    connection.execute("INSERT INTO events VALUES (5); SET debug_checkpoint_abort = 'before_header'")
    with pytest.raises(duckdb.Error, match="before header"):
        doublewrite.checkpoint(connection)
    assert headers in aside.read_bytes()
    connection.close()
    doublewrite.close()


def test_what_was_set_aside_before_a_checkpoint_that_was_finished_is_not_put_back(interrupted: Interrupted) -> None:
    assert counted(interrupted.folder) == 10
    with contextlib.closing(Journal(interrupted.folder)) as journal:
        write(journal, 5)
    (interrupted.folder / (FILE + ASIDE)).write_bytes(interrupted.aside)
    assert counted(interrupted.folder) == 15


@pytest.mark.parametrize("size", [0, 4096, 8192])
def test_a_kill_while_the_file_is_made_leaves_a_workspace_that_opens(tmp_path: Path, size: int) -> None:
    Journal(tmp_path).close()
    made = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(made[:size])
    with pytest.raises(WorkspaceCorrupt):  # something was in it: not ours to throw away
        Journal(tmp_path)
    (tmp_path / (FILE + ASIDE)).touch()  # nothing was
    assert counted(tmp_path) == 0


def test_a_log_that_has_grown_is_put_into_the_file_and_other_processes_stay_out(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    write(journal, DUE // 60_000 + 5, 60_000)
    assert (tmp_path / (FILE + LOG)).stat().st_size < DUE / 2
    assert (tmp_path / FILE).stat().st_size > DUE / 2
    assert python(OTHER, str(tmp_path / FILE)).strip() == "True"
    journal.close()
    assert [path.name for path in tmp_path.glob(FILE + "*")] == [FILE]
    assert counted(tmp_path) == DUE // 60_000 + 5
