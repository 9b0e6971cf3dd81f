"""One journal for all who attach to a workspace in this process."""

from pathlib import Path

import pytest

from assent.core.errors import StoreError
from assent.core.events import Event, Kind
from assent.store.attached import attach, detach, one_for
from assent.store.journal import Journal


def note() -> Event:
    return Event(kind=Kind.MODEL_FAILED, run="r", body={"error": ""})


def test_two_owners_in_one_process_share_the_journal_until_the_last_leaves(tmp_path: Path) -> None:
    one = attach(tmp_path)
    two = attach(tmp_path)
    assert one is two
    detach(one)
    two.append([note()]).result()
    detach(two)
    with pytest.raises(StoreError, match="closed"):
        two.append([note()])


def test_what_goes_with_a_journal_is_made_once_for_it(tmp_path: Path) -> None:
    made: list[Path] = []

    def companion(journal: Journal) -> Path:
        made.append(journal.folder)
        return journal.folder

    journals = [attach(tmp_path / name) for name in ("one", "two")]
    try:
        assert [one_for(journal, companion) for journal in journals * 2] == [tmp_path / "one", tmp_path / "two"] * 2
        assert made == [tmp_path / "one", tmp_path / "two"]
    finally:
        for journal in journals:
            detach(journal)
