"""Forgetting: what runs said goes, what they did stays, the chain fits, and the space is given back."""

import asyncio
import json
import os
import secrets
import threading
import time
from pathlib import Path

import duckdb
import pytest
from tests.support.calls import call
from tests.support.sessions import approve, opened, ran, resumed
from tests.support.workspaces import prepare

from assent.app import Session
from assent.core.errors import ConfigError, StoreError
from assent.core.events import Event, Kind
from assent.core.ids import new_id
from assent.core.retention import Retention
from assent.store import blobs, payloads
from assent.store.compact import compact, foreseen
from assent.store.forget import GONE
from assent.store.journal import Journal
from assent.store.rows import digest_of
from assent.tools.tool import tool

AT_ONCE = Retention(0.0)
SECRET = "the merger with Umbrella"


@tool(privilege="read_only")
def look(what: str) -> str:
    """Look something up."""
    return f"{what}: {SECRET}"


@tool(privilege="execute_risky")
def mail(to: str) -> str:
    """Send a mail."""
    return f"sent to {to}: {SECRET}"


def worked(session: Session) -> str:
    """A run that is over, with a payload that was set aside."""
    return ran(session, look, prompt=f"What of {SECRET}?" + " " * 70_000).run


TURNS = ([call("look", what=SECRET), f"It is {SECRET}."],)


def text_of(folder: Path) -> str:
    """All that the bodies and payloads of a closed workspace say."""
    connection = duckdb.connect(str(folder / "assent.duckdb"))
    rows = connection.execute("SELECT body FROM events").fetchall()
    connection.close()
    return "".join([body for (body,) in rows] + [path.read_text() for path in payloads.files(folder / blobs.FOLDER)])


def aged(folder: Path) -> None:
    """As if the payloads had lain there for long."""
    for path in payloads.files(folder / blobs.FOLDER):
        os.utime(path, (0, 0))


def test_what_was_said_is_gone_and_what_was_done_is_there(tmp_path: Path) -> None:
    with opened(tmp_path, call("look", what=SECRET), f"It is {SECRET}.") as session:
        run = worked(session)
        journal = session.journal.whole()
        before = journal.select("SELECT * EXCLUDE (body) FROM events ORDER BY seq")
        aged(tmp_path)
        done = compact(journal, AT_ONCE, "ana")
        assert (done.runs, done.payloads) == (1, 1)
        after = journal.select("SELECT * EXCLUDE (body) FROM events ORDER BY seq")
        assert after[:-1] == before
        assert after[-1][2] == Kind.COMPACTED
        assert journal.verify() == len(after)
        assert session.state(run).answer == GONE
        assert [message.text for message in session.state(run).messages][1:] == [GONE, "", "", GONE]
        assert journal.select("SELECT status, prompt, answer, steps, calls FROM runs") == [
            ("finished", GONE, GONE, 2, 1)
        ]
    assert SECRET not in text_of(tmp_path)
    Journal(prepare(tmp_path)).close()
    assert SECRET.encode() not in (tmp_path / "assent.duckdb").read_bytes()


def test_the_space_is_given_back(journal: Journal) -> None:
    texts = [secrets.token_hex(20_000) for _ in range(100)]
    for text in texts:
        journal.post(whole_run(new_id(), text))
    journal.append([]).result(10)
    done = compact(journal, AT_ONCE, "ana")
    assert (done.events, done.runs) == (200, 100)
    assert done.freed > 4_000_000
    assert journal.verify() == 201


def whole_run(run: str, text: str = SECRET, at: float = 0.0) -> list[Event]:
    body = {"prompt": text, "agent": {"name": "ada"}}
    return [
        Event(kind=Kind.RUN_STARTED, run=run, agent="ada", at=at or time.time(), body=body),
        Event(kind=Kind.RUN_FINISHED, run=run, agent="ada", at=at or time.time(), body={"text": text}),
    ]


def test_looking_first_changes_nothing(journal: Journal) -> None:
    journal.append(whole_run("r")).result(5)
    assert foreseen(journal, AT_ONCE).events == 2
    assert foreseen(journal, Retention()).events == 0
    assert journal.verify() == 2
    assert journal.events("r")[0].body["prompt"] == SECRET


def test_without_rules_nothing_is_forgotten(journal: Journal) -> None:
    journal.append(whole_run("r")).result(5)
    assert compact(journal, Retention(), "ana").events == 0
    assert journal.verify() == 2


def test_what_is_forgotten_once_is_not_forgotten_again(journal: Journal) -> None:
    journal.append(whole_run("r")).result(5)
    assert compact(journal, AT_ONCE, "ana").events == 2
    assert compact(journal, AT_ONCE, "ana").events == 0
    journal.append(whole_run("s")).result(5)
    assert compact(journal, AT_ONCE, "ana").events == 2
    assert journal.verify() == 6
    counts = [event.body["forgotten"] for event in journal.events(kind=Kind.COMPACTED)]
    assert counts == [2, 4]


def test_a_compaction_says_by_which_rules_and_for_whom(journal: Journal) -> None:
    journal.append(whole_run("r")).result(5)
    compact(journal, Retention(0.0, ("q",)), "ana")
    [event] = journal.events(kind=Kind.COMPACTED)
    assert event.user == event.body["by"] == "ana"
    assert event.body["rules"] == {"payloads": 0.0, "keep": ["q"]}
    assert event.body["until"] == 2


