"""The journal: order, group commit, append only, the hash chain, what outlives a bad event."""

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

import duckdb
import pytest
from tests.support.workspaces import prepare

from assent.core.errors import StoreError
from assent.core.events import Event, Kind
from assent.store import journal as journals
from assent.store.chain import GENESIS
from assent.store.journal import Journal


def note(text: str = "", run: str = "r") -> Event:
    return Event(kind=Kind.MODEL_FAILED, run=run, body={"error": text})


def texts(journal: Journal, run: str = "r") -> list[str]:
    return [event.body["error"] for event in journal.events(run)]


def test_events_come_back_as_they_went_in_and_in_order(journal: Journal) -> None:
    event = Event(
        kind=Kind.MODEL_ANSWERED, run="r", parent="p", step=3, tenant="t", user="ü", agent="a", notebook="n.ipynb",
        cell="c", model="m", tool="sql", call="r.1", privilege="read_only", decision="allow", input_tokens=1,
        output_tokens=2, cached_tokens=3, reasoning_tokens=4, duration=0.1, body={"text": "雪", "list": [1, None, 2.5]},
    )  # fmt: skip
    journal.append([note("first"), event]).result()
    first, second = journal.events("r")
    assert (first.seq, second.seq) == (1, 2)
    assert (first.prev, second.prev) == (GENESIS, first.hash)
    assert abs(second.at - event.at) < 1e-5
    second.at = event.at  # the journal keeps microseconds
    assert second == event


def test_what_is_posted_is_on_disk_before_a_later_append_resolves(journal: Journal) -> None:
    for number in range(50):
        journal.post([note(str(number))])
    journal.append([note("50")]).result()
    assert texts(journal) == [str(number) for number in range(51)]


def test_posted_events_are_written_though_nobody_waits(journal: Journal) -> None:
    written = threading.Event()
    journal.subscribe(lambda events: written.set())
    journal.post([note()])
    assert written.wait(5)


def test_closing_writes_what_is_queued(tmp_path: Path) -> None:
    journal = Journal(prepare(tmp_path))
    for number in range(20):
        journal.post([note(str(number))])
    journal.close()
    again = Journal(tmp_path)
    assert texts(again) == [str(number) for number in range(20)]
    again.close()


