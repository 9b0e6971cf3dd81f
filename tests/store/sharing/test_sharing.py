"""Several processes on one workspace: each by itself, all together, and when one of them dies."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Client
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from tests.support.peer import Peer
from tests.support.waiting import eventually
from tests.support.workspaces import prepare

from assent.core.errors import Conflict, QueryError, StoreError, WorkspaceLocked
from assent.core.events import Event, Kind
from assent.store import database
from assent.store.journal import Journal
from assent.store.parcel import unchanged
from assent.store.sharing import address, join, remote

pytestmark = pytest.mark.slow  # a process more in almost every test

TEXTS = "SELECT body ->> 'error' FROM events WHERE kind = 'model_failed' ORDER BY seq"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(prepare(tmp_path))
    yield opened
    opened.close()


def note(journal: Journal, text: str, run: str = "mine") -> None:
    journal.append([Event(kind=Kind.MODEL_FAILED, run=run, body={"error": text})]).result(20)


def texts(journal: Journal) -> list[str]:
    return [text for (text,) in journal.select(TEXTS)]


def owner(folder: Path) -> int:
    """The process that holds the workspace."""
    holder = address.read(folder)
    assert holder is not None
    return holder.pid


def test_one_process_has_the_workspace_to_itself(journal: Journal) -> None:
    (holder,) = journal.holders()
    assert (holder["process"], holder["role"]) == (os.getpid(), "holder")
    assert owner(journal.folder) == os.getpid()


def test_two_processes_write_and_read_the_same(journal: Journal) -> None:
    note(journal, "one")
    with Peer(journal.folder) as peer:
        peer.do("note('theirs', 'two')")
        note(journal, "three")
        assert texts(journal) == ["one", "two", "three"]
        assert [text for (text,) in peer.do(f'journal.select("""{TEXTS}""")')] == ["one", "two", "three"]
        assert journal.verify() == 3
        roles = {holder["process"]: holder["role"] for holder in journal.holders()}
        assert roles == {owner(journal.folder): "owner", os.getpid(): "guest", peer.pid: "guest"}


def test_what_is_being_written_while_another_process_comes_is_written_once(journal: Journal) -> None:
    stop, written = threading.Event(), []

    def write() -> None:
        while not stop.is_set():
            note(journal, str(len(written)))
            written.append(str(len(written)))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with Peer(journal.folder):
            before = len(written)
            eventually(lambda: len(written) > before + 5)
    finally:
        stop.set()
        writer.join()
    assert texts(journal) == written


def test_the_death_of_the_owner_loses_nothing_and_stalls_nobody_for_long(journal: Journal) -> None:
    with Peer(journal.folder) as peer:
        for number in range(3):
            note(journal, f"mine {number}")
            os.kill(owner(journal.folder), signal.SIGKILL)
            peer.begin(f"note('theirs', 'theirs {number}')")
            note(journal, f"after {number}")
            peer.end()
        told = texts(journal)
        assert sorted(told) == sorted(set(told))
        assert len(told) == 9
        assert journal.verify() == 9
        assert {holder["role"] for holder in journal.holders()} == {"owner", "guest"}


def test_a_commit_that_the_dying_owner_did_not_acknowledge_is_not_written_twice(journal: Journal) -> None:
    with Peer(journal.folder) as peer:
        note(journal, "joined")
        stopped = owner(journal.folder)
        os.kill(stopped, signal.SIGSTOP)
        future = journal.append([Event(kind=Kind.MODEL_FAILED, run="mine", body={"error": "in flight"})])
        os.kill(stopped, signal.SIGCONT)
        os.kill(stopped, signal.SIGKILL)
        future.result(20)
        peer.do("note('theirs', 'last')")
        assert texts(journal) == ["joined", "in flight", "last"]


def test_a_dead_process_leaves_its_runs_suspended_and_the_others_alone(journal: Journal) -> None:
    with Peer(journal.folder) as peer, Peer(journal.folder) as third:
        for who, run in ((peer, "theirs"), (third, "others")):
            who.do(f"note({run!r}, kind=Kind.RUN_STARTED)")
        journal.append([Event(kind=Kind.RUN_STARTED, run="mine", body={"prompt": "?"})]).result(20)
        peer.kill()
        eventually(lambda: status(journal)["theirs"] == "suspended")
        assert status(journal) == {"theirs": "suspended", "others": "running", "mine": "running"}


def test_runs_go_on_under_a_new_owner_but_those_of_who_died_with_the_old_one(journal: Journal) -> None:
    with Peer(journal.folder) as peer:
        peer.do("note('theirs', kind=Kind.RUN_STARTED)")
        journal.append([Event(kind=Kind.RUN_STARTED, run="mine", body={"prompt": "?"})]).result(20)
        holder = owner(journal.folder)
        os.kill(holder, signal.SIGSTOP)  # so that it cannot notice that its guest dies first
        peer.kill()
        os.kill(holder, signal.SIGKILL)
        eventually(lambda: status(journal)["theirs"] == "suspended")
        assert status(journal)["mine"] == "running"


def status(journal: Journal) -> dict[str, str]:
    return dict(journal.select("SELECT run, status FROM runs"))


def test_what_a_person_says_elsewhere_is_heard_here_in_its_place(journal: Journal) -> None:
    heard: list[Event] = []
    journal.subscribe(heard.extend)
    with Peer(journal.folder) as peer:
        note(journal, "before")
        peer.do("note('mine', 'not of a person')")
        peer.do("note('mine', 'yes', kind=Kind.APPROVAL_DECIDED, call='mine.1', decision='approve')")
        eventually(lambda: len(heard) > 1)
        note(journal, "after")
        eventually(lambda: len(heard) > 2)
    assert [event.body["error"] for event in heard] == ["before", "yes", "after"]
    assert [event.seq for event in heard] == [1, 3, 4]


def test_of_two_who_looked_the_first_to_write_wins(journal: Journal) -> None:
    note(journal, "seen")
    with Peer(journal.folder) as peer:
        peer.do("from assent.store.parcel import unchanged")
        peer.do("journal.append([Event(kind=Kind.MODEL_FAILED, run='mine', body={})], unchanged('mine', 1)).result(20)")
        with pytest.raises(Conflict):
            journal.append([Event(kind=Kind.MODEL_FAILED, run="mine")], unchanged("mine", 1)).result(20)
        assert journal.verify() == 2


def test_a_refused_parcel_leaves_those_beside_it_alone(journal: Journal) -> None:
    event = [Event(kind=Kind.MODEL_FAILED, run="mine", body={"error": str(number)}) for number in range(3)]
    first = journal.append(event[:1])
    second = journal.append(event[1:2], unchanged("mine", 0))
    third = journal.append(event[2:], unchanged("another", 0))
    first.result(20)
    third.result(20)
    with pytest.raises(Conflict):
        second.result(20)
    assert texts(journal) == ["0", "2"]


def test_tables_of_the_notebook_join_those_of_the_workspace_where_it_is_shared(journal: Journal) -> None:
    note(journal, "one")
    frame = pd.DataFrame({"run": ["mine"], "team": ["red"]})
    with Peer(journal.folder):
        note(journal, "two")
        query = "SELECT team, count(*) AS n FROM events JOIN teams USING (run) GROUP BY team"
        joined = journal.frame(query, {"teams": frame})
        assert joined.to_dict("records") == [{"team": "red", "n": 2}]
        assert journal.frame("SELECT count(*) AS n FROM teams", {"teams": frame})["n"].item() == 1
        with pytest.raises(QueryError, match="nowhere"):
            journal.frame("SELECT * FROM nowhere, teams", {"teams": frame})
        with pytest.raises(QueryError, match="reading"):
            journal.frame("DELETE FROM events", {})


ENDLESS = "SELECT count(*) FROM range(10000000) a, range(10000000) b"


def test_a_long_reading_statement_holds_up_no_commit_and_ends_with_whoever_asked(journal: Journal) -> None:
    with Peer(journal.folder) as peer:
        note(journal, "joined")
        peer.begin(f"journal.frame({ENDLESS!r}, {{}})")
        for number in range(5):
            note(journal, str(number))
        busy = owner(journal.folder)
        peer.kill()
        eventually(lambda: is_idle(busy))


def is_idle(process: int) -> bool:
    """Whether a process used next to no processor time for a while."""
    before = spent(process)
    time.sleep(0.3)
    return spent(process) - before < 0.1


def spent(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_after_the_last_has_gone_anybody_may_open_the_file(tmp_path: Path) -> None:
    with Peer(tmp_path) as one, Peer(tmp_path) as two:
        one.do("note('a', 'kept')")
        two.do("note('a', 'kept too')")
        holder = owner(tmp_path)
        two.do("journal.close()")
        one.kill()
    eventually(lambda: not Path(f"/proc/{holder}").exists())
    with duckdb.connect(str(tmp_path / database.FILE), read_only=True) as plain:
        assert plain.execute(TEXTS).fetchall() == [("kept",), ("kept too",)]
        assert plain.execute("SELECT run FROM runs").fetchall() == [("a",)]
    assert address.read(tmp_path) is None


def test_whoever_does_not_know_the_key_is_sent_away(journal: Journal) -> None:
    holder = address.read(journal.folder)
    assert holder is not None
    for said in (b"0" * 16, b"", b"x" * 10_000):
        with Client(holder.address) as connection:
            connection.send_bytes(said)
            with pytest.raises((EOFError, OSError)):
                connection.recv()
    note(journal, "all is well")


@pytest.mark.parametrize("left", ["{", "[]", '{"pid": 1}', '{"pid": 1, "address": "/nowhere", "key": "00"}'])
def test_what_a_dead_holder_left_behind_keeps_nobody_out(tmp_path: Path, left: str) -> None:
    (tmp_path / address.FILE).write_text(left)
    opened = Journal(prepare(tmp_path))
    note(opened, "here")
    assert owner(tmp_path) == os.getpid()
    opened.close()


def test_another_version_of_the_protocol_says_so(tmp_path: Path) -> None:
    with Peer(tmp_path) as peer:
        peer.do("note('a', 'b')")
        script = (
            "import sys; from pathlib import Path; from assent.store.sharing import address, join, remote\n"
            "from assent.store.sharing.messages import Hello, call\n"
            "holder = address.read(Path(sys.argv[1]))\n"
            "print(call(holder, Hello('write', 'w', protocol=99), 5)[1].reason)"
        )
        said = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
        assert f"process {peer.pid} has it open with Assent" in said.stdout


def test_a_holder_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "PATIENCE", 0.2)
    monkeypatch.setattr(join, "STRANGER", 0.2)
    with Peer(tmp_path) as peer:
        os.kill(peer.pid, signal.SIGSTOP)
        with pytest.raises(WorkspaceLocked, match=rf"process {peer.pid}, which is busy and did not answer for 0.2 s"):
            Journal(tmp_path)
        os.kill(peer.pid, signal.SIGCONT)
        peer.do("note('a', 'nothing is lost')")
        opened = Journal(tmp_path)
        assert texts(opened) == ["nothing is lost"]
        opened.close()


def test_where_there_can_be_no_socket_one_process_works_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "file"))
    opened = Journal(prepare(tmp_path / "workspace"))
    note(opened, "here")
    assert texts(opened) == ["here"]
    opened.close()


def test_a_forked_process_leaves_the_workspace_to_its_parent(journal: Journal) -> None:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            journal.append([])
        except StoreError as error:
            os.write(write, str(error).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert "forked" in os.read(read, 1000).decode()
    note(journal, "the parent goes on")
    os.close(read)
    os.close(write)


def test_the_file_that_says_who_holds_the_workspace_is_for_this_user_alone(journal: Journal) -> None:
    file = journal.folder / address.FILE
    assert file.stat().st_mode & 0o777 == 0o600
    socket = Path(json.loads(file.read_text())["address"])
    assert socket.parent.stat().st_mode & 0o777 == 0o700
