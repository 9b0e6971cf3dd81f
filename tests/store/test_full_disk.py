"""A disk without room: one clear error, nothing acknowledged lost, and on it goes once there is room again."""

from pathlib import Path

import pytest
from tests.support.process import python

pytest.importorskip("resource", reason="limits on the size of files are POSIX")
pytestmark = pytest.mark.slow  # a process for each

PRELUDE = """
import resource, secrets, sys
from pathlib import Path
from assent.core.errors import StoreError
from assent.core.events import Event, Kind
from assent.store.journal import Journal
folder = Path(sys.argv[1])
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

def room(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size or soft, hard))

def put(count, size, together=1):
    for _ in range(count):
        texts = [secrets.token_hex(size // 2) for _ in range(together)]
        journal.append([Event(kind=Kind.MODEL_FAILED, run="r", body={"error": text}) for text in texts]).result(9)
        acknowledged.extend(texts)

acknowledged = []
"""

NO_COMMIT = """
journal = Journal(folder)
put(3, 10)
room((folder / "assent.duckdb.wal").stat().st_size + 500)
try:
    put(100, 3000)
except StoreError as error:
    print(error)
try:
    journal.post([])
except StoreError as error:
    print("refused")
print(len(journal.events("r")) == len(acknowledged))
journal.recover()
try:
    put(1, 3000)
except StoreError:
    print("still full")
room(0)
journal.recover()
put(3, 3000)
journal.close()
journal = Journal(folder)
print(journal.verify() == len(acknowledged))
journal.close()
"""

NO_CHECKPOINT = """
journal = Journal(folder)
put(50, 63000, 5)
room(17_200_000)
try:
    put(200, 63000, 5)
except StoreError as error:
    print(error)
print((folder / "assent.duckdb.wal").stat().st_size > 16_000_000, len(journal.events("r")) == len(acknowledged))
room(0)
journal.recover()
put(1, 100)
journal.close()
journal = Journal(folder)
print(journal.verify() == len(acknowledged), sorted(path.name for path in folder.glob("assent.duckdb*")))
journal.close()
"""

NO_BLOB = """
journal = Journal(folder)
put(1, 10)
room(300_000)
try:
    put(1, 1_000_000)
except StoreError as error:
    print(error)
room(0)
journal.recover()
put(1, 1_000_000)
print(journal.verify(), len(journal.events("r")[1].body["error"]))
print([path.name for path in (folder / "blobs").rglob("tmp*")])
journal.close()
"""

NO_START = """
room(3000)
try:
    Journal(folder)
except StoreError as error:
    print(type(error).__name__, error)
room(0)
"""

NO_COPY = """
from assent.core.retention import Retention
from assent.store.backup import back_up
from assent.store.compact import compact
journal = Journal(folder)
put(60, 60_000)
for run in ("s", "t"):
    events = [Event(kind=kind, run=run, body={"text": "t"}) for kind in (Kind.RUN_STARTED, Kind.RUN_FINISHED)]
    journal.append(events).result(9)
for size in (200_000, 700_000, 3_000_000):
    room(size)
    for act in (lambda: compact(journal, Retention(0.0), "ana"), lambda: back_up(journal, folder / "b.zip")):
        try:
            act()
            print("done")
        except StoreError as error:
            print(error)
room(0)
print(len(list(folder.glob("compacting-*"))), len(list(folder.glob(".assent-*"))), (folder / "b.zip").exists())
put(1, 100)
print(compact(journal, Retention(0.0), "ana").events, back_up(journal, folder / "b.zip").events)
print(journal.verify())
journal.close()
"""


def test_a_commit_that_finds_no_room(tmp_path: Path) -> None:
    said, *rest = python(PRELUDE + NO_COMMIT, str(tmp_path)).splitlines()
    assert "could not be written" in said
    assert "What was recorded before is safe. Free some space" in said
    assert rest == ["refused", "True", "still full", "True"]


def test_a_checkpoint_that_finds_no_room(tmp_path: Path) -> None:
    written, read, verified = python(PRELUDE + NO_CHECKPOINT, str(tmp_path)).splitlines()
    assert "could not be written" in written
    assert read == "True True"  # it stays in the log, and what was acknowledged can be read
    assert verified == "True ['assent.duckdb']"


def test_a_payload_that_finds_no_room(tmp_path: Path) -> None:
    said, kept, left = python(PRELUDE + NO_BLOB, str(tmp_path)).splitlines()
    assert "could not be written" in said
    assert kept == "2 1000000"
    assert left == "[]"


def test_a_workspace_that_finds_no_room_to_begin(tmp_path: Path) -> None:
    said = python(PRELUDE + NO_START, str(tmp_path / "new"))
    assert said.startswith("StoreError ")
    assert "Free some space" in said


def test_a_copy_that_finds_no_room(tmp_path: Path) -> None:
    *said, left, done, verified = python(PRELUDE + NO_COPY, str(tmp_path), timeout=20).splitlines()
    assert len(said) == 6
    assert all("could not be" in line for line in said)
    assert left == "0 0 False"
    assert done == "4 66"
    assert verified == "66"