def test_threads_share_commits_and_each_keeps_its_order(journal: Journal) -> None:
    groups: list[Sequence[Event]] = []
    journal.subscribe(groups.append)
    gate = threading.Barrier(16)

    def write(run: str) -> None:
        gate.wait()
        for future in [journal.append([note(str(number), run)]) for number in range(25)]:
            future.result()

    threads = [threading.Thread(target=write, args=(f"r{index}",)) for index in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert journal.verify() == 400
    for index in range(16):
        assert texts(journal, f"r{index}") == [str(number) for number in range(25)]
    assert len(groups) < 200  # one commit each would be 400
    assert [event.seq for group in groups for event in group] == list(range(1, 401))


def test_listeners_hear_of_what_is_committed_until_they_leave(journal: Journal) -> None:
    heard: list[str] = []
    seen: list[int] = []

    def listen(events: Sequence[Event]) -> None:
        heard.extend(event.body["error"] for event in events)
        seen.append(len(journal.events("r")))

    leave = journal.subscribe(listen)
    journal.append([note("one")]).result()
    second = threading.Event()
    journal.subscribe(lambda events: second.set())
    journal.append([note("two")]).result()
    assert second.wait(5)
    leave()
    leave()
    second.clear()
    journal.append([note("three")]).result()
    assert second.wait(5)
    assert heard == ["one", "two"]
    assert seen == [1, 2]  # a listener finds in the journal what it is told


def test_a_listener_that_raises_costs_nobody_anything(journal: Journal, caplog: pytest.LogCaptureFixture) -> None:
    def fail(events: Sequence[Event]) -> None:
        raise RuntimeError("a display broke")

    heard = threading.Event()
    journal.subscribe(fail)
    journal.subscribe(lambda events: heard.set())
    journal.append([note()]).result(5)
    assert heard.wait(5)
    journal.append([note()]).result(5)
    assert "a display broke" in caplog.text


def test_giving_up_the_wait_neither_undoes_the_write_nor_harms_the_writer(journal: Journal) -> None:
    async def give_up() -> None:
        waits = asyncio.wrap_future(journal.append([note("kept")]))
        waits.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waits

    asyncio.run(give_up())
    journal.append([note("next")]).result(5)
    assert texts(journal) == ["kept", "next"]


@pytest.mark.parametrize("statement", ["UPDATE events SET body = '{}'", "DELETE FROM events", "TRUNCATE events"])
def test_events_are_neither_changed_nor_deleted(journal: Journal, statement: str) -> None:
    journal.append([note("kept")]).result()
    with pytest.raises(StoreError, match="could not be read"):
        journal.select(statement)
    assert texts(journal) == ["kept"]
    assert journal.verify() == 1


def test_the_chain_goes_on_after_reopening(tmp_path: Path) -> None:
    for number in range(1, 4):
        journal = Journal(prepare(tmp_path))
        journal.append([note(str(number))]).result()
        assert journal.verify() == number
        journal.close()


def test_closing_twice_is_as_good_as_once_and_then_it_says_so(tmp_path: Path) -> None:
    journal = Journal(prepare(tmp_path))
    journal.close()
    journal.close()
    for use in (lambda: journal.append([note()]), lambda: journal.post([note()]), journal.verify):
        with pytest.raises(StoreError, match="closed"):
            use()


def test_an_exception_of_the_writer_reaches_everybody_who_waits(journal: Journal) -> None:
    bad = note()
    bad.step = 2**40  # the column has 32 bits
    futures: list[Future[None]] = []
    for event in (bad, note("behind it")):
        try:
            futures.append(journal.append([event]))
        except StoreError:
            assert futures  # the first had failed by then, and the second was refused at the door
    for future in futures:
        with pytest.raises(StoreError, match="could not be written"):
            future.result(5)
    with pytest.raises(StoreError, match="could not be written"):
        journal.post([note()])
    journal.recover()
    journal.append([note("again")]).result(5)
    assert texts(journal) == ["again"]
    assert journal.verify() == 1


def test_an_appender_that_cannot_be_put_right_is_replaced(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stuck:
        def append_rows(self, rows: object) -> None:
            raise duckdb.IOException("No room.")

        def clear(self) -> None:
            raise duckdb.IOException("No room for that either.")

    monkeypatch.setattr(journal._store._ledger, "_appender", Stuck())
    with pytest.raises(StoreError, match="could not be written"):
        journal.append([note()]).result(5)
    journal.recover()
    journal.append([note("again")]).result(5)
    assert texts(journal) == ["again"]


def test_a_crowd_that_waits_shares_commits(journal: Journal) -> None:
    groups: list[int] = []
    journal.subscribe(lambda events: groups.append(len(events)))
    for _ in range(20):  # eight at once, again and again, as so many agents at work do
        for future in [journal.append([Event(kind=Kind.RUN_STARTED, run=run)]) for run in "abcdefgh"]:
            future.result(5)
    assert sum(groups) == 160
    assert len(groups) < 30  # twenty, and some more until the crowd is noticed
    assert journal.verify() == 160


def test_who_waits_alone_is_not_kept_waiting(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    for future in [journal.append([Event(kind=Kind.RUN_STARTED, run="r")]) for _ in range(20)]:
        future.result(5)
    journal.append([Event(kind=Kind.RUN_STARTED, run="r")]).result(5)  # the crowd is gone after this one
    monkeypatch.setattr(journals, "PATIENCE", 60.0)
    monkeypatch.setattr(journals, "LINGER", 60.0)
    for _ in range(3):
        journal.append([Event(kind=Kind.RUN_STARTED, run="r")]).result(5)
