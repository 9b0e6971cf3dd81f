"""What is written beside events: in their commit, or not at all."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.workspaces import prepare

from assent.core.errors import Conflict, StoreError
from assent.core.events import Event, Kind
from assent.store.journal import Journal
from assent.store.parcel import Beside, Guard
from assent.store.schema import TEXTS


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(prepare(tmp_path))
    yield opened
    opened.close()


def text(number: int) -> tuple[object, ...]:
    return (number, "default", b"digest", "", f"text {number}")


def added(count: int = 1) -> list[Event]:
    return [Event(kind=Kind.MEMORY_ADDED, body={"known": 0}) for _ in range(count)]


def kept(journal: Journal) -> list[int]:
    return [number for (number,) in journal.select(f"SELECT number FROM {TEXTS} ORDER BY number")]


def test_rows_and_statements_are_in_the_commit_of_the_events(journal: Journal) -> None:
    journal.append(added(), beside=Beside(rows={TEXTS: [text(1), text(2)]})).result()
    drop = (f"DELETE FROM {TEXTS} WHERE number = ?", [1])
    futures = [
        journal.append(added(), beside=Beside([drop], {TEXTS: [text(3)]})),
        journal.append(added(2)),
        journal.append(added(), beside=Beside(rows={TEXTS: [text(4)]})),
    ]
    for future in futures:
        future.result()
    assert kept(journal) == [2, 3, 4]
    assert journal.verify() == 5


@pytest.mark.parametrize(
    "wrong",
    [Beside([("DELETE FROM nowhere", [])]), Beside(rows={TEXTS: [text(7), ("seven",)]})],  # type: ignore[list-item]
)
def test_what_fails_leaves_nothing_and_ends_nothing(journal: Journal, wrong: Beside) -> None:
    journal.append(added(), beside=Beside(rows={TEXTS: [text(1)]})).result()
    with pytest.raises(StoreError, match="could not be written"):
        journal.append(added(), beside=Beside(wrong.statements, {TEXTS: [text(2)], **wrong.rows})).result()
    journal.recover()
    assert kept(journal) == [1]
    assert journal.verify() == 1
    journal.append(added(), beside=Beside(rows={TEXTS: [text(3)]})).result()
    assert kept(journal) == [1, 3]
    assert journal.verify() == 2


def test_what_a_guard_refuses_is_not_written_beside_either(journal: Journal) -> None:
    with pytest.raises(Conflict):
        journal.append(added(), Guard("SELECT false"), Beside(rows={TEXTS: [text(1)]})).result()
    assert kept(journal) == []