def test_who_is_asked_and_what_was_answered_is_kept_whole(tmp_path: Path) -> None:
    with opened(tmp_path, call("mail", to="bob"), "Done.") as session:
        run = ran(session, mail, on_ask="suspend").run
        approve(session, session.pending()[0].call)
        resumed(session, run)
        compact(session.journal.whole(), AT_ONCE, "ana")
        [row] = session.journal.select("SELECT arguments, verdict, decided_by, asks FROM approvals")
        assert json.loads(row[0]) == {"to": "bob"}
        assert row[1] == "approve"
        assert session.journal.select("SELECT result, status FROM tool_calls") == [(GONE, "finished")]
        assert session.journal.verify()


def test_a_run_that_waits_is_kept_whole_and_goes_on_afterwards(tmp_path: Path) -> None:
    with opened(tmp_path, call("mail", to="bob"), "Done.") as session:
        run = ran(session, mail, prompt=SECRET, on_ask="suspend").run
        session.journal.append(whole_run("r")).result(5)
        assert compact(session.journal.whole(), AT_ONCE, "ana").runs == 1
        assert session.state(run).prompt == SECRET
        approve(session, session.pending()[0].call)
        assert resumed(session, run).status == "finished"
        assert session.journal.verify()


def test_events_that_come_while_the_copy_is_made_are_kept(journal: Journal) -> None:
    journal.append(whole_run("r")).result(5)
    upkeep = journal.upkeep

    def late(name: str, *arguments: object) -> object:
        if name == "swap":
            journal.append(whole_run("s")).result(5)
        return upkeep(name, *arguments)

    journal.upkeep = late  # type: ignore[method-assign]
    assert compact(journal, AT_ONCE, "ana").runs == 1
    assert journal.verify() == 5
    assert journal.events("s")[0].body["prompt"] == SECRET


def test_a_run_that_goes_on_while_the_copy_is_made_is_not_forgotten(journal: Journal) -> None:
    journal.append(whole_run("r")).result(5)
    upkeep = journal.upkeep
    late = [Event(kind=Kind.RUN_RESUMED, run="r")]

    def resume(name: str, *arguments: object) -> object:
        if name == "swap" and late:
            journal.append([late.pop()]).result(5)
        return upkeep(name, *arguments)

    journal.upkeep = resume  # type: ignore[method-assign]
    assert compact(journal, AT_ONCE, "ana").events == 0
    assert journal.events("r")[0].body["prompt"] == SECRET
    assert journal.verify() == 3


def test_writing_and_reading_go_on_while_it_is_compacted(journal: Journal) -> None:
    journal.append([event for number in range(50) for event in whole_run(f"r{number}")]).result(10)
    over = threading.Event()
    written: list[int] = []
    failures: list[BaseException] = []

    def write() -> None:
        try:
            while not over.is_set():
                event = Event(kind=Kind.MODEL_FAILED, run="w", body={"error": "e"})
                journal.append([event]).result(10)
                written.append(event.seq)
        except BaseException as error:
            failures.append(error)

    def read() -> None:
        try:
            while not over.is_set():
                journal.select("SELECT count(*), sum(length(body)) FROM events")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=act) for act in (write, read, read)]
    for thread in threads:
        thread.start()
    try:
        assert compact(journal, AT_ONCE, "ana").runs == 50
        several = len(written) + 5
        while len(written) < several and not failures:
            over.wait(0.01)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert [event.seq for event in journal.events("w")] == written
    assert journal.verify() == 100 + len(written) + 1


@pytest.mark.parametrize("text", ['{"prompt":"(forgotten)"}', '{"forgotten":"%s","text":"(another)"}'])
def test_a_body_that_was_forgotten_otherwise_does_not_pass(journal: Journal, text: str) -> None:
    journal.append(whole_run("r") + whole_run("q")).result(5)
    compact(journal, Retention(0.0, ("q",)), "ana")
    [(body,)] = journal.select("SELECT body FROM events WHERE seq = 4")
    forged = text % digest_of(body) if "%s" in text else text
    journal.close()
    with duckdb.connect(str(journal.folder / "assent.duckdb")) as connection:
        connection.execute("DROP TRIGGER events_refuse_update ON events")
        connection.execute("UPDATE events SET body = ? WHERE seq = 4", [forged])
    again = Journal(journal.folder)
    with pytest.raises(StoreError, match=r"event 4 does not fit|no compaction says so"):
        again.verify()
    again.close()


def test_what_is_forgotten_is_neither_resumed_nor_gone_through_again(tmp_path: Path) -> None:
    with opened(tmp_path, call("mail", to="bob"), "Done.") as session:
        run = ran(session, mail, on_ask="suspend").run
        session.cancel(run)
        assert compact(session.journal.whole(), AT_ONCE, "ana").runs == 1
        with pytest.raises(ConfigError, match=rf"run {run} is forgotten.*cannot be resumed"):
            resumed(session, run)
        with pytest.raises(ConfigError, match="cannot be gone through again"):
            asyncio.run(session.replay(run))


def test_a_copy_that_a_crash_has_left_is_removed_once_it_is_old(journal: Journal) -> None:
    old, young = journal.folder / "compacting-old", journal.folder / "compacting-young"
    for folder in (old, young):
        folder.mkdir()
        (folder / "former.duckdb").write_text("half")
    os.utime(old, (0, 0))
    compact(journal, AT_ONCE, "ana")
    assert (old.exists(), young.exists()) == (False, True)
