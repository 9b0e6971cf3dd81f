"""A workspace that an older Assent wrote is opened, read, verified and gone on with."""

import zipfile
from pathlib import Path

import pytest

from assent.core.events import Event, Kind
from assent.runs import records
from assent.store.journal import Journal

# Written by schema version 1: a finished run with a prompt that was set aside, and one that waits for approval.
VERSION_1 = Path(__file__).parent / "version_1.zip"


@pytest.fixture
def older(tmp_path: Path) -> Path:
    with zipfile.ZipFile(VERSION_1) as archive:
        archive.extractall(tmp_path)
    return tmp_path


def test_an_older_workspace_keeps_its_chain_and_goes_on_with_it(older: Path) -> None:
    journal = Journal(older)
    assert journal.verify() == 11
    [(waiting,)] = journal.select("SELECT run FROM runs WHERE status = 'suspended'")
    [(finished,)] = journal.select("SELECT run FROM runs WHERE status = 'finished'")
    assert records.state(journal, finished).answer == "It is three of them: naïve, 3 €."
    assert [item.tool for item in records.waiting(journal)] == ["change"]
    event = Event(kind=Kind.RUN_CANCELLED, run=waiting)
    journal.append([event]).result(5)
    assert event.batch
    journal.close()
    again = Journal(older)
    assert again.verify() == 12
    assert again.select("SELECT count(*), count(batch) FROM events") == [(12, 1)]
    again.close()
