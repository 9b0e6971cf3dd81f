"""A process that others miss, or that misses what others do: forked, stopped, out of files, with objects of its own."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from tests.support.peer import Peer
from tests.support.waiting import eventually
from tests.support.workspaces import prepare

from assent.core.errors import CutOff, QueryError, WorkspaceLocked
from assent.core.events import Event, Kind
from assent.store.journal import Journal
from assent.store.ledger import Ledger
from assent.store.sharing import address
from assent.store.sharing.owner import GRACE

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(os, "fork"), reason="signals and forks")]

DECIDE = "note('mine', 'yes', kind=Kind.APPROVAL_DECIDED, call='mine.1', decision='approve')"
FORK = """
import os, time
child = os.fork()
if child == 0:
    os.close(1)
    time.sleep(60)
    os._exit(0)
"""
NO_MORE_FILES = """
import resource
journal._store._close_readers()  # so that to read takes a new connection
limit = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (3, limit[1]))
try:
    journal.select("SELECT 1")
    said = ""
except Exception as error:
    said = str(error)
resource.setrlimit(resource.RLIMIT_NOFILE, limit)
"""


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(prepare(tmp_path))
    yield opened
    opened.close()


def note(journal: Journal, text: str, kind: Kind = Kind.MODEL_FAILED) -> None:
    journal.append([Event(kind=kind, run="mine", body={"error": text})]).result(20)


def owner(folder: Path) -> int:
    holder = address.read(folder)
    assert holder is not None
    return holder.pid


def status(journal: Journal) -> dict[str, str]:
    return dict(journal.select("SELECT run, status FROM runs"))


def test_what_was_decided_while_the_owner_died_is_heard_by_who_comes_back_later(journal: Journal) -> None:
    with Peer(journal.folder) as peer:
        peer.do("heard = []; journal.subscribe(heard.extend)")
        peer.do("note('mine', 'asked')")
        os.kill(peer.pid, signal.SIGSTOP)
        os.kill(owner(journal.folder), signal.SIGKILL)
        decided = Event(kind=Kind.APPROVAL_DECIDED, run="mine", call="mine.1", decision="approve")
        journal.append([decided]).result(20)
        os.kill(peer.pid, signal.SIGCONT)
        eventually(lambda: peer.do("len(heard)") == 2)
        peer.do("note('mine', 'after')")
        assert peer.do("[event.seq for event in heard]") == [1, 2, 3]


def test_who_had_nothing_to_write_or_hear_yet_hears_of_it_too(journal: Journal) -> None:
    note(journal, "before")
    with Peer(journal.folder) as peer:
        peer.do("heard = []; journal.subscribe(heard.extend)")
        os.kill(peer.pid, signal.SIGSTOP)
        os.kill(owner(journal.folder), signal.SIGKILL)
        journal.append([Event(kind=Kind.APPROVAL_DECIDED, run="mine", call="mine.1", decision="approve")]).result(20)
        os.kill(peer.pid, signal.SIGCONT)
        eventually(lambda: peer.do("[event.seq for event in heard]") == [2])


def test_what_is_written_together_is_heard_in_its_order(journal: Journal) -> None:
    heard: list[Event] = []
    with Peer(journal.folder) as peer:
        note(journal, "joined")
        journal.subscribe(heard.extend)
        for number in range(1, 4):
            holder = owner(journal.folder)
            os.kill(holder, signal.SIGSTOP)  # so that it finds both together
            peer.begin(DECIDE)
            mine = journal.append([Event(kind=Kind.MODEL_FAILED, run="mine", body={})])
            os.kill(holder, signal.SIGCONT)
            mine.result(20)
            peer.end()
            eventually(lambda number=number: len(heard) == 2 * number)
    assert [event.seq for event in heard] == list(range(2, 8))


def test_a_process_that_was_taken_for_dead_writes_no_more_until_it_begins_anew(journal: Journal) -> None:
    note(journal, "begun", Kind.RUN_STARTED)
    with Peer(journal.folder) as peer:
        peer.do("note('theirs', kind=Kind.RUN_STARTED)")
        os.kill(peer.pid, signal.SIGSTOP)
        os.kill(owner(journal.folder), signal.SIGKILL)
        eventually(lambda: status(journal) == {"mine": "running", "theirs": "suspended"})
        os.kill(peer.pid, signal.SIGCONT)
        with pytest.raises(RuntimeError, match=f"{CutOff.__name__}.*theirs was suspended"):
            peer.do("while True: note('theirs', 'goes on')")
        peer.do("journal.recover()")
        peer.do("note('another', 'begins')")
        [(last,)] = journal.select("SELECT max(seq) FROM events WHERE run = 'theirs'")
        assert journal.events("theirs")[-1].kind is Kind.RUN_SUSPENDED
        assert journal.verify() == last + 1


def test_a_newcomer_waits_for_those_who_lost_their_owner(tmp_path: Path) -> None:
    with Peer(tmp_path) as peer, Peer(tmp_path) as leaves:
        peer.do("note('theirs', kind=Kind.RUN_STARTED)")
        leaves.do("note('others', kind=Kind.RUN_STARTED)")
        os.kill(peer.pid, signal.SIGSTOP)
        holder = owner(tmp_path)
        os.kill(holder, signal.SIGSTOP)
        leaves.kill()
        os.kill(holder, signal.SIGKILL)
        newcomer = Journal(tmp_path)
        os.kill(peer.pid, signal.SIGCONT)
        peer.do("note('theirs', 'goes on')")
        eventually(lambda: status(newcomer) == {"theirs": "running", "others": "suspended"})
        newcomer.close()


def test_once_all_who_live_are_back_the_runs_of_the_others_are_suspended_at_once(journal: Journal) -> None:
    with Peer(journal.folder) as peer, Peer(journal.folder) as leaves:
        peer.do("note('theirs', kind=Kind.RUN_STARTED)")
        leaves.do("note('others', kind=Kind.RUN_STARTED)")
        holder = owner(journal.folder)
        os.kill(holder, signal.SIGSTOP)
        leaves.kill()
        os.kill(holder, signal.SIGKILL)
        note(journal, "back")
        back = time.monotonic()
        eventually(lambda: status(journal) == {"theirs": "running", "others": "suspended", "mine": "running"})
        assert time.monotonic() - back < GRACE
        assert peer.do("note('theirs', 'goes on')") is None


def test_a_child_that_outlives_its_parent_keeps_nobody_out(tmp_path: Path) -> None:
    with Peer(tmp_path) as peer:
        peer.do("note('theirs', kind=Kind.RUN_STARTED)")
        peer.do(FORK)
        child = peer.do("child")
        try:
            peer.kill()
            opened = Journal(prepare(tmp_path))
            assert status(opened) == {"theirs": "suspended"}
            opened.close()
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_child_that_outlives_its_parent_does_not_pass_for_it(journal: Journal) -> None:
    with Peer(journal.folder) as peer:
        peer.do("note('theirs', kind=Kind.RUN_STARTED)")
        peer.do(FORK)
        child = peer.do("child")
        try:
            peer.kill()
            eventually(lambda: status(journal) == {"theirs": "suspended"})
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_process_that_has_no_more_files_does_not_pass_for_dead(journal: Journal) -> None:
    with Peer(journal.folder) as peer:
        peer.do("note('theirs', kind=Kind.RUN_STARTED)")
        peer.do(NO_MORE_FILES)
        assert "Too many open files" in peer.do("said")
        peer.do("note('theirs', 'goes on')")
        assert status(journal) == {"theirs": "running"}


class Own:
    """Known in this process alone."""


def test_objects_of_a_class_that_the_owner_does_not_know_are_named(journal: Journal) -> None:
    Own.__module__ = "nowhere"
    with Peer(journal.folder):
        note(journal, "joined")
        for odd in (Own(), lambda: None):
            frame = pd.DataFrame({"run": ["mine"], "odd": pd.Series([odd], dtype=object)})
            with pytest.raises(QueryError, match="cannot leave this process"):
                journal.frame("SELECT count(*) FROM events JOIN odds USING (run)", {"odds": frame})
        assert journal.frame("SELECT count(*) AS n FROM events", {})["n"].item() == 1


@pytest.mark.parametrize("place", ["long" * 30, "file", ".."])
def test_a_folder_for_sockets_that_will_not_do_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (tmp_path / ("long" * 30)).mkdir()
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_RUNTIME_DIR", place if place == ".." else str(tmp_path / place))
    opened = Journal(prepare(tmp_path / "workspace"))
    note(opened, "here")
    holder = address.read(opened.folder)
    opened.close()
    assert holder is not None
    assert Path(holder.address).is_absolute()
    assert tmp_path not in Path(holder.address).parents


def test_the_database_is_opened_under_a_lock_of_our_own(tmp_path: Path) -> None:
    first = Ledger(tmp_path)
    with pytest.raises(WorkspaceLocked):
        Ledger(tmp_path)
    first.recover()
    with pytest.raises(WorkspaceLocked):
        Ledger(tmp_path)
    first.close()
    Ledger(tmp_path).close()
