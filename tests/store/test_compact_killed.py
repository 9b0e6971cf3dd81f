"""kill -9 while the journal is compacted: it opens, the chain fits, and nothing that was acknowledged is missing."""

import os
import signal
import threading
from pathlib import Path

import pytest
from tests.support.compacting import kill, noted
from tests.support.peer import Peer

from assent.core.events import Event, Kind
from assent.core.retention import Retention
from assent.store.backup import back_up
from assent.store.compact import compact
from assent.store.journal import Journal
from assent.store.restore import restore
from assent.store.sharing import address

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(60),  # each kill costs a process and a workspace opened
]
KILLS = 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")
def test_killed_at_any_moment_the_journal_is_the_old_one_or_the_new_one(tmp_path: Path) -> None:
    kill("tests.store.compactable:forget_again_and_again", tmp_path, KILLS, (0.05, 1.2), 4, check)


def check(folder: Path) -> None:
    journal = Journal(folder / "workspace")
    assert journal.verify() >= 0
    hashes = [digest for (digest,) in journal.select("SELECT hash FROM events")]
    journal.close()
    assert noted(folder / "acknowledged") <= set(hashes)
    assert len(hashes) == len(set(hashes))


def whole_run(run: str) -> list[Event]:
    started = Event(kind=Kind.RUN_STARTED, run=run, body={"prompt": "p" * 2_000, "agent": {"name": "ada"}})
    return [started, Event(kind=Kind.RUN_FINISHED, run=run, body={"text": "t"})]


def test_one_of_several_processes_compacts_and_backs_up_while_the_others_write(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a")
    journal.append([event for number in range(200) for event in whole_run(f"r{number}")]).result(10)
    with Peer(tmp_path / "a") as peer:
        peer.begin("for number in range(150): note('theirs', str(number))")
        done = compact(journal, Retention(0.0), "ana")
        manifest = back_up(journal, tmp_path / "a.zip")
        peer.end()
        assert done.events == 400
        assert journal.verify() == 400 + 150 + 1
        assert len(peer.do("journal.events('theirs')")) == 150
    journal.close()
    restore(tmp_path / "a.zip", tmp_path / "b")
    restored = Journal(tmp_path / "b")
    assert restored.verify() == manifest.events
    restored.close()


def test_the_owner_is_killed_while_one_of_several_processes_compacts(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    written = 0
    with Peer(tmp_path) as peer:
        for attempt in range(4):
            journal.append([event for number in range(50) for event in whole_run(f"r{attempt}.{number}")]).result(20)
            written += 100
            holder = address.read(tmp_path)
            assert holder is not None
            timer = threading.Timer(0.1 * attempt, os.kill, (holder.pid, signal.SIGKILL))
            timer.start()
            compact(journal, Retention(0.0), "ana")
            timer.join()
            peer.do("note('theirs')")
            written += 1
        compact(journal, Retention(0.0), "ana")
        compactions = journal.events(kind=Kind.COMPACTED)
        assert journal.verify() == written + len(compactions)
        assert compactions[-1].body["forgotten"] == 400
    journal.close()
