"""The hash chain: whatever is changed in a journal, the first event that does not fit is named."""

import threading
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from tests.support.workspaces import prepare

from assent.core.errors import StoreError
from assent.core.events import Event, Kind
from assent.store import chain
from assent.store.database import selecting
from assent.store.journal import Journal


def note(text: str) -> Event:
    return Event(kind=Kind.MODEL_FAILED, run="r", duration=0.1, body={"error": text})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A closed workspace of five events."""
    journal = Journal(prepare(tmp_path))
    for text in "abcde":
        journal.append([note(text)]).result(5)
    journal.close()
    return tmp_path


def changed(folder: Path, statement: str) -> None:
    """The table without its guards, and the statement carried out on it."""
    with duckdb.connect(str(folder / "assent.duckdb")) as connection:
        connection.execute("DROP TRIGGER events_refuse_update ON events; DROP TRIGGER events_refuse_delete ON events")
        connection.execute(statement)


CHANGES = {
    "a body": ('UPDATE events SET body = \'{"error":"x"}\' WHERE seq = 3', 3),
    "a column": ("UPDATE events SET \"user\" = 'eve' WHERE seq = 2", 2),
    "the time": ("UPDATE events SET time = time + INTERVAL 1 MICROSECOND WHERE seq = 4", 4),
    "the cost": ("UPDATE events SET cost = 0.000000001 WHERE seq = 1", 1),
    "the batch": ("UPDATE events SET batch = 'x.1' WHERE seq = 4", 4),
    "the mark of the version": ("UPDATE events SET batch = NULL WHERE seq = 4", 4),
    "a body forgotten without a word": ('UPDATE events SET body = \'{"forgotten":"x"}\' WHERE seq = 5', 5),
    "an event removed": ("DELETE FROM events WHERE seq = 3", 3),
    "the first event removed": ("DELETE FROM events WHERE seq = 1", 1),
    "an event twice": ("INSERT INTO events SELECT * FROM events WHERE seq = 3", 4),
    "an event put behind the last": ("INSERT INTO events SELECT * REPLACE (6 AS seq) FROM events WHERE seq = 5", 6),
    "two exchanged": ("UPDATE events SET seq = 5 - seq WHERE seq IN (2, 3)", 2),
}


def test_the_first_event_that_does_not_fit_is_named(folder: Path, subtests: pytest.Subtests) -> None:
    changed(folder, "SELECT 1")
    with duckdb.connect(str(folder / "assent.duckdb")) as connection:
        for change, (statement, first) in CHANGES.items():
            with subtests.test(change):
                connection.execute(f"BEGIN; {statement}")
                said = f"event {first} does not fit the hash chain. What comes before it is whole"
                with pytest.raises(StoreError, match=said):
                    chain.verify(selecting(connection), folder)
                connection.execute("ROLLBACK")
        assert chain.verify(selecting(connection), folder).events == 5


def test_what_is_read_as_forgotten_has_to_be_so_by_a_compaction(folder: Path) -> None:
    changed(folder, """UPDATE events SET body = '{"forgotten":"' || sha256(body) || '"}' WHERE seq = 5""")
    journal = Journal(prepare(folder))
    with pytest.raises(StoreError, match="1 events read as forgotten, and no compaction says so"):
        journal.verify()
    journal.close()


def test_a_whole_chain_is_told_with_its_head(folder: Path) -> None:
    journal = Journal(prepare(folder))
    found = chain.verify(journal.select, folder)
    [(head,)] = journal.select("SELECT hash FROM events WHERE seq = 5")
    assert (found.events, found.head, found.forgotten, found.payloads) == (5, head, 0, 0)
    assert str(found) == f"5 events, the chain fits, head {head[:12]}"
    journal.close()


def test_an_empty_journal_fits(journal: Journal) -> None:
    assert chain.verify(journal.select, journal.folder).events == 0
    assert chain.recent(journal.select) == 0


def test_the_chain_goes_over_from_portion_to_portion(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "PORTION", 7)
    journal.append([note(str(number)) for number in range(30)]).result(5)
    assert chain.verify(journal.select, journal.folder).events == 30
    assert chain.recent(journal.select) == 7


def test_the_end_of_the_chain_is_looked_at_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "PORTION", 2)
    changed(folder, "UPDATE events SET \"user\" = 'eve' WHERE seq = 2")
    journal = Journal(prepare(folder))
    assert chain.recent(journal.select) == 2
    journal.close()
    changed_again(folder, "UPDATE events SET \"user\" = 'eve' WHERE seq = 4")
    journal = Journal(folder)
    with pytest.raises(StoreError, match="event 4 does not fit"):
        chain.recent(journal.select)
    journal.close()


def changed_again(folder: Path, statement: str) -> None:
    with duckdb.connect(str(folder / "assent.duckdb")) as connection:
        connection.execute(statement)


def test_every_payload_that_does_not_fit_is_named(journal: Journal) -> None:
    damages: list[Callable[[Path], object]] = [Path.unlink, lambda path: path.write_bytes(b"{}"), lambda _: None]
    for number, damage in enumerate(damages):
        before = set((journal.folder / "blobs").glob("*/*"))
        journal.append([note(f"{number}" + "x" * 100_000)]).result(5)
        [made] = set((journal.folder / "blobs").glob("*/*")) - before
        damage(made)
    with pytest.raises(StoreError, match=r"2 of 3 payloads do not. event 1: .*missing.*event 2: .*was changed"):
        journal.verify()


def test_events_go_on_being_written_while_the_chain_is_verified(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain, "PORTION", 10)
    journal.append([note(str(number)) for number in range(500)]).result(5)
    over = threading.Event()
    written: list[int] = []

    def write() -> None:
        while not over.is_set():
            event = note("later")
            journal.append([event]).result(10)
            written.append(event.seq)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        found = chain.verify(journal.select, journal.folder).events
    finally:
        over.set()
        thread.join()
    assert 500 <= found <= written[-1]
    assert journal.verify() == written[-1]
